#!/usr/bin/env bash
# thinc 8.3.14 has types for arrays by element and dimensions (Ints1d, Floats2d, ...). At run time they are
# numpy's or cupy's arrays. For mypy they are classes of their own: numpy's functions do not take them, and
# numpy's arrays are not taken for them, with thinc's mypy plugin as well.
#
# Guess: a function annotated with Ints1d may call numpy on it.
# Seen: mypy rejects numpy.cumsum of an Ints1d, and numpy.zeros as an Ints1d. The program runs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet thinc==8.3.14 numpy==2.4.6 mypy==2.4.1
cat > "$folder/use.py" <<'PY'
import numpy
from thinc.types import Ints1d


def ends(lengths: Ints1d) -> list[int]:
    return numpy.cumsum(lengths).tolist()


def made() -> Ints1d:
    return numpy.zeros(3, dtype="int64")


print(ends(made()))
PY
cd "$folder"
"$folder/env/bin/python" use.py > seen
printf '[mypy]\nplugins = thinc.mypy\n' > mypy.ini
("$folder/env/bin/mypy" --config-file mypy.ini use.py || true) |
    grep ' error: ' | sed -E 's/(matches|incompatible|Incompatible).*\[/... [/; s/"Ints1d".*//' >> seen
cat seen
diff seen - <<'SEEN'
[0, 0, 0]
use.py:6: error: No overload variant of "cumsum" ... [call-overload]
use.py:10: error: ... [return-value]
SEEN
