"""A first sync side by side against one call after another, and one without changes.

    python -m benchmarks.bench_sync [--players 237] [--sessions 1000] [--swings 8]
        [--limits 6,12] [--latency-ms 50] [--sample 60] [--unchanged 100,1000]
        [--database URL]

Each sync is `manage.py sync` in a process of its own, against the simulator in another,
on an empty database. ``--sample`` is the number of sessions of the run that calls one
after another: it does the same work for each session, so its time is scaled up by the
number of requests. Two ratios are given: of the whole run, and of the vendor's side
alone (from the first to the last request), since reading files and computing numbers
need processors and not patience.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from benchmarks.results import Report
from benchmarks.results import Result as Row

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Result:
    """One sync."""

    seconds: float
    requests: int
    request_seconds: float
    most_at_once: int
    peak_mb: float
    files: int


class Vendor:
    """The simulator in a process of its own."""

    def __init__(self, *, players: int, sessions: int, swings: int, options: Any):
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "simulator", "--scenario", "plain"),
                *("--players", str(players), "--sessions", str(sessions)),
                *("--swings", str(swings), "--templates", "4"),
                *("--rate", str(options.rate), "--duration", str(options.duration)),
                *("--latency-ms", str(options.latency_ms)),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def ask(self, path: str) -> Any:
        return requests.get(f"{self.url}/__simulator__/{path}", timeout=60).json()

    def reset(self) -> None:
        address = f"{self.url}/__simulator__/requests/reset"
        requests.post(address, timeout=60).raise_for_status()

    def __enter__(self) -> Vendor:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.terminate()
        self._process.wait()


def environment(database: str, vendor: Vendor, limit: int) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": database,
        # With DEBUG on, Django keeps every query in memory.
        "DEBUG": "0",
        "SECRET_KEY": "a-key-for-this-benchmark-only-0123456789-abcdefghij",
        "LOG_LEVEL": "ERROR",
        "REDIS_URL": "",
        "REBOOT_BASE_URL": vendor.url,
        "REBOOT_USERNAME": "demo-user",
        "REBOOT_PASSWORD": "demo-password",
        "REBOOT_API_KEY": "",
        "SYNC_MAX_REQUESTS": str(limit),
    }


def prepare(environ: dict[str, str]) -> None:
    for command in ("migrate", "createcachetable"):
        subprocess.run(
            [sys.executable, "manage.py", command, "-v0"],
            cwd=ROOT,
            env=environ,
            check=True,
        )


def sync(vendor: Vendor, environ: dict[str, str]) -> Result:
    """One `manage.py sync`, with what it cost."""
    vendor.reset()
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "sync", "--json"],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    outcome = json.loads(text.strip().splitlines()[-1])
    if outcome["status"] != "success":
        raise SystemExit(f"The sync ended {outcome['status']}: {outcome['errors'][:3]}")
    seen = vendor.ask("requests?log=1")
    entries = seen["log"]
    ends = [entry["started_at"] + (entry["seconds"] or 0.0) for entry in entries]
    starts = [entry["started_at"] for entry in entries]
    return Result(
        seconds=seconds,
        requests=outcome["requests"],
        request_seconds=max(ends) - min(starts),
        most_at_once=seen["most_in_flight"],
        peak_mb=usage.ru_maxrss / 1024,
        files=outcome["exports"]["created"],
    )


def first_sync(options: Any, folder: Path, *, sessions: int, limit: int) -> Result:
    with Vendor(
        players=options.players,
        sessions=sessions,
        swings=options.swings,
        options=options,
    ) as vendor:
        environ = environment(database(options, folder, limit), vendor, limit)
        prepare(environ)
        return sync(vendor, environ)


def database(options: Any, folder: Path, limit: int) -> str:
    if options.database:
        # The same database, emptied.
        return str(options.database)
    return f"sqlite:///{folder / f'bench-{limit}-{time.monotonic_ns()}.sqlite3'}"


def unchanged(options: Any, folder: Path, sessions: int) -> Result:
    """A sync in which nothing changed, after a first one of tiny swings."""
    small = argparse.Namespace(**vars(options))
    small.rate, small.duration, small.latency_ms = 60.0, 1.0, 0.0
    with Vendor(
        players=options.players, sessions=sessions, swings=1, options=small
    ) as vendor:
        environ = environment(database(options, folder, 6), vendor, 6)
        prepare(environ)
        sync(vendor, environ)
        return sync(vendor, environ)


def run(is_quick: bool) -> Report:
    """For `make bench`: fewer sessions than by hand, the same ratios."""
    options = _parser().parse_args([])
    options.sessions, options.sample = (40, 15) if is_quick else (240, 40)
    options.players = 40 if is_quick else 237
    _allow_open_files()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one = first_sync(options, folder, sessions=options.sample, limit=1)
        for limit in (6,) if is_quick else (6, 12):
            found = first_sync(options, folder, sessions=options.sessions, limit=limit)
            scale = found.requests / one.requests
            vendor_side = one.request_seconds * scale / found.request_seconds
            rows += [
                Row(
                    f"first sync, {limit} requests at once: the vendor's side",
                    f"{found.request_seconds:.1f} s, {found.requests} requests",
                    f"one after another: {one.request_seconds * scale:.0f} s",
                    vendor_side,
                    f"at least {0.8 * limit:.1f} times faster",
                    vendor_side >= 0.8 * limit,
                ),
                Row(
                    f"first sync, {limit} requests at once: whole run",
                    f"{found.seconds:.1f} s, peak {found.peak_mb:.0f} MB",
                    f"one after another: {one.seconds * scale:.0f} s",
                    one.seconds * scale / found.seconds,
                ),
                Row(
                    f"most requests at once, {limit} allowed",
                    str(found.most_at_once),
                    bar=f"at most {limit}",
                    is_met=found.most_at_once <= limit,
                ),
            ]
        sizes = (20, 60) if is_quick else (100, 1000)
        small, large = (unchanged(options, folder, sessions=size) for size in sizes)
        rows += [
            Row(
                f"sync without changes, {sizes[1]} stored sessions",
                f"{large.requests} requests",
                f"{sizes[0]} stored sessions: {small.requests} requests",
                large.requests / small.requests,
                "the same number",
                large.requests == small.requests,
            ),
            Row(
                f"sync without changes, {sizes[1]} stored sessions",
                f"{large.seconds:.1f} s, peak {large.peak_mb:.0f} MB",
                f"{sizes[0]} stored sessions: {small.seconds:.1f} s, peak "
                f"{small.peak_mb:.0f} MB",
                large.seconds / small.seconds,
            ),
        ]
    return Report(
        "bench_sync",
        "Sync",
        f"{options.players} athletes, {options.sessions} sessions of {options.swings} "
        f"swings, a vendor that takes {options.latency_ms:.0f} ms a call; one after "
        f"another measured on {options.sample} sessions and scaled by requests; "
        "SQLite",
        tuple(rows),
    )


def _allow_open_files() -> None:
    # Files that wait to be read are open.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--players", type=int, default=237)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--swings", type=int, default=8)
    parser.add_argument("--limits", default="6,12")
    parser.add_argument("--latency-ms", type=float, default=50.0)
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--unchanged", default="100,1000")
    parser.add_argument("--rate", type=float, default=240.0)
    parser.add_argument("--duration", type=float, default=2.4)
    parser.add_argument("--database", default="", help="an empty one, for one limit")
    return parser


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    _allow_open_files()

    good = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one = first_sync(options, folder, sessions=options.sample, limit=1)
        print("| at once | sessions | requests | whole s | vendor s | peak MB |")
        print("| --- | --- | --- | --- | --- | --- |")
        _print_row(1, options.sample, one)
        ratios = []
        for limit in map(int, filter(None, options.limits.split(","))):
            found = first_sync(options, folder, sessions=options.sessions, limit=limit)
            _print_row(limit, options.sessions, found)
            scale = found.requests / one.requests
            whole = one.seconds * scale / found.seconds
            vendor_side = one.request_seconds * scale / found.request_seconds
            ratios.append((limit, whole, vendor_side))
            good = good and vendor_side >= 0.8 * limit and found.most_at_once <= limit
        print("\n| at once | bar (0.8 N) | ratio of requests | ratio of all |")
        print("| --- | --- | --- | --- |")
        for limit, whole, vendor_side in ratios:
            print(f"| {limit} | {0.8 * limit:.1f} | {vendor_side:.1f} | {whole:.1f} |")
        print("\n| stored sessions | requests without changes | s | peak MB |")
        print("| --- | --- | --- | --- |")
        counts = set()
        for sessions in map(int, filter(None, options.unchanged.split(","))):
            found = unchanged(options, folder, sessions)
            counts.add(found.requests)
            print(
                f"| {sessions} | {found.requests} | {found.seconds:.1f} | "
                f"{found.peak_mb:.0f} |"
            )
        good = good and len(counts) <= 1
    print(f"\n{'All bars are met.' if good else 'A bar is NOT met.'}")
    return 0 if good else 1


def _print_row(limit: int, sessions: int, found: Result) -> None:
    print(
        f"| {limit} | {sessions} | {found.requests} | {found.seconds:.1f} | "
        f"{found.request_seconds:.1f} | {found.peak_mb:.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
