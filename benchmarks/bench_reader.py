"""Reading export files: time against the bare parser, and peak memory.

    python -m benchmarks.bench_reader [--rounds 5]

Two files of 344 columns with ten digits are made and read in processes of their own:
20 swings of 600 frames (about 55 MB of CSV), as plain, quoted and packed CSV and as
Parquet; and 40 swings of 1500 frames (about 270 MB of CSV), as CSV and as Parquet.

- ``bare`` is pyarrow reading the same bytes into memory in one call, with the types of
  the columns given (for packed CSV, unpacking included);
- ``reader`` is `syncing.reader.export.read_export`: the same, and also
  recognized, checked against the limits, split into movements and put in order.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from benchmarks.results import Report, Result

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 344
RATIO_BAR = 1.3
PEAK_BAR_MB = 1000.0


def make_table(swings: int, frames: int) -> pa.Table:
    """Return invented frames of several swings as one table."""
    from syncing.reader.columns import ENERGIES

    rng = np.random.default_rng(1)
    rows = swings * frames
    names = [name for name in ENERGIES if not name.startswith("bat_linear")]
    names = [*names, *(f"filler_{n}" for n in range(COLUMNS))][: COLUMNS - 4]
    columns: dict[str, Any] = {"index": np.arange(rows)}
    columns |= {name: np.round(rng.standard_normal(rows), 9) for name in names}
    columns["time"] = np.round(np.tile(np.arange(frames) / 600, swings), 9)
    columns["norm_time"] = np.round(columns["time"] * 50, 9)
    ids = [f"IMG-1-{swing:04d}" for swing in range(swings)]
    columns["org_movement_id"] = np.repeat(ids, frames)
    return pa.table(columns)


def write_files(folder: Path) -> dict[str, Path]:
    """The files, by the name that the report gives them."""
    paths = {
        "CSV": folder / "plain.csv",
        "CSV quoted": folder / "quoted.csv",
        "CSV.gz": folder / "packed.csv.gz",
        "Parquet": folder / "file.parquet",
        "CSV large": folder / "large.csv",
        "Parquet large": folder / "large.parquet",
    }
    small = make_table(20, 600)
    bare = pacsv.WriteOptions(quoting_style="none")
    pacsv.write_csv(small, paths["CSV"], bare)
    pacsv.write_csv(
        small, paths["CSV quoted"], pacsv.WriteOptions(quoting_style="all_valid")
    )
    paths["CSV.gz"].write_bytes(gzip.compress(paths["CSV"].read_bytes(), 6))
    pq.write_table(small, paths["Parquet"])
    large = make_table(40, 1500)
    pacsv.write_csv(large, paths["CSV large"], bare)
    pq.write_table(large, paths["Parquet large"])
    return paths


def read_bare(path: Path) -> int:
    """Read a file with the parser alone; return its number of rows."""
    if path.suffix == ".parquet":
        return int(pq.read_table(path).num_rows)
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        names = [name.strip('"') for name in file.readline().strip().split(",")]
    types = dict.fromkeys(names, pa.float64())
    types["org_movement_id"] = pa.string()
    options = pacsv.ConvertOptions(column_types=types)
    return int(pacsv.read_csv(path, convert_options=options).num_rows)


def read_ours(path: Path) -> int:
    """Read a file with our reader; return its number of rows."""
    from syncing.reader.export import read_export

    with path.open("rb") as file:
        return read_export(file).row_count


READERS: dict[str, Callable[[Path], int]] = {"bare": read_bare, "reader": read_ours}


def measure(which: str, path: Path, rounds: int) -> dict[str, float]:
    """Best time and peak memory of one reader, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.bench_reader"]
    command += ["--one", which, str(path), "--rounds", str(rounds)]
    out = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found: dict[str, float] = json.loads(out.stdout)
    return found


def best(results: list[dict[str, float]]) -> dict[str, float]:
    """The quickest time and the highest peak of several."""
    return {
        "seconds": min(result["seconds"] for result in results),
        "peak_mb": max(result["peak_mb"] for result in results),
    }


