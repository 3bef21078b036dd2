"""Sub-commands `python -m spacy lstm-tagger ...`, one file each.

spaCy imports this module for every command it runs, so it imports nothing heavy.
"""

from typer import Typer

lstm_tagger_cli = Typer(
    name="lstm-tagger",
    help="Commands of spacy-lstm-tagger, the recurrent part-of-speech tagger",
    no_args_is_help=True,
)
