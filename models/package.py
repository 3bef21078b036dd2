"""Make an installable package of a trained tagger: calibrated, in int8, with its figures.

    python models/package.py NAME TRAINED_PIPELINE TRAIN.spacy DEV.spacy DEV.conllu

Writes the directory models/NAME, which `pip install` takes. If the tagger predicts tags alone, a
`lstm_tagger_pos` behind it sets parts of speech. The figures on the dev split are in its meta.json
and README.md.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import spacy
import srsly
from spacy.language import Language
from spacy.scorer import Scorer
from spacy.tokens import Doc, DocBin
from spacy.training import Example

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "benchmarks"))

from measuring.treebank import genre, read_conllu  # noqa: E402

VERSION = "0.1.0"
CALIBRATION = re.compile(r"expected calibration error ([\d.]+) % \(uncalibrated ([\d.]+)")
OUTPUTS = {"tag": "XPOS", "pos": "UPOS", "morph": "FEATS", "lemma": "lemma"}
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


class Figures(NamedTuple):
    """Figures of a tagger on the dev split, in percent.

    gold: accuracy of each output on gold tokens.
    unseen: the same on tokens whose form is not in the train split.
    raw: accuracy of tags on the tokenizer's own tokens, and how many of these are right.
    genres: accuracy of tags on gold tokens by genre.
    worst: F-score of the tags with the lowest ones, of those that are frequent enough.
    calibration: what `lstm-tagger calibrate` said.
    """

    gold: dict[str, float]
    unseen: dict[str, float]
    raw: dict[str, float]
    genres: dict[str, float]
    worst: dict[str, float]
    calibration: str


def main() -> None:
    """Read the arguments and make the package."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    for name in ("trained", "train", "dev", "dev_conllu"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        nlp = spacy.load(args.trained)
        if not _outputs(nlp) & {"pos"}:
            pos = nlp.add_pipe("lstm_tagger_pos")
            gold = [Example(_bare(nlp, doc), doc) for doc in _docs(nlp, args.train)]
            pos.initialize(lambda: gold, nlp=nlp)
        nlp.to_disk(work / "trained")
        said = _run("lstm-tagger", "calibrate", work / "trained", args.dev, work / "calibrated")
        _run("lstm-tagger", "export", work / "calibrated", work / "exported", "-p", "int8")
        # of all the words of the texts; loading adds those that the components need
        (work / "exported" / "vocab" / "strings.json").write_text("[]")
        nlp = spacy.load(work / "exported")
        figures = measure(nlp, args.train, args.dev, args.dev_conllu, " ".join(said.split()))
        _write(spacy.load(work / "exported"), args.name, figures, work / "exported")
        _run("package", work / "exported", work, "--build", "none", "--force")
        target = HERE / args.name
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(work / f"{args.name}-{VERSION}", target)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    print(f"Wrote {target}: {size / 1e6:.1f} MB; {figures.gold}")


def measure(nlp: Language, train: Path, dev: Path, conllu: Path, calibration: str) -> Figures:
    """Return the figures of a pipeline on the dev split."""
    seen = {token.text for doc in _docs(nlp, train) for token in doc}
    references = _docs(nlp, dev)
    tagged = list(nlp.pipe(_bare(nlp, doc) for doc in references))
    right: dict[str, dict[str, list[bool]]] = {
        "gold": defaultdict(list),
        "unseen": defaultdict(list),
    }
    genres: dict[str, list[bool]] = defaultdict(list)
    for sentence, doc, reference in zip(read_conllu(conllu), tagged, references, strict=True):
        for token, gold in zip(doc, reference, strict=True):
            for output in filter(_outputs(nlp).__contains__, OUTPUTS):
                value = _value(gold, output)
                if value:
                    is_right = _value(token, output) == value
                    right["gold"][output].append(is_right)
                    if gold.text not in seen:
                        right["unseen"][output].append(is_right)
                    if output == "tag":
                        genres[genre(sentence.id) or "other"].append(is_right)
    raw = [Example(nlp(doc.text), doc) for doc in references]
    return Figures(
        *({name: _percent(marks) for name, marks in right[kind].items()} for kind in right),
        {
            "tag": 100 * Scorer.score_token_attr(raw, "tag")["tag_acc"],
            "token": 100 * Scorer.score_tokenization(raw)["token_acc"],
        },
        {name: _percent(marks) for name, marks in sorted(genres.items())},
        _worst(tagged, references),
        calibration,
    )


