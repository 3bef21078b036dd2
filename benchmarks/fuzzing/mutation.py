"""Mutation of bytes: at random, or inside nested msgpack and JSON."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import srsly

ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 2, 3, 10**9, 2**31, 2**63 - 1, 2**64 - 1, -(2**63), 0.0, 1e-320, 1e308),
    *(float("nan"), float("inf"), "", "a", "\x00", "../../../etc/passwd", "x" * 1000),
    *(b"", b"\x00", b"\x80\x04N.", [], [[]], {}, {"a": 1}, {"": {}}, [0] * 50),
)
NUMBERS = (
    b"\x00",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\xc1",
    b"\xdd\xff\xff\xff\xff",
)


def damage_bytes(random_: random.Random, data: bytes) -> bytes:
    """Return damaged bytes: flip bits, cut, splice, repeat or insert, one to three times."""
    for _ in range(random_.randint(1, 3)):
        data = random_.choice(DAMAGES)(random_, data)
    return data


def _flip(random_: random.Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    # half of the time near the beginning or the end, where headers and directories are
    near = random_.random() < 0.5
    for _ in range(random_.choice((1, 1, 2, 8)) if data else 0):
        place = random_.randrange(min(len(data), 400)) if near else random_.randrange(len(data))
        if near and random_.random() < 0.5:
            place = -1 - place
        damaged[place] ^= 1 << random_.randrange(8)
    return bytes(damaged)


def _cut(random_: random.Random, data: bytes) -> bytes:
    return data[: random_.randrange(len(data) + 1)]


def _remove(random_: random.Random, data: bytes) -> bytes:
    begin, end = _range(random_, data)
    return data[:begin] + data[end:]


def _repeat(random_: random.Random, data: bytes) -> bytes:
    begin, end = _range(random_, data)
    return data[:end] + data[begin:]


def _splice(random_: random.Random, data: bytes) -> bytes:
    begin, end = _range(random_, data)
    place = random_.randrange(len(data) + 1)
    return data[:place] + data[begin:end] + data[place + end - begin :]


def _insert(random_: random.Random, data: bytes) -> bytes:
    place = random_.randrange(len(data) + 1)
    return data[:place] + random_.choice(NUMBERS) + data[place:]


def _overwrite(random_: random.Random, data: bytes) -> bytes:
    place, number = random_.randrange(len(data) + 1), random_.choice(NUMBERS)
    return data[:place] + number + data[place + len(number) :]


def _range(random_: random.Random, data: bytes) -> tuple[int, int]:
    begin = random_.randrange(len(data) + 1)
    return begin, min(len(data), begin + random_.choice((1, 4, 30, 1000)))


DAMAGES: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *(_flip, _flip, _cut, _remove, _repeat, _splice, _insert, _overwrite),
)


def damage_value(random_: random.Random, value: Any, *, spared: int = 4) -> Any:
    """Change one thing somewhere in nested dicts, lists and msgpack: its type, size or presence.

    spared: how many times likelier a change inside a value is than a change of the value itself.
    """
    if isinstance(value, (dict, list)) and value and random_.randrange(spared + 1):
        copy = dict(value) if isinstance(value, dict) else list(value)
        key = random_.choice(list(value) if isinstance(value, dict) else range(len(value)))
        what = random_.randrange(10)
        if what == 0:
            del copy[key]
        elif what == 1 and isinstance(copy, dict):
            copy[random_.choice(("", "a", "x" * 100, "__class__", 1))] = copy.pop(key)
        elif what == 2:
            other = random_.choice(list(value.values()) if isinstance(value, dict) else value)
            copy[key] = other
        else:
            copy[key] = damage_value(random_, value[key], spared=spared)
        return copy
    if isinstance(value, bytes) and value:
        return _damage_nested(random_, value, spared)
    if isinstance(value, bool) or value is None or not random_.randrange(3):
        return random_.choice(ODD)
    if isinstance(value, int):
        return random_.choice((value + 1, value - 1, -value, value * 10**6, random_.choice(ODD)))
    if isinstance(value, str) and value:
        return random_.choice((value[:-1], value * 2, value + "\x00", value.upper()))
    return random_.choice(ODD)


def _damage_nested(random_: random.Random, data: bytes, spared: int) -> Any:
    try:
        nested = srsly.msgpack_loads(data)
    except Exception:  # msgpack has many kinds: these are other bytes
        nested = None
    if nested and isinstance(nested, (dict, list)) and random_.randrange(spared + 1):
        return dump(damage_value(random_, nested, spared=spared))
    return random_.choice(ODD) if not random_.randrange(6) else damage_bytes(random_, data)


def dump(value: Any) -> bytes:
    """Return a value as msgpack; empty bytes if msgpack cannot hold it."""
    try:
        return srsly.msgpack_dumps(value)
    except Exception:  # numbers beyond 64 bits, keys of odd kinds
        return b""


def damage(random_: random.Random, data: bytes, form: str, hostile: Sequence[bytes]) -> bytes:
    """Return damaged data, or, one time in ten, hostile data.

    form: form of the data, "bytes", "msgpack" or "json".
    hostile: hostile data to choose from. In msgpack, it replaces the weights of a model.
    """
    bomb = random_.choice(hostile) if hostile and not random_.randrange(10) else None
    if form == "bytes" and bomb is not None:
        return bomb if random_.randrange(2) else damage_bytes(random_, bomb)
    if form == "msgpack" and bomb is not None:
        return dump(_with_weights(srsly.msgpack_loads(data), bomb))
    if form == "bytes" or not random_.randrange(3):
        return damage_bytes(random_, data)
    if form == "msgpack":
        return dump(damage_value(random_, srsly.msgpack_loads(data)))
    value = damage_value(random_, srsly.json_loads(data))
    try:
        return srsly.json_dumps(value).encode()
    except Exception:  # bytes, and numbers that JSON does not have
        return damage_bytes(random_, data)


def _with_weights(component: dict[str, Any], weights: bytes) -> dict[str, Any]:
    model = srsly.msgpack_loads(component["model"])
    for shims in model["shims"]:
        for i, shim in enumerate(shims):
            message = srsly.msgpack_loads(shim)
            shims[i] = dump(dict.fromkeys(message, weights) | {"config": {}})
            if "state" in message:
                shims[i] = dump({**message, "state": weights})
    return {**component, "model": dump(model)}
