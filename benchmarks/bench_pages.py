# ruff: noqa: S608 - names of tables and numbers of this file alone
"""Pages and JSON under load, at growing numbers of athletes.

    python -m benchmarks.bench_pages [--sizes 100,10000,100000] [--seconds 6]

Gunicorn with 2 processes, 16 clients, all on this machine. Athletes, two sessions each
and five swings a session are copied inside the database, without frames. PostgreSQL
where one answers (BENCH_POSTGRES_URL), else SQLite. The same list of athletes, written
with FastAPI and SQLAlchemy (`benchmarks/peer_fastapi.py`), is asked on the same table.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests

from benchmarks.bench_cold import free_port, start, stop, wait
from benchmarks.bench_frames import LOCAL_POSTGRES
from benchmarks.results import ROOT, Report, Result, table

CLIENTS = 16
GROWTH_BAR = 1.5
SERVER_BAR_MS = 300.0
Json = dict[str, Any]


# --- In a child process with its own DATABASE_URL ----------------------------------


def fill(count: int) -> Json:
    """Grow the tables to `count` athletes; who may ask, and what."""
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from athletes.models import Player, SessionMetric
    from athletes.models import Session as SessionRow
    from tests import factories

    if not Player.objects.exists():
        session = factories.make_session()
        factories.make_swing(session=session)
        factories.make_session_metric(session=session)
    with connection.cursor() as cursor:
        _copy(cursor, count - Player.objects.count(), connection.vendor)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    else:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    call_command("createcachetable", verbosity=0)
    user = get_user_model().objects.filter(username="bench").first()
    user = user or factories.make_superuser(username="bench")
    client = Client()
    client.force_login(user)
    newest = SessionRow.objects.order_by("-pk").values("pk", "player_id")[0]
    paths = {
        "home": "/",
        "athlete list": "/athletes/",
        "athlete list, searched": "/athletes/?q=athlete",
        "one athlete": f"/athletes/{newest['player_id']}/",
        "one session": f"/athletes/sessions/{newest['pk']}/",
        "GET /players?limit=100": "/players?limit=100",
    }
    return {
        "paths": paths,
        "queries": {name: _queries(client, path) for name, path in paths.items()},
        "cookie": client.cookies["sessionid"].value,
        "swings": SessionRow.objects.count() * 5,
        "metrics": SessionMetric.objects.count(),
    }


def _queries(client: Any, path: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    if answer.status_code != 200:
        raise SystemExit(f"{path} answers {answer.status_code}.")
    return len(queries)


def _copy(cursor: Any, count: int, vendor: str) -> None:
    """Rows as copies of the first one of each table, made by the database itself."""
    from athletes.models import Movement, Player, Session, SessionMetric

    if count <= 0:
        return
    is_postgres = vendor == "postgresql"
    cursor.execute("SELECT MAX(id) FROM players")
    (last,) = cursor.fetchone()

    def series(first: int, end: int) -> str:
        if is_postgres:
            return f"generate_series({first}, {end}) AS s(n)"
        return (
            f"(WITH RECURSIVE c(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM c "
            f"WHERE n < {end}) SELECT n FROM c) AS s"
        )

    def insert(model: Any, changed: dict[str, str], source: str) -> None:
        table_name = model._meta.db_table
        columns = [field.column for field in model._meta.concrete_fields[1:]]
        values = ", ".join(changed.get(column, f"t.{column}") for column in columns)
        first = f"(SELECT * FROM {table_name} ORDER BY id LIMIT 1) AS t"
        cursor.execute(
            f"INSERT INTO {table_name} ({', '.join(columns)}) "
            f"SELECT {values} FROM {first}, {source}"
        )

    # Spread over the alphabet, so that the order of names is not that of ids.
    number = "CAST((n * 7919) % 100003 AS text)"
    insert(
        Player,
        {
            "org_player_id": "'bench-' || CAST(n AS text)",
            "reboot_player_id": "'bench-' || CAST(n AS text)",
            "last_name": f"'Athlete ' || {number}",
            "search_text": f"'invented athlete ' || {number}",
            "session_count": "2",
            "swing_count": "10",
            "last_session_on": "DATE '2026-03-01'" if is_postgres else "'2026-03-01'",
        },
        series(last + 1, last + count),
    )
    day = (
        "DATE '2026-03-01' - CAST(s.n * 30 + p.id % 300 AS integer)"
        if is_postgres
        else "date('2026-03-01', '-' || (s.n * 30 + p.id % 300) || ' days')"
    )
    cursor.execute("SELECT MAX(id) FROM sessions")
    (last_session,) = cursor.fetchone()
    insert(
        Session,
        {
            "session_id": "'bench-' || CAST(p.id AS text) || '-' || CAST(s.n AS text)",
            "player_id": "p.id",
            "session_date": day,
            "swing_count": "5",
        },
        f"(SELECT id FROM players WHERE id > {last}) AS p, {series(1, 2)}",
    )
    new = f"(SELECT id FROM sessions WHERE id > {last_session}) AS p"
    insert(
        Movement,
        {
            "session_id": "p.id",
            "org_movement_id": "'bench-' || CAST(s.n AS text)",
            "position": "s.n",
        },
        f"{new}, {series(1, 5)}",
    )
    insert(SessionMetric, {"session_id": "p.id"}, new)


# --- Load ---------------------------------------------------------------------------


def load(url: str, cookie: str, seconds: float) -> Json:
    """What 16 clients get from one address: p50, p95 (ms) and requests a second."""
    times: list[float] = []
    failures: list[int] = []
    end = time.perf_counter() + seconds

    def ask() -> None:
        with requests.Session() as session:
            session.cookies.set("sessionid", cookie)
            while time.perf_counter() < end:
                began = time.perf_counter()
                answer = session.get(url, timeout=60)
                times.append(time.perf_counter() - began)
                if answer.status_code != 200:
                    failures.append(answer.status_code)

    began = time.perf_counter()
    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.perf_counter() - began
    if failures:
        raise SystemExit(f"{url}: {len(failures)} answers with {set(failures)}.")
    cuts = statistics.quantiles(times, n=20)
    return {
        "p50": 1e3 * statistics.median(times),
        "p95": 1e3 * cuts[18],
        "rate": len(times) / spent,
    }


def alone_ms(url: str, cookie: str) -> float:
    """Median time of one client by itself: the server's time and little else."""
    times = []
    with requests.Session() as session:
        session.cookies.set("sessionid", cookie)
        for _ in range(12):
            began = time.perf_counter()
            session.get(url, timeout=60).raise_for_status()
            times.append(time.perf_counter() - began)
    return 1e3 * statistics.median(times)


