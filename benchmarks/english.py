"""Compare the English models that ship with spaCy's, in one run: accuracy, speed and size.

    pip install ./models/en_ewt_lstm ./models/en_ewt_lstm_fast
    python benchmarks/english.py [--models en_ewt_lstm,...] [--teacher PIPELINE]

Scores all that each pipeline annotates on the dev split of UD English EWT: on gold tokens, one
sentence a doc, and on raw text. Then all take turns with one thread each: tags alone (of a pipeline
of spaCy's its tok2vec and tagger), and all that is annotated (of spaCy's without the entity
recognizer; its parts of speech need the parser). Taggers of UDPipe 1 and NLTK take turns on a part
of the sentences, if they are installed here or beside --peers-python; so does a transformer that
`finetune_teacher.py` has fine-tuned. Loading and peak memory are measured in processes of their
own.

Writes ENGLISH.md and ENGLISH.svg, accuracy against speed, to --output, and the figures to
`measured/english.json`, from which the models' cards have their speed. The accuracy of UDPipe,
NLTK and spaCy's CNN trained on EWT is that of `measured/`.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch and numpy are loaded

import spacy
import srsly
import torch
import typer
from measuring import training
from measuring.alone import measure_alone
from measuring.annotation import Accuracy, measure_accuracy
from measuring.devset import Treebank
from measuring.english_report import (
    CNN,
    REFERENCE,
    TAGS_ALONE,
    TRANSFORMER,
    Figures,
    draw,
    report,
)
from measuring.peer_speeds import beside_peers
from measuring.scoring import megabytes
from measuring.treebank import genre, read_conllu
from measuring.turns import take_turns
from measuring.work import SENTENCES, TEXTS, Work
from spacy.language import Language
from spacy.tokens import Doc, DocBin

ROOT = training.ROOT
FOR_TAGS = ("tok2vec", "transformer", "tagger", "lstm_tagger", "transformer_teacher")
"""Components without which there are no tags."""

NOT_COMPARED = ("ner", "senter")
"""Components that change none of what is compared. Parts of speech of spaCy's need the parser."""

CNN_STEPS = 20
"""Steps that the CNN is trained for, as its speed alone is measured here."""

MEASURED = {
    CNN: "en_ewt-cnn-*.json",
    "NLTK PerceptronTagger": "en_ewt-nltk-*.json",
    "UDPipe 1 (tag, part of speech, features and lemma)": "treebanks/en_ewt-udpipe-*.json",
}
"""Results of trainings on EWT, in `measured/`."""


def main(
    models: str = typer.Option(
        ",".join(["en_ewt_lstm", "en_ewt_lstm_fast", REFERENCE, "en_core_web_md"]),
        help=f"Names or paths of pipelines, separated by commas; {REFERENCE} is what speeds are "
        "compared with",
    ),
    teacher: Path = typer.Option(None, help="Fine-tuned transformer, of `finetune_teacher.py`"),
    rounds: int = typer.Option(7, min=1, help="Rounds of timing"),
    peers_python: str = typer.Option(sys.executable, help="Python that has the peers' libraries"),
    peers_every: int = typer.Option(10, min=1, help="Peers tag only every n-th sentence"),
    data: Path = typer.Option(training.DATA, help="Directory of the CoNLL-U files"),
    work: Path = typer.Option(ROOT / "training" / "english", help="Directory of models"),
    output: Path = typer.Option(ROOT / "benchmarks", help="Directory to write to"),
) -> None:
    """Score and time the pipelines, and write a report."""
    torch.set_num_threads(1)
    treebank = Treebank("en_ewt", data, work.resolve())
    gold = list(DocBin().from_disk(treebank.corpora[1]).get_docs(spacy.blank("en").vocab))
    sources = {Path(name).name: name for name in models.split(",")}
    if len(sources) < len(models.split(",")):
        raise typer.BadParameter(f"--models is {models}, but two of them have the same name")
    pipelines = {name: spacy.load(source, exclude=NOT_COMPARED) for name, source in sources.items()}
    alone = {name: measure_alone(nlp.path, {}, 0, [], 3) for name, nlp in pipelines.items()}
    if REFERENCE not in pipelines:
        raise typer.BadParameter(f"--models is {models}, but must name {REFERENCE}")
    taggers = {CNN: spacy.load(_cnn(treebank))}
    for name, nlp in pipelines.items():
        rest = [pipe for pipe in nlp.pipe_names if pipe not in FOR_TAGS]
        if rest:
            exclude = [*NOT_COMPARED, *rest]
            taggers[f"{name}{TAGS_ALONE}"] = spacy.load(sources[name], exclude=exclude)
    if teacher:
        import transformer_teacher  # noqa: F401 (registers the component's factory)

        pipelines[TRANSFORMER] = spacy.load(teacher)
    accuracies = {name: _accuracy(nlp, gold, treebank) for name, nlp in pipelines.items()}
    rows, tasks = {**pipelines, **taggers}, Work(gold)
    speeds = {
        task: {
            name: tasks.n_words[task] / seconds
            for name, seconds in take_turns(rows, partial(tasks.prepare, task), rounds).items()
        }
        for task in (SENTENCES, TEXTS)
    }
    reference = f"{REFERENCE}{TAGS_ALONE}"
    peers, missing = beside_peers(
        *({reference: rows[reference]}, gold[::peers_every], treebank.conllu("train")),
        *(work.resolve(), peers_python, min(rounds, 5)),
    )
    sizes = {name: megabytes(nlp.path) for name, nlp in pipelines.items()}
    figures = Figures(
        *(accuracies, {name: _measured(files) for name, files in MEASURED.items()}),
        *(speeds, peers, missing, alone, sizes),
    )
    kept = {name: accuracy._asdict() for name, accuracy in accuracies.items()}
    srsly.write_json(
        ROOT / "benchmarks" / "measured" / "english.json", {**figures._asdict(), "accuracies": kept}
    )
    command = f"python benchmarks/english.py --models {','.join(sources)} --rounds {rounds}"
    text = report(figures, command + (" --teacher teacher" if teacher else ""))
    (output / "ENGLISH.md").write_text(text, encoding="utf8")
    draw(output / "ENGLISH.svg", figures)
    print(f"Wrote ENGLISH.md and ENGLISH.svg to {output}")


def _accuracy(nlp: Language, gold: list[Doc], treebank: Treebank) -> Accuracy:
    genres = [genre(sentence.id) for sentence in read_conllu(treebank.conllu("dev"))]
    seen = {word for s in read_conllu(treebank.conllu("train")) for word in s.words}
    return measure_accuracy(nlp, gold, genres, seen)


def _measured(files: str) -> list[float]:
    """Return the accuracy of the tags of each training in `measured/`, on gold tokens."""
    paths = sorted((ROOT / "benchmarks" / "measured").glob(files))
    found = [srsly.read_json(path)["scores"]["accuracy"] for path in paths]
    return [accuracy["gold" if "gold" in accuracy else "tag"] for accuracy in found]


def _cnn(treebank: Treebank) -> Path:
    """Return a CNN as `init config` makes it, trained for a few steps if there is none yet."""
    path = treebank.work / "cnn"
    if not training.read_record(path):
        config = training.cnn_config("en")
        config["training"].update(max_steps=CNN_STEPS, eval_frequency=CNN_STEPS)
        training.train(path, config, treebank.corpora, threads=1)
    return path / "model-best"


if __name__ == "__main__":
    typer.run(main)
