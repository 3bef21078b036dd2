#!/usr/bin/env bash
# spaCy 3.8.18: `trainable_lemmatizer` prunes edit trees that occur fewer than `min_tree_freq` times (by default 3).
# Words with a pruned tree are not left out of training: they are taught the first label there is, which is the
# tree of the first word of the corpus (get_loss: `self.tree2label.get(tree_id, 0)`). No message says so.
#
# Guess: a word whose tree is pruned teaches nothing, as a word without a lemma does.
# Seen: "was/be" occurs twice. If the corpus begins with "cats/cat", the trained lemma of "was" is "wa"; with the
#       same sentences in another order, it is "was"; and it is "was" in both if those lemmas are missing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet spacy==3.8.18
cat > "$folder/show.py" <<'PY'
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import fix_random_seed


def lemma_of_was(sentences):
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("trainable_lemmatizer")
    examples = []
    for sentence in sentences:
        words, lemmas = zip(*(pair.split("/") for pair in sentence.split()))
        examples.append(Example(Doc(nlp.vocab, words), Doc(nlp.vocab, words, lemmas=lemmas)))
    nlp.initialize(lambda: examples)
    for _ in range(60):
        nlp.update(examples)
    return nlp(Doc(nlp.vocab, ["was"]))[0].lemma_


plurals, verbs = "cats/cat dogs/dog birds/bird", "run/run sing/sing go/go"
print("spacy", spacy.__version__)
for name, rare in {"was/be": ["was/be"] * 2, "was/": ["was/"] * 2}.items():
    print(name, "cats first:", lemma_of_was([plurals, verbs, *rare]))
    print(name, "run first:", lemma_of_was([verbs, plurals, *rare]))
PY
"$folder/env/bin/python" -W ignore "$folder/show.py" | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
spacy 3.8.18
was/be cats first: wa
was/be run first: was
was/ cats first: was
was/ run first: was
SEEN
