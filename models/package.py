"""Make an installable package of a trained tagger: calibrated, in int8, with its figures.

    python models/package.py NAME TRAIN.spacy DEV.spacy DEV.conllu --trained PIPELINE

Writes the directory models/NAME, which `pip install` takes. If the tagger predicts tags alone, a
`lstm_tagger_pos` behind it sets parts of speech. The figures on the dev split are in its meta.json
and README.md; without --trained, only these are written again for the model that is there, with
the speeds that `benchmarks/english.py` measured last.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import spacy
import srsly
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.vocab import Vocab

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "benchmarks"))

from measuring.annotation import OUTPUTS, Accuracy, measure_accuracy  # noqa: E402
from measuring.english_report import REFERENCE, TAGS_ALONE  # noqa: E402
from measuring.treebank import genre, read_conllu  # noqa: E402
from measuring.work import copy  # noqa: E402

VERSION = "0.1.0"
CALIBRATION = re.compile(r"expected calibration error ([\d.]+) % \(uncalibrated ([\d.]+)")
SPEEDS = HERE.parent / "benchmarks" / "measured" / "english.json"
CALIBRATED, UNCALIBRATED = "tag_calibration_error", "tag_calibration_error_uncalibrated"
EWT = {
    "name": "UD_English-EWT 2.16, train split",
    "url": "https://github.com/UniversalDependencies/UD_English-EWT",
    "license": "CC BY-SA 4.0",
    "author": "those whom its README.md names",
}
MORE_TEXTS = [
    {"name": name, "url": "https://www.nltk.org/nltk_data", "license": licence, "author": author}
    for name, licence, author in [
        ("State of the Union addresses", "public domain", "presidents of the United States"),
        ("Inaugural addresses", "public domain", "presidents of the United States"),
        ("MASC, texts without their tags", "free for any use", "American National Corpus project"),
        ("Product reviews", "CC BY 4.0", "Minqing Hu and Bing Liu"),
    ]
]


def main() -> None:
    """Read the arguments and make the package, or its figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    for name in ("train", "dev", "dev_conllu"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--trained", type=Path, help="pipeline to make the package of")
    args = parser.parse_args()
    target = HERE / args.name
    with tempfile.TemporaryDirectory() as directory:
        exported = Path(directory) / "exported"
        if args.trained:
            errors = _export(args.trained, args.train, args.dev, exported)
        else:
            shutil.copytree(_pipeline(target), exported)
            before = spacy.load(exported).meta["performance"]
            errors = {key: before[key] for key in (CALIBRATED, UNCALIBRATED)}
        vocab = spacy.blank("en").vocab
        seen = {token.text for doc in _docs(args.train, vocab) for token in doc}
        genres = [genre(sentence.id) for sentence in read_conllu(args.dev_conllu)]
        nlp, gold = spacy.load(exported), _docs(args.dev, vocab)
        accuracy = measure_accuracy(nlp, gold, genres, seen)
        _write(nlp, args.name, accuracy, errors, exported)
        _run("package", exported, directory, "--build", "none", "--force")
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(Path(directory) / f"{args.name}-{VERSION}", target)
    for beside in (target / args.name, _pipeline(target)):
        shutil.copy(target / "meta.json", beside)  # as its setup.py does when it is installed
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    print(f"Wrote {target}: {size / 1e6:.1f} MB; {accuracy.gold}")


def _export(trained: Path, train: Path, dev: Path, exported: Path) -> dict[str, float]:
    """Calibrate and export a pipeline; return its calibration errors, as fractions.

    One half of the dev split is scored with the temperature of the other, and the other way round.
    """
    nlp = spacy.load(trained)
    if "pos" not in nlp.get_pipe("lstm_tagger").cfg["outputs"]:
        pos = nlp.add_pipe("lstm_tagger_pos")
        gold = [Example(copy(nlp, doc), doc) for doc in _docs(train, nlp.vocab)]
        pos.initialize(lambda: gold, nlp=nlp)
    whole, calibrated = exported.parent / "trained", exported.parent / "calibrated"
    nlp.to_disk(whole)
    said = _run("lstm-tagger", "calibrate", whole, dev, calibrated)
    found = CALIBRATION.search(" ".join(said.split()))
    assert found, said
    _run("lstm-tagger", "export", calibrated, exported, "-p", "int8")
    errors = zip((CALIBRATED, UNCALIBRATED), found.groups(), strict=True)
    return {key: round(float(error) / 100, 4) for key, error in errors}


def _pipeline(package: Path) -> Path:
    (found,) = (package / package.name).glob(f"{package.name}-*")
    return found


def _write(
    nlp: Language, name: str, accuracy: Accuracy, errors: dict[str, float], directory: Path
) -> None:
    """Write the pipeline with its meta.json, card and licences into a directory."""
    for path in nlp.config["paths"]:
        nlp.config["paths"][path] = None
    predicted = ", ".join(OUTPUTS[output] for output in OUTPUTS if output in accuracy.gold)
    texts = [
        {
            "name": f"{source['name']}: {source['kind']}",
            "url": f"https://github.com/{source['repository']}",
            "license": source["licence"],
            "author": source["repository"].partition("/")[0],
        }
        for source in srsly.read_yaml(HERE / "texts.yml")
    ]
    nlp.meta.update(
        name=name.partition("_")[2],
        version=VERSION,
        description=f"English: {predicted}, by a recurrent network in 8 bits.",
        author="The authors of spacy-lstm-tagger",
        license="CC BY-SA 4.0",
        requirements=[],  # saving and packaging add what is needed
        spacy_version=">=3.8.3,<3.9.0",
        sources=[EWT, *texts, *MORE_TEXTS],
        performance={
            **{f"{output}_acc": round(value / 100, 4) for output, value in accuracy.gold.items()},
            "tag_acc_raw_text": round(accuracy.raw["tag"] / 100, 4),
            "token_f": round(accuracy.tokens / 100, 4),
            **errors,
        },
        notes="Accuracies are those on the dev split of UD_English-EWT 2.16, gold tokens, one "
        "sentence a doc; tag_acc_raw_text on the tokenizer's own tokens.",
    )
    nlp.to_disk(directory)
    (directory / "vocab" / "strings.json").write_text("[]")  # loading adds what is needed
    card = _card(name, predicted, accuracy, errors)
    (directory / "README.md").write_text(card, encoding="utf8")
    (directory / "LICENSE").write_text(LICENCE, encoding="utf8")
    lines = [
        f"{s['name']}\n  {s['url']}\n  {s['license']}; {s['author']}" for s in nlp.meta["sources"]
    ]
    (directory / "LICENSES_SOURCES").write_text("\n".join(lines) + "\n", encoding="utf8")


LICENCE = """\
The files of this model are licensed under CC BY-SA 4.0,
https://creativecommons.org/licenses/by-sa/4.0. The code that runs them, spacy-lstm-tagger, is under
the MIT license.

Changes: the weights, tables and labels of this model were learned from the annotated sentences of
the train split of UD_English-EWT 2.16 (CC BY-SA 4.0), and from the texts in LICENSES_SOURCES, which
programs had labelled. Neither the sentences nor the texts are part of it; word forms, tags and
lemmas of the treebank are.
"""


def _card(name: str, predicted: str, accuracy: Accuracy, errors: dict[str, float]) -> str:
    gold = "\n".join(
        f"| {OUTPUTS[output]} | {value:.2f} | {accuracy.unseen[output]:.2f} "
        f"| {accuracy.raw[output]:.2f} |"
        for output, value in accuracy.gold.items()
    )
    results = "\n".join(
        f"""\
  - task:
      name: {OUTPUTS[output]}
      type: token-classification
    metrics:
    - name: {OUTPUTS[output]} accuracy
      type: accuracy
      value: {value / 100:.4f}"""
        for output, value in accuracy.gold.items()
    )
    genres = ", ".join(f"{genre_} {value:.2f}" for genre_, value in accuracy.genres.items())
    worst = ", ".join(f"`{tag}` {value:.1f}" for tag, value in accuracy.worst.items())
    return f"""\
---
tags:
- spacy
- token-classification
language:
- en
license: cc-by-sa-4.0
model-index:
- name: {name}
  results:
{results}
---
# {name}

{predicted} of English, by a recurrent network in 8 bits, which runs on a CPU without torch.

    pip install ".[onnx]" ./models/{name}  # in a checkout of spacy-lstm-tagger

```python
import spacy

nlp = spacy.load("{name}")
print([(token.text, token.tag_, token.pos_) for token in nlp("Can you send me the photos?")])
```

Trained on the train split of UD_English-EWT 2.16, and taught on texts that a transformer had
labelled, MPNet of 110 million parameters, fine-tuned on the same sentences. LICENSES_SOURCES lists
the texts; all may be used for any purpose.

Accuracy in percent on the dev split, on which the best of several steps of one training was chosen;
gold tokens, one sentence a doc:

| | gold tokens | of these, words not in the train split | raw text |
| --- | ---: | ---: | ---: |
{gold}

On raw text, spaCy's tokens have an F-score of {accuracy.tokens:.2f}. XPOS by genre, gold tokens:
{genres}.

Expected calibration error of a tag's probability: {100 * errors[CALIBRATED]:.2f} % (uncalibrated
{100 * errors[UNCALIBRATED]:.2f} %), each half of the dev split with the temperature of the other.

{_speed(name)}What it is worst at, of the tags that dev has at least 30 times (F-score in percent):
{worst}.

The treebank is text of the web: weblogs, newsgroups, emails, reviews, questions and answers.
"""


def _speed(name: str) -> str:
    """Return what was measured of its speed; empty if nothing was."""
    speeds = srsly.read_json(SPEEDS)["speeds"]["sentences"] if SPEEDS.is_file() else {}
    if name not in speeds:
        return ""
    whole, tagger = (speeds[name] / speeds[f"{REFERENCE}{rest}"] for rest in ("", TAGS_ALONE))
    return (
        f"Speed, one thread, ready docs of a sentence: {whole:.1f} times that of `{REFERENCE}`\n"
        f"without its entity recognizer, {tagger:.1f} times that of its tagger alone.\n\n"
    )


def _docs(path: Path, vocab: Vocab) -> list[Doc]:
    return list(DocBin().from_disk(path).get_docs(vocab))


def _run(*arguments: object) -> str:
    command = [sys.executable, "-m", "spacy", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


if __name__ == "__main__":
    main()
