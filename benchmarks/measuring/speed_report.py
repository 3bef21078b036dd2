"""Report of benchmarks/speed.py: tables and a bar chart."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

from .latency import Latency
from .report import environment
from .work import LONG_DOC, TITLES

CNN = "spaCy CNN"

CALLS = 2000
"""Number of calls that the latency is of."""


class Measured(NamedTuple):
    """Figures of each tagger, by its name.

    speeds: words per second, for each task.
    peers: words per second of peers and of all others on a part of the sentences.
    missing: peers without figures, and the reasons.
    several: seconds in one process and in several.
    latencies: seconds of single calls; and if no word form of them is known yet.
    steps: microseconds a word of each step of each export.
    batch_sizes: words per second from raw text, for each number of sentences a text, and each batch
        size.
    alone: seconds to load, and peak memory in MiB.
    directories: directories of the pipelines.
    docs: what is known of the docs and of the CNN's training, in a sentence.
    """

    speeds: dict[str, dict[str, float]]
    peers: dict[str, float]
    missing: list[str]
    several: dict[str, tuple[float, float]]
    latencies: tuple[dict[str, Latency], dict[str, Latency]]
    steps: dict[str, dict[str, float]]
    batch_sizes: dict[str, dict[int, dict[int, float]]]
    alone: dict[str, dict[str, float]]
    directories: dict[str, Path]
    docs: str


def report(args: argparse.Namespace, measured: Measured) -> str:
    """Return the tables in Markdown. `args` are the arguments of the benchmark."""
    lines = [
        "# Speed",
        "",
        f"{args.treebank} dev, one thread; medians of {args.rounds} alternating rounds. Written by "
        "`python benchmarks/speed.py`.",
        "",
        environment(),
        "",
        f"Instructions of the CPU: {', '.join(instructions()) or 'not known'}. {measured.docs}",
        *_speeds(args, measured),
        *_earlier(args, measured),
        *_latencies(args, measured),
        *_steps(measured),
        *_batch_sizes(measured),
        *_peers(args, measured),
        *_several(args, measured),
        *_alone(args, measured),
    ]
    return "\n".join(lines) + "\n"


def _speeds(args: argparse.Namespace, measured: Measured) -> list[str]:
    lines = [
        "",
        f"Words a second, and in brackets the ratio to {CNN}:",
        "",
        f"| tagger | {' | '.join(TITLES.values())} | a doc of {args.long:,} words |",
        "|---|---|---|---|---|",
    ]
    tasks = [measured.speeds[task] for task in (*TITLES, LONG_DOC)]
    for name in tasks[0]:
        cells = [
            f"{speed[name]:,.0f} ({speed[name] / speed[CNN]:.2f})" if name in speed else "–"
            for speed in tasks
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def earlier_name(name: str, commit: str) -> str:
    """Return the name of the int8 export of a config by the code of an earlier commit."""
    return f"{name}, ONNX int8 of {commit}"


def _earlier(args: argparse.Namespace, measured: Measured) -> list[str]:
    """Return the ratios of the int8 exports to those of an earlier checkout."""
    speeds = [measured.speeds[task] for task in TITLES]
    pairs = [(name, now) for name in speeds[0] for now, of, _ in [name.partition(" of ")] if of]
    if not pairs:
        return []
    steps = args.earlier_steps
    trained = f"They were trained for {steps} steps. " if steps else ""
    lines = [
        "",
        f"How many times as fast as the exports that an earlier commit made. {trained}These ratios "
        "travel from machine to machine.",
        "",
        f"| tagger | {' | '.join(TITLES.values())} |",
        "|---|---|---|---|",
    ]
    for name, now in pairs:
        ratios = [f"{speed[now] / speed[name]:.2f}" for speed in speeds]
        lines.append(f"| {now}, beside {name.removeprefix(f'{now} of ')} | {' | '.join(ratios)} |")
    return lines


def _latencies(args: argparse.Namespace, measured: Measured) -> list[str]:
    warm, cold = measured.latencies
    lines = [
        "",
        f"One text of 20 words, {args.calls:,} calls, in microseconds: median, and the time within "
        "which 99 % of the calls end. *Cold*: the tagger keeps no embedding of its words yet.",
        "",
        "| tagger | p50 | p99 | cold: p50 | p99 |",
        "|---|---|---|---|---|",
    ]
    for name, times in warm.items():
        both = [*times, *cold.get(name, ())]
        cells = [f"{1e6 * each:,.0f}" for each in both] + ["–"] * (4 - len(both))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _steps(measured: Measured) -> list[str]:
    if not measured.steps:
        return []
    names = list(measured.steps)
    lines = [
        "",
        "Where the time of the exports goes, on ready docs of a sentence, in microseconds a word:",
        "",
        f"| step | {' | '.join(names)} |",
        f"|---|{'---|' * len(names)}",
    ]
    for step in measured.steps[names[0]]:
        cells = [f"{measured.steps[name][step]:.2f}" for name in names]
        lines.append(f"| {step} | {' | '.join(cells)} |")
    return lines


def _batch_sizes(measured: Measured) -> list[str]:
    lines = [""]
    for name, speeds in measured.batch_sizes.items():
        sizes = list(next(iter(speeds.values())))
        lines += [
            f"Words a second of {name} from raw text, by the `batch_size` of `nlp.pipe`:",
            "",
            f"| sentences a text | {' | '.join(f'{size:,}' for size in sizes)} |",
            f"|---|{'---|' * len(sizes)}",
        ]
        for number, by_size in speeds.items():
            cells = [f"{speed:,.0f}" for speed in by_size.values()]
            lines.append(f"| {number} | {' | '.join(cells)} |")
        lines.append("")
    return lines[:-1]


def instructions() -> list[str]:
    """Return those of the CPU's instructions that decide about speed, as Linux names them."""
    path = Path("/proc/cpuinfo")
    flags = path.read_text(encoding="utf8").split() if path.is_file() else []
    wanted = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "amx_bf16")
    return [name for name in wanted if name in flags]


