"""Sub-commands `python -m spacy lstm-tagger ...`, one file each.

spaCy imports this package for every command it runs, so modules import heavy libraries late.
"""

from spacy.cli._util import app
from typer import Typer

lstm_tagger_cli = Typer(
    name="lstm-tagger",
    help="Commands of the recurrent tagger (spacy-lstm-tagger)",
    no_args_is_help=True,
)
app.add_typer(lstm_tagger_cli)

from . import (  # noqa: E402, F401  (register their commands)
    annotate,
    calibrate,
    convert,
    distill,
    export,
    init_config,
    report,
    tag,
    uncertain,
    vocab,
)
