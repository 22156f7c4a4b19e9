"""The numbers of 200 000 swings as one Parquet file.

    python -m benchmarks.bench_export [--quick]

Eight simulated swings are analyzed and copied until there are enough. `manage.py
export metrics` then writes all their numbers, in a process of its own, once for a
quarter of the swings and once for all: the peak is the largest resident size that the
kernel saw. `GET /exports/metrics` sends the same pieces.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.bench_import import run_manage
from benchmarks.results import ROOT, Report, Result, table

SWINGS, PER_SESSION, SESSIONS_PER_ATHLETE = 200_000, 20, 20
LIMIT_S = 60.0
GROWTH = 1.2


def fill(swings: int) -> None:
    """Make athletes, sessions and so many swings, in the child's database."""
    import django

    django.setup()
    import datetime as dt

    from django.db import connection, transaction

    from athletes.analysis import run
    from athletes.feed import triggers
    from athletes.models import Movement, Player, Session
    from tests import factories

    first = factories.make_session()
    factories.store_simulated(first, factories.simulated_movements())
    run.analyze_session(first.pk)
    samples = list(first.movements.order_by("pk"))
    samples_end = samples[-1].pk
    # At the end all rows come into the order at once, as after an update.
    triggers.remove(connection)
    with transaction.atomic():
        athletes = swings // PER_SESSION // SESSIONS_PER_ATHLETE
        players = Player.objects.bulk_create(
            Player(org_player_id=f"bench-{n}", first_name="A", last_name=f"B{n}")
            for n in range(athletes)
        )
        Session.objects.bulk_create(
            (
                Session(
                    player=player,
                    session_id=f"bench-{player.pk}-{n}",
                    session_date=dt.date(2020 + n // 5, 1 + player.pk % 12, 1 + n),
                )
                for n in range(SESSIONS_PER_ATHLETE)
                for player in players
            ),
            batch_size=1000,
        )
    changed = {
        "session_id": "s.id",
        "org_movement_id": "'copy-' || n.n",
        "position": "n.n",
    }
    columns = [f.column for f in Movement._meta.concrete_fields[1:]]
    values = ", ".join(changed.get(name, f"t.{name}") for name in columns)
    copying = (
        f"INSERT INTO movements ({', '.join(columns)}) "  # noqa: S608
        f"SELECT {values} FROM sessions s, (WITH RECURSIVE c(n) AS (SELECT 1 "
        f"UNION ALL SELECT n + 1 FROM c WHERE n < {PER_SESSION}) "
        "SELECT n FROM c) n JOIN movements t ON t.id = "
        f"{samples_end} - (s.id + n.n) %% {len(samples)} WHERE s.id BETWEEN %s AND %s"
    )
    pks = list(Session.objects.order_by("pk").values_list("pk", flat=True)[1:])
    for start in range(0, len(pks), 500):
        part = pks[start : start + 500]
        with connection.cursor() as cursor:
            cursor.execute(copying, [part[0], part[-1]])
    first.delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM feed_rows")
        cursor.execute("DELETE FROM feed_notes")
    triggers.install(connection)
    session_ids = Session.objects.order_by("pk").values_list("pk", flat=True)
    days = Session.objects.order_by("session_date")
    quarter = days.values_list("session_date", flat=True)[len(session_ids) // 4 - 1]
    found = {
        "swings": Movement.objects.count(),
        "quarter": quarter.isoformat(),
        "in_quarter": Movement.objects.filter(
            session__session_date__lte=quarter
        ).count(),
        "bytes": sum(len(json.dumps(each.metrics)) for each in samples) // len(samples),
    }
    print(json.dumps(found))


def run(is_quick: bool) -> Report:
    """Return the rows of the export."""
    swings = SWINGS // 20 if is_quick else SWINGS
    with tempfile.TemporaryDirectory() as folder:
        var = Path(folder)
        run_manage(["migrate"], var=var, settings={})
        kept = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
        filled = subprocess.run(
            [sys.executable, "-m", "benchmarks.bench_export", "--fill", str(swings)],
            cwd=ROOT,
            env=kept
            | {
                "DEBUG": "0",
                "SECRET_KEY": "of-this-benchmark-alone-0123456789-abcdefghijklmnop",
                "VAR_DIR": folder,
                "DJANGO_SETTINGS_MODULE": "reboot_site.settings",
            },
            check=True,
            stdout=subprocess.PIPE,
        )
        found = json.loads(filled.stdout.splitlines()[-1])
        return measure(var, found)


def measure(var: Path, found: dict[str, Any]) -> Report:
    """Return the rows of a folder that is filled."""
    target = var / "metrics.parquet"
    measured = []
    for words in (["--end-date", found["quarter"]], []):
        began = time.monotonic()
        peak_mb, spent_s = run_manage(
            ["export", "metrics", str(target), *words], var=var, settings={}
        )
        took_s = time.monotonic() - began
        measured.append((peak_mb, spent_s, took_s, target.stat().st_size / 1e6))
    (part_mb, part_s, part_took_s, _), (peak_mb, spent_s, took_s, size_mb) = measured
    rows = (
        Result(
            f"{found['swings']} swings, all numbers, Parquet: time",
            f"{took_s:.0f} s, {spent_s:.0f} s of one core; {size_mb:.0f} MB",
            f"{found['in_quarter']} swings: {part_took_s:.0f} s, {part_s:.0f} s of one "
            "core",
            took_s / part_took_s,
            f"under {LIMIT_S:.0f} s",
            took_s < LIMIT_S,
        ),
        Result(
            f"{found['swings']} swings, all numbers, Parquet: peak memory",
            f"{peak_mb:.0f} MB",
            f"{found['in_quarter']} swings: {part_mb:.0f} MB",
            peak_mb / part_mb,
            f"at most {GROWTH} times",
            peak_mb <= GROWTH * part_mb,
        ),
    )
    return Report(
        "bench_export",
        "All numbers at once",
        f"{found['swings']} swings in sessions of {PER_SESSION}, copies of simulated "
        f"ones, {found['bytes'] / 1000:.0f} kB of JSON each; `manage.py export "
        "metrics`; SQLite",
        rows,
    )


def main() -> int:
    """Run this benchmark alone and return the exit status."""
    if "--fill" in sys.argv:
        fill(int(sys.argv[-1]))
        return 0
    report = run(is_quick="--quick" in sys.argv)
    print(report.data)
    print(table(report.results))
    return 0 if all(row.is_met for row in report.results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