def _peers(args: argparse.Namespace, measured: Measured) -> list[str]:
    lines = []
    titles = [name for name in measured.peers if name not in measured.directories]
    if titles:
        lines += [
            "",
            f"Words a second, and how many times as fast as the peers, on ready docs of every "
            f"{args.peers_every}th sentence. The peers are of their libraries' usual size. NLTK's "
            "is trained, UDPipe's after one iteration; the weights of the others are as good as "
            "random.",
            "",
            f"| tagger | words a second | {' | '.join(f'ratio to {title}' for title in titles)} |",
            f"|---|---|{'---|' * len(titles)}",
        ]
    for name, speed in measured.peers.items():
        ratios = [f"{speed / measured.peers[title]:.1f}" for title in titles]
        lines.append(f"| {name} | {speed:,.0f} | {' | '.join(ratios)} |")
    if measured.missing:
        lines += ["", *(f"Not timed: {line}" for line in measured.missing)]
    return lines


def _several(args: argparse.Namespace, measured: Measured) -> list[str]:
    if not measured.several:
        return []
    lines = [
        "",
        f"Texts of a sentence a second, of {args.texts:,}, the start of processes included:",
        "",
        f"| tagger | one process | {args.processes} processes | gain |",
        "|---|---|---|---|",
    ]
    for name, times in measured.several.items():
        single, more = (args.texts / seconds for seconds in times)
        lines.append(f"| {name} | {single:,.0f} | {more:,.0f} | {more / single:.2f} |")
    return lines


def _alone(args: argparse.Namespace, measured: Measured) -> list[str]:
    lines = [
        "",
        f"| tagger | directory, MB | load and tag a first sentence, s | peak memory, MiB | with a "
        f"doc of {args.tokens:,} words |",
        "|---|---|---|---|---|",
    ]
    for name, path in measured.directories.items():
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6
        one = measured.alone[name]
        lines.append(
            f"| {name} | {size:.1f} | {one['loaded']:.2f} | {one['peak']:,.0f} "
            f"| {one['long']:,.0f} |"
        )
    return lines


def draw_bars(path: Path, speeds: dict[str, float]) -> None:
    """Draw the words per second, as multiples of the CNN's, into an SVG file."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 0.5 + 0.4 * len(speeds)), layout="constrained")
    names = list(speeds)[::-1]
    bars = axes.barh(names, [speeds[name] / speeds[CNN] for name in names])
    axes.bar_label(bars, fmt="%.1f", padding=3)
    axes.set_xlabel(f"words a second, as a multiple of {CNN}'s (ready docs of a sentence)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
