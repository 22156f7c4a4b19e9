"""Runs every test that can run on this machine: `make test`.

The suite runs on SQLite, then again on PostgreSQL where a server answers; tests of
the scripts in static/js run in Node. What is missing (PostgreSQL, Redis, a browser,
Node) is said at the end; with CI=true it is a failure.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
POSTGRES_URL = os.environ.get(
    "TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres"
)
REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")


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
        "chromium",
        "chromium-browser",
        "google-chrome",
    )
    return next((path for name in names if name and (path := shutil.which(name))), None)


def main() -> int:
    """Run all tests and return the exit status."""
    base = {
        k: v
        for k, v in os.environ.items()
        # A developer's own settings must not change what is tested.
        if not k.startswith("REBOOT_")
        and k not in {"DATABASE_URL", "DEBUG", "REDIS_URL"}
    }
    missing = []
    has_postgres = answers(POSTGRES_URL, 5432)
    if has_postgres:
        base["TEST_POSTGRES_URL"] = POSTGRES_URL
    else:
        missing.append(f"PostgreSQL (nothing answers at {_place(POSTGRES_URL)})")
    if answers(REDIS_URL, 6379):
        base["TEST_REDIS_URL"] = REDIS_URL
    else:
        missing.append(f"Redis (nothing answers at {_place(REDIS_URL)})")
    chromium = browser()
    if chromium:
        base["CHROMIUM"] = chromium
    else:
        missing.append("browser (no Chromium found; set CHROMIUM to its path)")

    extra = sys.argv[1:]
    # Three on two processors: many tests wait for another process.
    pytest = [sys.executable, "-m", "pytest", "-q", "-n", "3", "--dist", "loadfile"]
    # In the order of tests/conftest.py: what takes longest comes first.
    pytest += ["--no-loadscope-reorder"]
    if os.environ.get("CI") == "true":
        # One second try, named in the report (R): a browser or a killed process on
        # a busy host must not hold back a change, and must not go unseen either.
        pytest += ["--reruns", "1", "-rR"]
    runs = [("SQLite", base, [*pytest, *extra])]
    if has_postgres:
        on_postgres = base | {
            "DATABASE_URL": POSTGRES_URL,
            "TEST_DATABASE_NAME": os.environ.get(
                "TEST_DATABASE_NAME", "test_dashboard"
            ),
        }
        # What touches no database need not run twice.
        runs.append(
            ("PostgreSQL", on_postgres, [*pytest, "-m", "not no_database", *extra])
        )
    node = shutil.which("node")
    if not extra:  # with arguments, a part of the Python suite is meant
        if node:
            files = sorted(str(path) for path in (ROOT / "tests/js").glob("*.test.mjs"))
            runs.insert(0, ("Node", base, [node, "--test", *files]))
        else:
            missing.append("tests of static/js (no Node found)")
    results = []
    for name, environment, command in runs:
        print(f"\n=== Tests on {name}", flush=True)
        began = time.monotonic()
        status = subprocess.run(
            command, cwd=ROOT, env=environment, check=False
        ).returncode
        results.append((name, status, time.monotonic() - began))

    print("\n=== Summary")
    for name, status, seconds in results:
        print(f"{name}: {'passed' if status == 0 else 'FAILED'} in {seconds:.0f} s")
    for item in missing:
        print(f"Skipped: {item}")
    if missing and os.environ.get("CI") == "true":
        print("With CI=true nothing may be skipped.")
        return 1
    return 1 if any(status for _, status, _ in results) else 0


def _place(url: str) -> str:
    """Host and port without credentials."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}"


if __name__ == "__main__":
    sys.exit(main())