@contextmanager
def database(folder: str) -> Iterator[tuple[str, str]]:
    """An own database: its URL and its kind."""
    import psycopg

    server = os.environ.get("BENCH_POSTGRES_URL", LOCAL_POSTGRES)
    try:
        psycopg.connect(server, connect_timeout=3).close()
    except psycopg.OperationalError:
        yield f"sqlite:///{folder}/pages.sqlite3", "SQLite"
        return
    name = f"bench_pages_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as link:
        link.execute(f'CREATE DATABASE "{name}"')
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}")), "PostgreSQL"
    finally:
        with psycopg.connect(server, autocommit=True) as link:
            link.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def measure(sizes: list[int], seconds: float) -> Report:
    found: dict[int, Json] = {}
    peer: Json = {}
    with tempfile.TemporaryDirectory() as folder, database(folder) as (url, kind):
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "reboot_site.settings",
            "SECRET_KEY": "of-this-benchmark-alone-0123456789-abcdefghijklmnop",
            "DATABASE_URL": url,
            "VAR_DIR": folder,
            "HTTPS": "0",
            "BIND_HOST": "127.0.0.1",
            "LOG_LEVEL": "ERROR",
            "ALLOWED_HOSTS": "127.0.0.1,testserver",
        }
        for command in ("migrate", "collectstatic"):
            subprocess.run(
                [sys.executable, "manage.py", command, "-v0", "--noinput"],
                cwd=ROOT,
                env=environment,
                check=True,
            )
        for size in sizes:
            command = [sys.executable, "-m", "benchmarks.bench_pages", "--fill"]
            done = subprocess.run(
                [*command, str(size)],
                cwd=ROOT,
                env=environment,
                check=True,
                stdout=subprocess.PIPE,
            )
            known: Json = json.loads(done.stdout.splitlines()[-1])
            print(f"{size} athletes are in.", flush=True)
            found[size] = known | {"load": {}, "alone": {}}
            port = free_port()
            here = f"http://127.0.0.1:{port}"
            words = ["-m", "gunicorn", "reboot_site.wsgi"]
            words += ["--config", "reboot_site/gunicorn.py"]
            web = start([sys.executable, *words], environment | {"PORT": str(port)})
            try:
                wait(f"{here}/health", web)
                for name, path in known["paths"].items():
                    load(here + path, known["cookie"], 0.5)
                    found[size]["alone"][name] = alone_ms(here + path, known["cookie"])
                    found[size]["load"][name] = load(
                        here + path, known["cookie"], seconds
                    )
            finally:
                stop(web)
        if kind == "PostgreSQL":
            peer = measure_peer(environment, seconds)
    return report(found, peer, kind)


