"""Peak memory of one large session: 40 swings at 600 frames a second.

    python -m benchmarks.bench_import

The session comes over HTTP from the simulator, once by `manage.py sync` and once as the
CSV files that a person would download, by `manage.py import_export`. Each command is a
process of its own; its peak is the largest resident size that the kernel saw.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import requests

from benchmarks.results import ROOT, Report, Result, table

SWINGS, RATE_HZ, DURATION_S = 40, 600.0, 2.5
LIMIT_MB = 1000.0


def run_manage(
    arguments: list[str], *, var: Path, settings: dict[str, str]
) -> tuple[float, float]:
    """Peak memory (MB) and processor time (s) of one command that has to succeed."""
    kept = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL"}}
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=kept | {"DEBUG": "1", "VAR_DIR": str(var)} | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"manage.py {arguments[0]} ended with {process.returncode}")
    return usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime


def download_csv(url: str, key: str, body: dict[str, object], path: Path) -> int:
    """One export as plain CSV; returns its size in bytes."""
    headers = {"x-api-key": key}
    reply = requests.post(f"{url}/data_export", json=body, headers=headers, timeout=120)
    reply.raise_for_status()
    inflate = zlib.decompressobj(wbits=47)
    with (
        requests.get(
            reply.json()["download_urls"][0], stream=True, timeout=120
        ) as file,
        path.open("wb") as sink,
    ):
        for block in file.iter_content(1_000_000):
            sink.write(inflate.decompress(block))
        sink.write(inflate.flush())
    return path.stat().st_size


def run(is_quick: bool) -> Report:
    """Return the rows of one large session, synced and uploaded."""
    from simulator.app import Config
    from simulator.server import SimulatorServer

    swings = 10 if is_quick else SWINGS
    config = Config(
        players=3,
        sessions=1,
        swings=swings,
        rate_hz=RATE_HZ,
        duration_s=DURATION_S,
        scenario="plain",
    )
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        SimulatorServer(config) as vendor,
    ):
        settings = {
            "REBOOT_BASE_URL": vendor.url,
            "REBOOT_API_KEY": config.api_key,
        }
        session = vendor.world.sessions[0]
        paths, sizes = [], []
        for data_type in ("inverse-kinematics", "momentum-energy"):
            path = Path(folder) / f"{data_type}.csv"
            body = {
                "session_id": session.id,
                "org_player_id": session.athletes[0],
                "movement_type_id": 1,
                "data_type": data_type,
                "data_format": "csv",
                "aggregate": True,
            }
            sizes.append(download_csv(vendor.url, config.api_key, body, path))
            paths.append(str(path))
        commands = {
            "manage.py sync": ["sync"],
            "manage.py import_export of both CSV files": [
                *("import_export", *paths),
                *("--player", session.athletes[0], "--session", session.id),
                *("--new-athlete", "Invented Athlete"),
            ],
        }
        for place, (name, arguments) in enumerate(commands.items()):
            var = Path(folder) / f"var{place}"
            var.mkdir()
            run_manage(["migrate"], var=var, settings=settings)
            peak_mb, spent_s = run_manage(arguments, var=var, settings=settings)
            rows.append(
                Result(
                    f"{name}: peak memory",
                    f"{peak_mb:.0f} MB, {spent_s:.0f} s of one core",
                    f"the CSV files: {sum(sizes) / 1e6:.0f} MB",
                    peak_mb / (sum(sizes) / 1e6),
                    f"under {LIMIT_MB:.0f} MB",
                    peak_mb < LIMIT_MB,
                )
            )
    shown = " and ".join(f"{size / 1e6:.0f} MB" for size in sizes)
    return Report(
        "bench_import",
        "One large session",
        f"{swings} swings at {RATE_HZ:.0f} Hz, {DURATION_S} s each: {shown} as CSV; "
        "SQLite.",
        tuple(rows),
    )


def main() -> int:
    """Run this benchmark alone and return the exit status."""
    report = run(is_quick="--quick" in sys.argv)
    print(report.data)
    print(table(report.results))
    return 0 if all(row.is_met for row in report.results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
