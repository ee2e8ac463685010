"""A sentence encoder small enough to write by hand: a table of word rows as an ONNX graph, and its tokenizer.

The graph is one Gather: `input_ids` pick rows of `table`. It is written as protobuf bytes (onnx.proto3, IR version 8,
opset 13), since that takes fewer lines than the library that would write it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

FLOAT, INT64 = 1, 7


def write(folder: Path, rows: dict[str, Any], axis: int = 0) -> None:
    """`model.onnx` and `tokenizer.json` for these words; unknown ones get the row of `[UNK]`."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.normalizers import Lowercase
    from tokenizers.pre_tokenizers import Whitespace

    names = ["[PAD]", "[UNK]", *rows]
    tokenizer = Tokenizer(WordLevel({name: number for number, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = Lowercase(), Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    width = len(next(iter(rows.values())))
    # Padding must not count: its row is far from every other.
    table = np.array([[99.0] * width, [0.0] * (width - 1) + [1.0], *rows.values()], np.float32)
    (folder / "model.onnx").write_bytes(graph(table, axis))


def graph(table: Any, axis: int = 0) -> bytes:
    """ModelProto of `rows = Gather(table, input_ids)`."""
    node = _text(1, "table") + _text(1, "input_ids") + _text(2, "rows") + _text(4, "Gather")
    node += _part(5, _text(1, "axis") + _number(3, axis) + _number(20, 2))
    held = b"".join(_number(1, one) for one in table.shape) + _number(2, FLOAT) + _text(8, "table")
    held += _part(9, table.astype("<f4").tobytes())
    whole = _part(1, node) + _text(2, "tiny") + _part(5, held)
    whole += _part(11, _value("input_ids", INT64, 2)) + _part(12, _value("rows", FLOAT, 3))
    return _number(1, 8) + _part(7, whole) + _part(8, _number(2, 13))


def _value(name: str, kind: int, axes: int) -> bytes:
    shape = b"".join(_part(1, _text(2, f"{name}_{axis}")) for axis in range(axes))
    return _text(1, name) + _part(2, _part(1, _number(1, kind) + _part(2, shape)))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _text(field: int, value: str) -> bytes:
    return _part(field, value.encode())


def _part(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
