"""Whole syncs with faults, kills or corrections, compared with a clean one.

    python -m benchmarks.faults [--seeds 20] [--first 1] [--probability 0.3]
        [--sessions 20] [--kills 3] [--clusters 0] [--database URL]
        [--redis URL]

For each seed: an empty database, a vendor of which three in ten answers go wrong, and
`manage.py sync` killed by SIGKILL at random moments. When it has come to its end, all
rows must equal those of one sync without faults, and no line that any of the
processes logged, down to DEBUG, may hold a secret, a token, a signed link or an
athlete's name. With ``--clusters N`` the run goes
through the queue instead: N clusters work it, one of them is killed now and then with
all its workers, and started again.

    python -m benchmarks.faults --corrections [--seeds 20] [--first 1] [--rounds 6]

With ``--corrections`` the vendor answers well and corrects its data instead, between
runs and during them (`benchmarks.corrections`). ``--seed N`` is one seed alone.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 600.0
KEY = "a-key-for-this-benchmark-only-0123456789-abcdefghij"


def main(arguments: list[str] | None = None) -> int:
    """Run the seeds that were given; exit status 1 when a database differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--probability", type=float, default=0.3)
    # Enough files for the processes that read them to be started.
    parser.add_argument("--sessions", type=int, help="20; of corrections 5")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--clusters", type=int, default=0)
    parser.add_argument("--database", default="", help="one that may be emptied")
    parser.add_argument("--redis", default="", help="broker and cache, to be emptied")
    parser.add_argument("--corrections", action="store_true")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--rounds", type=int, default=6, help="of corrections")
    options = parser.parse_args(arguments)
    if options.seed is not None:
        options.first, options.seeds = options.seed, 1
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "reboot_site.settings",
            "DATABASE_URL": options.database or f"sqlite:///{folder}/faults.sqlite3",
            "SECRET_KEY": KEY,
            "REDIS_URL": options.redis,
            "VAR_DIR": folder,
            "DEBUG": "0",
            "LOG_LEVEL": "DEBUG",
            "REBOOT_USERNAME": "demo-user",
            "REBOOT_PASSWORD": "demo-password",
            "REBOOT_API_KEY": "",
        }
        if options.corrections:
            return _correct(options, Path(folder))
        return _run(options, Path(folder))