def _worst(
    tagged: list[Doc], references: list[Doc], n: int = 6, least: int = 30
) -> dict[str, float]:
    """Return the F-score of the n tags with the lowest ones, of those in gold `least` times."""
    gold = [token.tag_ for doc in references for token in doc]
    given = [token.tag_ for doc in tagged for token in doc]
    both = Counter(a for a, b in zip(gold, given, strict=True) if a == b)
    n_gold, n_given = Counter(gold), Counter(given)
    scores = {
        tag: 200 * both[tag] / (number + n_given[tag])
        for tag, number in n_gold.items()
        if number >= least
    }
    return {tag: scores[tag] for tag in sorted(scores, key=scores.__getitem__)[:n]}


def _write(nlp: Language, name: str, figures: Figures, directory: Path) -> None:
    """Write the pipeline with its meta.json, card and licences into a directory."""
    for path in nlp.config["paths"]:
        nlp.config["paths"][path] = None
    predicted = ", ".join(OUTPUTS[output] for output in OUTPUTS if output in _outputs(nlp))
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
        spacy_version=">=3.8.2,<3.9.0",
        sources=[EWT, *texts, *MORE_TEXTS],
        performance={
            **{f"{output}_acc": round(value / 100, 4) for output, value in figures.gold.items()},
            "tag_acc_raw_text": round(figures.raw["tag"] / 100, 4),
        },
        notes="Accuracies are those on the dev split of UD_English-EWT 2.16, gold tokens, one "
        "sentence a doc; tag_acc_raw_text on the tokenizer's own tokens.",
    )
    nlp.to_disk(directory)
    (directory / "README.md").write_text(_card(name, predicted, figures), encoding="utf8")
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


def _card(name: str, predicted: str, figures: Figures) -> str:
    gold = "\n".join(
        f"| {OUTPUTS[output]} | {value:.2f} | {figures.unseen[output]:.2f} |"
        for output, value in figures.gold.items()
    )
    genres = ", ".join(f"{genre_} {value:.2f}" for genre_, value in figures.genres.items())
    worst = ", ".join(f"`{tag}` {value:.1f}" for tag, value in figures.worst.items())
    calibration = CALIBRATION.search(figures.calibration)
    assert calibration, figures.calibration
    return f"""\
---
tags:
- spacy
- token-classification
language:
- en
license: cc-by-sa-4.0
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

| | all words | words not in the train split |
| --- | ---: | ---: |
{gold}

Tags by genre: {genres}.

On raw text, with spaCy's tokenizer ({figures.raw["token"]:.2f} % of its tokens are right), the
accuracy of tags is {figures.raw["tag"]:.2f}. Expected calibration error of a tag's probability:
{calibration[1]} % (uncalibrated {calibration[2]} %).

What it is worst at, of the tags that dev has at least 30 times (F-score in percent):
{worst}.
"""


def _outputs(nlp: Language) -> set[str]:
    """Return what a pipeline predicts."""
    found = {str(output) for output in nlp.get_pipe("lstm_tagger").cfg["outputs"]}
    return found | ({"pos"} if nlp.has_pipe("lstm_tagger_pos") else set())


def _value(token: Any, output: str) -> str:
    if output == "morph":
        return str(token.morph) or "_"
    return getattr(token, f"{output}_")


def _docs(nlp: Language, path: Path) -> list[Doc]:
    return list(DocBin().from_disk(path).get_docs(nlp.vocab))


def _bare(nlp: Language, doc: Doc) -> Doc:
    spaces = [bool(token.whitespace_) for token in doc]
    return Doc(nlp.vocab, words=[token.text for token in doc], spaces=spaces)


def _percent(marks: list[bool]) -> float:
    return 100 * sum(marks) / len(marks)


def _run(*arguments: object) -> str:
    command = [sys.executable, "-m", "spacy", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


if __name__ == "__main__":
    main()
