"""Tag the same sentences on CPUs of several kinds, and compare the tags and scores.

    python benchmarks/machines.py [--qemu FOLDER] [--trained PIPELINE]

The English models that ship (int8), and exports in float32 and int8 of a trained pipeline, which is
trained for a few steps unless --trained names one, tag sentences of the dev split of UD English EWT
on this CPU, and as other CPUs under QEMU: x86-64 with and without AVX2, Arm with and without
dot-product instructions. What is compared with the native run is the whole: spaCy, this package
and ONNX Runtime. The trained pipeline also runs in torch, which says what `precision = "auto"`
takes on each CPU.

QEMU is Debian's `qemu-user`, version 8 or newer for Arm (under 7.2, ONNX Runtime 1.32 does not
start). An older Debian's can be had from a newer one's package, unpacked with `dpkg -x`; --qemu
names the folder of the emulators then. For Arm, Debian's Python and wheels from the package index
are put into --arm, about 1 GB. A machine that fails is listed with the reason.

Writes MACHINES.md to --output, and the figures to `measured/machines.json`, after each machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch and numpy are loaded

import numpy
import spacy
import srsly
import typer
from measuring import training
from measuring.checkout import BENCHMARKS, Installed
from measuring.devset import Treebank
from measuring.emulation import ArmPython, qemu, qemu_version
from measuring.machine_report import Agreement, Machine, compare, report
from measuring.taggers import Unavailable
from measuring.treebank import read_conllu

from spacy_lstm_tagger.runtime.export import export_tagger

ROOT = training.ROOT
NATIVE, FOUR_THREADS, ALONE = "native", "native, four threads", "native, a sentence at a time"
CPUS = {
    "Haswell": ("x86_64", "x86-64 with AVX2 (Haswell)"),
    "Nehalem": ("x86_64", "x86-64 without AVX (Nehalem)"),
    "neoverse-v1": ("aarch64", "Arm with dot product, SVE and bfloat16 (Neoverse V1)"),
    "neoverse-n1": ("aarch64", "Arm with dot product (Neoverse N1)"),
    "cortex-a57": ("aarch64", "Arm without dot product (Cortex-A57)"),
}
"""By QEMU's name of a CPU, its architecture and title."""

BATCH = 1000
"""Sentences that are read at once, as in the recipes."""

Models = dict[str, tuple[str, dict[str, Any]]]
"""By name the path of a pipeline and settings of its model."""


class Work(NamedTuple):
    """What each machine does.

    sentences: words of each sentence.
    exported, trained: models on ONNX Runtime and in torch, which run in processes of their own.
    limit: seconds that each of these may take.
    """

    sentences: list[list[str]]
    exported: Models
    trained: Models
    limit: float

    def on(
        self, command: list[str], environment: dict[str, str], **changes: Any
    ) -> tuple[Machine, dict[str, dict[str, numpy.ndarray]]]:
        """Do it on a machine; return what it said, the reasons of failures, and what it found.

        command: runs Python on it.
        changes: "threads" of a session, "batch".
        """
        threads = {"threads": changes["threads"]} if "threads" in changes else {}
        jobs = [{name: (path, threads) for name, (path, _) in self.exported.items()}]
        jobs += [] if changes else [self.trained]
        about: dict[str, Any] = {}
        found: dict[str, dict[str, numpy.ndarray]] = {}
        failed = []
        for models in filter(None, jobs):
            job: dict[str, Any] = {"sentences": self.sentences, "models": models}
            job["batch"] = changes.get("batch", BATCH)
            job["torch"] = next(iter(models.values()))[0] if models is self.trained else None
            try:
                said, arrays = run_worker(command, environment, job, self.limit)
            except Unavailable as reason:
                failed.append(f"{'torch' if job['torch'] else 'ONNX Runtime'}: {reason}")
                continue
            about, found = {**about, **said}, {**found, **arrays}
        return Machine(about, {}, "; ".join(failed)), found


