"""Starting from nothing: imports, web, worker, `make run`; memory of each process.

    python -m benchmarks.bench_cold

Memory is the proportional share (PSS): what processes share is counted once.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks.results import ROOT, Report, Result, table

SECOND_START_BAR_S = 5.0


#: What any Django site of this kind loads: Django, its own applications, its admin.
BARE = """
import django
from django.conf import settings
names = "auth contenttypes sessions messages staticfiles admin".split()
settings.configure(
    INSTALLED_APPS=["django.contrib." + name for name in names],
    ROOT_URLCONF="django.contrib.auth.urls",
    SECRET_KEY="x",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()
from django.core.wsgi import get_wsgi_application
get_wsgi_application()
from django.contrib import admin
from django.urls import get_resolver
admin.site.urls, get_resolver().url_patterns
"""
WEB = """
from reboot_site import gunicorn, wsgi
gunicorn.on_starting(None)
"""
WORKER = """
import django
django.setup()
import django_q.cluster, syncing.tasks
"""
#: What a worker loads on top when it has its first file.
SYNC = WORKER + "import scipy.interpolate, syncing.engine.run"


def best_cpu_s(code: str, environment: dict[str, str], rounds: int) -> float:
    """Least processor time of a Python process that runs `code`.

    Not the time on the clock: beside other work that says how busy the machine is.
    """
    times = []
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(
            after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        )
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
    """Wait until an address answers; fail when the process ends before."""
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
    """Return a port that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a program in a group of its own."""
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes], with_signal: int = signal.SIGTERM) -> None:
    """Stop a program with all that it started."""
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
        bare, web_cpu, worker_cpu, sync_cpu = (
            best_cpu_s(code, environment, rounds) for code in (BARE, WEB, WORKER, SYNC)
        )
        web_s, web_mb, web_count = web(environment)
        worker_s, worker_mb, worker_count = worker(environment)
    against = f"Django and its own applications: {bare:.2f} s"
    rows = (
        Result(
            "second `make run` until pages answer",
            f"{min(again):.1f} s",
            f"the first, on empty data: {first_s:.1f} s",
            first_s / min(again),
            f"under {SECOND_START_BAR_S:.0f} s",
            min(again) < SECOND_START_BAR_S,
        ),
        *(
            Result(what, f"{seconds:.2f} s of processor", against, seconds / bare)
            for what, seconds in (
                ("imports of the web with all its pages", web_cpu),
                ("imports of the worker", worker_cpu),
                ("imports of the worker with all that a sync needs", sync_cpu),
            )
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
