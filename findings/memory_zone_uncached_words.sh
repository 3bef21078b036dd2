#!/usr/bin/env bash
# spaCy 3.8.18 (thinc 8.3.14, numpy 2.4.6): inside `nlp.memory_zone()` the tokenizer caches nothing that it has taken
# apart. A word that it has not met outside of a zone goes through the rules each time it occurs, in every zone.
#
# Guess: a zone costs something at its end, when new words are forgotten; inside, the tokenizer is as fast as ever.
# Seen: the second of two identical passes in one zone is no faster than the first, and many times slower than with a
# tokenizer that saw the words once before any zone. Annotating some ordinary text before the first zone helps all
# later ones.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet spacy==3.8.18 thinc==8.3.14 numpy==2.4.6
"$folder/env/bin/python" - <<'PY'
import statistics
import time

import spacy

words = [
    f"{first}{middle}{last}"
    for first in ("well-", "half-", "self-", "cross-", "over-", "under-")
    for middle in ("read", "turn", "work", "play", "build", "learn", "teach", "spell")
    for last in ("ing", "er", "able", "s", "ed,", "ers.", "(ish)", "'s")
]
texts = [" ".join(words[start : start + 48]) for start in range(0, len(words), 48)] * 20


def seconds(nlp):
    start = time.perf_counter()
    for text in texts:
        nlp.tokenizer(text)
    return time.perf_counter() - start


def in_one_zone(nlp):
    with nlp.memory_zone():
        seconds(nlp)  # a first pass, for whatever would be kept
        return seconds(nlp)


nlp = spacy.blank("en")
new = statistics.median(in_one_zone(nlp) for _ in range(5))
seconds(nlp)  # once outside of a zone
known = statistics.median(in_one_zone(nlp) for _ in range(5))
outside = statistics.median(seconds(nlp) for _ in range(5))
print("spaCy", spacy.__version__, "-", len(set(words)), "forms, each", len(texts) * 48 // len(set(words)), "times")
print(f"zone, words new to the tokenizer: {1000 * new:.1f} ms, also in the second pass")
print(f"zone, words met outside before: {1000 * known:.1f} ms; no zone: {1000 * outside:.1f} ms")
assert new > 3 * known, "this has changed"
assert known < 2 * outside, "this has changed"
PY