def main(
    models: str = typer.Option(
        "en_ewt_lstm,en_ewt_lstm_fast", help="Names or paths of exported pipelines"
    ),
    trained: Path = typer.Option(None, help="Trained pipeline; by default one is trained here"),
    steps: int = typer.Option(400, min=1, help="Steps that it is trained for (configs/fast.cfg)"),
    cpus: str = typer.Option(",".join(CPUS), help="CPUs to emulate, by their names in QEMU"),
    sentences: int = typer.Option(300, min=1, help="Number of sentences, spread over the split"),
    limit: float = typer.Option(600, help="Seconds after which a run on a machine is stopped"),
    qemu_folder: Path = typer.Option(None, "--qemu", help="Folder of QEMU's emulators"),
    arm: Path = typer.Option(None, help="Folder for Python for Arm; by default a temporary one"),
    arm_torch: str = typer.Option("torch==2.9.1", help="torch for Arm: a build for the CPU alone"),
    data: Path = typer.Option(training.DATA, help="Directory of the CoNLL-U files"),
    work: Path = typer.Option(ROOT / "training" / "machines", help="Directory of models"),
    output: Path = typer.Option(ROOT / "benchmarks", help="Directory to write to"),
) -> None:
    """Tag on every machine, compare, and write a report."""
    names = [name for name in cpus.split(",") if name]
    if unknown := [name for name in names if name not in CPUS]:
        raise typer.BadParameter(f"--cpus has '{unknown[0]}', but must be of {', '.join(CPUS)}")
    work.mkdir(parents=True, exist_ok=True)
    treebank = Treebank("en_ewt", data, work.resolve())
    path = trained or _trained(treebank, steps)
    exported: Models = {}
    for nlp in map(spacy.load, filter(None, models.split(","))):
        exported[f"{nlp.lang}_{nlp.meta['name']}"] = str(nlp.path.resolve()), {}
    for precision in ("float32", "int8"):
        nlp = spacy.load(path)
        export_tagger(nlp, "lstm_tagger", precision)
        target = work.resolve() / f"exported_{precision}"
        nlp.to_disk(target)
        exported[f"trained, {precision}"] = str(target), {}
    in_torch: Models = {"trained, auto in torch": (str(path), {"precision": "auto"})}
    tasks = Work(_words(treebank.conllu("dev"), sentences), exported, in_torch, limit)
    with ExitStack() as stack:
        installed = stack.enter_context(Installed(ROOT))
        native, expected = tasks.on([sys.executable], installed.environment)
        if native.failed:
            sys.exit(f"The native run failed: {native.failed}")
        rows = {NATIVE: native}
        for title, changes in ((FOUR_THREADS, {"threads": 4}), (ALONE, {"batch": 1})):
            found = tasks.on([sys.executable], installed.environment, **changes)
            rows[title] = _compared(expected, *found)
        folder = arm or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        command_line = _command(sentences, bool(trained), steps)
        versions: set[str] = set()
        _write(rows, "", output, command_line)
        for name in names:
            architecture, title = CPUS[name]
            print(f"{title} ...", flush=True)
            try:
                emulator = qemu(architecture, qemu_folder)
                command = [str(emulator), "-cpu", name, sys.executable]
                environment = installed.environment
                if architecture == "aarch64":
                    python = ArmPython(folder.resolve(), arm_torch)
                    command = python.command(emulator, name)
                    path_there = (installed.target, BENCHMARKS, python.wheels)
                    environment = {
                        **environment,
                        "PYTHONPATH": os.pathsep.join(map(str, path_there)),
                    }
                versions.add(qemu_version(emulator))
                rows[title] = _compared(expected, *tasks.on(command, environment))
            except Unavailable as reason:
                rows[title] = Machine(failed=str(reason))
            _write(rows, ", ".join(sorted(versions)), output, command_line)


def run_worker(
    command: list[str], environment: dict[str, str], job: dict[str, Any], limit: float
) -> tuple[dict[str, Any], dict[str, dict[str, numpy.ndarray]]]:
    """Run `measuring.machine_worker`; return what it says of itself, and the arrays of each model.

    command: runs Python.
    limit: seconds after which it is stopped.
    Raises Unavailable with the reason if it fails or takes longer.
    """
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "job.json"
        srsly.write_json(file, job)
        arguments = ["-m", "measuring.machine_worker", str(file), directory]
        try:
            done = subprocess.run(
                [*command, *arguments],
                **{"env": environment, "timeout": limit, "cwd": directory},
                capture_output=True,
                text=True,
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(f"stopped after {limit:.0f} seconds") from None
        except OSError as error:
            raise Unavailable(str(error)) from error
        if done.returncode:
            said = done.stderr.strip().splitlines()
            raise Unavailable(f"exit code {done.returncode}: {said[-1] if said else 'no message'}")
        arrays = {name: dict(numpy.load(Path(directory) / f"{name}.npz")) for name in job["models"]}
        return srsly.read_json(Path(directory) / "about.json"), arrays


def _compared(
    expected: dict[str, dict[str, numpy.ndarray]],
    machine: Machine,
    found: dict[str, dict[str, numpy.ndarray]],
) -> Machine:
    models: dict[str, Agreement] = {
        name: compare(expected[name], arrays) for name, arrays in found.items()
    }
    return machine._replace(models=models)


def _trained(treebank: Treebank, steps: int) -> Path:
    """Return a pipeline trained for so many steps, with the recipe `fast`; train it if needed."""
    directory = treebank.work / f"fast-{steps}"
    if not training.read_record(directory):
        shutil.rmtree(directory, ignore_errors=True)
        config = training.file_config(ROOT / "configs" / "fast.cfg", "en")
        config["training"].update(max_steps=steps, eval_frequency=steps)
        training.train(directory, config, treebank.corpora, threads=1)
    return directory / "model-last"


def _words(file: Path, n: int) -> list[list[str]]:
    """Return the words of n sentences, spread evenly over the file; all if there are fewer."""
    found = [sentence.words for sentence in read_conllu(file)]
    n = min(n, len(found))
    return [found[i * len(found) // n] for i in range(n)]


def _command(sentences: int, trained: bool, steps: int) -> str:
    model = "--trained TRAINED" if trained else f"--steps {steps}"
    return f"python benchmarks/machines.py --sentences {sentences} {model}"


def _write(rows: dict[str, Machine], emulator: str, output: Path, command: str) -> None:
    kept = {
        title: {
            **machine._asdict(),
            "models": {name: found._asdict() for name, found in machine.models.items()},
        }
        for title, machine in rows.items()
    }
    (output / "measured").mkdir(parents=True, exist_ok=True)
    srsly.write_json(output / "measured" / "machines.json", {"qemu": emulator, "machines": kept})
    (output / "MACHINES.md").write_text(report(rows, emulator, command), encoding="utf8")
    print(f"Wrote MACHINES.md and measured/machines.json to {output}")


if __name__ == "__main__":
    typer.run(main)
