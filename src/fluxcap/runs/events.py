"""Scalars of TensorBoard's event files, without TensorBoard.

A file is a row of records: length (8 bytes), its checksum (4), an ``Event`` in protobuf's wire format, its checksum (4).
Of an ``Event`` only the time (field 1), the step (2) and the summary's values (5: tag 1, simple_value 2) are read. Layout:
tensorflow/core/util/event.proto, summary.proto and lib/io/record_writer.h. A record that is cut off ends the reading: the
trainer is still writing it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

from fluxcap.runs.types import Loss

_LARGEST = 1_000_000
"""Bytes above which a record is a picture, and skipped."""

_IMPOSSIBLE = 1 << 40
"""Bytes that no record has: the file is no event file."""

Field = tuple[int, int | bytes]


def scalars(file: IO[bytes], tag: str) -> Iterator[Loss]:
    """The values under a tag, in the file's order."""
    while len(head := file.read(12)) == 12:
        (length,) = struct.unpack("<Q", head[:8])
        if length > _IMPOSSIBLE:
            return
        if length > _LARGEST:
            file.seek(length + 4, 1)
            continue
        data = file.read(length)
        if len(data) < length or len(file.read(4)) < 4:
            return
        try:
            yield from _values(data, tag)
        except (IndexError, struct.error, UnicodeDecodeError):
            return


def _values(event: bytes, tag: str) -> Iterator[Loss]:
    at, step, summaries = 0.0, 0, []
    for number, value in _fields(event):
        if number == 1 and isinstance(value, bytes):
            (at,) = struct.unpack("<d", value)
        elif number == 2 and isinstance(value, int):
            step = value
        elif number == 5 and isinstance(value, bytes):
            summaries.append(value)
    for summary in summaries:
        for number, value in _fields(summary):
            if number != 1 or not isinstance(value, bytes):
                continue
            inner = dict(_fields(value))
            name, simple = inner.get(1), inner.get(2)
            if isinstance(name, bytes) and isinstance(simple, bytes) and name.decode() == tag:
                (loss,) = struct.unpack("<f", simple)
                yield Loss(step=step, value=loss, at=at)


def _fields(data: bytes) -> Iterator[Field]:
    """The fields of a message: their number, and a number or the raw bytes."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        kind = key & 7
        if kind == 0:
            number, place = _varint(data, place)
            yield key >> 3, number
            continue
        if kind == 2:
            length, place = _varint(data, place)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise IndexError("a wire type that events do not have")
        if place + length > len(data):
            raise IndexError("a field beyond the end")
        yield key >> 3, data[place : place + length]
        place += length


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
        if shift > 63:
            raise IndexError("a number without end")
