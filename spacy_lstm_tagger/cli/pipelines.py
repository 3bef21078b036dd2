"""Load pipelines and find their taggers, for all commands alike; save them whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import spacy
from spacy.language import Language

from ..files.atomic import temporary_path
from ..pipeline.tagger import LSTMTagger
from ..settings import ENVIRONMENT_ERRORS


def load_pipeline(name: str) -> Language:
    """Load a pipeline by its name or path.

    Raises ValueError if there is none, or it is damaged; ImportError if it needs what is missing.
    """
    try:
        return spacy.load(name)
    except ImportError:
        raise
    except ENVIRONMENT_ERRORS as error:  # spaCy raises OSError for a name that it cannot find
        raise ValueError(f"cannot load the pipeline '{name}': {error}") from error
    except Exception as error:  # whatever the readers of its many files raise
        raise ValueError(
            f"cannot load the pipeline '{name}': {type(error).__name__}: {error}"
        ) from error


def get_tagger(nlp: Language, component: str) -> LSTMTagger:
    """Return an lstm_tagger of a pipeline by its name in it. Raises ValueError if there is none."""
    taggers = [name for name, pipe in nlp.pipeline if isinstance(pipe, LSTMTagger)]
    if component in taggers:
        return nlp.get_pipe(component)
    what = "is no lstm_tagger" if component in nlp.pipe_names else "is not in the pipeline"
    found = f"its lstm_taggers are {taggers}" if taggers else "it has no lstm_tagger"
    raise ValueError(
        f"the component '{component}' {what} ({nlp.pipe_names}); {found}. Name one with "
        "--component."
    )


def check_new(directory: Path) -> None:
    """Raise ValueError unless the directory can be made."""
    if directory.exists():
        raise ValueError(f"{directory} exists already: name a new directory")
    check_parent(directory)


def check_parent(path: Path, *, inputs: Iterable[Path | None] = ()) -> None:
    """Raise ValueError unless a file or directory can be made there, in the place of no input."""
    if path.resolve() in [given.resolve() for given in inputs if given is not None]:
        raise ValueError(f"cannot write {path}: it is an input of this command. Name another file")
    if not path.parent.is_dir():
        raise ValueError(f"cannot write {path}: the directory {path.parent} does not exist")


def save_pipeline(nlp: Language, directory: Path) -> None:
    """Save a pipeline in a new directory, which appears once everything is in it."""
    temporary = temporary_path(directory)
    nlp.to_disk(temporary)
    temporary.replace(directory)
