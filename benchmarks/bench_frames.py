"""Reading frames: six columns of twenty swings, against JSON rows and against pread.

    python -m benchmarks.bench_frames [--database URL ...] [--swings 20] [--noise-mm 1]

Everything is measured in one run and given as a ratio, since machines differ:

- ``row per frame, JSON`` is the design of the earlier backend: one row for each frame
  with its columns as a JSON document, read through the ORM;
- ``row per frame, JSON, by key`` is the same table with the database picking the keys;
- ``columnar blob`` is what the product does, through `athletes.frames.load`;
- ``floor`` reads just those bytes from a file with `os.pread`.

A database of its own is made on each server that is given, and dropped at the end.
Without `--database` it is SQLite in a temporary file, and PostgreSQL at
``BENCH_POSTGRES_URL`` when that is set or the usual local server answers.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import Report, Result

ROOT = Path(__file__).resolve().parent.parent
LOCAL_POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"
# Three columns of each type, spread over the file as a chart's are.
WANTED = {
    "inverse-kinematics": ["time", "lwjc_y", "pelvis_rot"],
    "momentum-energy": ["time", "torso_kinetic_energy", "bat_angular_momentum_mag"],
}
READ_BAR, STORAGE_BAR = 70.0, 6.0

Columns = dict[str, np.ndarray]


def make_swings(count: int, noise_mm: float) -> dict[str, list[Columns]]:
    """Swings of the simulator as files deliver them: 600 frames, ten digits."""
    from simulator.columns import Options, inverse_kinematics
    from simulator.data import World
    from simulator.momentum import momentum_energy
    from simulator.population import Shape

    world = World(
        Shape(players=4, sessions=1, swings=count, rate_hz=250.0, duration_s=2.4)
    )
    session = world.sessions[0]
    player = next(
        athlete.org_player_id
        for athlete in world.athletes
        if world.has_data(session, athlete.org_player_id, "baseball-hitting")
    )
    movements = world.movements(session, player)[:count]
    options = Options(noise_mm=noise_mm)
    makers = {
        "inverse-kinematics": inverse_kinematics,
        "momentum-energy": momentum_energy,
    }
    return {
        data_type: [
            {
                name: ten_digits(np.asarray(values, dtype=float))
                for name, values in make(movement, options).items()
                if np.asarray(values).dtype.kind == "f"
            }
            for movement in movements
        ]
        for data_type, make in makers.items()
    }


def ten_digits(values: np.ndarray) -> np.ndarray:
    """Return numbers as a file with ten digits would give them back."""
    return np.array([float(f"{value:.10g}") for value in values])


def timed(call: Callable[[], Any], repeats: int) -> float:
    """Fewest milliseconds of a call: what else the machine does only adds."""
    call()
    times = []
    gc.collect()
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def once(call: Callable[[], Any]) -> float:
    """Return the seconds that one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


# --- In a child process with its own DATABASE_URL -------------------------------


def measure(swings: int, noise_mm: float) -> dict[str, Any]:
    """Numbers of one database, which is made here and dropped at the end."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "reboot_site.settings"
    os.environ["DEBUG"] = "1"
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    settings.DEBUG = False  # DEBUG keeps every query in memory
    files = make_swings(swings, noise_mm)
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        return {
            "vendor": connection.vendor,
            "frames": len(files["momentum-energy"][0]["time"]),
            "columns": {kind: len(rows[0]) for kind, rows in files.items()},
            "designs": {
                "row per frame, JSON": json_rows(files, by_key=False),
                "row per frame, JSON, by key": json_rows(files, by_key=True),
                "columnar blob (ours)": blobs(files),
                "floor: pread of just those bytes": floor(files),
            },
        }
    finally:
        connection.creation.destroy_test_db(settings.DATABASES["default"]["NAME"], 0)


def table_bytes(table: str) -> int:
    """Bytes of a table with all that belongs to it."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [table])
            return int(cursor.fetchone()[0])
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]
        cursor.execute("PRAGMA page_size")
        return int(pages * cursor.fetchone()[0])


