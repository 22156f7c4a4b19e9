"""Starting from nothing: imports, web, worker, `make run`; memory of each process.

    python -m benchmarks.bench_cold

Memory is the proportional share (PSS): what processes share is counted once.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from benchmarks.results import ROOT, Report, Result, table

SECOND_START_BAR_S = 5.0


def best_s(code: str, environment: dict[str, str], rounds: int) -> float:
    """Shortest time of a Python process that runs `code`."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, check=True
        )
        times.append(time.perf_counter() - began)
    return min(times)


def family(pid: int) -> list[int]:
    """A process and all below it."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if not children.exists():
        return []
    below = children.read_text(encoding="ascii").split()
    return [pid, *(found for child in below for found in family(int(child)))]


def pss_mb(pid: int) -> tuple[float, int]:
    """Memory of a process with all below it, and how many they are."""
    total, pids = 0, family(pid)
    for each in pids:
        rollup = Path(f"/proc/{each}/smaps_rollup").read_text(encoding="ascii")
        line = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
        total += int(line.split()[1])
    return total / 1024, len(pids)


def wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"A process ended with {process.returncode}.")
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310
                return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"{url} does not answer.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes], with_signal: int = signal.SIGTERM) -> None:
    process.send_signal(with_signal)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def web(environment: dict[str, str]) -> tuple[float, float, int]:
    """Seconds until it answers; memory after some pages; processes."""
    port = free_port()
    began = time.perf_counter()
    process = start(
        [
            *(sys.executable, "-m", "gunicorn", "reboot_site.wsgi"),
            *("--config", "reboot_site/gunicorn.py"),
        ],
        environment | {"PORT": str(port)},
    )
    try:
        wait(f"http://127.0.0.1:{port}/health/live", process)
        seconds = time.perf_counter() - began
        for _ in range(40):
            wait(f"http://127.0.0.1:{port}/health", process)
            wait(f"http://127.0.0.1:{port}/accounts/login/", process)
        return seconds, *pss_mb(process.pid)
    finally:
        stop(process)


def worker(environment: dict[str, str]) -> tuple[float, float, int]:
    """Seconds until all its processes run; memory; processes."""
    began = time.perf_counter()
    process = start([sys.executable, "manage.py", "supervise_qcluster"], environment)
    try:
        # Supervisor, cluster, guard, two workers, pusher, monitor.
        deadline = time.monotonic() + 120
        while len(family(process.pid)) < 7 and time.monotonic() < deadline:
            time.sleep(0.05)
        seconds = time.perf_counter() - began
        time.sleep(2.0)  # what each imports when it begins
        return seconds, *pss_mb(process.pid)
    finally:
        stop(process)


def make_run(environment: dict[str, str]) -> float:
    """Seconds of `make run` until the pages answer."""
    port = free_port()
    began = time.perf_counter()
    process = start(["make", "run"], environment | {"PORT": str(port)})
    try:
        wait(f"http://127.0.0.1:{port}/health/live", process)
        return time.perf_counter() - began
    finally:
        # What Ctrl-C does: make and what it runs get it.
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)


def run(is_quick: bool) -> Report:
    """For `make bench`."""
    rounds = 2 if is_quick else 5
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "reboot_site.settings",
            "SECRET_KEY": "of-this-benchmark-alone-0123456789-abcdefghijklmnop",
            "VAR_DIR": folder,
            "HTTPS": "0",
            "BIND_HOST": "127.0.0.1",
            "LOG_LEVEL": "ERROR",
            "SIMULATOR_OPTIONS": "--players 12 --sessions 4 --swings 2",
        }
        first_s = make_run(environment)
        again: list[float] = [make_run(environment) for _ in range(rounds)]
        timed: Callable[[str], float] = lambda code: best_s(code, environment, rounds)  # noqa: E731
        bare = timed(
            "import django.core.handlers.wsgi, django.db.backends.sqlite3.base"
        )
        web_import = timed("import reboot_site.wsgi")
        worker_import = timed(
            "import django; django.setup(); import syncing.engine.run, django_q.cluster"
        )
        web_s, web_mb, web_count = web(environment)
        worker_s, worker_mb, worker_count = worker(environment)
    against = f"Django alone: {bare:.2f} s"
    rows = (
        Result(
            "second `make run` until pages answer",
            f"{min(again):.1f} s",
            f"the first, on empty data: {first_s:.1f} s",
            first_s / min(again),
            f"under {SECOND_START_BAR_S:.0f} s",
            min(again) < SECOND_START_BAR_S,
        ),
        Result("imports of the web", f"{web_import:.2f} s", against, web_import / bare),
        Result(
            "imports of the worker with the sync",
            f"{worker_import:.2f} s",
            against,
            worker_import / bare,
        ),
        Result("web: start until it answers", f"{web_s:.1f} s"),
        Result(f"web: memory of {web_count} processes", f"{web_mb:.0f} MB"),
        Result("worker: start of all its processes", f"{worker_s:.1f} s"),
        Result(
            f"worker: memory of {worker_count} processes, idle", f"{worker_mb:.0f} MB"
        ),
    )
    return Report(
        "bench_cold",
        "Starting",
        "SQLite, static files collected, 2 web processes, 2 workers of the queue",
        rows,
    )


if __name__ == "__main__":
    print(table(run(is_quick=False).results))
