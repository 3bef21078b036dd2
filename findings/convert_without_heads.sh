#!/usr/bin/env bash
# spaCy 3.8.18: `spacy convert --converter conllu` takes a word whose HEAD is "_" for the root of a tree of
# its own. In a file without trees, every word becomes a sentence, although the blank lines say where sentences
# end and the docs of `-n 1` have the right words. Training with gold_preproc = true then reads docs of one word.
#
# Guess: without heads, sentences are those of the file.
# Seen: one doc of three words and three sentences; its corpus with gold_preproc has three examples.
#       With heads: one sentence and one example.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet spacy==3.8.18
printf '1\tI\tI\tPRON\tPRP\t_\t_\t_\t_\t_\n2\tlike\tlike\tVERB\tVBP\t_\t_\t_\t_\t_\n3\tham\tham\tNOUN\tNN\t_\t_\t_\t_\t_\n\n' \
    > "$folder/without.conllu"
printf '1\tI\tI\tPRON\tPRP\t_\t2\tnsubj\t_\t_\n2\tlike\tlike\tVERB\tVBP\t_\t0\troot\t_\t_\n3\tham\tham\tNOUN\tNN\t_\t2\tobj\t_\t_\n\n' \
    > "$folder/with.conllu"
for name in without with; do
    "$folder/env/bin/python" -W ignore -m spacy convert "$folder/$name.conllu" "$folder" --converter conllu -n 1 > /dev/null
done
cat > "$folder/show.py" <<'PY'
import sys
import spacy
from spacy.tokens import DocBin
from spacy.training import Corpus

print("spacy", spacy.__version__)
nlp = spacy.blank("en")
for name in ("without", "with"):
    path = f"{sys.argv[1]}/{name}.spacy"
    docs = list(DocBin().from_disk(path).get_docs(nlp.vocab))
    examples = list(Corpus(path, gold_preproc=True)(nlp))
    print(f"{name} heads: docs of", [len(doc) for doc in docs], "words, sentences of",
          [len(sentence) for doc in docs for sentence in doc.sents], "words,", len(examples), "examples")
PY
"$folder/env/bin/python" -W ignore "$folder/show.py" "$folder" | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
spacy 3.8.18
without heads: docs of [3] words, sentences of [1, 1, 1] words, 3 examples
with heads: docs of [3] words, sentences of [3] words, 1 examples
SEEN
