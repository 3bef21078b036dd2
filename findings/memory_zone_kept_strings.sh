#!/usr/bin/env bash
# spaCy 3.8.18: `StringStore.add(text, allow_transient=False)`, which is to keep a text beyond a memory zone, does not
# keep one that the zone has already, as a word of a text that was read. Whoever holds on to its hash finds no text
# behind it after the zone.
#
# Guess: the texts of labels and lemmas that a component adds "for good" stay, whenever it adds them.
# Seen: they stay if they are new. A text that the tokenizer has added in the same zone is forgotten with the zone, and
# looking its hash up raises E018. Components have to add their texts before the first zone, or in each.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet spacy==3.8.18 numpy==2.4.6
cat > "$folder/zone.py" <<'PY'
import spacy

nlp = spacy.blank("en")
strings = nlp.vocab.strings
with nlp.memory_zone():
    nlp("zebras graze")
    seen = strings.add("zebras", allow_transient=False)
    new = strings.add("zebra", allow_transient=False)
    assert (strings[seen], strings[new]) == ("zebras", "zebra")


def text_of(key):
    try:
        return strings[key]
    except KeyError as error:
        return str(error)[1:7]


found = text_of(new), text_of(seen)
print("spacy", spacy.__version__)
print("after the zone: new in it:", found[0] + "; a word of its texts:", found[1])
assert found == ("zebra", "[E018]"), "this has changed"
PY
"$folder/env/bin/python" "$folder/zone.py"
