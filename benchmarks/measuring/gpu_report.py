"""Report of benchmarks/gpu.py: tables, and the figures behind them."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from .report import environment
from .speed_report import CNN, instructions
from .training import ROOT

MEASURED = ROOT / "benchmarks" / "measured" / "gpu.json"


@dataclass
class Results:
    """Figures of all parts.

    about: The GPU and the versions of its libraries.
    tests: Numbers of tests by their outcome, and their seconds.
    trainings: Figures of each training, by the name of the tagger.
    speeds: Words a second of each tagger, by the batch size.
    memory: MiB at each batch size, by the name of the tagger.
    same: Comparisons with the CPU, by the name of the tagger.
    failed: Reasons, by the title of a part.
    left_out: Titles of the parts for which there was no time.
    """

    about: dict[str, Any]
    tests: dict[str, float] = field(default_factory=dict)
    trainings: dict[str, dict[str, float]] = field(default_factory=dict)
    speeds: dict[int, dict[str, float]] = field(default_factory=dict)
    memory: dict[str, dict[int, float]] = field(default_factory=dict)
    same: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def add(self, kind: str, name: str, figures: dict[str, Any]) -> None:
        """Take down figures of a task, see `gpu_tasks`."""
        if kind == "train":
            self.trainings.setdefault(name, {}).update(figures)
        elif "missing" in figures:
            self.failed[f"speed of {figures['missing']}"] = figures["reason"]
        elif kind == "speeds":
            self.speeds[figures["size"]] = figures["words a second"]
        elif kind == "memory":
            self.memory.setdefault(name, {})[figures["size"]] = figures["MiB"]
        elif kind == "same":
            self.same.setdefault(name, []).append(figures)


def write(args: argparse.Namespace, results: Results) -> None:
    """Write the tables and the figures."""
    args.output.write_text(report(args, results), encoding="utf-8")
    MEASURED.write_text(json.dumps(asdict(results), indent=1) + "\n", encoding="utf-8")


def report(args: argparse.Namespace, results: Results) -> str:
    """Return the tables in Markdown. `args` are the arguments of the benchmark."""
    about = ", ".join(f"{name} {value}" for name, value in results.about.items())
    lines = [
        "# On a GPU",
        "",
        "A dry run in tiny on the CPU: these are no figures."
        if args.dry_run
        else "Written by `python benchmarks/gpu.py` (`make gpu`).",
        "",
        f"{environment()}; {about}",
        "",
        f"Instructions of the CPU: {', '.join(instructions()) or 'not known'}.",
        *_tests(results),
        *_trainings(results),
        *_speeds(results),
        *_memory(results),
        *_same(results),
        *_missing(results),
    ]
    return "\n".join(lines) + "\n"


def _tests(results: Results) -> list[str]:
    if not results.tests:
        return []
    counts = {name: n for name, n in results.tests.items() if name != "seconds"}
    found = ", ".join(f"{n:.0f} {name}" for name, n in counts.items())
    return ["", f"Tests marked `gpu`: {found}."]


def _trainings(results: Results) -> list[str]:
    if not results.trainings:
        return []
    columns = {
        "steps a second": ("steps a second", ".2f"),
        "words a second": ("words a second", ",.0f"),
        "peak memory, MiB": ("peak, MiB", ",.0f"),
        "of the process, MiB": ("process, MiB", ",.0f"),
        "words": ("words", ",.0f"),
        "in all, s": ("trained, s", ",.0f"),
        "tag_acc then": ("tag_acc", ".4f"),
    }
    lines = [
        "",
        "Training, with one thread on the CPU: speed after the first steps, the peak of memory on "
        "the device and of the process in the computer's own, and the time from the start on:",
        "",
        f"| tagger | {' | '.join(columns)} |",
        f"|---|{'---|' * len(columns)}",
    ]
    for name, found in results.trainings.items():
        cells = [_number(found, *column) for column in columns.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _number(found: dict[str, float], name: str, form: str) -> str:
    return format(found[name], form) if found.get(name) is not None else "–"


def _speeds(results: Results) -> list[str]:
    if not results.speeds:
        return []
    sizes = list(results.speeds)
    lines = [
        "",
        f"Words a second on ready docs of a sentence, by the batch size, and in brackets the ratio "
        f"to {CNN} on the GPU; medians of alternating rounds, one thread:",
        "",
        f"| tagger | {' | '.join(f'{size:,}' for size in sizes)} |",
        f"|---|{'---|' * len(sizes)}",
    ]
    for name in results.speeds[sizes[0]]:
        of_sizes = [results.speeds[size] for size in sizes]
        cells = [
            f"{speeds[name]:,.0f}"
            + (f" ({speeds[name] / speeds[CNN]:.2f})" if CNN in speeds else "")
            for speeds in of_sizes
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _memory(results: Results) -> list[str]:
    if not results.memory:
        return []
    sizes = sorted({size for found in results.memory.values() for size in found})
    lines = [
        "",
        "Peak memory of the GPU in MiB while a batch of ready docs of a sentence is tagged:",
        "",
        f"| tagger | {' | '.join(f'{size:,}' for size in sizes)} |",
        f"|---|{'---|' * len(sizes)}",
    ]
    for name, found in results.memory.items():
        cells = [f"{found[size]:,.0f}" if size in found else "–" for size in sizes]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _same(results: Results) -> list[str]:
    if not results.same:
        return []
    lines = [
        "",
        "The same tags as on the CPU in float32: share of the words, and the greatest difference "
        "of a score (a logit). Torch lets recurrent layers compute in TF32 on GPUs that have it:",
        "",
        "| tagger | where | words | same tag, % | greatest difference |",
        "|---|---|---|---|---|",
    ]
    for name, rows in results.same.items():
        for row in rows[1:]:
            lines.append(
                f"| {name} | {row['compared']} | {row['words']:,} | {100 * row['share']:.3f} "
                f"| {row['difference']:.2g} |"
            )
    return lines


def _missing(results: Results) -> list[str]:
    failed = [f"- Failed: {title}: {reason}" for title, reason in results.failed.items()]
    left_out = [f"- Left out, for lack of time: {title}" for title in results.left_out]
    return ["", *failed, *left_out] if failed or left_out else []
