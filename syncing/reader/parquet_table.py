"""A Parquet file as a table, a few of its columns at a time."""

import io
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from syncing.reader.cell_text import MISSING_WORDS, NUMBER, text_in_numbers
from syncing.reader.columns import FileColumn, Role, plan_columns, shown
from syncing.reader.container import Opened, check_unpacked
from syncing.reader.errors import ExportFileError
from syncing.reader.limits import ReadLimits
from syncing.reader.table import (
    CodeArray,
    FloatArray,
    Table,
    TableBuilder,
    coded,
    too_many_columns,
    too_much_text,
)

#: Values of Parquet that are unpacked at a time.
BATCH_CELLS = 2_000_000

# What the library raises on bytes that are not what they claim to be.
_PARQUET_FAULTS = (
    pa.ArrowException,
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    MemoryError,
    AttributeError,
)


def read_parquet(source: Opened, limits: ReadLimits) -> Table:
    """Return a Parquet file as a table; ExportFileError when any of it is wrong."""

    def opened(**options: Any) -> pq.ParquetFile:
        return pq.ParquetFile(
            source.parquet,
            thrift_string_size_limit=64 * 1024**2,
            thrift_container_size_limit=1_000_000,
            page_checksum_verification=True,
            **options,
        )

    try:
        parquet = opened()
        schema = parquet.schema_arrow
        # Each different text once, however many rows have it.
        texts = [
            name
            for name, kind in zip(schema.names, schema.types, strict=True)
            if _is_text(kind)
        ]
        if texts:
            parquet = opened(metadata=parquet.metadata, read_dictionary=texts)
        return _parquet_table(parquet, source, limits)
    except _PARQUET_FAULTS as error:
        raise ExportFileError(
            "damaged_parquet",
            "The Parquet file is cut or damaged. Ask Reboot Motion for the export "
            "again.",
        ) from error


def _parquet_table(
    parquet: pq.ParquetFile, source: Opened, limits: ReadLimits
) -> Table:
    """Return an opened Parquet file as a table, checked against the limits first."""
    meta = parquet.metadata
    # Each look at `names` or `types` builds the whole list.
    header, types = parquet.schema_arrow.names, parquet.schema_arrow.types
    if len(header) > limits.max_columns:
        raise too_many_columns(len(header), limits)
    unpacked = sum(
        meta.row_group(place).total_byte_size for place in range(meta.num_row_groups)
    )
    assert source.parquet is not None  # noqa: S101  # it is Parquet
    check_unpacked(source.parquet.seek(0, io.SEEK_END), unpacked, limits)
    columns = _planned(tuple(header), tuple(types))
    collected = TableBuilder(columns, limits)
    # Of each column as it lies in the file; those of a nested one have several.
    paths = [parquet.schema.column(place).path for place in range(len(parquet.schema))]
    _check_names(paths, {header[column.position] for column in collected.used})
    texts = {name for name, kind in zip(header, types, strict=True) if _is_text(kind)}
    _check_text(meta, [n for n, path in enumerate(paths) if path in texts], limits)
    collected.reserve(meta.num_rows)
    # A few columns at a time, as they lie in the file: reading some rows of all
    # columns would hold the whole file meanwhile.
    step = max(1, BATCH_CELLS // max(1, meta.num_rows))
    # What single precision cannot hold turns infinite, and that into missing.
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(collected.used), step):
            some = collected.used[start : start + step]
            _collect_columns(parquet, header, some, collected)
    return collected.finish()


@lru_cache(maxsize=16)
def _planned(
    header: tuple[str, ...], types: tuple[pa.DataType, ...]
) -> tuple[FileColumn, ...]:
    """Return how to read each column; it is the same for all files of a kind."""
    unknown_text = {
        name.strip().lower()
        for name, kind in zip(header, types, strict=True)
        if _is_text(kind) or pa.types.is_temporal(kind)
    }
    columns = plan_columns(header, texts=frozenset(unknown_text))
    return tuple(_with_type(column, types[column.position]) for column in columns)


def _collect_columns(
    parquet: pq.ParquetFile,
    header: Sequence[str],
    some: Sequence[FileColumn],
    collected: TableBuilder,
) -> None:
    """Read some columns of the file and add them to the table."""
    names = [header[column.position] for column in some]
    table = parquet.read(columns=names)
    if table.num_rows != collected.row_count:
        raise ExportFileError(
            "damaged_parquet",
            "The Parquet file's rows don't match its metadata. Ask Reboot Motion for "
            "the export again.",
        )
    for column, name in zip(some, names, strict=True):
        chunked = table.column(name)
        if column.role is Role.TEXT:
            # Each group of rows has its own list of different texts.
            for values in chunked.chunks:
                collected.add_texts(column, _as_text(values))
        elif _is_text(chunked.type):
            collected.add_numbers(column, _written_numbers(chunked, column, collected))
        else:
            # Joining copies, and most files have one group of rows.
            values = (
                chunked.chunk(0)
                if chunked.num_chunks == 1
                else chunked.combine_chunks()
            )
            collected.add_numbers(column, _as_numbers(values))


