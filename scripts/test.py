"""Runs every test that can run on this machine: `make test`.

Three runs go side by side: scripts of static/js in Node, the whole suite on SQLite,
and on PostgreSQL what may differ there (marker `both`). What is missing (PostgreSQL,
Redis, a browser, Node) is said at the end; with CI=true it is a failure.

    scripts/test.py [PYTEST ARGUMENTS]    all, or a part of the Python suite
    scripts/test.py --fast                on SQLite, no browser, no other processes
    scripts/test.py --nightly             only the wider variants (marker `nightly`)
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.selection import NOT_FAST, files_on_both  # noqa: E402 - found by the line above

POSTGRES_URL = os.environ.get(
    "TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres"
)
REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
# Runs that go side by side must not empty each other's.
SECOND_REDIS_URL = os.environ.get("TEST_SECOND_REDIS_URL", "redis://127.0.0.1:6379/13")
FAST = " and ".join(f"not {mark}" for mark in NOT_FAST)


@dataclass
class Run:
    """One command that runs beside the others."""

    name: str
    environment: dict[str, str]
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    seconds: float = 0.0


def answers(url: str, default_port: int) -> bool:
    """Return whether something listens at the host and port of the URL."""
    parts = urlsplit(url)
    try:
        address = (parts.hostname or "127.0.0.1", parts.port or default_port)
        with socket.create_connection(address, timeout=3):
            return True
    except OSError:
        return False


def browser() -> str | None:
    """Return the path of a Chromium; None where there is none."""
    names = (
        os.environ.get("CHROMIUM"),
        # The same engine without a window's trimmings: a sixth less processor.
        "chromium-headless-shell",
        "chromium",
        "chromium-browser",
        "google-chrome",
    )
    return next((path for name in names if name and (path := shutil.which(name))), None)


def base_environment() -> dict[str, str]:
    """Return the environment without what would change the tests or slow them down."""
    kept = {
        name: value
        for name, value in os.environ.items()
        # A developer's own settings must not change what is tested.
        if not name.startswith("REBOOT_")
        and name not in {"DATABASE_URL", "DEBUG", "REDIS_URL"}
    }
    # Rewriting asserts and compiling modules costs more than importing them, in
    # every worker and in each of the hundreds of processes that tests start.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    kept["PYTHONPYCACHEPREFIX"] = str(Path(sys.prefix) / "bytecode")
    return kept


def at_once(runs: list[Run]) -> None:
    """Run all; the first one's output is seen at once, the others' when they end."""
    with tempfile.TemporaryDirectory(prefix="tests-") as folder, ExitStack() as stack:
        outputs = [Path(folder) / run.name for run in runs]
        try:
            _start_and_wait(
                runs,
                [None]
                + [stack.enter_context(output.open("wb")) for output in outputs[1:]],
            )
        except BaseException:
            for run in runs:
                if run.process is not None:
                    run.process.terminate()
                    run.process.wait()
            raise
        for run, output in zip(runs[1:], outputs[1:], strict=True):
            print(f"\n=== Tests on {run.name}", flush=True)
            sys.stdout.buffer.write(output.read_bytes())
            sys.stdout.flush()


def _start_and_wait(runs: list[Run], outputs: list[IO[bytes] | None]) -> None:
    began = time.monotonic()
    for run, output in zip(runs, outputs, strict=True):
        run.process = subprocess.Popen(
            run.command,
            cwd=ROOT,
            env=run.environment,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
        )
    waiting = list(runs)
    while waiting:
        time.sleep(0.2)
        for run in list(waiting):
            if run.process is not None and run.process.poll() is not None:
                run.seconds = time.monotonic() - began
                waiting.remove(run)


def main() -> int:
    """Run all tests and return the exit status."""
    extra = sys.argv[1:]
    if {"-h", "--help"} & set(extra):
        print(__doc__)
        return 0
    is_fast = "--fast" in extra
    which = "nightly" if "--nightly" in extra else "not nightly"
    extra = [it for it in extra if it not in {"--fast", "--nightly"}]
    is_ci = os.environ.get("CI") == "true"
    base = base_environment()
    missing = []
    pytest = [sys.executable, "-m", "pytest", "-q", "--dist", "loadfile"]
    # In the order of tests/conftest.py: what takes longest comes first.
    pytest += ["--no-loadscope-reorder"]
    if is_ci:
        # One second try, named in the report (R): a browser or a killed process on
        # a busy host must not hold back a change, and must not go unseen either.
        pytest += ["--reruns", "1", "-rR"]
    if is_fast:
        runs = [Run("SQLite", base, [*pytest, "-n", "2", "-m", FAST, *extra])]
    else:
        has_postgres = answers(POSTGRES_URL, 5432)
        if has_postgres:
            base["TEST_POSTGRES_URL"] = POSTGRES_URL
        else:
            missing.append(f"PostgreSQL (nothing answers at {_place(POSTGRES_URL)})")
        if answers(REDIS_URL, 6379):
            base["TEST_REDIS_URL"] = REDIS_URL
        else:
            missing.append(f"Redis (nothing answers at {_place(REDIS_URL)})")
        if chromium := browser():
            base["CHROMIUM"] = chromium
        else:
            missing.append("browser (no Chromium found; set CHROMIUM to its path)")
        # Five on two processors: many tests wait for a browser, another process, or
        # until somebody lets go of a lock.
        runs = [Run("SQLite", base, [*pytest, "-n", "3", "-m", which, *extra])]
        if has_postgres:
            on_postgres = base | {
                "DATABASE_URL": POSTGRES_URL,
                "TEST_DATABASE_NAME": os.environ.get(
                    "TEST_DATABASE_NAME", "test_dashboard"
                ),
                **(
                    {"TEST_REDIS_URL": SECOND_REDIS_URL}
                    if "TEST_REDIS_URL" in base
                    else {}
                ),
                # No test asks what a power cut leaves behind.
                "PGOPTIONS": "-c synchronous_commit=off",
            }
            runs.append(
                Run(
                    "PostgreSQL",
                    on_postgres,
                    [*pytest, "-n", "2", "-m", f"both and {which}"]
                    + (extra or files_on_both()),
                )
            )
        # With arguments, a part of the Python suite is meant.
        if not extra and which != "nightly":
            if node := shutil.which("node"):
                files = sorted(map(str, (ROOT / "tests/js").glob("*.test.mjs")))
                runs.append(Run("Node", base, [node, "--test", *files]))
            else:
                missing.append("tests of static/js (no Node found)")
    print(f"=== Tests on {runs[0].name}", flush=True)
    at_once(runs)

    print("\n=== Summary")
    # 5: none of the chosen tests runs on this database.
    failed = [
        run for run in runs if run.process and run.process.returncode not in (0, 5)
    ]
    for run in runs:
        verdict = "FAILED" if run in failed else "passed"
        print(f"{run.name}: {verdict} in {run.seconds:.0f} s")
    for item in missing:
        print(f"Skipped: {item}")
    if missing and is_ci:
        print("With CI=true nothing may be skipped.")
        return 1
    return 1 if failed else 0


def _place(url: str) -> str:
    """Host and port without credentials."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}"


if __name__ == "__main__":
    sys.exit(main())
