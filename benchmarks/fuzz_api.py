"""Throws generated requests at the running JSON API: `make fuzz`.

Starts the web server on a fresh database, fills it with a few invented rows, and
lets schemathesis read the OpenAPI document and send at least `--cases` requests,
good and bad. Any answer with 500 or above, or outside its documented status,
content type or schema, is a failure.

    python -m benchmarks.fuzz_api --cases 5000
    DATABASE_URL=postgres://… python -m benchmarks.fuzz_api

With PostgreSQL a database of its own is made on that server and dropped again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)

# What no schema can say: which columns the frames of a movement or a session have,
# whether the athlete to go on from is still there, and what a cursor is. They answer
# 422.
CONFIG = """
[[operations]]
include-path = [
    "/movements/{id}/data", "/sessions/{id}/data",
    "/players", "/sessions", "/movements", "/exports/metrics",
]
checks.positive_data_acceptance.expected-statuses = ["2xx", 304, 404, 422]
"""


def run_schemathesis(
    url: str,
    *,
    headers: Mapping[str, str],
    examples: int,
    folder: Path,
    phases: str = "examples,coverage,fuzzing",
    seed: int = 1,
) -> tuple[int, int, str]:
    """Exit status, number of requests sent, and what was printed."""
    report = folder / "events.ndjson"
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG, encoding="utf-8")
    command = [
        str(Path(sys.executable).with_name("st")),
        *("--config-file", str(config)),
        *("run", f"{url}/openapi.json"),
        *("--checks", ",".join(CHECKS)),
        *("--phases", phases),
        *("--max-examples", str(examples)),
        *("--seed", str(seed)),
        *("--generation-database", "none"),
        *("--suppress-health-check", "all"),
        *("--warnings", "off"),
        *("--request-timeout", "20"),
        *("--report", "ndjson", "--report-ndjson-path", str(report)),
        "--continue-on-failure",
        "--no-color",
    ]
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, _count_requests(report), done.stdout + done.stderr


def _count_requests(report: Path) -> int:
    """Requests that the report holds, one for each interaction."""
    if not report.exists():
        return 0
    count = 0
    with report.open(encoding="utf-8") as lines:
        for line in lines:
            count += _requests_in(json.loads(line))
    return count


def _requests_in(event: object) -> int:
    if isinstance(event, dict):
        if "interactions" in event:
            return len(event["interactions"])
        return sum(map(_requests_in, event.values()))
    return 0


# --- The server -----------------------------------------------------------------


def main() -> int:
    """Send generated requests; exit status 1 when an answer breaks its contract."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        return _fuzz(Path(name), options.cases, options.seed)


def _fuzz(folder: Path, cases: int, seed: int) -> int:
    given = os.environ.get("DATABASE_URL", "")
    port = _free_port()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "reboot_site.settings",
        "SECRET_KEY": "of-a-server-that-lives-for-minutes-0123456789",
        "HTTPS": "0",
        "VAR_DIR": str(folder),
        "PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "LOG_LEVEL": "WARNING",
        "API_TOKEN_CALLS_PER_MINUTE": "1000000",
    }
    drop = None
    if given.startswith("postgres"):
        os.environ["DATABASE_URL"], drop = _own_postgresql(given)
    else:
        os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'fuzz.sqlite3'}"
    try:
        token = _prepared_token()
        log = (folder / "server.log").open("w")
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "reboot_site.wsgi"),
                *("--config", "reboot_site/gunicorn.py"),
            ],
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        try:
            _wait(f"http://127.0.0.1:{port}/health", server)
            return _rounds(f"http://127.0.0.1:{port}", token, folder, cases, seed)
        finally:
            server.terminate()
            server.wait(30)
            log.close()
            errors = (folder / "server.log").read_text(encoding="utf-8")
            if "Traceback" in errors:
                print(errors[-4000:])
    finally:
        if drop is not None:
            drop()


def _rounds(url: str, token: str, folder: Path, cases: int, seed: int) -> int:
    """Rounds with new seeds until enough requests were sent; the worst status."""
    headers = {"Authorization": f"Bearer {token}"}
    sent, began = 0, time.monotonic()
    while sent < cases:
        status, count, text = run_schemathesis(
            url, headers=headers, examples=200, folder=folder, seed=seed
        )
        sent += count
        print(f"seed {seed}: {count} requests, exit status {status}", flush=True)
        if status != 0 or count == 0:
            print("\n".join(line[:400] for line in text.splitlines()))
            return status or 1
        seed += 1
    print(f"{sent} requests in {time.monotonic() - began:.0f} s: nothing wrong.")
    return 0


def _prepared_token() -> str:
    import django

    django.setup()
    from django.core.management import call_command

    from accounts.services import create_token
    from tests import factories

    call_command("migrate", verbosity=0)
    # Error pages name static files, also the page that says "not found".
    call_command("collectstatic", verbosity=0, interactive=False)
    for _ in range(3):
        session = factories.make_synced_session()
        for movement in session.movements.all():
            factories.make_frames(movement=movement)
        factories.make_session_metric(session=session)
    _, secret = create_token(name="fuzz", scope="sync")
    from django.db import connections

    connections.close_all()
    return secret


def _own_postgresql(url: str):  # type: ignore[no-untyped-def]
    import psycopg

    name = f"fuzz_api_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')

    def drop() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    return urlunsplit(urlsplit(url)._replace(path=f"/{name}")), drop


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if server.poll() is not None:
            raise SystemExit("The web server did not start.")
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310  # ours
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The web server does not answer.")


if __name__ == "__main__":
    sys.exit(main())