def _row_model(name: str) -> Any:
    """Return a model of one row a frame, whose numbers are a JSON object."""
    from django.db import models

    class Meta:
        app_label = "athletes"
        db_table = "bench_row_per_frame"
        indexes = (
            models.Index(fields=["data_type", "movement_id"], name="bench_movement"),
        )

    return type(
        name,
        (models.Model,),
        {
            "__module__": __name__,
            "Meta": Meta,
            "movement_id": models.IntegerField(),
            "data_type": models.CharField(max_length=30),
            "frame_number": models.IntegerField(),
            "timestamp": models.FloatField(),
            "data": models.JSONField(),
        },
    )


def _rows(model: Any, files: dict[str, list[Columns]]) -> Iterator[Any]:
    """Yield a row for each frame of all movements."""
    for data_type, movements in files.items():
        for movement_id, columns in enumerate(movements):
            names = list(columns)
            block = np.column_stack(list(columns.values()))
            times = columns["time"]
            for frame, values in enumerate(block.tolist()):
                # JSON knows no NaN.
                data = {
                    name: value if value == value else None
                    for name, value in zip(names, values, strict=True)
                }
                yield model(
                    movement_id=movement_id,
                    data_type=data_type,
                    frame_number=frame,
                    timestamp=float(times[frame]),
                    data=data,
                )


def _write_rows(model: Any, files: dict[str, list[Columns]]) -> None:
    """Store the rows of all movements, 500 in a statement."""
    from django.db import transaction

    with transaction.atomic():
        batch: list[Any] = []
        for row in _rows(model, files):
            batch.append(row)
            if len(batch) == 500:
                model._default_manager.bulk_create(batch)
                batch.clear()
        model._default_manager.bulk_create(batch)


def _rows_of(model: Any, data_type: str, files: dict[str, list[Columns]]) -> Any:
    """Return the rows of one data type in the order of their frames."""
    return model._default_manager.filter(
        data_type=data_type, movement_id__in=range(len(files[data_type]))
    ).order_by("movement_id", "frame_number")


def _read_whole(model: Any, files: dict[str, list[Columns]]) -> dict[Any, Any]:
    """Return the wanted columns by reading the whole JSON of every row."""
    answer: dict[Any, dict[str, list[Any]]] = {}
    for data_type, names in WANTED.items():
        for row in _rows_of(model, data_type, files):
            columns = answer.setdefault(
                (row.movement_id, data_type), {name: [] for name in names}
            )
            for name in names:
                columns[name].append(row.data[name])
    return {
        key: {name: np.array(values) for name, values in columns.items()}
        for key, columns in answer.items()
    }


def _read_by_key(model: Any, files: dict[str, list[Columns]]) -> dict[Any, Any]:
    """Return the wanted columns by having the database take them out of the JSON."""
    from django.db.models.fields.json import KeyTransform

    answer: dict[Any, list[Any]] = {}
    for data_type, names in WANTED.items():
        found = _rows_of(model, data_type, files).values_list(
            "movement_id", *(KeyTransform(n, "data") for n in names)
        )
        for movement_id, *values in found:
            answer.setdefault((movement_id, data_type), []).append(values)
    return {key: np.array(values, dtype=float) for key, values in answer.items()}


def json_rows(files: dict[str, list[Columns]], *, by_key: bool) -> dict[str, Any]:
    """Measure the usual way: a row for each frame with its numbers as JSON."""
    from django.db import connection

    model = _row_model(f"FrameRow{int(by_key)}")
    empty = table_bytes("django_migrations") if connection.vendor == "sqlite" else 0
    with connection.schema_editor() as editor:
        editor.create_model(model)
    write_s = once(lambda: _write_rows(model, files))
    size = table_bytes("bench_row_per_frame") - empty
    read = _read_by_key if by_key else _read_whole
    read_ms = timed(lambda: read(model, files), 3)
    with connection.schema_editor() as editor:
        editor.delete_model(model)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
    return {"bytes": size, "write_s": write_s, "read_ms": read_ms}


