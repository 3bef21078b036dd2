"""Feed every loader damaged and hostile input, and count the outcomes.

    python benchmarks/fuzz.py [--inputs 20000] [--seed 0] [--only model ...]

Loads run in a child process with a limit of time for each and a limit of memory for all. A crash, a
hang or a bomb ends the child and is reported. A new child then continues with the next input. The
outcome of an input is "loaded" (and the result works), "refused" (a ValueError that says what is
wrong) or a fault:

    unclear     another exception, or a ValueError without a name of ours in it
    crash, hang the child was killed by a signal, or ran out of time
    memory      more memory was requested than a sound input could need
    executed    a pickle in the place of weights was run, and made a directory

Ends with status 1 if there was any fault.
"""

from __future__ import annotations

import collections
import multiprocessing
import os
import random
import resource
import signal
import sys
import traceback
import warnings
from multiprocessing.connection import Connection
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch and numpy are loaded

import typer
from fuzzing.mutation import damage
from fuzzing.targets import EXECUTED, Target, make_targets, scratch

SECONDS = 20
"""Time limit for one input, in seconds. A sound input takes some hundredths of a second."""

MEMORY = 1 << 30
"""Bytes of memory that a child may take in addition to its memory at the start. The models here
have 10 kB."""

FAULTS = ("unclear", "crash", "hang", "memory", "executed")
CLEAR = (
    *("[lstm_tagger]", "network", "vocabulary", "Vocabulary", "raw.", "taught.spacy"),
    "Let the teacher label it again",
)


def main(
    inputs: int = typer.Option(20_000, help="Number of inputs, divided among the loaders"),
    seed: int = typer.Option(0, help="Seed of the damage"),
    only: list[str] = typer.Option([], help="Loaders to try, all by default"),
    show: int = typer.Option(3, help="Faults of each kind to print in full"),
) -> None:
    """Feed every loader damaged and hostile input, and count the outcomes."""
    with scratch() as name:
        directory = Path(name)
        targets = make_targets(directory)
        wanted = [key for key in targets if not only or key in only]
        counts = {
            key: run(key, targets[key], inputs // len(wanted), seed, directory, show)
            for key in wanted
        }
    kinds = ("loaded", "refused", *FAULTS)
    print(
        "| loader | inputs | "
        + " | ".join(kinds)
        + " |\n|---" * 1
        + "|---" * (len(kinds) + 1)
        + "|"
    )
    for key, found in [*counts.items(), ("all", sum(counts.values(), collections.Counter()))]:
        cells = [f"{n:,}" for n in (found.total(), *(found[kind] for kind in kinds))]
        print(f"| {key} | " + " | ".join(cells) + " |")
    if any(found[kind] for found in counts.values() for kind in FAULTS):
        sys.exit(1)


def run(
    key: str, target: Target, n: int, seed: int, directory: Path, show: int
) -> collections.Counter[str]:
    """Try `n` inputs; return how often each kind of outcome was."""
    counts: collections.Counter[str] = collections.Counter()
    done = 0
    while done < n:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        child = multiprocessing.get_context("fork").Process(
            target=_work, args=(theirs, key, target, range(done, n), seed, directory)
        )
        child.start()
        theirs.close()
        while True:
            try:
                kind, text = ours.recv()
            except EOFError:
                break
            counts[kind] += 1
            done += 1
            if kind in FAULTS and counts[kind] <= show:
                print(f"{key}, input {done - 1}: {kind}\n{text}", file=sys.stderr, flush=True)
        child.join()
        if done < n:
            kind = "hang" if child.exitcode == -signal.SIGALRM else "crash"
            counts[kind] += 1
            print(f"{key}, input {done}: {kind} ({child.exitcode})", file=sys.stderr, flush=True)
            done += 1
    return counts


def _work(
    connection: Connection, key: str, target: Target, numbers: range, seed: int, directory: Path
) -> None:
    warnings.simplefilter("ignore")
    os.chdir(directory)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    for number in numbers:
        random_ = random.Random(f"{key} {seed} {number}")
        data = damage(random_, target.data, target.form, target.hostile)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)  # its signal ends the child
        found = outcome(target, data)
        if os.path.exists(EXECUTED):
            os.rmdir(EXECUTED)
            found = ("executed", found[1])
        connection.send(found)
        signal.setitimer(signal.ITIMER_REAL, 0)
    connection.close()


def outcome(target: Target, data: bytes) -> tuple[str, str]:
    """Return the outcome of loading an input, and for a fault its traceback."""
    try:
        target.load(data)
    except MemoryError:
        return "memory", traceback.format_exc()
    except ValueError as error:
        text = traceback.format_exc()
        if "MemoryError" in text or "allocate" in text or "bad_alloc" in text:
            return "memory", text
        clear = type(error) is ValueError and any(word in str(error) for word in CLEAR)
        return ("refused", "") if clear else ("unclear", text)
    except Exception:
        return "unclear", traceback.format_exc()
    return "loaded", ""


if __name__ == "__main__":
    typer.run(main)
