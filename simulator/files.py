"""Movements as bytes: CSV and Parquet, gzipped or not, whole or damaged.

A session of many long movements is written movement by movement into a file on
disk (Parquet by some thousand rows), so that a session of hundreds of megabytes needs
the memory of a few movements.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from simulator import columns as layout
from simulator.columns import Columns, Options
from simulator.momentum import momentum_energy
from simulator.scenarios import Scenario
from simulator.swings import Movement
from simulator.wire import HTML_PAGE

# Ten digits, as the vendor's files have; also keeps text and Parquet equal.
DECIMALS = 9
BOMB_BYTES = 2 * 1024**3
#: Rows of one group of a Parquet file: some 50 MB of the widest table.
GROUP_ROWS = 16_384
#: What the simulators of one process keep together of the small files they built.
SHARED_BYTES = 128 * 1024**2


def _record_batch(
    columns: Columns, scenario: Scenario, data_format: str
) -> pa.RecordBatch:
    arrays, names = [], []
    upper = (data_format == "parquet") != (
        ("lower-points" if data_format == "parquet" else "upper-points") in scenario
    )
    if "columns-changed" in scenario:
        columns = {k: v for k, v in columns.items() if k != "left_ankle_inv"}
        first = next(iter(columns.values()))
        columns["spare_value"] = np.full(len(first), 0.5)
    for name, values in columns.items():
        if name == "org_movement_id" and "no-movement-id" in scenario:
            continue
        names.append(_shown_name(name, scenario, upper=upper))
        if isinstance(values, list):
            arrays.append(pa.array(values, pa.string()))
        elif name in ("index", "rel_frame"):
            arrays.append(pa.array(values.astype(np.int64)))
        else:
            # Missing cells are empty in CSV and null in Parquet.
            rounded = pa.array(np.round(values, DECIMALS), from_pandas=True)
            is_csv = data_format == "csv"
            arrays.append(_with_points(rounded) if is_csv else rounded)
    return pa.RecordBatch.from_arrays(arrays, names=names)


def _with_points(numbers: pa.Array) -> pa.Array:
    """Return a column of whole numbers as text with a decimal point.

    The writer prints 0.0 as 0. Whoever guesses types, as the vendor's own client
    does, would take such a column for integers in one movement's file and not in the
    next, and could not join the two.
    """
    whole = pc.all(pc.equal(numbers, pc.round(numbers))).as_py()
    if numbers.null_count == len(numbers) or not whole:
        return numbers
    return pa.array(
        [None if value is None else f"{value:.1f}" for value in numbers.to_pylist()],
        pa.string(),
    )


def _shown_name(name: str, scenario: Scenario, *, upper: bool) -> str:
    if name == "index" and "no-index-name" in scenario:
        return ""
    base = name[:-2]
    is_point = name[-2:] in ("_x", "_y", "_z") and (
        base in layout.SINGLE_CAMERA_POINTS or base in layout.HAWKEYE_POINTS
    )
    return name.upper() if is_point and upper else name


def _damaged(columns: Columns, damage: str | None, first: str) -> Columns:
    """Columns with the fault of a bad-… switch in them."""
    if damage == "bad-out-of-order":
        frames = len(columns["index"])
        order = np.random.default_rng(5).permutation(frames)
        return {
            name: [values[i] for i in order]
            if isinstance(values, list)
            else values[order]
            for name, values in columns.items()
        }
    if damage == "bad-one-swing" and columns.get("org_movement_id", [""])[0] == first:
        time = columns["time"].copy()
        time[31] = time[30]
        return {**columns, "time": time}
    if damage == "bad-same-id" and "org_movement_id" in columns:
        frames = len(columns["index"])
        return {**columns, "org_movement_id": [first] * frames}
    if damage == "bad-missing-columns":
        return {name: v for name, v in columns.items() if name != "time"}
    if damage == "bad-text-column":
        victim = "pelvis_rot" if "pelvis_rot" in columns else "mass_total"
        if victim in columns:
            frames = len(columns[victim])
            return {**columns, victim: ["not a number"] * frames}
    return columns


def tables(
    movements: list[Movement],
    data_type: str,
    options: Options,
    *,
    damage: str | None,
) -> Iterator[Columns]:
    """Yield the columns of one file, one movement at a time."""
    if data_type == "metadata":
        yield layout.metadata(movements)
        return
    if data_type == "hitting-processed-metrics":
        yield layout.hitting_metrics(
            movements, shifted=options.metrics_shifted, with_impact=options.impact
        )
        return
    make = (
        layout.inverse_kinematics
        if data_type == "inverse-kinematics"
        else momentum_energy
    )
    first = movements[0].org_movement_id
    row = 0
    for movement in movements:
        found = make(movement, options)
        index = found["index"]
        found["index"] = np.arange(row, row + len(index), dtype=float)
        row += len(index)
        yield _damaged(found, damage, first)


def write(
    sink: BinaryIO,
    parts: Iterator[Columns],
    *,
    data_format: str,
    zipped: bool,
    scenario: Scenario,
    damage: str | None,
) -> None:
    """Write one file of the vendor into `sink`."""
    if damage == "bad-html":
        sink.write(HTML_PAGE)
        return
    with contextlib.ExitStack() as stack:
        target: BinaryIO = sink
        if zipped:
            target = stack.enter_context(  # type: ignore[assignment]
                gzip.GzipFile(
                    filename="", fileobj=sink, mode="wb", compresslevel=1, mtime=0
                )
            )
        if damage == "bad-bomb" and zipped:
            block = b"0.0,0.0,0.0,0.0\r\n" * 65536
            for _ in range(BOMB_BYTES // len(block)):
                target.write(block)
            return
        if data_format == "parquet":
            _write_parquet(target, parts, scenario)
        else:
            _write_csv(target, parts, scenario, damage)


def _write_csv(
    target: BinaryIO, parts: Iterator[Columns], scenario: Scenario, damage: str | None
) -> None:
    if "bom" in scenario:
        target.write(b"\xef\xbb\xbf")
    null = ""
    if "nan-text" in scenario:
        null = "NaN"
    elif "na-text" in scenario:
        null = "n/a"
    eol = "\n" if "lf" in scenario else "\r\n"
    unquoted = "unquoted" in scenario
    for number, columns in enumerate(parts):
        batch = _record_batch(columns, scenario, "csv")
        if damage == "bad-duplicate-columns":
            names = [*batch.schema.names, batch.schema.names[1]]
            batch = pa.RecordBatch.from_arrays(
                [*batch.columns, batch.column(1)], names=names
            )
        if number == 0:
            quote = "" if unquoted else '"'
            names = batch.schema.names
            header = ",".join(f"{quote}{name}{quote}" for name in names) + eol
            target.write(header.encode())
        buffer = pa.BufferOutputStream()
        options = pacsv.WriteOptions(
            include_header=False,
            eol=eol,
            null_string=null,
            # "needed" still quotes every text cell; ids may hold commas.
            quoting_style="needed" if unquoted else "all_valid",
        )
        pacsv.write_csv(batch, buffer, options)
        target.write(buffer.getvalue())


def _write_parquet(
    target: BinaryIO, parts: Iterator[Columns], scenario: Scenario
) -> None:
    """Write all movements as one row group, as a program with a whole table does.

    A group for each movement would cost its reader a piece for each column of each.
    Only very long sessions get more than one, so that they need not be in memory.
    """
    writer = None
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for columns in parts:
        batch = _record_batch(columns, scenario, "parquet")
        if writer is None:
            writer = pq.ParquetWriter(target, batch.schema)
        if waiting and rows + batch.num_rows > GROUP_ROWS:
            writer.write_table(pa.Table.from_batches(waiting))
            waiting, rows = [], 0
        waiting.append(batch)
        rows += batch.num_rows
    if writer is not None:
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting))
        writer.close()


class Body:
    """An encoded file: in memory when small, on disk when not."""

    def __init__(self, data: bytes | None, path: Path | None, size: int) -> None:
        self._data, self._path, self.size = data, path, size

    def chunks(self, start: int, stop: int, block: int = 256 * 1024) -> Iterator[bytes]:
        """Yield the bytes from `start` to `stop`, a block at a time."""
        file: BinaryIO = (
            io.BytesIO(self._data or b"")
            if self._path is None
            # Opened here and not in the generator: the cache may unlink it.
            else self._path.open("rb")
        )
        return _pieces(file, start, stop, block)

    def read(self) -> bytes:
        """Return all bytes."""
        return b"".join(self.chunks(0, self.size))

    @property
    def on_disk(self) -> bool:
        """Return whether the bytes lie in a file."""
        return self._path is not None


def _pieces(file: BinaryIO, start: int, stop: int, block: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        left = stop - start
        while left > 0:
            piece = file.read(min(block, left))
            if not piece:
                return
            left -= len(piece)
            yield piece


class SharedBodies:
    """Small encoded files by key, the least used forgotten first.

    Many simulators of one process serve the same swings one after another; what the
    first of them encoded is then there for the others. Bodies in memory are never
    changed, so sharing them is safe. With a ``folder`` they are kept there too, for
    other processes and later ones: whoever names it sees to it that it is of this
    version of the simulator, and that it does not grow for ever.
    """

    def __init__(
        self, memory_bytes: int = SHARED_BYTES, *, folder: Path | None = None
    ) -> None:
        self._limit = memory_bytes
        self.folder = folder
        self._lock = threading.Lock()
        self._bodies: OrderedDict[object, Body] = OrderedDict()
        self.used_bytes = 0

    def find(self, key: object) -> Body | None:
        """Return the body of this key; None when no simulator has built it."""
        with self._lock:
            found = self._bodies.get(key)
            if found is not None:
                self._bodies.move_to_end(key)
                return found
        if self.folder is None:
            return None
        try:
            data = self._path_of(key, self.folder).read_bytes()
        except FileNotFoundError:
            return None
        found = Body(data, None, len(data))
        self._remember(key, found)
        return found

    def keep(self, key: object, body: Body) -> None:
        """Keep a body for other simulators, unless it lies on disk or is too large."""
        if body.on_disk or body.size > self._limit:
            return
        self._remember(key, body)
        if self.folder is not None:
            # Whole or not at all, whoever else writes it.
            path = self._path_of(key, self.folder)
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
                file.write(body.read())
            Path(file.name).replace(path)

    def _path_of(self, key: object, folder: Path) -> Path:
        return folder / f"{hashlib.sha256(repr(key).encode()).hexdigest()}.bin"

    def _remember(self, key: object, body: Body) -> None:
        with self._lock:
            before = self._bodies.pop(key, None)
            self.used_bytes -= before.size if before is not None else 0
            self._bodies[key] = body
            self.used_bytes += body.size
            while self.used_bytes > self._limit:
                _, gone = self._bodies.popitem(last=False)
                self.used_bytes -= gone.size


SHARED = SharedBodies()


class BodyCache:
    """Encoded files by key, the least used forgotten first.

    Each key is built once, however many requests ask for it at the same time, and
    not at all when another simulator of this process has built it. A key therefore
    has to hold everything that decides the bytes.
    """

    def __init__(
        self,
        *,
        shared: SharedBodies = SHARED,
        memory_bytes: int = 256 * 1024**2,
        disk_bytes: int = 4 * 1024**3,
        spool_bytes: int = 8 * 1024**2,
    ) -> None:
        self._limits = {False: memory_bytes, True: disk_bytes}
        self._spool_bytes = spool_bytes
        self._shared = shared
        self._lock = threading.Lock()
        self._bodies: OrderedDict[object, Body] = OrderedDict()
        self._building: dict[object, threading.Lock] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._count = 0
        #: Different files that were asked for, and those of them encoded here.
        self.kept = 0
        self.built = 0

    def get(self, key: object, build: Callable[[BinaryIO], None]) -> Body:
        """Return the body of this key, built if it is not there yet."""
        with self._lock:
            found = self._bodies.get(key)
            if found is not None:
                self._bodies.move_to_end(key)
                return found
            turn = self._building.setdefault(key, threading.Lock())
        with turn:
            with self._lock:
                found = self._bodies.get(key)
            if found is None:
                found = self._shared.find(key)
                if found is None:
                    found = self._build(build)
                    self._shared.keep(key, found)
                self._keep(key, found)
        with self._lock:
            self._building.pop(key, None)
        return found

    def _build(self, build: Callable[[BinaryIO], None]) -> Body:
        with tempfile.SpooledTemporaryFile(max_size=self._spool_bytes) as spool:
            build(spool)  # type: ignore[arg-type]
            size = spool.tell()
            spool.seek(0)
            self.built += 1
            if size <= self._spool_bytes:
                return Body(spool.read(), None, size)
            path = self._new_path()
            with path.open("wb") as file:
                while piece := spool.read(1024 * 1024):
                    file.write(piece)
            return Body(None, path, size)

    def _new_path(self) -> Path:
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="simulator-")
            self._count += 1
            return Path(self._folder.name) / f"{self._count}.bin"

    def _keep(self, key: object, body: Body) -> None:
        with self._lock:
            self._bodies[key] = body
            self.kept += 1
            for on_disk, limit in self._limits.items():
                same = [k for k, b in self._bodies.items() if b.on_disk == on_disk]
                used = sum(self._bodies[k].size for k in same)
                while used > limit and len(same) > 1:
                    # A download under way keeps its open file; unlinking is safe.
                    gone = self._bodies.pop(same.pop(0))
                    used -= gone.size
                    if gone._path is not None:
                        gone._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Forget all bodies and delete their files."""
        with self._lock:
            self._bodies.clear()
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None