def blobs(files: dict[str, list[Columns]]) -> dict[str, Any]:
    """Measure our way: one packed blob for each movement and data type."""
    from django.db import connection

    from athletes.frames import load, store
    from athletes.frames.packing import PackedMovement, pack
    from athletes.models import Movement, Player, Session

    player = Player.objects.create(org_player_id="bench")
    session = Session.objects.create(session_id="bench", player=player)
    before = table_bytes("django_migrations") if connection.vendor == "sqlite" else 0

    def write() -> None:
        for data_type, movements in files.items():
            store.store_frames(
                session_pk=session.pk,
                data_type=data_type,
                movements=(
                    PackedMovement(str(place), pack(columns))
                    for place, columns in enumerate(movements)
                ),
            )

    write_s = once(write)
    size = table_bytes("biomechanics_data") - before
    ids = list(Movement.objects.order_by("position").values_list("pk", flat=True))

    def read() -> list[Any]:
        return [
            load.load_columns(ids, data_type, names)
            for data_type, names in WANTED.items()
        ]

    for data_type, loaded in zip(WANTED, read(), strict=True):
        for place, pk in enumerate(ids):
            for name in WANTED[data_type]:
                expected = files[data_type][place][name]
                assert np.array_equal(
                    loaded[pk][name], expected.astype(loaded[pk][name].dtype), True
                )
    return {"bytes": size, "write_s": write_s, "read_ms": timed(read, 80)}


