"""Save and load a tagger whole or not at all."""

# Annotations are evaluated, not strings, as in the other modules of components.
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Callable, Union

from spacy.pipeline.tagger import Tagger

from ..files.atomic import finish_moving, replaced_whole
from .loading import (
    all_or_nothing,
    check_files,
    check_loaded,
    check_message,
    forget_number_of_labels,
    prepare_loaded,
    saved_model,
)
from .requirements import add_requirement


class SafelySavedTagger(Tagger):
    """A tagger whose files appear at once, and which damaged files leave as it was."""

    def reset_learned(self) -> None:
        """Reset the keys of `cfg` that files may leave out, because nothing was learned."""

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "SafelySavedTagger":
        """Load what `to_bytes` gave; if that fails, everything stays as it was.

        exclude (Iterable[str]): Names of fields to leave out.
        RETURNS: The component itself.
        RAISES ValueError: If the data is damaged or does not fit the settings.
        """
        saved = partial(saved_model, bytes_data)
        return self._load(super().from_bytes, bytes_data, exclude, saved)

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Save to a directory: all files, or after an error or a killed process none.

        As part of a pipeline, it adds to `meta.json` what of this project the pipeline needs.
        """
        with replaced_whole(Path(path)) as directory:
            super().to_disk(directory, exclude=exclude)
        add_requirement(Path(path).parent)

    def from_disk(
        self, path: Union[str, Path], *, exclude: Iterable[str] = ()
    ) -> "SafelySavedTagger":
        """Load from a directory that `to_disk` wrote; if that fails, everything stays as it was.

        exclude (Iterable[str]): Names of fields to leave out.
        RETURNS: The component itself.
        RAISES ValueError: If a file is missing, damaged or does not fit the settings.
        """
        finish_moving(path := Path(path))
        check_files(self.name, path, {"cfg", "model"} - set(exclude))
        return self._load(super().from_disk, path, exclude, (path / "model").read_bytes)

    def _load(
        self,
        load: Callable[..., Any],
        source: Any,
        exclude: Iterable[str],
        saved: Callable[[], bytes],
    ) -> "SafelySavedTagger":
        with all_or_nothing(self) as before:
            if "model" not in exclude:
                check_message(self.model, saved())
                forget_number_of_labels(self.model)
            if "cfg" not in exclude:
                self.reset_learned()  # spaCy keeps what the file does not mention
            load(source, exclude=[*exclude, "vocab"])
            check_loaded(self, before)
            load(source, exclude=[*exclude, "cfg", "model"])
            for label in self.labels:  # they are missing if the vocab was not loaded as well
                self.vocab.strings.add(label)
            prepare_loaded(self)
        self._rehearsal_model = None  # it belongs to the weights of before
        return self
