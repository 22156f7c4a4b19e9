"""A first sync side by side against one call after another, and one without changes.

    python -m benchmarks.bench_sync [--players 237] [--sessions 1000] [--swings 8]
        [--limits 6,12] [--latency-ms 50] [--slow-ms 600] [--sample 60]
        [--unchanged 100,1000,10000] [--database URL]

Each sync is `manage.py sync` in a process of its own, against the simulator in another,
on an empty database. What it is compared with is `benchmarks.naive_sync`, which does
one thing after another with the same functions, on ``--sample`` sessions: each session
is the same work, so its time is scaled up by their number.

Three things bound a first sync: the vendor's 50 ms (requests × 50 ms / N), the
processors (processor seconds of the sync and of the simulator, which runs on the same
ones, over their number), and the program in between. All three are printed. A second
set is the same against a vendor that takes ``--slow-ms`` a call: there the processors
have time to spare, and the number of requests at once decides.

For a sync without changes the stored sessions are made as rows, with what the vendor
lists for them; a first sync of ten thousand sessions would take an hour.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from benchmarks.results import Report, table
from benchmarks.results import Result as Row

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Naive:
    """A sync that does one thing after another."""

    listing_s: float
    session_s: float

    def seconds(self, sessions: int) -> float:
        """Return how long one thing after another takes for so many sessions."""
        return self.listing_s + self.session_s * sessions


@dataclass
class Result:
    """One sync."""

    seconds: float
    requests: int
    most_at_once: int
    peak_mb: float
    files: int
    our_cpu_s: float
    vendor_cpu_s: float

    @property
    def floor_s(self) -> float:
        """What the processors need when none ever rests."""
        cores = len(os.sched_getaffinity(0))
        return (self.our_cpu_s + self.vendor_cpu_s) / cores


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

    def cpu_s(self) -> float:
        """Return the processor seconds of the simulator so far."""
        text = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii")
        user, system = text.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def ask(self, path: str) -> Any:
        """Return the JSON of one of the simulator's control paths."""
        return requests.get(f"{self.url}/__simulator__/{path}", timeout=60).json()

    def reset(self) -> None:
        """Count the simulator's requests from zero again."""
        address = f"{self.url}/__simulator__/requests/reset"
        requests.post(address, timeout=60).raise_for_status()

    def __enter__(self) -> Vendor:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.terminate()
        self._process.wait()


def environment(database: str, vendor: Vendor, limit: int) -> dict[str, str]:
    """Return the environment of a sync against this simulator."""
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
    """Make an empty database with all its tables."""
    command = [sys.executable, "manage.py", "migrate", "-v0"]
    subprocess.run(command, cwd=ROOT, env=environ, check=True)


class Memory(threading.Thread):
    """The most that a process and its children had in memory together, in MB.

    Pages that several of them map count for each: an upper bound.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_mb = 0.0
        self._pid = pid
        self._page_mb = os.sysconf("SC_PAGE_SIZE") / 2**20
        self._ended = threading.Event()

    def run(self) -> None:
        """Note the memory of the watched processes until told to stop."""
        while not self._ended.wait(0.5):
            self.peak_mb = max(self.peak_mb, self._size(self._pid))

    def _size(self, pid: int) -> float:
        try:
            folder = Path(f"/proc/{pid}")
            pages = (folder / "statm").read_text(encoding="ascii").split()[1]
            children = [
                int(child)
                for listed in folder.glob("task/*/children")
                for child in listed.read_text(encoding="ascii").split()
            ]
        except (OSError, IndexError):
            return 0.0
        return int(pages) * self._page_mb + sum(map(self._size, children))

    def stop(self) -> None:
        """Stop watching."""
        self._ended.set()
        self.join()


def sync(vendor: Vendor, environ: dict[str, str]) -> Result:
    """One `manage.py sync`, with what it cost."""
    vendor.reset()
    vendor_cpu_s = vendor.cpu_s()
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "sync", "--json"],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    memory = Memory(process.pid)
    memory.start()
    assert process.stdout is not None
    text = process.stdout.read()
    # Its own processor time and that of the processes that it waited for.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    memory.stop()
    outcome = json.loads(text.strip().splitlines()[-1])
    if outcome["status"] != "success":
        raise SystemExit(f"The sync ended {outcome['status']}: {outcome['errors'][:3]}")
    vendor_cpu_s = vendor.cpu_s() - vendor_cpu_s
    seen = vendor.ask("requests")
    return Result(
        seconds=seconds,
        requests=outcome["requests"],
        most_at_once=seen["most_in_flight"],
        peak_mb=memory.peak_mb,
        files=outcome["exports"]["created"],
        our_cpu_s=usage.ru_utime + usage.ru_stime,
        vendor_cpu_s=vendor_cpu_s,
    )


def naive_sync(options: Any, folder: Path) -> Naive:
    """One call after another, on a sample of the sessions."""
    with Vendor(
        players=options.players,
        sessions=options.sample,
        swings=options.swings,
        options=options,
    ) as vendor:
        path = folder / "naive.sqlite3"
        environ = environment(f"sqlite:///{path}", vendor, 1)
        prepare(environ)
        # Both are to find the vendor's files made already.
        sync(vendor, environ)
        path.unlink()
        prepare(environ)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.naive_sync"],
            cwd=ROOT,
            env=environ,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        for file in folder.glob(f"{path.name}*"):
            file.unlink()
    found = json.loads(done.stdout.splitlines()[-1])
    return Naive(found["listing_s"], found["sessions_s"] / found["sessions"])


def first_sync(
    options: Any, folder: Path, *, sessions: int, limit: int
) -> tuple[Result, Result]:
    """A first sync, and one more in which nothing has changed."""
    with Vendor(
        players=options.players,
        sessions=sessions,
        swings=options.swings,
        options=options,
    ) as vendor:
        path = folder / f"bench-{limit}.sqlite3"
        url = str(options.database) or f"sqlite:///{path}"
        environ = environment(url, vendor, limit)
        prepare(environ)
        results = sync(vendor, environ), sync(vendor, environ)
        for file in folder.glob(f"{path.name}*"):
            file.unlink()
        return results


#: Rows of sessions that were synced before, as the vendor lists them now.
STORED_ROWS = """
from urllib.parse import urlsplit
from django.conf import settings
from django.utils import timezone
from athletes.models import Player, Session
from syncing.client.reboot import RebootClient
from syncing.engine.raw import store_raw
from syncing.engine.vendor import vendor_credentials
from syncing.mapping import map_session, read_moment
from syncing.models import (
    ExportJob, ExportType, JobState, RawPayload, SyncCursor, VendorSession
)

