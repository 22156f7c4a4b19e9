"""Frames of one movement as JSON, CSV or Parquet, sent in pieces."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from athletes.frames.format import match_key

Columns = Mapping[str, npt.NDArray[Any]]

ROWS_PER_PIECE = 256
BYTES_PER_PIECE = 1 << 18
# A cell that begins so is run as a formula by spreadsheet programs: the signs, in East
# Asian settings their wide forms too, and whatever some programs cut off before them.
FORMULA_SIGNS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
LINE_SIGNS = ("\t", "\r", "\n")
# Where a program that does not split at commas begins another cell: it then does not
# see the quotes, which are in the middle of its own cell.
OTHER_CELL = re.compile(r"(?<=[;\t\r\n])")


def cell(text: str) -> str:
    """The text, changed so that no spreadsheet program takes it for a formula.

    Whatever sign the program splits cells at, a cell that begins like a formula gets an
    apostrophe in front.
    """
    guarded = ""
    for piece in OTHER_CELL.split(text):
        is_inside = _first_shown(guarded) != ""
        is_formula = is_inside and _first_shown(piece, but='"') in FORMULA_SIGNS
        guarded += f"'{piece}" if is_formula else piece
    is_formula = text.startswith(LINE_SIGNS) or _first_shown(text) in FORMULA_SIGNS
    return f"'{guarded}" if is_formula else guarded


def _first_shown(text: str, *, but: str = "") -> str:
    """The first visible character, except those in `but`; empty without one."""
    return next(
        (c for c in text if c.isprintable() and not c.isspace() and c not in but), ""
    )


def json_pieces(
    columns: Columns, *, movement_id: int, data_type: str
) -> Iterator[bytes]:
    """Yield the frames as one JSON object, a column at a time to save memory."""
    frames = len(next(iter(columns.values())))
    head = {
        "movement_id": movement_id,
        "data_type": data_type,
        "frames": frames,
        "columns": list(columns),
    }
    yield orjson.dumps(head)[:-1] + b',"data":{'
    for place, (name, values) in enumerate(columns.items()):
        comma = b"," if place else b""
        yield comma + orjson.dumps(name) + b":" + _json_values(values)
    yield b"}}"


def _json_values(values: npt.NDArray[Any]) -> bytes:
    """One column as a JSON list; missing values are null."""
    if values.dtype.kind in "fiub":
        # NaN and infinities become null; float32 keeps its own short digits.
        array = np.ascontiguousarray(values)
        return orjson.dumps(array, option=orjson.OPT_SERIALIZE_NUMPY)
    return orjson.dumps([None if item is None else str(item) for item in values])


def csv_pieces(columns: Columns) -> Iterator[bytes]:
    """Yield the frames as CSV (RFC 4180) with a header; missing values are empty."""
    from pyarrow import csv  # web processes that send none do without it

    table = _table({cell(name): values for name, values in columns.items()}, safe=True)
    for start in range(0, max(table.num_rows, 1), ROWS_PER_PIECE):
        sink = io.BytesIO()
        csv.write_csv(
            table.slice(start, ROWS_PER_PIECE),
            sink,
            csv.WriteOptions(include_header=start == 0, quoting_style="needed"),
        )
        yield sink.getvalue()


def parquet_pieces(
    columns: Columns,
    *,
    movement_id: int,
    data_type: str,
    units: Mapping[str, str],
) -> Iterator[bytes]:
    """Yield the frames as a Parquet file, with the unit of each column if known.

    The file's directory stands at its end, so it is built as a whole.
    """
    from pyarrow import parquet

    table = _table(columns, safe=False)
    fields = [
        field.with_metadata({"unit": units[key]}) if key in units else field
        for field in table.schema
        for key in (match_key(field.name),)
    ]
    facts = {"movement_id": str(movement_id), "data_type": data_type}
    table = table.cast(pa.schema(fields, metadata=facts))
    sink = io.BytesIO()
    parquet.write_table(table, sink, compression="zstd")
    view = sink.getbuffer()
    for start in range(0, len(view), BYTES_PER_PIECE):
        yield bytes(view[start : start + BYTES_PER_PIECE])


def _table(columns: Columns, *, safe: bool) -> pa.Table:
    """Columns as an Arrow table; `safe` guards text against spreadsheets."""
    return pa.table({name: _array(values, safe) for name, values in columns.items()})


def _array(values: npt.NDArray[Any], safe: bool) -> pa.Array:
    """One column as an Arrow array; missing values are null."""
    if values.dtype.kind in "fiub":
        missing = ~np.isfinite(values) if values.dtype.kind == "f" else None
        return pa.array(values, mask=missing)
    texts = [None if item is None else str(item) for item in values]
    if safe:
        texts = [None if text is None else cell(text) for text in texts]
    return pa.array(texts, type=pa.string())
