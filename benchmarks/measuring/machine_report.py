"""Compare what machines found with what this one did, and write MACHINES.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy
from wasabi import MarkdownRenderer

from .report import environment, without_paths
from .tables import NONE, markdown_table

INSTRUCTIONS = {
    "SSE42": "SSE4.2",
    "AVX2": "AVX2",
    "AVX512F": "AVX-512",
    "AVX512VNNI": "AVX-512 VNNI",
    "AVX512BF16": "AVX-512 BF16",
    "ASIMD": "ASIMD",
    "ASIMDDP": "dot product",
    "SVE": "SVE",
}
"""Instruction sets that are shown, by their names in numpy."""

INTRODUCTION = """
Written by the command below; do not edit. The same models tag the same sentences of UD English
EWT's dev split on this CPU, natively, and on CPUs that QEMU emulates; each is compared with the
native run on one thread. QEMU computes what such a CPU would, but has no AVX-512: only the native
one can be a CPU with it.
"""

CPUS = """
*instructions*: what numpy finds. *kernels*: those that torch takes. *claimed*: whether torch says
that oneDNN can compute in bfloat16 here. *auto*: what `precision = "auto"` takes. *bfloat16*: what
comes of `precision = "bfloat16"`.
"""

TAGS = """
*equal*: words with the native run's tag. *other*: words with its tag, but another part of speech,
features or lemma. *scores*, *probabilities*: the largest difference of any logit, and of any
probability of a tag.
"""


class Agreement(NamedTuple):
    """How far two runs of a model agree.

    words: number of words.
    tags: words whose tags differ.
    other: words with the same tag, but other annotation.
    scores: largest absolute difference of a logit.
    probabilities: largest absolute difference of a probability of a tag.
    """

    words: int
    tags: int
    other: int
    scores: float
    probabilities: float


class Machine(NamedTuple):
    """What a machine said, and how far it agreed; or the reason why it did not.

    about: what `machine_worker` says.
    models: by name of the model.
    failed: the reason; empty if there is none.
    """

    about: Mapping[str, Any] = {}
    models: Mapping[str, Agreement] = {}
    failed: str = ""


def compare(native: Mapping[str, numpy.ndarray], other: Mapping[str, numpy.ndarray]) -> Agreement:
    """Compare two runs of a model on the same sentences, as `machine_worker.tag` returns them.

    Raises ValueError if they are of other words or labels.
    """
    shapes = [{name: run[name].shape for name in run} for run in (native, other)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"The runs have other shapes: {shapes[0]} natively, then {shapes[1]}.")
    tags = native["tags"] != other["tags"]
    return Agreement(
        words=len(tags),
        tags=int(tags.sum()),
        other=int((~tags & (native["annotation"] != other["annotation"])).sum()),
        scores=_furthest(native["scores"], other["scores"]),
        probabilities=_furthest(native["probabilities"], other["probabilities"]),
    )


def report(machines: Mapping[str, Machine], emulator: str, command: str) -> str:
    """Return the page in Markdown.

    machines: by title, in the order of the rows.
    emulator: version of QEMU; empty if it was not used.
    command: the command that makes the page.
    """
    md = MarkdownRenderer(no_emoji=True)
    md.add(md.title(1, "Machines, measured"))
    for text in (INTRODUCTION, md.code_block(command), _versions(machines, emulator)):
        md.add(text)
    md.add(md.title(2, "CPUs"))
    md.add(CPUS)
    md.add(_cpu_table(machines))
    if failed := [
        f"{title}: {without_paths(found.failed)}"
        for title, found in machines.items()
        if found.failed
    ]:
        md.add("Without figures:")
        md.add(md.list(failed))
    md.add(md.title(2, "Tags and scores"))
    md.add(TAGS)
    md.add(_agreement_table(machines))
    return md.text + "\n"


def _furthest(one: numpy.ndarray, other: numpy.ndarray) -> float:
    return float(abs(one.astype("float64") - other).max(initial=0))


def _versions(machines: Mapping[str, Machine], emulator: str) -> str:
    text = environment()
    versions = [found.about["versions"] for found in machines.values() if found.about]
    if versions:
        text = f"numpy {versions[0]['numpy']}, ONNX Runtime {versions[0]['onnxruntime']}, {text}"
    return f"QEMU {emulator}, {text}" if emulator else text


def _cpu_table(machines: Mapping[str, Machine]) -> str:
    rows = []
    for title, found in machines.items():
        if not found.about:
            continue
        names = [INSTRUCTIONS[name] for name in found.about["instructions"] if name in INSTRUCTIONS]
        says = found.about["torch"]
        rows.append([title, ", ".join(names), found.about["python"], *_torch_cells(says)])
    header = ["machine", "instructions", "Python", "torch", "kernels", "claimed"]
    return markdown_table(rows, [*header, "auto", "bfloat16"], left=len(header) + 2)


def _power(value: float) -> str:
    return f"{value:.1e}" if value else "0"


def _torch_cells(says: Mapping[str, Any] | None) -> list[str]:
    if says is None:
        return [NONE] * 5
    claimed = "yes" if says["bfloat16_claimed"] else "no"
    return [says["version"], says["capability"], claimed, says["auto"], says["bfloat16"]]


def _agreement_table(machines: Mapping[str, Machine]) -> str:
    rows = [
        [
            *(model, title, f"{found.words:,}"),
            f"{100 * (1 - found.tags / found.words):.2f} %" if found.words else NONE,
            *(f"{found.tags:,}", f"{found.other:,}"),
            *map(_power, (found.scores, found.probabilities)),
        ]
        for model in dict.fromkeys(name for one in machines.values() for name in one.models)
        for title, machine in machines.items()
        if (found := machine.models.get(model))
    ]
    header = ["model", "machine", "words", "equal", "tags that differ", "other", "scores"]
    return markdown_table(rows, [*header, "probabilities"], left=2)
