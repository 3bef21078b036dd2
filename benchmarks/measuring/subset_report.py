"""Write SUBSETS.md and its picture: learning curves, and accuracy on a genre left out."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path

from wasabi import MarkdownRenderer

from .figures import mean_sd
from .report import environment, listed_remarks, listed_stopped
from .tables import NONE, REFERENCE, TaggerResults

Curves = dict[str, dict[int, tuple[int, list[TaggerResults]]]]
"""By treebank and number of sentences: the number of words, and each tagger's results."""

OURS = "default"

INTRODUCTION = """
Written by the command below; do not edit. Every figure is `tag_acc` (XPOS) on gold tokens in
percent, one sentence a doc, mean ± standard deviation if there are several seeds. `default.cfg` is
what `init-config default --train` makes of it for so many words; spaCy's CNN is trained until it
has not improved for 1,600 steps; NLTK's tagger has its default of 5 passes. *minutes*: wall time
of a training on one thread, whatever else the machine did meanwhile, in the same order.
"""

SMALL = """
Trained on the first sentences of the train split; the best model is chosen, and scored, on the
whole dev split.

![Accuracy against the number of sentences, for each tagger](SUBSETS.svg)
"""

GENRES = """
Trained on four genres of EWT, the best model chosen on their dev split, scored on the train split
of the fifth. *unseen*: on words that are not in what the tagger was trained on.
"""


def report(curves: Curves, genres: Mapping[str, list[TaggerResults]], command: str) -> str:
    """Return the page in Markdown.

    genres: results of each tagger on each genre left out.
    command: the command that makes the page.
    """
    md = MarkdownRenderer(no_emoji=True)
    md.add(md.title(1, "Parts of treebanks, measured"))
    for text in (INTRODUCTION, md.code_block(command), environment()):
        md.add(text)
    md.add(md.title(2, "Learning curves"))
    md.add(SMALL)
    for treebank, sizes in curves.items():
        md.add(md.title(3, treebank))
        md.add(_curve_table(md, sizes))
    if genres:
        md.add(md.title(2, "Genres left out"))
        md.add(GENRES)
        md.add(_genre_table(md, genres))
    by_part = {f"{name}, {size} sentences": found for name, size, found in _all(curves)}
    by_part |= {f"without {genre}": found for genre, found in genres.items()}
    for title, lines in (
        ("Remarks", listed_remarks(by_part)),
        ("Not trained", listed_stopped(by_part)),
    ):
        if lines:
            md.add(md.title(2, title))
            md.add(md.list(lines))
    return md.text + "\n"


def draw_curves(path: Path, curves: Curves) -> None:
    """Draw accuracy against the number of sentences, a plot for each treebank."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"svg.hashsalt": path.name, "svg.fonttype": "none"})
    figure, plots = pyplot.subplots(
        1, len(curves), figsize=(4.4 * len(curves), 3.6), layout="constrained", squeeze=False
    )
    for axes, (treebank, sizes) in zip(plots[0], curves.items(), strict=True):
        titles = list(dict.fromkeys(t.title for _, found in sizes.values() for t in found))
        for title, marker in zip(titles, "oD^sv", strict=False):
            points = [
                (size, statistics.fmean(tagger.accuracies("gold")))
                for size, (_, found) in sizes.items()
                for tagger in found
                if tagger.title == title and tagger.scored
            ]
            if points:
                axes.plot(*zip(*points, strict=True), f"-{marker}", label=title.strip("`"), ms=5)
        axes.set_xscale("log")
        axes.set_xticks(list(sizes), [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        axes.set_title(treebank)
        axes.grid(linewidth=0.4)
    plots[0][0].set_ylabel("accuracy on dev, %")
    figure.supxlabel("sentences to learn from")
    plots[0][-1].legend(loc="lower right")
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def _all(curves: Curves) -> Iterable[tuple[str, int, list[TaggerResults]]]:
    return (
        (name, size, found) for name, sizes in curves.items() for size, (_, found) in sizes.items()
    )


def _curve_table(md: MarkdownRenderer, sizes: Mapping[int, tuple[int, list[TaggerResults]]]) -> str:
    titles = [tagger.title for tagger in next(iter(sizes.values()))[1]]
    header = ["sentences", "words", *titles, "lead over the CNN", "minutes"]
    rows = [
        [f"{size:,}", f"{n_words:,}", *map(_gold, found), _lead(found), _minutes(found)]
        for size, (n_words, found) in sizes.items()
    ]
    return md.table(rows, header, aligns=["r"] * len(header))


def _genre_table(md: MarkdownRenderer, genres: Mapping[str, list[TaggerResults]]) -> str:
    titles = [tagger.title for tagger in next(iter(genres.values()))]
    unseen = [f"{title}, unseen" for title in titles]
    header = ["genre", *titles, "lead over the CNN", *unseen, "minutes"]
    rows = [
        [genre, *map(_gold, found), _lead(found), *map(_unseen, found), _minutes(found)]
        for genre, found in genres.items()
    ]
    return md.table(rows, header, aligns=["l", *["r"] * (len(header) - 1)])


def _gold(tagger: TaggerResults) -> str:
    return mean_sd(tagger.accuracies("gold"))


def _unseen(tagger: TaggerResults) -> str:
    return mean_sd(tagger.accuracies("unseen"))


def _lead(found: list[TaggerResults]) -> str:
    means = {t.key: statistics.fmean(t.accuracies("gold")) for t in found if t.scored}
    if not {OURS, REFERENCE} <= means.keys():
        return NONE
    return f"{means[OURS] - means[REFERENCE]:+.2f}"


def _minutes(found: list[TaggerResults]) -> str:
    """Return the mean minutes of each tagger, in the order of the columns."""
    of_each = [[r.record["minutes"] for r in tagger.scored if r.record] for tagger in found]
    return " / ".join(f"{statistics.fmean(ms):.1f}" if ms else NONE for ms in of_each)
