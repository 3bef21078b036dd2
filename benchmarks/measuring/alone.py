"""Loading time and peak memory of a pipeline, in processes of its own."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

ALONE = """
import json, pathlib, resource, sys, time
start = time.perf_counter()
import spacy
nlp = spacy.load(sys.argv[1], config=json.loads(sys.argv[3]))
nlp("One first sentence to tag .")
loaded = time.perf_counter() - start
n = int(sys.argv[2])
if n:
    from spacy.tokens import Doc
    words = json.loads(sys.stdin.read())
    doc = Doc(nlp.vocab, words=(words * (n // len(words) + 1))[:n])
    for _, pipe in nlp.pipeline:
        doc = pipe(doc)
unit = 1 if sys.platform == "darwin" else 1024  # bytes of what getrusage counts
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
status = pathlib.Path("/proc/self/status")
if status.is_file():  # ru_maxrss counts the memory of the process that this one was forked from
    peak = int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
print(json.dumps({"loaded": loaded, "peak": peak}))
"""


def measure_alone(
    path: Path, config: dict, tokens: int, words: list[str], times: int
) -> dict[str, float]:
    """Measure a pipeline in processes of its own.

    config: Settings to load it with.
    tokens: Number of words of a long doc.
    words: Words to make it of.
    times: How many times to load the pipeline.
    Returns the median seconds to load it and tag a first doc, and the peak memory in MiB without
    and with a long doc.
    """

    def run(n: int) -> dict[str, float]:
        command = [sys.executable, "-c", ALONE, str(path), str(n), json.dumps(config)]
        done = subprocess.run(
            command, input=json.dumps(words), capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout.splitlines()[-1])

    short = [run(0) for _ in range(times)]
    return {
        "loaded": statistics.median(one["loaded"] for one in short),
        "peak": short[0]["peak"],
        "long": run(tokens)["peak"],
    }