def measure_here(which: str, path: Path, rounds: int) -> dict[str, float]:
    """Return seconds and peak memory of one way of reading."""
    read = READERS[which]
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        read(path)
        seconds.append(time.perf_counter() - started)
    return {"seconds": min(seconds), "peak_mb": peak_mb()}


def peak_mb() -> float:
    """The most memory this process had; what its parent had does not count.

    `getrusage` would carry the parent's peak over into the child.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def compare(
    rounds: int, names: Sequence[str] | None = None
) -> Iterator[tuple[str, float, dict[str, float], dict[str, float]]]:
    """Name and megabytes of each file, and what both readers took."""
    with tempfile.TemporaryDirectory() as folder:
        for name, path in write_files(Path(folder)).items():
            if names is not None and name not in names:
                continue
            # In turns, so that a busy spell of the machine meets both.
            found: dict[str, list[dict[str, float]]] = {"bare": [], "reader": []}
            for _ in range(2 if "large" in name else rounds):
                for which, results in found.items():
                    results.append(measure(which, path, 2))
            bare, ours = (best(results) for results in found.values())
            yield name, path.stat().st_size / 1e6, bare, ours


def run(is_quick: bool) -> Report:
    """For `make bench`."""
    rows = []
    small = ("CSV", "CSV.gz", "Parquet") if is_quick else None
    for name, size_mb, bare, ours in compare(2 if is_quick else 4, small):
        ratio = ours["seconds"] / bare["seconds"]
        has_bar = name.startswith("CSV")
        rows.append(
            Result(
                f"{name}, {size_mb:.0f} MB: time",
                f"{ours['seconds']:.2f} s",
                f"the parser alone: {bare['seconds']:.2f} s",
                ratio,
                f"at most {RATIO_BAR} times" if has_bar else "–",
                ratio <= RATIO_BAR if has_bar else None,
            )
        )
        rows.append(
            Result(
                f"{name}, {size_mb:.0f} MB: peak memory",
                f"{ours['peak_mb']:.0f} MB",
                f"the parser alone: {bare['peak_mb']:.0f} MB",
                ours["peak_mb"] / bare["peak_mb"],
                f"at most {PEAK_BAR_MB:.0f} MB",
                ours["peak_mb"] <= PEAK_BAR_MB,
            )
        )
    return Report(
        "bench_reader",
        "Reading export files",
        f"{COLUMNS} columns with ten digits, 20 swings of 600 frames, and large files "
        "of 40 swings of 1500 frames",
        tuple(rows),
    )


def main(arguments: list[str] | None = None) -> int:
    """Run this benchmark alone and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", nargs=2, metavar=("READER", "FILE"))
    options = parser.parse_args(arguments)
    if options.one:
        which, path = options.one
        print(json.dumps(measure_here(which, Path(path), options.rounds)))
        return 0
    worst_ratio = worst_peak = 0.0
    print("| file | MB | bare s | reader s | ratio | bare peak MB | reader peak MB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, size_mb, bare, ours in compare(options.rounds):
        ratio = ours["seconds"] / bare["seconds"]
        if name.startswith("CSV"):
            worst_ratio = max(worst_ratio, ratio)
        worst_peak = max(worst_peak, ours["peak_mb"])
        print(
            f"| {name} | {size_mb:.0f} | {bare['seconds']:.2f} | "
            f"{ours['seconds']:.2f} | {ratio:.2f} | {bare['peak_mb']:.0f} | "
            f"{ours['peak_mb']:.0f} |"
        )
    good = worst_ratio <= RATIO_BAR and worst_peak <= PEAK_BAR_MB
    print(
        f"\nWorst ratio for CSV {worst_ratio:.2f} (bar {RATIO_BAR}), worst peak "
        f"{worst_peak:.0f} MB (bar {PEAK_BAR_MB:.0f}): {'met' if good else 'MISSED'}"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
