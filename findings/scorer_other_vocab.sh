#!/usr/bin/env bash
# spaCy 3.8.18: `Example` takes a predicted doc and a reference with different vocabularies, and the scorer gives
# tag_acc, pos_acc, lemma_acc and morph_acc for them. `morph_per_feat` looks up the predicted features in the
# reference's strings: a combination of features that no gold word has is an error, and no score at all is given.
#
# Guess: a wrong prediction is wrong, as it is for tags and lemmas.
# Seen: KeyError E018 from Scorer.score_token_attr_per_feat; Scorer.score_token_attr works.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet spacy==3.8.18
cat > "$folder/show.py" <<'PY'
import spacy
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

print("spacy", spacy.__version__)
gold = Doc(Vocab(), ["dogs"], tags=["NNS"], morphs=["Number=Plur"])
guess = Doc(Vocab(), ["dogs"], tags=["NN"], morphs=["Number=Sing"])
examples = [Example(guess, gold)]
getter = lambda token, attr: token.morph.key
print(Scorer.score_token_attr(examples, "tag"), Scorer.score_token_attr(examples, "morph", getter=getter))
try:
    print(Scorer.score_token_attr_per_feat(examples, "morph", getter=getter))
except KeyError as error:
    print("KeyError", str(error)[1:7])
PY
"$folder/env/bin/python" -W ignore "$folder/show.py" | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
spacy 3.8.18
{'tag_acc': 0.0} {'morph_acc': 0.0}
KeyError [E018]
SEEN
