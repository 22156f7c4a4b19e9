"""Small files that would fill the memory of who reads them.

Each is read by a process of its own, whose peak of memory the system tells; the limit
lies far above what reading needs and far below what the file would take.
"""

from __future__ import annotations

import gzip
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.processes

ROWS = 300_000
LONG = "x" * 4096
MOST_MB = 160

READER = """
import os, re, sys
from pathlib import Path
from syncing.reader.packing import read_and_pack
from syncing.reader.errors import ExportFileError
from syncing.reader.limits import ReadLimits

def read(path):
    try:
        with open(path, "rb") as file:
            read_and_pack(
                file,
                data_type="inverse-kinematics",
                known_movement_id="IMG-1",
                limits=ReadLimits(),
            )
    except ExportFileError as error:
        return error.code
    return "read"

status = Path("/proc/self/status")

def peak():
    # Not getrusage: its peak begins with that of the process that started this one.
    return int(re.search(r"VmHWM:\\s*(\\d+)", status.read_text())[1])

read(sys.argv[1])
before = peak()
print(read(sys.argv[2]), (peak() - before) // 1024, flush=True)
# As the product's own readers end: nothing of Arrow's threads is taken apart.
os._exit(0)
"""


def dictionary(text, kind=None, rows=ROWS):
    """A column that holds one text and says so once."""
    codes = pa.array(np.zeros(rows, np.int32))
    return pa.DictionaryArray.from_arrays(codes, pa.array([text], kind or pa.string()))


def by_turns(texts, rows=ROWS):
    """A column whose rows have one of the texts after the other."""
    codes = pa.array(np.arange(rows, dtype=np.int32) % len(texts))
    return pa.DictionaryArray.from_arrays(codes, pa.array(list(texts)))


def table(rows=ROWS, **columns):
    clock = np.arange(rows) / 240
    return pa.table({"time": clock, "torso_rot": np.float32(clock), **columns})


def written(path, content, **options):
    pq.write_table(content, path, store_schema=False, **options)
    return path


def stored(kind):
    """The same, by the schema of another type than a dictionary."""

    def make(path):
        column = dictionary(LONG)
        schema = pa.schema([("time", pa.float64()), ("extra", kind)])
        with pq.ParquetWriter(path, schema) as writer:
            for start in range(0, ROWS, 10_000):
                piece = column[start : start + 10_000].dictionary_decode().cast(kind)
                clock = np.arange(start, start + 10_000) / 240
                writer.write_table(pa.table([clock, piece], schema=schema))
        return path

    return make


def unpacked_pages(path):
    """Pages without a dictionary, packed as tightly as zstd can."""
    content = table(extra=dictionary(LONG))
    with pq.ParquetWriter(
        path, content.schema, use_dictionary=False, compression="zstd"
    ) as writer:
        for start in range(0, ROWS, 10_000):
            writer.write_table(content.slice(start, 10_000))
    return path


def packed_csv(path):
    rows = b"".join(b"%d,%s\n" % (n, LONG.encode()) for n in range(1000))
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"time,event\n")
        for _ in range(ROWS // 1000):
            file.write(rows)
    return path


def packed_zeros(path):
    rows = (b",".join([b"0"] * 20) + b"\n") * 10_000
    with gzip.open(path, "wb") as file:
        file.write(",".join(["time", *(f"p{n}" for n in range(19))]).encode() + b"\n")
        for _ in range(500):
            file.write(rows)
    return path


BOMBS = {
    "text": (
        lambda path: written(path, table(extra=dictionary(LONG))),
        "too_much_text",
    ),
    "arrow dictionary": (
        lambda path: pq.write_table(table(extra=dictionary(LONG)), path),
        "too_much_text",
    ),
    "large text": (stored(pa.large_string()), "too_much_text"),
    "a known text": (
        lambda path: written(path, table(event=dictionary(LONG))),
        "too_much_text",
    ),
    "numbers as text": (
        lambda path: written(path, table(pelvis_rot=dictionary(" " * 4096 + "1"))),
        "too_much_text",
    ),
    "pages without a dictionary": (unpacked_pages, "decompression_bomb"),
    # Bytes are no export's; nobody reads them.
    "bytes": (
        lambda path: written(path, table(extra=dictionary(LONG, pa.binary()))),
        "read",
    ),
    "lists": (
        lambda path: written(
            path,
            table(
                extra=pa.ListArray.from_arrays(
                    pa.array(np.arange(ROWS + 1, dtype=np.int32)), dictionary(LONG)
                )
            ),
        ),
        "read",
    ),
    "a name that leads into another column": (
        lambda path: written(
            path, table(**{"time.extra": dictionary(LONG, pa.binary())})
        ),
        "unsupported_column_type",
    ),
    "many columns of text": (
        lambda path: written(
            path, table(**dict.fromkeys(map("c{}".format, range(210)), dictionary("x")))
        ),
        "too_many_cells",
    ),
    "one letter in many columns, by turns": (
        lambda path: written(
            path, table(**dict.fromkeys(map("c{}".format, range(190)), by_turns("ab")))
        ),
        "too_much_text",
    ),
    "csv": (packed_csv, "too_much_text"),
    "csv of zeros": (packed_zeros, "too_many_rows"),
    # Within the limit: read, and packed without being written out either.
    "a tenth of it": (
        lambda path: written(path, table(extra=dictionary("x" * 400))),
        "read",
    ),
}


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """What reading takes anyway: as many rows of numbers, and one short text."""
    path = tmp_path_factory.mktemp("usual") / "usual.parquet"
    return written(path, table(extra=dictionary("x")))


@pytest.mark.parametrize(("make", "outcome"), BOMBS.values(), ids=list(BOMBS))
def test_a_small_file_takes_little_memory(tmp_path, usual, make, outcome):
    bomb = tmp_path / "bomb"
    make(bomb)
    assert bomb.stat().st_size < 10_000_000
    answer = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", READER, str(usual), str(bomb)],
        capture_output=True,
        text=True,
        check=False,
    )
    # Less than 0: the signal that ended it, and in the text where it was then.
    assert answer.returncode == 0, (answer.returncode, answer.stdout, answer.stderr)
    found, grown_mb = answer.stdout.split()
    assert found == outcome
    assert int(grown_mb) < MOST_MB
