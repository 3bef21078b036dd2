"""Load pipelines and find their taggers, for all commands alike; save them whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import spacy
from spacy.language import Language

from ..files.atomic import temporary_path
from ..pipeline.tagger import LSTMTagger
from ..settings import ENVIRONMENT_ERRORS

CONFIG, META = "config.cfg", "meta.json"
"""Names of files in the directory of every saved pipeline."""

BEST = "model-best"
"""The directory that `spacy train` writes the best pipeline to."""


def load_pipeline(name: str) -> Language:
    """Load a pipeline by its name or path.

    Raises ValueError if there is none, or it is damaged; ImportError if it needs what is missing.
    """
    if not name.strip():
        raise ValueError("the name of a pipeline is empty")
    try:
        return spacy.load(name)
    except ImportError:
        raise
    except ENVIRONMENT_ERRORS as error:  # spaCy raises OSError for a name that it cannot find
        reason = _meant_instead(Path(name)) or error
        raise ValueError(f"cannot load the pipeline '{name}': {reason}") from error
    except Exception as error:  # whatever the readers of its many files raise
        raise ValueError(
            f"cannot load the pipeline '{name}': {type(error).__name__}: {error}"
        ) from error


def _meant_instead(path: Path) -> str | None:
    """Return a hint if there is no pipeline at a path that exists, but perhaps one near it."""
    if not path.exists() or any((path / name).exists() for name in (CONFIG, META)):
        return None
    for parent in path.absolute().parents:
        if is_pipeline(parent):
            return f"it is a part of a pipeline. Did you mean {parent}?"
    for depth in ("*", "*/*", "*/*/*"):  # of models in a package
        found = [config.parent for config in path.glob(f"{depth}/{CONFIG}")]
        found = sorted(filter(is_pipeline, found), key=lambda p: (p.name != BEST, p))
        if found:
            others = f" and {len(found) - 1} more" if found[1:] else ""
            return f"it is no pipeline, but holds one{others}. Did you mean {found[0]}?"
    if path.is_file():
        return "it is a file, but must be a directory that spaCy saved, or an installed package"
    return f"there is no {CONFIG} in it, as in every directory that spaCy saved"


def is_pipeline(directory: Path) -> bool:
    """Return whether a pipeline was saved in the directory."""
    return all((directory / name).is_file() for name in (CONFIG, META))


def get_tagger(nlp: Language, component: str) -> LSTMTagger:
    """Return an lstm_tagger of a pipeline, one that predicts tags, by its name in it.

    Raises ValueError if there is none.
    """
    taggers = [name for name, pipe in nlp.pipeline if isinstance(pipe, LSTMTagger)]
    if component in taggers:
        tagger: LSTMTagger = nlp.get_pipe(component)
        if "tag" in tagger.cfg["outputs"]:
            return tagger
        raise ValueError(
            f"the component '{component}' predicts {tagger.cfg['outputs']}, not tags, and only "
            "tags have probabilities. Name one that predicts tags with --component, or train it "
            "with outputs that have 'tag'."
        )
    what = "is no lstm_tagger" if component in nlp.pipe_names else "is not in the pipeline"
    found = f"its lstm_taggers are {taggers}" if taggers else "it has no lstm_tagger"
    raise ValueError(
        f"the component '{component}' {what} ({nlp.pipe_names}); {found}. Name one with "
        "--component."
    )


def check_new(directory: Path, *, force: bool, inputs: Iterable[str | Path]) -> None:
    """Raise ValueError unless a pipeline can be saved in the directory.

    force: whether it may take the place of another pipeline, but of nothing else.
    inputs: what the command reads, which must not be in the directory.
    """
    if directory.exists() and not force:
        raise ValueError(
            f"{directory} exists already: name a new directory, or replace it with --force"
        )
    if directory.exists() and not is_pipeline(directory):
        raise ValueError(
            f"{directory} is no pipeline, and --force replaces nothing else: name a new directory"
        )
    for given in map(Path, inputs):
        if any(_is_same(directory, part) for part in (given, *given.resolve().parents)):
            raise ValueError(f"cannot replace {directory}: {given} is an input of this command")
    check_parent(directory)


def check_parent(path: Path, *, inputs: Iterable[Path | None] = ()) -> None:
    """Raise ValueError unless a file or directory can be made there, in the place of no input."""
    if any(_is_same(path, given) for given in inputs if given is not None):
        raise ValueError(f"cannot write {path}: it is an input of this command. Name another file")
    if not path.parent.is_dir():
        raise ValueError(f"cannot write {path}: the directory {path.parent} does not exist")


def _is_same(path: Path, other: Path) -> bool:
    """Return whether two paths lead to one file or directory, whatever they are called.

    On Windows and macOS, capitals do not count, and any file may have several names.
    """
    return path.exists() and other.exists() and path.samefile(other)


def save_pipeline(nlp: Language, directory: Path) -> None:
    """Save a pipeline in a directory, which appears, or replaces another, once all is in it.

    A process that is killed between the two renames leaves the old pipeline beside it, hidden.
    """
    directory = directory.resolve()  # a link stays one
    temporary = temporary_path(directory)
    try:
        nlp.to_disk(temporary)
        _replace(directory, temporary)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _replace(directory: Path, new: Path) -> None:
    """Rename a new directory; one that is there makes room for it, or if that fails, stays."""
    if not directory.exists():
        new.replace(directory)
        return
    old = temporary_path(directory)
    directory.replace(old)  # on Windows, not while another program has one of its files open
    try:
        new.replace(directory)
    except BaseException:
        old.replace(directory)
        raise
    shutil.rmtree(old)
