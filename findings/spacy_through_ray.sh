#!/usr/bin/env bash
# spaCy 3.8.18 (thinc 8.3.14) and Ray 2.60.0: a pipeline that is passed to an actor of Ray arrives with read-only
# weights, and a CNN of spaCy's then cannot even predict: `ValueError: buffer source array is read-only`.
#
# Guess: an object that pickle copies faithfully works as an argument too; at worst it cannot be trained further.
# Seen: Ray hands over NumPy arrays as views of its shared memory, and thinc's lookup in the tables of HashEmbed takes
# none that are read-only. In Ray Data a pipeline that the function finds as a global variable fails alike. In a task
# it works if it is a global variable, and in an actor after `pickle.loads(pickle.dumps(nlp))` or if loaded there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "ray[data]==2.60.0" pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6 \
    spacy==3.8.18 thinc==8.3.14
cat > "$folder/actor.py" <<'PY'
import os
import pickle

os.environ["RAY_AUTH_MODE"] = "disabled"
import ray
import spacy
from spacy.training import Example

nlp = spacy.blank("en")
nlp.add_pipe("tok2vec")
listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96}
nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}})
tags = {"tags": ["PRP", "VBZ", "PRP"]}
nlp.initialize(lambda: [Example.from_dict(nlp.make_doc("she sees him"), tags)])
ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
ray.data.DataContext.get_current().enable_progress_bars = False


def tagged(pipeline):
    try:
        return [token.tag_ for token in pipeline("she sees him")]
    except ValueError as error:
        return str(error)


def tag_batch(batch):
    return {"seen": [str(tagged(nlp))]}


@ray.remote
def task():
    return tagged(nlp)


@ray.remote
class Actor:
    def __init__(self, pipeline):
        self.pipeline = pipeline

    def tag(self):
        return tagged(self.pipeline)

    def tag_with_copy(self):
        return tagged(pickle.loads(pickle.dumps(self.pipeline)))


actor = Actor.remote(nlp)
found = {
    "here": tagged(nlp),
    "pickled and unpickled here": tagged(pickle.loads(pickle.dumps(nlp))),
    "in an actor, as an argument": ray.get(actor.tag.remote()),
    "in the same actor, pickled and unpickled": ray.get(actor.tag_with_copy.remote()),
    "in a task, as a global variable": ray.get(task.remote()),
    "in map_batches, as a global variable": ray.data.from_items([1]).map_batches(tag_batch).take_all()[0]["seen"],
}
print("spacy", spacy.__version__, "ray", ray.__version__)
for case, result in found.items():
    print(f"{case}: {result}")
failed = [result == "buffer source array is read-only" for result in found.values()]
assert failed == [False, False, True, False, False, True], "this has changed"
PY
"$folder/env/bin/python" "$folder/actor.py" 2> "$folder/log" || { cat "$folder/log"; exit 1; }
