"""`python -m spacy lstm-tagger uncertain`: list uncertain tokens for the next annotation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import srsly
import typer
from spacy.language import Language
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc, Span, Token

from ..files.atomic import write_file
from ..files.raw_text import read_docs
from ..report.annotation_tasks import all_sentences, prodigy_task
from ..report.label_studio import label_studio_task, labelling_config
from . import lstm_tagger_cli, messages
from .bad_records import BadRecords
from .errors import fail, failing_in_one_line
from .pipelines import check_parent, get_tagger, load_pipeline

FORMATS = ("prodigy", "label-studio")
CANDIDATES = 3


@lstm_tagger_cli.command("uncertain")
def uncertain_cli(
    model: str = typer.Argument(..., help="Name or path of a trained pipeline"),
    raw: Path = typer.Argument(
        ..., help="Text: .txt (a text a line), .jsonl, either with .gz, or .spacy", exists=True
    ),
    below: float = typer.Option(0.5, "--below", "-b", help="List tokens less probable than this"),
    form: str = typer.Option("prodigy", "--format", "-f", help="prodigy or label-studio"),
    component: str = typer.Option("lstm_tagger", "--component", "-c", help="The tagger's name"),
    output: Path | None = typer.Option(
        None, "--output", "-o", help="The file to write, instead of printing", dir_okay=False
    ),
    labelling: Path | None = typer.Option(
        None, "--labelling-config", "-l", help="Write Label Studio's configuration", dir_okay=False
    ),
    split: bool = typer.Option(
        True, help="Split texts into sentences by spaCy's rules if the pipeline does not"
    ),
    skip_errors: bool = typer.Option(
        False, "--skip-errors", help="Go on past texts that cannot be read, and list them"
    ),
) -> None:
    """Print the sentences that have uncertain tokens as tasks for annotators.

    For Prodigy as JSON lines, for Label Studio as one JSON list, whose file is to be named .json.
    """
    _check(below, form, output, labelling)
    with failing_in_one_line(f"Cannot list uncertain tokens of {raw}"):
        for path in filter(None, (output, labelling)):
            check_parent(path, inputs=[raw])
        nlp = load_pipeline(model)
        tagger = get_tagger(nlp, component)
        tagger.cfg["save_probabilities"] = CANDIDATES
        bad_records = BadRecords(skip=skip_errors)
        docs = nlp.pipe(read_docs(raw, nlp, on_error=bad_records))
        counts = Counts()
        found = counts.uncertain(all_sentences(_in_sentences(docs) if split else docs, below))
        lines = _json_lines(found) if form == "prodigy" else _json_list(found, nlp)
        if output:
            write_file(output, "".join(f"{line}\n" for line in lines).encode())
        else:
            for line in lines:
                messages.write_output(line)
        bad_records.report()
        messages.good(f"{counts} below {below:g}{f': {output}' if output else ''}")
        if form == "label-studio":
            _configure(labelling_config(tagger.labels), labelling)


def _check(below: float, form: str, output: Path | None, labelling: Path | None) -> None:
    """End the command if options are wrong."""
    if not 0 < below <= 1:
        fail(f"--below is {below}, but must be above 0 up to 1")
    if form not in FORMATS:
        fail(f"--format is '{form}', but must be one of {', '.join(FORMATS)}")
    if labelling and form != "label-studio":
        fail(f"--labelling-config is for --format label-studio, but the format is {form}")
    if output and form == "label-studio" and output.suffix.lower() != ".json":
        fail(
            f"--output is {output}, but Label Studio imports predictions from .json files alone: "
            f"name it {output.with_suffix('.json')}"
        )
    if output and labelling and output.resolve() == labelling.resolve():
        fail(f"--output and --labelling-config are both {output}: name two files")


class Counts:
    """How many sentences there were, and how many of them had uncertain tokens."""

    def __init__(self) -> None:
        self.sentences = self.found = 0

    def uncertain(
        self, sentences: Iterable[tuple[Span, list[Token]]]
    ) -> Iterator[tuple[Span, list[Token]]]:
        """Yield the sentences that have uncertain tokens, and count all."""
        for sentence, tokens in sentences:
            self.sentences += 1
            if tokens:
                self.found += 1
                yield sentence, tokens

    def __str__(self) -> str:
        has = "sentence has" if self.sentences == 1 else "sentences have"
        return f"{self.found} of {self.sentences} {has} a token"


def _in_sentences(docs: Iterable[Doc]) -> Iterator[Doc]:
    """Yield docs with sentence boundaries; say so once if they had none."""
    sentencizer, said = Sentencizer(), False
    for doc in docs:
        if not doc.has_annotation("SENT_START"):
            if not said:
                said = True
                messages.info(
                    "The pipeline sets no sentence boundaries: texts are split by spaCy's "
                    "sentencizer, at . ! ? and the like. --no-split keeps them whole."
                )
            doc = sentencizer(doc)
        yield doc


def _json_lines(found: Iterable[tuple[Span, list[Token]]]) -> Iterator[str]:
    for sentence, tokens in found:
        yield srsly.json_dumps(prodigy_task(sentence, tokens))


def _json_list(found: Iterable[tuple[Span, list[Token]]], nlp: Language) -> Iterator[str]:
    """Yield the lines of a JSON list, so that not all tasks need be in memory at once."""
    version = "{lang}_{name}-{version}".format(**nlp.meta)  # as spaCy names packages
    line = "["
    for number, (sentence, tokens) in enumerate(found):
        yield f"{line}," if number else line
        line = srsly.json_dumps(label_studio_task(sentence, tokens, version))
    yield line
    yield "]"


def _configure(config: str, path: Path | None) -> None:
    """Write the configuration, or show it; say what it is for."""
    if path:
        write_file(path, config.encode())
    messages.info(
        f"Paste {f'what is in {path}' if path else 'this'} into Settings > Labeling Interface > "
        "Code of the project in Label Studio before you import the tasks, as a .json file"
    )
    if not path:
        typer.echo(config, err=True, nl=False)
