"""One export file from bytes to stored frames and numbers, against the bare parser.

    python -m benchmarks.bench_ingest [--files 100] [--rounds 3]

A momentum-energy file of 344 columns, 20 swings of 600 frames, as CSV, packed CSV and
Parquet. Its session holds the inverse kinematics already, so that all numbers of its
swings are computed when it comes, as they are in a sync.

- ``bare`` is pyarrow reading the same bytes into a table in one call;
- ``ingest`` is `syncing.imports.import_files`: read, checked, packed, stored in SQLite,
  analyzed, summed up.

Every measurement is a process of its own. Peak memory is what the process needed above
what it had before the file.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.bench_reader import peak_mb
from benchmarks.results import ROOT, Report, Result

SWINGS, FRAMES, RATE_HZ = 20, 600, 250.0
TIME_BAR, MEMORY_BAR, GROWTH_BAR = 2.0, 3.0, 1.1
#: The first files fill caches and the allocator.
WARM_FILES = 5
FORMATS = {"CSV": "me.csv", "CSV.gz": "me.csv.gz", "Parquet": "me.parquet"}


def write_files(folder: Path) -> None:
    """The motion of one session, as the vendor's exports."""
    from simulator import files
    from simulator.columns import Options
    from simulator.data import World
    from simulator.population import Shape
    from simulator.scenarios import Scenario

    world = World(
        Shape(players=4, sessions=1, swings=SWINGS, rate_hz=RATE_HZ, duration_s=2.4)
    )
    session = world.sessions[0]
    player = next(
        athlete.org_player_id
        for athlete in world.athletes
        if world.has_data(session, athlete.org_player_id, "baseball-hitting")
    )
    movements = world.movements(session, player)[:SWINGS]
    wanted = [("inverse-kinematics", "ik.parquet")]
    wanted += [("momentum-energy", name) for name in FORMATS.values()]
    for data_type, name in wanted:
        with (folder / name).open("wb") as sink:
            files.write(
                sink,
                files.tables(movements, data_type, Options(noise_mm=1.0), damage=None),
                data_format="parquet" if name.endswith(".parquet") else "csv",
                zipped=name.endswith(".gz"),
                scenario=Scenario.parse("plain"),
                damage=None,
            )


# --- In a process of its own ------------------------------------------------------


def resident_mb() -> float:
    """Return the memory of this process in MB."""
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def own_mb() -> float:
    """Memory of the process itself: without the pages of the database file.

    SQLite maps up to 256 MB of it, which the system takes back when it needs to.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1024


def read_bare(path: Path) -> int:
    """The file as a table, the types of its columns given."""
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    if path.suffix == ".parquet":
        return int(pq.read_table(path).num_rows)
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        names = [name.strip('"') for name in file.readline().strip().split(",")]
    schema = pq.read_schema(path.with_name(FORMATS["Parquet"]))
    options = pacsv.ConvertOptions(
        # The files differ in the case of names alone.
        column_types=dict(zip(names, schema.types, strict=True))
    )
    return int(pacsv.read_csv(path, convert_options=options).num_rows)


def measure_bare(path: Path, rounds: int) -> dict[str, Any]:
    """Measure the parser alone, which only fills a table."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        read_bare(path)
        times.append(time.perf_counter() - started)
    return {"seconds": min(times)}


def table_mb(path: Path) -> float:
    """The decoded table: every number as a float of eight bytes."""
    import pyarrow.parquet as pq

    return float(pq.read_table(path).nbytes / 2**20)


def measure_ingest(path: Path, count: int) -> dict[str, Any]:
    """`count` files after one another, each into a session of its own."""
    import django

    django.setup()
    from django.core.management import call_command

    from athletes.analysis.run import analyze_session
    from athletes.frames.store import store_frames
    from athletes.models import Movement, Player
    from syncing.imports import GivenFile, import_files
    from syncing.reader.limits import ReadLimits
    from syncing.reader.packing import read_and_pack

    call_command("migrate", verbosity=0)
    Player.objects.create(org_player_id="bench")

    def bring(file_path: Path, number: int) -> float:
        with file_path.open("rb") as file:
            started = time.perf_counter()
            import_files(
                [GivenFile(file_path.name, file)],
                org_player_id="bench",
                session_id=f"session-{number}",
                trigger="upload",
            )
            return time.perf_counter() - started

    kinematics = path.with_name("ik.parquet")
    times, resident = [], []
    peak_above = 0.0
    for number in range(count):
        bring(kinematics, number)
        gc.collect()
        # Clears the mark of the highest memory, so that it is this file's.
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        before = resident_mb()
        times.append(bring(path, number))
        if number:
            peak_above = max(peak_above, peak_mb() - before)
        gc.collect()
        resident.append(own_mb())
    analyzed = Movement.objects.exclude(metrics={}).count()
    if analyzed != SWINGS * count:
        raise SystemExit(f"{analyzed} swings have numbers, not {SWINGS * count}.")

    # Where the time goes, each step once more into a session that is new to it.
    started = time.perf_counter()
    with path.open("rb") as file:
        result = read_and_pack(
            file, data_type=None, known_movement_id=None, limits=ReadLimits()
        )
    read_s = time.perf_counter() - started
    session_pk = import_session("stages", bring, kinematics)
    started = time.perf_counter()
    store_frames(
        session_pk=session_pk,
        data_type=str(result.kind),
        movements=result.movements,
    )
    store_s = time.perf_counter() - started
    started = time.perf_counter()
    analyze_session(session_pk, force=True)
    return {
        "seconds": min(times),
        "peak_above_mb": peak_above,
        "resident_mb": resident,
        "stages": {
            "reading and packing": read_s,
            "storing": store_s,
            "numbers": time.perf_counter() - started,
        },
    }


