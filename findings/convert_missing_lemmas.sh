#!/usr/bin/env bash
# spaCy 3.8.18: in CoNLL-U, "_" says that a word has no lemma. `spacy convert --converter conllu` makes it the lemma
# "_", so that `trainable_lemmatizer` learns to answer "_", and is scored as right for it. XPOS and FEATS of "_" are
# read otherwise: UPOS becomes the tag, and FEATS are empty. UD_Uyghur-UDT 2.16 has 27 % of its words without a lemma.
#
# Guess: a word without a lemma is left unset, as `Doc(lemmas=[""])` leaves it: no training, no score.
# Seen: the lemma is "_", and a trained pipeline gives "_" for the lemma of a word, with lemma_acc 1.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet spacy==3.8.18
printf '1\tdogs\tdog\tNOUN\t_\tNumber=Plur\t2\tnsubj\t_\t_\n2\trun\t_\tVERB\t_\t_\t0\troot\t_\t_\n\n' > "$folder/words.conllu"
"$folder/env/bin/python" -W ignore -m spacy convert "$folder/words.conllu" "$folder" --converter conllu -n 1 > /dev/null
cat > "$folder/show.py" <<'PY'
import sys
import spacy
from spacy.training import Corpus
from thinc.api import fix_random_seed

print("spacy", spacy.__version__)
fix_random_seed(0)
nlp = spacy.blank("en")
nlp.add_pipe("trainable_lemmatizer", config={"min_tree_freq": 1})
examples = list(Corpus(sys.argv[1])(nlp))
for token in examples[0].reference:
    print(token.text, "tag:", token.tag_, "features:", str(token.morph) or "none", "lemma:", token.lemma_)
nlp.initialize(lambda: examples)
for _ in range(60):
    nlp.update(examples)
print([token.lemma_ for token in nlp("dogs run")], nlp.evaluate(list(Corpus(sys.argv[1])(nlp)))["lemma_acc"])
PY
"$folder/env/bin/python" -W ignore "$folder/show.py" "$folder/words.spacy" | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
spacy 3.8.18
dogs tag: NOUN features: Number=Plur lemma: dog
run tag: VERB features: none lemma: _
['dog', '_'] 1.0
SEEN