def floor(files: dict[str, list[Columns]]) -> dict[str, Any]:
    """Raw float32 columns in one file, and a table of where each begins."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames.bin"
        places: dict[tuple[str, int, str], tuple[int, int]] = {}

        def write() -> None:
            with path.open("wb") as file:
                for data_type, movements in files.items():
                    for place, columns in enumerate(movements):
                        for name, values in columns.items():
                            data = values.astype(np.float32).tobytes()
                            places[data_type, place, name] = (file.tell(), len(data))
                            file.write(data)

        write_s = once(write)
        wanted = [
            places[data_type, place, name]
            for data_type, names in WANTED.items()
            for place in range(len(files[data_type]))
            for name in names
        ]
        descriptor = os.open(path, os.O_RDONLY)
        try:
            read_ms = timed(
                lambda: [
                    np.frombuffer(os.pread(descriptor, size, start), np.float32)
                    for start, size in wanted
                ],
                50,
            )
        finally:
            os.close(descriptor)
        return {
            "bytes": path.stat().st_size,
            "write_s": write_s,
            "read_ms": read_ms,
        }


# --- The table ------------------------------------------------------------------


def report(found: dict[str, Any]) -> tuple[str, bool]:
    """The table of one database, and whether the bars are met."""
    designs = found["designs"]
    base = designs["row per frame, JSON"]
    ground = designs["floor: pread of just those bytes"]
    ours = designs["columnar blob (ours)"]
    kinds = found["columns"]
    lines = [
        f"### {found['vendor']}: 6 columns × {found['swings']} swings × "
        f"{found['frames']} frames, files of "
        f"{' and '.join(str(number) for number in kinds.values())} number columns, "
        f"noise {found['noise_mm']:g} mm",
        "",
        "| design | MB | of JSON | write s | read ms | faster than JSON | × floor |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in designs.items():
        lines.append(
            f"| {name} | {row['bytes'] / 1e6:.1f}"
            f" | 1/{base['bytes'] / row['bytes']:.1f}"
            f" | {row['write_s']:.2f} | {row['read_ms']:.2f}"
            f" | {base['read_ms'] / row['read_ms']:.0f} ×"
            f" | {row['read_ms'] / ground['read_ms']:.0f} |"
        )
    faster = base["read_ms"] / ours["read_ms"]
    smaller = base["bytes"] / ours["bytes"]
    met = faster >= READ_BAR and smaller >= STORAGE_BAR
    lines += [
        "",
        f"Bar: {READ_BAR:.0f} × faster ({faster:.0f} ×: "
        f"{'met' if faster >= READ_BAR else 'NOT met'}), storage at most "
        f"1/{STORAGE_BAR:.0f} (1/{smaller:.1f}: "
        f"{'met' if smaller >= STORAGE_BAR else 'NOT met'}).",
        "",
    ]
    return "\n".join(lines), met


def databases(given: list[str]) -> list[str]:
    """Return the databases to measure: those given, else all at hand."""
    if given:
        return given
    found = ["sqlite"]
    postgres = os.environ.get("BENCH_POSTGRES_URL", LOCAL_POSTGRES)
    import psycopg

    try:
        psycopg.connect(postgres, connect_timeout=3).close()
    except psycopg.OperationalError:
        print(f"No PostgreSQL at {postgres.rpartition('@')[2]}: skipped.\n")
    else:
        found.append(postgres)
    return found


def run_on(database: str, swings: int, noise_mm: float) -> dict[str, Any]:
    """Measure in a process of its own, whose settings name the database."""
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ)
        if database == "sqlite":
            database = f"sqlite:///{folder}/unused.sqlite3"
            environment["TEST_DATABASE_NAME"] = f"{folder}/bench.sqlite3"
        else:
            environment["TEST_DATABASE_NAME"] = f"bench_frames_{os.getpid()}"
        environment |= {"DATABASE_URL": database, "VAR_DIR": folder}
        answer = subprocess.run(
            [
                sys.executable,
                "-m",
                "benchmarks.bench_frames",
                "--child",
                f"--swings={swings}",
                f"--noise-mm={noise_mm}",
            ],
            cwd=ROOT,
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
        )
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found | {"swings": swings, "noise_mm": noise_mm}


def run(is_quick: bool) -> Report:
    """For `make bench`: the same numbers as rows."""
    rows: list[Result] = []
    found: dict[str, Any] = {}
    for database in databases([]):
        found = run_on(database, 5 if is_quick else 20, 1.0)
        designs = found["designs"]
        base = designs["row per frame, JSON"]
        ground = designs["floor: pread of just those bytes"]
        ours = designs["columnar blob (ours)"]
        name = found["vendor"]
        faster = base["read_ms"] / ours["read_ms"]
        smaller = base["bytes"] / ours["bytes"]
        rows += [
            Result(
                f"{name}: reading 6 columns",
                f"{ours['read_ms']:.2f} ms",
                f"a row per frame with JSON: {base['read_ms']:.0f} ms",
                faster,
                f"at least {READ_BAR:.0f} times faster",
                faster >= READ_BAR,
            ),
            Result(
                f"{name}: reading 6 columns",
                f"{ours['read_ms']:.2f} ms",
                f"just those bytes from a file: {ground['read_ms']:.2f} ms",
                ours["read_ms"] / ground["read_ms"],
            ),
            Result(
                f"{name}: storage",
                f"{ours['bytes'] / 1e6:.1f} MB",
                f"a row per frame with JSON: {base['bytes'] / 1e6:.0f} MB",
                smaller,
                f"at least {STORAGE_BAR:.0f} times smaller",
                smaller >= STORAGE_BAR,
            ),
            Result(
                f"{name}: writing",
                f"{ours['write_s']:.2f} s",
                f"a row per frame with JSON: {base['write_s']:.1f} s",
                base["write_s"] / ours["write_s"],
            ),
        ]
    kinds = " and ".join(str(number) for number in found["columns"].values())
    return Report(
        "bench_frames",
        "Reading frames",
        f"{found['swings']} swings of {found['frames']} frames, files of {kinds} "
        "number columns, 1 mm of noise, through the ORM",
        tuple(rows),
    )


def main(argv: list[str] | None = None) -> int:
    """Print a table for each database; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks.bench_frames")
    parser.add_argument("--database", action="append", default=[])
    parser.add_argument("--swings", type=int, default=20)
    parser.add_argument("--noise-mm", type=float, default=1.0)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.child:
        print(json.dumps(measure(options.swings, options.noise_mm)))
        return 0
    all_met = True
    for database in databases(options.database):
        text, met = report(run_on(database, options.swings, options.noise_mm))
        print(text)
        all_met &= met
    return 0 if all_met else 1


if __name__ == "__main__":
    sys.exit(main())
