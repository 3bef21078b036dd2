#!/usr/bin/env bash
# spaCy 3.8.18: a gold lemma whose edit tree is not among the labels of `trainable_lemmatizer` is learned as
# label number 0, whichever tree that is (the first frequent one of the training data). Not known as labels are
# trees rarer than min_tree_freq, and, in a pipeline loaded from disk, all of them: the table from trees to
# labels is not saved. Training such a pipeline further teaches label 0 for every word that has a lemma.
# https://github.com/explosion/spaCy/pull/12098 masks tokens without a gold lemma; these have one.
#
# Guess: a token with a rare tree is ignored, like one without a lemma. Training a loaded pipeline further on
#        the data that it was trained on keeps it right.
# Seen: label 0 cuts a final "s". With the gold lemma "be" the gradient of "was" asks for label 0, and "was"
#       becomes "wa"; without a gold lemma the gradient is 0 and "was" stays "was". A pipeline that is right
#       about "gas" and "Texas" stays so if trained further in memory; saved, loaded and trained further on
#       the same data it says "ga" and "Texa". No warning in either case.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet spacy==3.8.18 thinc==8.3.14
cat > "$folder/show.py" <<'PY'
import sys
import warnings

import spacy
from spacy.training import Example
from thinc.api import fix_random_seed

SENTENCES = {
    "cats sleep": ["cat", "sleep"],
    "dogs sleep": ["dog", "sleep"],
    "birds sleep": ["bird", "sleep"],
    "gas in Texas": ["gas", "in", "Texas"],
}
RARE = "gas was Texas"


def lemmas(nlp):
    return [token.lemma_ for token in nlp(RARE)]


def train(nlp, examples, sgd):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        for _ in range(40):
            nlp.update(examples, sgd=sgd)


def run(of_was):
    fix_random_seed(0)
    nlp = spacy.blank("en")
    lemmatizer = nlp.add_pipe("trainable_lemmatizer")
    gold = {**SENTENCES, RARE: ["gas", of_was, "Texas"]}
    examples = [Example.from_dict(nlp.make_doc(text), {"lemmas": gold[text]}) for text in gold]
    sgd = nlp.initialize(lambda: examples)
    scores = lemmatizer.model.predict([examples[-1].predicted])
    _, gradients = lemmatizer.get_loss(examples[-1:], scores)
    train(nlp, examples, sgd)
    print("labels:", [lemmatizer.trees.tree_to_str(label) for label in lemmatizer.labels])
    print(f"gold lemma {of_was!r}: gradient", [round(float(x)) for x in gradients[0][1]], "then", lemmas(nlp))
    return nlp, examples


print("spacy", spacy.__version__)
run("be")
nlp, examples = run("")
nlp.to_disk(sys.argv[1])
train(nlp, examples, nlp.resume_training())
print("trained further:", lemmas(nlp))
loaded = spacy.load(sys.argv[1])
print("loaded:", lemmas(loaded))
train(loaded, examples, loaded.resume_training())
print("loaded and trained further:", lemmas(loaded))
PY
"$folder/env/bin/python" -W ignore "$folder/show.py" "$folder/saved" | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
spacy 3.8.18
labels: ["(m 0 1 () (s 's' ''))", '(m 0 0 () ())']
gold lemma 'be': gradient [-1, 0] then ['gas', 'wa', 'Texas']
labels: ["(m 0 1 () (s 's' ''))", '(m 0 0 () ())']
gold lemma '': gradient [0, 0] then ['gas', 'was', 'Texas']
trained further: ['gas', 'was', 'Texas']
loaded: ['gas', 'was', 'Texas']
loaded and trained further: ['ga', 'wa', 'Texa']
SEEN