def measure_peer(environment: dict[str, str], seconds: float) -> Json:
    port = free_port()
    words = ["-m", "uvicorn", "benchmarks.peer_fastapi:app", "--workers", "2"]
    words += ["--port", str(port), "--log-level", "error"]
    process = start([sys.executable, *words], environment)
    url = f"http://127.0.0.1:{port}/players?limit=100"
    try:
        wait(url, process)
        load(url, "", 0.5)
        return load(url, "", seconds)
    finally:
        stop(process)


def report(found: dict[int, Json], peer: Json, kind: str) -> Report:
    small, large = min(found), max(found)
    rows = []
    for name in found[small]["paths"]:
        few, many = found[small]["load"][name], found[large]["load"][name]
        between = "; ".join(
            f"{size}: p50 {found[size]['load'][name]['p50']:.0f}, "
            f"p95 {found[size]['load'][name]['p95']:.0f} ms"
            for size in sorted(found)[:-1]
        )
        ratio = many["p95"] / few["p95"]
        rows.append(
            Result(
                f"{name}, {large} athletes, {CLIENTS} clients",
                f"p50 {many['p50']:.0f}, p95 {many['p95']:.0f} ms, "
                f"{many['rate']:.0f} a second",
                between,
                ratio,
                f"p95 at most {GROWTH_BAR} times",
                ratio <= GROWTH_BAR,
            )
        )
        alone = found[large]["alone"][name]
        rows.append(
            Result(
                f"{name}, {large} athletes, one client",
                f"{alone:.0f} ms",
                f"{small} athletes: {found[small]['alone'][name]:.0f} ms",
                alone / found[small]["alone"][name],
                f"under {SERVER_BAR_MS:.0f} ms",
                alone < SERVER_BAR_MS,
            )
        )
        counts = {size: found[size]["queries"][name] for size in found}
        rows.append(
            Result(
                f"{name}: queries a request",
                str(counts[large]),
                f"{small} athletes: {counts[small]}",
                counts[large] / max(1, counts[small]),
                "the same number",
                len(set(counts.values())) == 1,
            )
        )
    if peer:
        ours = found[large]["load"]["GET /players?limit=100"]
        rows.append(
            Result(
                "GET /players?limit=100: requests a second",
                f"{ours['rate']:.0f}, with a login",
                f"FastAPI and SQLAlchemy, no login: {peer['rate']:.0f}",
                ours["rate"] / peer["rate"],
                "at least as many",
                ours["rate"] >= peer["rate"],
            )
        )
    return Report(
        "bench_pages",
        "Pages and JSON under load",
        f"{kind}, up to {large} athletes and {found[large]['swings']} swings without "
        f"frames; gunicorn with 2 processes, {CLIENTS} clients on the same machine",
        tuple(rows),
    )


def run(is_quick: bool) -> Report:
    """For `make bench`."""
    return measure([100, 2000], 2.0) if is_quick else measure([100, 10_000, 100_000], 6)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", default="100,10000,100000")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--fill", type=int)
    options = parser.parse_args()
    if options.fill:
        print(json.dumps(fill(options.fill)))
        return 0
    sizes = [int(size) for size in options.sizes.split(",")]
    print(table(measure(sizes, options.seconds).results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
