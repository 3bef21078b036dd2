"""Write a file as a whole or not at all."""

import os
from pathlib import Path


def write_file(path: Path, data: bytes) -> None:
    """Write a file, which appears, or replaces another, once everything is in it.

    Raises OSError where it cannot be written.
    """
    beside = path.with_name(f"{path.name}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
