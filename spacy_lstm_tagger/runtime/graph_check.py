"""Check that an ONNX file holds a tagger's network and nothing else, before it is run.

An ONNX file is a program: it may loop, fill the memory, and name files to read its weights from.
A file that `lstm-tagger export` wrote has a few kinds of operators, and its weights inside. The
check reads the file without the package `onnx`, because tagging does not need that package.

Sources: the fields of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto and
https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Iterator

OPERATORS = {
    *("Add", "Cast", "Concat", "Gather", "MatMul", "Mul", "Reshape", "Transpose"),
    *("LSTM", "GRU", "RNN", "DynamicQuantizeLSTM"),
}
GRAPH, FUNCTIONS = 7, 25  # of a model
NODE, INITIALIZER, SPARSE = 1, 5, 15  # of a graph
OPERATOR = 4  # of a node
EXTERNAL = 13  # of a tensor: external_data, which names a file; data_location alone does not

VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5


def check_graph(data: bytes) -> None:
    """Raise ValueError if an ONNX file has other operators than `OPERATORS`, or names a file."""
    if not isinstance(data, bytes):
        raise ValueError("the graph is not bytes")
    view = memoryview(data)
    for field, value in fields(view):
        if field == FUNCTIONS:
            raise ValueError("the graph has functions of its own")
        if field == GRAPH:
            _check_parts(value)


def _check_parts(graph: memoryview) -> None:
    for field, value in fields(graph):
        if field == NODE:
            for operator in (bytes(name) for number, name in fields(value) if number == OPERATOR):
                if operator.decode("utf-8", "replace") not in OPERATORS:
                    raise ValueError(f"the graph has the operator {operator[:40]!r}")
        elif field == SPARSE:
            raise ValueError("the graph has sparse tensors")
        elif field == INITIALIZER and any(n == EXTERNAL for n, _ in fields(value)):
            raise ValueError("the graph names files to read its weights from")


def fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield the number and the content of each field of a protobuf message.

    The content of a varint is empty.

    Raises ValueError if the message ends within a field, or has a field of an unknown kind.
    """
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind, begin = key & 7, place
        if kind == VARINT:
            _, place = _varint(message, place)
            begin = place
        elif kind == LENGTH:
            length, begin = _varint(message, place)
            place = begin + length
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            place += 8 if kind == EIGHT_BYTES else 4
        else:
            raise ValueError(f"the graph has a field of the unknown kind {kind}")
        if place > len(message):
            raise ValueError("the graph ends too early")
        yield key >> 3, message[begin:place]


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            raise ValueError("the graph ends too early")
        byte = message[place]
        value |= (byte & 127) << shift
        place += 1
        if byte < 128:
            return value, place
    raise ValueError("the graph has a number of more than 64 bits")
