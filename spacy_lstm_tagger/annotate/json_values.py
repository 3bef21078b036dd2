"""Values of Arrow tables as JSON has them: exact, and the same whether pandas is there or not."""

from __future__ import annotations

import base64
import json
import math
from decimal import Decimal
from typing import Any

from ..extras import import_extra

DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
"""Digits behind the point of a second, by the unit of Arrow."""


def to_json(value: Any) -> str:
    """Return a value in JSON; NaN and infinities, which JSON has not, become null."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)


def json_rows(table: Any) -> list[dict[str, Any]]:
    """Return the rows of a table, by column, in types of JSON.

    Dates and times become texts in ISO 8601, those with a time zone in UTC; decimals and whatever
    JSON has no type for become texts as well, bytes those in base64, and maps lists of pairs.
    """
    pyarrow = import_extra("pyarrow", extra="annotate")
    names, columns = table.column_names, [_json_column(one, pyarrow) for one in table.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _json_column(column: Any, pyarrow: Any) -> list[Any]:
    types, kind = pyarrow.types, column.type
    if types.is_string(kind) or types.is_integer(kind) or types.is_floating(kind):
        return list(column.to_pylist())
    return [_json_value(value, pyarrow) for value in column]


def _json_value(value: Any, pyarrow: Any) -> Any:
    """Return an Arrow scalar in types of JSON."""
    types, kind = pyarrow.types, value.type
    if not value.is_valid:
        return None
    if types.is_dictionary(kind):
        return _json_value(value.value, pyarrow)
    if types.is_map(kind):
        return [[_json_value(part, pyarrow) for part in pair.values()] for pair in value.values]
    if types.is_struct(kind):
        return {name: _json_value(part, pyarrow) for name, part in value.items()}
    if isinstance(value, pyarrow.ListScalar):  # of any of the types of lists
        return [_json_value(part, pyarrow) for part in value.values]
    if types.is_duration(kind):
        return f"PT{Decimal(value.value).scaleb(-DIGITS[kind.unit]):f}S"
    if types.is_temporal(kind):  # not as types of Python, which have no nanoseconds
        zone = types.is_timestamp(kind) and kind.tz
        local = value.cast(pyarrow.timestamp(kind.unit)) if zone else value  # in UTC, that is
        return local.cast(pyarrow.string()).as_py().replace(" ", "T") + ("Z" if zone else "")
    found = value.as_py()
    if isinstance(found, bytes):
        return base64.b64encode(found).decode()
    if isinstance(found, Decimal):
        return f"{found:f}"
    return found if isinstance(found, (str, int, float)) else str(found)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