def _run(options: Any, folder: Path) -> int:
    import django

    from simulator.app import Config
    from simulator.faults import FaultPlan
    from simulator.server import SimulatorServer

    bad = 0
    print("| seed | requests | faults | kills | s | equal | log lines | leaks |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for number in range(options.first, options.first + options.seeds):
        config = Config(
            players=8,
            sessions=options.sessions or 20,
            swings=2,
            seed=number,
            rate_hz=120.0,
            duration_s=1.2,
        )
        with SimulatorServer(config) as vendor:
            os.environ["REBOOT_BASE_URL"] = vendor.url
            django.setup()
            from django.conf import settings
            from django.core.management import call_command

            from tests.syncing.leaks import leaks, patterns
            from tests.syncing.snapshot import differences, snapshot

            logs = Logs(folder / f"logs-{number}")
            settings.REBOOT_BASE_URL = vendor.url
            call_command("migrate", verbosity=0)
            call_command("flush", verbosity=0, interactive=False)
            vendor.app.set_faults(
                FaultPlan(
                    probability=options.probability,
                    seed=number,
                    retry_after_s=0,
                    slow_s=0.2,
                )
            )
            began = time.monotonic()
            if options.clusters:
                kills = _through_clusters(options, logs, random.Random(number))
            else:
                kills = _through_commands(options, logs, random.Random(number))
            seconds = time.monotonic() - began
            faulty, requests = snapshot(), vendor.log.total
            faults = sum(vendor.app.faults.done.values())

            vendor.app.set_faults(FaultPlan())
            call_command("flush", verbosity=0, interactive=False)
            if _sync(logs).wait() != 0:
                raise SystemExit("The sync without faults did not succeed.")
            found = differences(snapshot(), faulty)
            told = logs.read()
            leaked = leaks(told, patterns(vendor, others=[KEY]))
        word = "no" if found else "yes"
        print(
            f"| {number} | {requests} | {faults} | {kills} | {seconds:.0f} | {word} "
            f"| {told.count(chr(10))} | {len(leaked)} |",
            flush=True,
        )
        for line in found[:5] + leaked[:5]:
            print(f"  {line[:300]}", file=sys.stderr)
        bad += bool(found or leaked)
    print(
        f"\n{options.seeds - bad} of {options.seeds} equal a clean run, leaking none."
    )
    return 1 if bad else 0


def _correct(options: Any, folder: Path) -> int:
    """Correct instead of failing; returns 1 when a database differs."""
    import django

    from simulator.app import Config
    from simulator.server import SimulatorServer

    Logs(folder / "logs")
    os.environ["LOG_LEVEL"] = "WARNING"
    bad = 0
    print("| seed | runs | requests | corrections | decisions | s | equal | kept |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for number in range(options.first, options.first + options.seeds):
        config = Config(
            players=6,
            sessions=options.sessions or 5,
            swings=3,
            seed=number,
            rate_hz=120.0,
            duration_s=1.6,
        )
        with SimulatorServer(config) as vendor:
            os.environ["REBOOT_BASE_URL"] = vendor.url
            django.setup()
            from django.conf import settings
            from django.core.cache import cache
            from django.core.management import call_command

            from benchmarks.corrections import work
            from tests.syncing.conftest import sync

            def start_anew() -> None:
                call_command("flush", verbosity=0, interactive=False)
                cache.clear()

            settings.REBOOT_BASE_URL = vendor.url
            settings.ALLOWED_HOSTS = ["testserver"]
            settings.SECURE_SSL_REDIRECT = False
            call_command("migrate", verbosity=0)
            start_anew()
            began = time.monotonic()
            outcome = work(
                vendor,
                seed=number,
                rounds=options.rounds,
                sync=sync,
                start_anew=start_anew,
            )
            seconds = time.monotonic() - began
        equal = "no" if outcome.differences else "yes"
        kept = "no" if outcome.of_people else "yes"
        print(
            f"| {number} | {outcome.runs} | {outcome.requests} "
            f"| {outcome.corrections.total()} | {outcome.decisions} | {seconds:.0f} "
            f"| {equal} | {kept} |",
            flush=True,
        )
        for line in outcome.of_people[:20] + outcome.differences[:20]:
            print(f"  {line}", file=sys.stderr)
        bad += bool(outcome.differences or outcome.of_people)
    print(f"\n{options.seeds - bad} of {options.seeds} equal a first sync.")
    return 1 if bad else 0


class Logs:
    """What all processes of one seed log, this one included, in files of a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._count = 0
        root = logging.getLogger()
        for handler in list(root.handlers):
            root.removeHandler(handler)
        root.addHandler(logging.FileHandler(folder / "here.log"))

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """A command of manage.py, with a file for all that it says."""
        self._count += 1
        with (self._folder / f"{self._count}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                **options,
            )

    def read(self) -> str:
        """All of it."""
        return "".join(
            path.read_text(encoding="utf-8", errors="replace")
            for path in sorted(self._folder.glob("*.log"))
        )


def _sync(logs: Logs) -> subprocess.Popen[bytes]:
    return logs.start("sync")


def _through_commands(options: Any, logs: Logs, chance: random.Random) -> int:
    """Syncs one after another, the first ones killed, until one succeeds."""
    deadline = time.monotonic() + LIMIT_S
    kills = 0
    while time.monotonic() < deadline:
        process = _sync(logs)
        if kills < options.kills:
            try:
                process.wait(timeout=chance.uniform(1.0, 5.0))
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
        if process.wait() == 0:
            return kills
    raise SystemExit(f"No sync succeeded within {LIMIT_S:.0f} s.")


def _through_clusters(options: Any, logs: Logs, chance: random.Random) -> int:
    """One run through the queue, with clusters that die and come back."""
    from syncing import services, sweeping
    from syncing.choices import RunStatus, SyncType
    from syncing.models import SyncLog

    clusters = [_cluster(logs) for _ in range(options.clusters)]
    deadline = time.monotonic() + LIMIT_S
    next_kill = time.monotonic() + chance.uniform(3.0, 8.0)
    kills = 0
    try:
        services.request_sync(trigger="button")
        while time.monotonic() < deadline:
            time.sleep(0.5)
            if kills < options.kills and time.monotonic() > next_kill:
                place = chance.randrange(len(clusters))
                _end(clusters[place])
                clusters[place] = _cluster(logs)
                kills += 1
                next_kill = time.monotonic() + chance.uniform(3.0, 8.0)
            sweeping.sweep()
            last = SyncLog.objects.order_by("-id").first()
            if last is None or last.is_active:
                continue
            whole = last.sync_type != SyncType.EXPORTS
            if last.status == RunStatus.SUCCESS and whole:
                return kills
            services.request_sync(trigger="button")
    finally:
        for cluster in clusters:
            _end(cluster)
    raise SystemExit(f"The run did not come to its end within {LIMIT_S:.0f} s.")


def _cluster(logs: Logs) -> subprocess.Popen[bytes]:
    return logs.start("qcluster", start_new_session=True)


def _end(cluster: subprocess.Popen[bytes]) -> None:
    """Kill the cluster with all its workers, as a host that loses power does."""
    try:
        os.killpg(cluster.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        cluster.wait()


if __name__ == "__main__":
    sys.exit(main())