def import_session(name: str, bring: Any, kinematics: Path) -> int:
    """Read and store one session; return its key in the database."""
    from athletes.models import Session

    bring(kinematics, name)
    return Session.objects.get(session_id=f"session-{name}").pk


def apart(which: str, path: Path, count: int) -> dict[str, Any]:
    """Measure in a process of its own, so that its memory can be told."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "reboot_site.settings",
            "SECRET_KEY": "of-this-benchmark-alone-0123456789-abcdefghijklmnop",
            "VAR_DIR": folder,
            "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
            "LOG_LEVEL": "ERROR",
        }
        command = [sys.executable, "-m", "benchmarks.bench_ingest"]
        command += ["--one", which, str(path), "--files", str(count)]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


# --- The rows ---------------------------------------------------------------------


def compare(name: str, path: Path, *, rounds: int, decoded_mb: float) -> list[Result]:
    """Return the rows of one file: our whole way against the bare parser."""
    bare: list[float] = []
    ours: list[dict[str, Any]] = []
    # In turns, so that a busy spell of the machine meets both.
    for _ in range(rounds):
        bare.append(apart("bare", path, 3)["seconds"])
        ours.append(apart("ingest", path, 3))
    best = min(ours, key=lambda found: found["seconds"])
    peak = max(found["peak_above_mb"] for found in ours)
    ratio = best["seconds"] / min(bare)
    stages = ", ".join(f"{what} {s:.2f}" for what, s in best["stages"].items())
    is_csv = name == "CSV"
    size_mb = path.stat().st_size / 1e6
    return [
        Result(
            f"{name}, {size_mb:.0f} MB: bytes to frames and numbers",
            f"{best['seconds']:.2f} s ({stages})",
            f"the parser alone: {min(bare):.2f} s",
            ratio,
            f"at most {TIME_BAR:.0f} times" if is_csv else "–",
            ratio <= TIME_BAR if is_csv else None,
        ),
        Result(
            f"{name}: peak memory above the process's own",
            f"{peak:.0f} MB",
            f"the decoded table: {decoded_mb:.0f} MB",
            peak / decoded_mb,
            f"at most {MEMORY_BAR:.0f} times",
            peak <= MEMORY_BAR * decoded_mb,
        ),
    ]


def run(is_quick: bool) -> Report:
    """For `make bench`."""
    return measure(files=12 if is_quick else 100, rounds=1 if is_quick else 3)


def measure(*, files: int, rounds: int) -> Report:
    """Return the rows of all files."""
    rows: list[Result] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder)
        decoded_mb = table_mb(folder / FORMATS["Parquet"])
        for shown, file_name in FORMATS.items():
            rows += compare(
                shown, folder / file_name, rounds=rounds, decoded_mb=decoded_mb
            )
        many = apart("ingest", folder / FORMATS["Parquet"], files)["resident_mb"]
        early, late = many[WARM_FILES - 1], many[-1]
        rows.append(
            Result(
                f"memory after {files} files in one process",
                f"{late:.0f} MB",
                f"after {WARM_FILES} files: {early:.0f} MB",
                late / early,
                f"at most {GROWTH_BAR} times",
                late <= GROWTH_BAR * early,
            )
        )
    return Report(
        "bench_ingest",
        "Ingest of one file",
        f"Momentum-energy, 344 columns, {SWINGS} swings of {FRAMES} frames; SQLite",
        tuple(rows),
    )


def main() -> int:
    """Run this benchmark alone and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=2, metavar=("WHICH", "FILE"))
    options = parser.parse_args()
    if options.one:
        which, file_name = options.one
        call = {"bare": measure_bare, "ingest": measure_ingest}[which]
        print(json.dumps(call(Path(file_name), options.files)))
        return 0
    from benchmarks.results import table

    report = measure(files=options.files, rounds=options.rounds)
    print(table(report.results))
    return int(any(row.is_met is False for row in report.results))


if __name__ == "__main__":
    sys.exit(main())
