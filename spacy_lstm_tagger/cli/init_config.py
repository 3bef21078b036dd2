"""`python -m spacy lstm-tagger init-config`: a recipe as a config file of one's own."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from spacy.util import registry
from thinc.api import Config

from ..files.atomic import write_file
from ..files.languages import language_class
from ..files.recipes import comments_of, header, read_recipe, recipes, to_commented_text
from ..outputs import OUTPUTS
from . import lstm_tagger_cli
from .errors import failing_in_one_line
from .messages import good, info, warn
from .recipe_outputs import check_outputs, set_outputs
from .recipe_size import fit_to_size
from .training_data import TrainingData, check_training_data

RULES = "spacy.Tokenizer.v1"
VECTORS = "include_static_vectors"
TOKENIZER_COMMENT = [
    "# Splits raw text into words, which should be those of the training data: how many are, says",
    "# `lstm-tagger report`. (TOK of `spacy evaluate` overlooks words that are split too much.)",
]
EXAMPLES = {"train": "train.spacy", "dev": "dev.spacy", "taught": "taught.spacy"}
"""Files that recipes need, by their keys in [paths]."""


@lstm_tagger_cli.command("init-config")
def init_config_cli(
    recipe: str | None = typer.Argument(None, help="Name of a recipe; without it, all are listed"),
    lang: str = typer.Option("en", "--lang", "-l", help='Code of the language, or "xx"'),
    vectors: str | None = typer.Option(
        None, "--vectors", "-v", help="Name or path of a pipeline with word vectors to read"
    ),
    tokenizer: str | None = typer.Option(
        None, "--tokenizer", "-t", help=f"Another tokenizer than the language's, such as {RULES}"
    ),
    outputs: str | None = typer.Option(
        None,
        "--outputs",
        help=f"What to predict, some of {','.join(OUTPUTS)}; without it, tags",
    ),
    train: Path | None = typer.Option(
        None,
        "--train",
        help="Training data, a .spacy file: it is checked, named in the config, and decides how "
        "long the training is",
        exists=True,
    ),
    output: Path = typer.Option("-", "--output", "-o", help="The file to write, or - to print it"),
    force: bool = typer.Option(False, "--force", "-F", help="Replace the file if there is one"),
) -> None:
    """Write a complete, commented config for `spacy train` in a language.

    The tokenizer is the language's own. It must find the words of the training data: those of UD
    Korean, for example, are found by `--tokenizer spacy.Tokenizer.v1`, not by the Korean one.
    With --train, the data must have what is to be predicted.
    """
    if recipe is None:
        _list_recipes()
        return
    prints = str(output) == "-"
    with failing_in_one_line(f"Cannot write a config of the recipe '{recipe}'"):
        if not prints and output.exists() and not force:
            raise ValueError(f"{output} exists already: name another file, or add --force")
        text = read_recipe(recipe)
        wanted = check_outputs(outputs)
        config = fill_recipe(text, lang, tokenizer, vectors)
        set_outputs(config, wanted, recipe)
        data, fitted = TrainingData(0, [], []), ""
        if train:
            data = check_training_data(train, wanted)
            config["paths"]["train"] = str(train)
            fitted = fit_to_size(config, recipe, data.n_words)
        found, problem = try_tokenizer(config, wanted)
        if found:
            for component in config["components"].values():
                if component["factory"] == "lstm_tagger":
                    component["overwrite"] = True
        options = {"--lang": lang, "--vectors": vectors, "--tokenizer": tokenizer}
        options |= {"--outputs": outputs, "--train": str(train) if train else None}
        given = [part for key, value in options.items() if value for part in (key, value)]
        command = shlex.join(["init-config", recipe, *given])
        comments = {**comments_of(text), ("nlp.tokenizer", ""): TOKENIZER_COMMENT}
        top = [*header(text), f"# Written by: python -m spacy lstm-tagger {command}", ""]
        written = "\n".join([*top, to_commented_text(config, comments)])
        if not prints:
            output.parent.mkdir(parents=True, exist_ok=True)
            write_file(output, written.encode())
    if prints:
        print(written, end="")
    name = config["nlp"]["tokenizer"]["@tokenizers"]
    if problem:
        info(f"The config needs the tokenizer {name}, which cannot be used here yet: {problem}")
    elif found:
        info(f"{name} sets {found} itself: overwrite = true puts the tagger's in their place")
    for doubt in data.doubts:
        warn(doubt)
    if fitted:
        info(fitted)
    if data.more:
        every = ",".join(key for key in OUTPUTS if key in [*wanted, *data.more])
        present = " and ".join(data.more)
        info(f"{train} has {present} as well: --outputs {every} would predict all of it")
    if not prints:
        good(f"Wrote {output}: {recipe}, language {config['nlp']['lang']}, tokenizer {name}")
        info(f"Train with: python -m spacy train {output} --output training {_paths(config)}")


def fill_recipe(text: str, lang: str, tokenizer: str | None, vectors: str | None) -> Config:
    """Return a recipe with what spaCy fills in for a language: its tokenizer above all.

    tokenizer: name of another tokenizer; vectors: a pipeline whose word vectors are to be read.
    Raises ValueError if spaCy has no such language or tokenizer.
    """
    language = language_class(lang)
    config = Config(language.default_config).merge(Config().from_str(text, interpolate=False))
    config["nlp"]["lang"] = language.lang  # the code may be an alias, such as "eng"
    if tokenizer is not None:
        if not registry.has("tokenizers", tokenizer):
            raise ValueError(f"spaCy knows no tokenizer '{tokenizer}': name one such as {RULES}.")
        config["nlp"]["tokenizer"] = {"@tokenizers": tokenizer}
    if vectors is not None:
        config["paths"]["vectors"] = vectors
        for section in _vector_settings(config):
            section[VECTORS] = True
    return config


def try_tokenizer(config: Config, outputs: list[str]) -> tuple[str, str]:
    """Return what a config's tokenizer sets itself, and why it cannot be tried, if so.

    outputs: names of what is to be predicted: only that matters.
    Returns a text such as "tags"; one that cannot be tried may set them.
    """
    language = language_class(config["nlp"]["lang"])
    resolved = registry.resolve({"tokenizer": config["nlp"]["tokenizer"]})
    try:
        doc = language(create_tokenizer=resolved["tokenizer"]).make_doc("1")
    except Exception as error:  # whatever the library of a tokenizer raises if parts of it lack
        return "tags", f"{error}"
    found = [key for key in outputs if doc.has_annotation(OUTPUTS[key].attr)]
    return " and ".join("tags" if key == "tag" else key for key in found), ""


def _list_recipes() -> None:
    names = recipes()
    for name in names:
        print(f"{name:<{max(map(len, names))}}  {header(read_recipe(name))[0].removeprefix('# ')}")


def _paths(config: Config) -> str:
    """Return the options of `spacy train` for the files that a config still needs."""
    wanted = {key: value for key, value in EXAMPLES.items() if key in config["paths"]}
    if any(section[VECTORS] for section in _vector_settings(config)):
        wanted["vectors"] = "en_core_web_md"
    return " ".join(f"--paths.{key} {wanted[key]}" for key in wanted if not config["paths"][key])


def _vector_settings(section: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the sections of a config that say whether word vectors are read."""
    if VECTORS in section:
        yield section
    for value in section.values():
        if isinstance(value, dict):
            yield from _vector_settings(value)
