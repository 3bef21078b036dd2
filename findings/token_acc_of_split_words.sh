#!/usr/bin/env bash
# spaCy 3.8.18: the score that `spacy evaluate` prints as TOK, `token_acc`, is 100 for a tokenizer that splits every word
# into letters.
#
# Guess: "# correct tokens / # gold tokens", as the docstring of `Scorer.score_tokenization` says.
# Seen: the share of the tokenizer's own tokens that lie within one gold token. Splitting too much costs nothing;
# joining does. Precision, recall and F of spans, which `spacy evaluate` writes to its JSON but does not print, are 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet spacy==3.8.18 numpy==2.4.6
cat > "$folder/score.py" <<'PY'
import spacy
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example

nlp = spacy.blank("en")


def scores(words, spaces):
    gold = Doc(nlp.vocab, words=["green", "eggs"], spaces=[True, False])
    found = Scorer.score_tokenization([Example(Doc(nlp.vocab, words=words, spaces=spaces), gold)])
    return {name: found[name] for name in ("token_acc", "token_p", "token_r", "token_f")}


letters = scores([*"green", *"eggs"], [False] * 4 + [True] + [False] * 4)
joined = scores(["green eggs"], [False])
print("spacy", spacy.__version__)
print("split into letters:", letters)
print("joined:", joined)
assert list(letters.values()) == [1.0, 0.0, 0.0, 0.0], "this has changed"
assert list(joined.values()) == [0.0, 0.0, 0.0, 0.0], "this has changed"
PY
"$folder/env/bin/python" "$folder/score.py"