def _check_names(paths: Sequence[str], names: set[str]) -> None:
    """Refuse a column whose name leads into another one: both would be read."""
    for path in paths:
        parts = path.split(".")
        for end in range(1, len(parts)):
            name = ".".join(parts[:end])
            if name in names:
                raise ExportFileError(
                    "unsupported_column_type",
                    f"Column {shown(name)} has values that are neither numbers nor "
                    "text. Ask Reboot Motion for the export again.",
                )


def _check_text(
    meta: pq.FileMetaData, places: Sequence[int], limits: ReadLimits
) -> None:
    """Refuse a file by what it says of its text, before any of it is unpacked."""
    unpacked = sum(
        meta.row_group(group).column(place).total_uncompressed_size
        for group in range(meta.num_row_groups)
        for place in places
    )
    # Each value may have four bytes before it that tell its length.
    if unpacked > limits.max_text_bytes + 4 * meta.num_rows * len(places):
        raise too_much_text(limits)


def _is_text(kind: pa.DataType) -> bool:
    """Return whether a type holds text, as such or as a dictionary."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
    )


def _is_number(kind: pa.DataType) -> bool:
    """Return whether a type holds numbers, or nothing but missing values."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
    )


def _with_type(column: FileColumn, kind: pa.DataType) -> FileColumn:
    """Return the column as its type allows: dropped when neither number nor text."""
    if (
        column.role is Role.DROPPED
        or _is_number(kind)
        or _is_text(kind)
        or (column.role is Role.TEXT and pa.types.is_temporal(kind))
    ):
        return column
    if column.known:
        raise ExportFileError(
            "unsupported_column_type",
            f"Column {shown(column.name)} has values that are neither numbers nor "
            "text. Ask Reboot Motion for the export again.",
        )
    return FileColumn(
        column.position, column.original, column.name, Role.DROPPED, known=False
    )


def _as_text(values: pa.Array) -> pa.Array:
    """Return values as text, a dictionary of texts as it is."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return values if _is_text(kind) else _as_text(values.dictionary_decode())
    return values if pa.types.is_string(kind) else values.cast(pa.string())


def _as_numbers(values: pa.Array) -> npt.NDArray[np.floating[Any]]:
    """Return values as floats, missing ones as NaN."""
    if not pa.types.is_floating(values.type):
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if not pa.types.is_floating(values.type):
            values = values.cast(pa.float64(), safe=False)
    array: npt.NDArray[Any] = values.to_numpy(zero_copy_only=False)
    return array


def _written_numbers(
    chunked: pa.ChunkedArray, column: FileColumn, collected: TableBuilder
) -> FloatArray:
    """Return numbers that a file keeps as text; each different text is parsed once."""
    pieces: list[FloatArray] = []
    row = 0
    for values in chunked.chunks:
        found, places = coded(values)
        collected.count_text(found, places)
        numbers = np.full(len(found) + 1, np.nan)
        numbers[:-1] = _parsed(found.cast(pa.string()), column, places, row)
        pieces.append(numbers[places])
        row += len(values)
    return np.concatenate(pieces) if pieces else np.empty(0)


def _parsed(
    values: pa.Array, column: FileColumn, places: CodeArray, row: int
) -> npt.NDArray[np.floating[Any]]:
    """Return texts as numbers; refuse the first that is neither number nor missing."""
    trimmed = pc.utf8_trim_whitespace(values)
    missing = pc.is_in(pc.utf8_lower(trimmed), value_set=pa.array(MISSING_WORDS))
    trimmed = pc.if_else(missing, pa.scalar(None, pa.string()), trimmed)
    try:
        numbers: npt.NDArray[Any] = trimmed.cast(pa.float64()).to_numpy(
            zero_copy_only=False
        )
    except pa.ArrowInvalid:
        for place, text in enumerate(trimmed.to_pylist()):
            if text is not None and not NUMBER.fullmatch(text):
                first = int(np.argmax(places == place))
                raise text_in_numbers(column, row + first + 1) from None
        raise
    return numbers
