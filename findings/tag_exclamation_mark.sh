#!/usr/bin/env bash
# spaCy 3.8.18: the `tagger` cannot be trained on data that has a tag "!", as UD_Vietnamese-VTB 2.16 has: its
# `neg_prefix`, by default "!", makes that tag mean "not the tag of an empty name". Another neg_prefix helps.
#
# Guess: "!" is a tag like any other (it is accepted as a label); only "!NN" means "not NN".
# Seen: KeyError '' from the first update.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet spacy==3.8.18
cat > "$folder/show.py" <<'PY'
import spacy
from spacy.tokens import Doc
from spacy.training import Example

print("spacy", spacy.__version__)
for neg_prefix in ("!", "not!"):
    nlp = spacy.blank("en")
    tagger = nlp.add_pipe("tagger", config={"neg_prefix": neg_prefix})
    words, tags = ["Stop", "!"], ["VB", "!"]
    examples = [Example(Doc(nlp.vocab, words), Doc(nlp.vocab, words, tags=tags))]
    nlp.initialize(lambda: examples)
    try:
        nlp.update(examples)
        print(neg_prefix, tagger.labels, "trains")
    except KeyError as error:
        print(neg_prefix, tagger.labels, "KeyError", error)
PY
"$folder/env/bin/python" -W ignore "$folder/show.py" | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
spacy 3.8.18
! ('!', 'VB') KeyError ''
not! ('!', 'VB') trains
SEEN