host = urlsplit(settings.REBOOT_BASE_URL).netloc
client = RebootClient(
    base_url=settings.REBOOT_BASE_URL,
    credentials=vendor_credentials(),
    plain_http_hosts=[host],
)
found = list(client.sessions())
player = Player.objects.create(org_player_id=next(client.players()).org_player_id)
now = timezone.now()
for start in range(0, len(found), 500):
    part = found[start : start + 500]
    store_raw(RawPayload.Kind.SESSION, {item.id: item.raw for item in part})
    VendorSession.objects.bulk_create(
        VendorSession(
            session_id=item.id,
            vendor_updated_at=read_moment(item.updated_at),
            needs_detail=False,
            verdict=VendorSession.Verdict.HITTING,
        )
        for item in part
    )
    rows = Session.objects.bulk_create(
        Session(
            **{
                **map_session(item).fields,
                "player": player,
                "movement_type_name": "baseball-hitting",
            }
        )
        for item in part
    )
    ExportJob.objects.bulk_create(
        ExportJob(session=row, data_type=kind, state=JobState.STORED, stored_at=now)
        for row in rows
        for kind in ExportType.values
    )
newest = max(read_moment(item.updated_at) for item in found)
SyncCursor.objects.create(name="sessions", value=newest)
"""


def unchanged(options: Any, folder: Path, sessions: int) -> Result:
    """A sync in which nothing changed, with so many stored sessions."""
    small = argparse.Namespace(**vars(options))
    small.rate, small.duration = 60.0, 1.0
    with Vendor(
        players=options.players, sessions=sessions, swings=1, options=small
    ) as vendor:
        url = f"sqlite:///{folder / f'unchanged-{sessions}.sqlite3'}"
        environ = environment(url, vendor, 6)
        prepare(environ)
        subprocess.run(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", STORED_ROWS],
            cwd=ROOT,
            env=environ,
            check=True,
        )
        # The first one still learns of the athletes.
        sync(vendor, environ)
        return sync(vendor, environ)


def run(is_quick: bool) -> Report:
    """For `make bench`."""
    options = _parser().parse_args([])
    if is_quick:
        options.sessions, options.players, options.sample = 24, 40, 16
        options.swings, options.limits, options.unchanged = 4, "6", "20,60"
    return measure(options)


def measure(options: Any) -> Report:
    """Return the rows of all runs."""
    _allow_open_files()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one = naive_sync(options, folder)
        few, _ = first_sync(options, folder, sessions=options.sample, limit=6)
        for limit in _numbers(options.limits):
            found, again = first_sync(
                options, folder, sessions=options.sessions, limit=limit
            )
            rows += _first_rows(options, limit, one, found)
        rows.append(
            Row(
                f"first sync of {options.sessions} sessions: peak memory of all its "
                "processes",
                f"{found.peak_mb:.0f} MB",
                f"of {options.sample} sessions: {few.peak_mb:.0f} MB",
                found.peak_mb / few.peak_mb,
                "at most 1.5 times",
                found.peak_mb <= 1.5 * few.peak_mb,
            )
        )
        rows += _slow_vendor_rows(options, folder)
        rows += _unchanged_rows(options, folder, again)
    return Report(
        "bench_sync",
        "Sync",
        f"{options.players} athletes, {options.sessions} sessions of {options.swings} "
        f"swings of {options.rate * options.duration:.0f} frames, a vendor that takes "
        f"{options.latency_ms:.0f} ms a call, on the same processors; one after "
        f"another measured on {options.sample} sessions and scaled by their number; "
        "SQLite",
        tuple(rows),
    )


def _slow_vendor_rows(options: Any, folder: Path) -> list[Row]:
    """The same against a vendor so slow that the processors are no bound."""
    slow = argparse.Namespace(**vars(options))
    slow.latency_ms = options.slow_ms
    slow.sample = max(8, options.sample // 2)
    slow.sessions = 2 * options.sample
    one = naive_sync(slow, folder)
    rows = []
    for limit in _numbers(options.limits):
        found, _ = first_sync(slow, folder, sessions=slow.sessions, limit=limit)
        seconds = one.seconds(slow.sessions)
        whole = seconds / found.seconds
        patience_s = found.requests * slow.latency_ms / 1000 / limit
        rows.append(
            Row(
                f"first sync of {slow.sessions} sessions, {limit} requests at once, "
                f"{slow.latency_ms:.0f} ms a call",
                f"{found.seconds:.0f} s",
                f"one after another: {seconds:.0f} s; the vendor's waits allow "
                f"{patience_s:.0f} s, the processors {found.floor_s:.0f} s",
                whole,
                f"at least {0.8 * limit:.1f} times faster",
                whole >= 0.8 * limit,
            )
        )
    return rows


def _first_rows(options: Any, limit: int, one: Naive, found: Result) -> list[Row]:
    seconds = one.seconds(options.sessions)
    whole = seconds / found.seconds
    patience_s = found.requests * options.latency_ms / 1000 / limit
    name = f"first sync, {limit} requests at once"
    return [
        Row(
            f"{name}: whole run",
            f"{found.seconds:.0f} s",
            f"one after another: {seconds:.0f} s",
            whole,
            f"at least {0.8 * limit:.1f} times faster",
            whole >= 0.8 * limit,
        ),
        Row(
            f"{name}: whole run against what the processors need",
            f"{found.seconds:.0f} s",
            f"{found.our_cpu_s:.0f} s of ours and {found.vendor_cpu_s:.0f} s of the "
            f"simulator on {len(os.sched_getaffinity(0))} cores: {found.floor_s:.0f} s",
            found.seconds / found.floor_s,
        ),
        Row(
            f"{name}: whole run against what the vendor's waits allow",
            f"{found.seconds:.0f} s",
            f"{found.requests} requests: {patience_s:.0f} s",
            found.seconds / patience_s,
        ),
        Row(
            f"most requests at once, {limit} allowed",
            str(found.most_at_once),
            bar=f"at most {limit}",
            is_met=found.most_at_once <= limit,
        ),
    ]


def _unchanged_rows(options: Any, folder: Path, again: Result) -> list[Row]:
    rows = [
        Row(
            f"sync without changes after the first one of {options.sessions} sessions",
            f"{again.requests} requests, {again.seconds:.1f} s",
        )
    ]
    sizes = _numbers(options.unchanged)
    results = [unchanged(options, folder, size) for size in sizes]
    for size, found in list(zip(sizes, results, strict=True))[1:]:
        rows.append(
            Row(
                f"sync without changes, {size} stored sessions",
                f"{found.requests} requests, {found.seconds:.1f} s, "
                f"{found.peak_mb:.0f} MB",
                f"{sizes[0]} stored sessions: {results[0].requests} requests, "
                f"{results[0].seconds:.1f} s, {results[0].peak_mb:.0f} MB",
                found.requests / results[0].requests,
                "the same number of requests",
                found.requests == results[0].requests,
            )
        )
    return rows


def _numbers(text: str) -> list[int]:
    return [int(item) for item in text.split(",") if item]


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
    parser.add_argument("--slow-ms", type=float, default=600.0)
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--unchanged", default="100,1000,10000")
    parser.add_argument("--rate", type=float, default=240.0)
    parser.add_argument("--duration", type=float, default=2.4)
    parser.add_argument("--database", default="", help="an empty one, for one limit")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run this benchmark alone and return the exit status."""
    report = measure(_parser().parse_args(arguments))
    print(f"{report.title}. {report.data}.\n\n{table(report.results)}")
    return 0 if all(row.is_met is not False for row in report.results) else 1


if __name__ == "__main__":
    sys.exit(main())
