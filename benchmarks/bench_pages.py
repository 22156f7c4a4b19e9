# ruff: noqa: S608 - names of tables and numbers of this file alone
"""Pages and JSON under load, at growing numbers of athletes.

    python -m benchmarks.bench_pages [--sizes 100,10000,100000] [--seconds 6]
    python -m benchmarks.bench_pages --only players [--sizes 100000] [--seconds 20]

Gunicorn with 2 processes, 16 clients, all on this machine. Athletes, two sessions each
with all headline numbers and five swings a session are copied inside the database,
without frames. The athlete, the sessions and the swings whose pages are asked for are
simulated whole: an athlete of 30 sessions with a trend, another to compare with, and
everybody else to be compared with. PostgreSQL where one answers (BENCH_POSTGRES_URL),
else SQLite. The same list of athletes, written with FastAPI and SQLAlchemy
(`benchmarks/peer_fastapi.py`), is asked on the same table: by a program with a bearer
token, which both look up. `--only players` measures that alone, in a few minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests

from benchmarks.bench_cold import free_port, start, stop, wait
from benchmarks.bench_frames import LOCAL_POSTGRES
from benchmarks.results import ROOT, Report, Result, section

CLIENTS = 16
GROWTH_BAR = 1.5
SERVER_BAR_MS = 300.0
Json = dict[str, Any]


# --- In a child process with its own DATABASE_URL ----------------------------------


def fill(count: int, *, only_players: bool = False) -> Json:
    """Grow the tables to `count` athletes; who may ask, and what."""
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client

    from accounts.services import create_token
    from athletes.analysis import peer_numbers
    from athletes.models import Player, SessionMetric
    from athletes.models import Session as SessionRow
    from tests import factories

    _, secret = create_token(name=f"bench {count}")
    if only_players:
        if not Player.objects.exists():
            factories.make_player()
        with connection.cursor() as cursor:
            _copy_players(cursor, count - Player.objects.count(), connection.vendor)
            cursor.execute(_TIDY[connection.vendor])
        return {"token": secret}
    if not Player.objects.exists():
        session = factories.make_session()
        factories.make_swing(session=session)
        factories.make_session_metric(session=session, basis="reference=bat_peak")
        _simulate()
    with connection.cursor() as cursor:
        _copy(cursor, count - Player.objects.count(), connection.vendor)
        _give_levels(cursor)
        # What stands in a database for a day has been counted by it.
        cursor.execute("ANALYZE")
    began = time.perf_counter()
    peer_numbers.rebuild()
    rebuilt_s = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute(_TIDY[connection.vendor])
    user = get_user_model().objects.filter(username="bench").first()
    user = user or factories.make_superuser(username="bench")
    client = Client()
    client.force_login(user)
    asked, other = Player.objects.filter(org_player_id__in=_ASKED).order_by("pk")
    sessions = SessionRow.objects.filter(player=asked).order_by("-session_date")
    newest = [session.pk for session in sessions[:6]]
    swing = sessions[0].movements.filter(is_swing=True).in_session_order()[0]
    compared = ",".join(f"session-{pk}" for pk in newest)
    paths = {
        "home": "/",
        "athlete list": "/athletes/",
        "athlete list, searched": "/athletes/?q=athlete",
        "athlete list, searched with a typing error": "/athletes/?q=athlte",
        "one athlete: trend of 30 sessions, percentiles": f"/athletes/{asked.pk}/",
        "one athlete among all ages": f"/athletes/{asked.pk}/?among=all",
        "one athlete within a playing level": f"/athletes/{asked.pk}/?among=level",
        "one session": f"/athletes/sessions/{newest[0]}/",
        "one swing": f"/athletes/swings/{swing.pk}/",
        "compare two athletes": "/athletes/compare/?items="
        f"athlete-{asked.pk},athlete-{other.pk}",
        "compare six sessions": f"/athletes/compare/?items={compared}",
        "GET /players?limit=100": "/players?limit=100",
        "admin, start": "/admin/",
        "admin, athletes": "/admin/athletes/player/",
        "admin, athletes searched": "/admin/athletes/player/?q=athlete",
        "admin, sessions": "/admin/athletes/session/",
        "admin, sessions searched": "/admin/athletes/session/?q=athlete",
        "admin, movements": "/admin/athletes/movement/",
        "admin, means of sessions": "/admin/athletes/sessionmetric/",
        "admin, choosing an athlete": "/admin/autocomplete/?app_label=accounts"
        "&model_name=team&field_name=players&term=athlete",
    }
    return {
        "paths": paths,
        "queries": {name: _queries(client, path) for name, path in paths.items()},
        "cookie": client.cookies["sessionid"].value,
        "token": secret,
        "rebuilt_s": rebuilt_s,
        "swings": SessionRow.objects.count() * 5,
        "metrics": SessionMetric.objects.count(),
    }


_ASKED = ("asked-1", "asked-2")
_TIDY = {"postgresql": "VACUUM ANALYZE", "sqlite": "ANALYZE"}


def _simulate() -> None:
    """Two athletes with all that a sync brings: 30 sessions, and 2."""
    import datetime as dt

    from athletes.analysis import run, summaries
    from tests import factories

    for name, sessions in zip(_ASKED, (30, 2), strict=True):
        player = factories.make_player(
            org_player_id=name, date_of_birth=dt.date(2012, 5, 1)
        )
        for place in range(sessions):
            day = dt.date(2026, 3, 1) - dt.timedelta(days=7 * place)
            session = factories.make_session(player=player, session_date=day)
            factories.store_simulated(session, factories.simulated_movements())
            run.analyze_session(session.pk)
        summaries.refresh_player_summaries([player.pk])


LEVELS = 8


def _give_levels(cursor: Any) -> None:
    """Record one of eight levels for each athlete without one, and an earlier for half.

    The athlete whose page is requested is at the first, with an eighth of all.
    """
    from athletes.models import Level, Player

    names = [f"bench {place}" for place in range(LEVELS)]
    if not Level.objects.filter(name=names[0]).exists():
        Level.objects.bulk_create(Level(name=name) for name in names)
    first = Level.objects.get(name=names[0]).pk
    asked = Player.objects.get(org_player_id=_ASKED[0]).pk
    at = f"{first} + (id + {LEVELS} - {asked} % {LEVELS}) % {LEVELS}"
    before = f"{first} + (id / {LEVELS}) % {LEVELS}"
    for level, since, who in (
        (before, "2025-01-01", "id % 2 = 0"),
        (at, "2025-09-01", "TRUE"),
    ):
        cursor.execute(
            "INSERT INTO athletes_athletelevel (player_id, level_id, since, created_at)"
            f" SELECT id, {level}, '{since}', '{since} 00:00:00' FROM players"
            f" WHERE {who} AND NOT EXISTS (SELECT 1 FROM athletes_athletelevel"
            f" WHERE player_id = players.id AND since = '{since}')"
        )


def _queries(client: Any, path: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    if answer.status_code != 200:
        raise SystemExit(f"{path} answers {answer.status_code}.")
    return len(queries)


def _series(first: int, end: int, vendor: str) -> str:
    if vendor == "postgresql":
        return f"generate_series({first}, {end}) AS s(n)"
    return (
        f"(WITH RECURSIVE c(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM c "
        f"WHERE n < {end}) SELECT n FROM c) AS s"
    )


def _insert(cursor: Any, model: Any, changed: dict[str, str], source: str) -> None:
    """Rows as copies of the first one of a table, made by the database itself."""
    table_name = model._meta.db_table
    columns = [field.column for field in model._meta.concrete_fields[1:]]
    values = ", ".join(changed.get(column, f"t.{column}") for column in columns)
    first = f"(SELECT * FROM {table_name} ORDER BY id LIMIT 1) AS t"
    cursor.execute(
        f"INSERT INTO {table_name} ({', '.join(columns)}) "
        f"SELECT {values} FROM {first}, {source}"
    )


def _copy_players(cursor: Any, count: int, vendor: str) -> int:
    """So many more athletes; the highest id before them."""
    from athletes.models import Player

    is_postgres = vendor == "postgresql"
    cursor.execute("SELECT MAX(id) FROM players")
    (last,) = cursor.fetchone()
    if count <= 0:
        return int(last)
    # Spread over the alphabet, so that the order of names is not that of ids.
    number = "CAST((n * 7919) % 100003 AS text)"
    _insert(
        cursor,
        Player,
        {
            "org_player_id": "'bench-' || CAST(n AS text)",
            "date_of_birth": "DATE '2003-01-01' + CAST(n * 7 % 5000 AS integer)"
            if is_postgres
            else "date('2003-01-01', '+' || (n * 7 % 5000) || ' days')",
            "reboot_player_id": "'bench-' || CAST(n AS text)",
            "last_name": f"'Athlete ' || {number}",
            "search_text": f"'invented athlete ' || {number}",
            "session_count": "2",
            "swing_count": "10",
            "last_session_on": "DATE '2026-03-01'" if is_postgres else "'2026-03-01'",
        },
        _series(last + 1, last + count, vendor),
    )
    return int(last)


def _copy(cursor: Any, count: int, vendor: str) -> None:
    """So many more athletes, with sessions, movements and means."""
    from athletes.models import Movement, Session, SessionMetric
    from biomechanics.definitions import METHOD_VERSION, METRICS, NUMERIC_HEADLINES

    if count <= 0:
        return
    is_postgres = vendor == "postgresql"
    last = _copy_players(cursor, count, vendor)
    day = (
        "DATE '2026-03-01' - CAST(s.n * 30 + p.id % 300 AS integer)"
        if is_postgres
        else "date('2026-03-01', '-' || (s.n * 30 + p.id % 300) || ' days')"
    )
    cursor.execute("SELECT MAX(id) FROM sessions")
    (last_session,) = cursor.fetchone()
    _insert(
        cursor,
        Session,
        {
            "session_id": "'bench-' || CAST(p.id AS text) || '-' || CAST(s.n AS text)",
            "player_id": "p.id",
            "session_date": day,
            "swing_count": "5",
        },
        f"(SELECT id FROM players WHERE id > {last}) AS p, {_series(1, 2, vendor)}",
    )
    new = f"(SELECT id FROM sessions WHERE id > {last_session}) AS p"
    _insert(
        cursor,
        Movement,
        {
            "session_id": "p.id",
            "org_movement_id": "'bench-' || CAST(s.n AS text)",
            "position": "s.n",
        },
        f"{new}, {_series(1, 5, vendor)}",
    )
    # Every headline number, spread over what is plausible of it.
    metrics = []
    for place, name in enumerate(NUMERIC_HEADLINES, start=1):
        low, high = METRICS[name].plausible or (0, 60)
        metrics.append(
            f"SELECT {place} AS place, '{name}' AS name, {low} AS low, {high} AS high"
        )
    _insert(
        cursor,
        SessionMetric,
        {
            "session_id": "p.id",
            "metric": "m.name",
            "mean": "m.low + (m.high - m.low) * 1.0 "
            "* ((p.id * 7919 + m.place * 104729) % 100003) / 100003",
            "method_version": f"'{METHOD_VERSION}'",
        },
        f"{new}, ({' UNION ALL '.join(metrics)}) AS m",
    )


# --- Load ---------------------------------------------------------------------------


@dataclass
class Asked:
    """What came of asking one address: times, and what the servers spent on it."""

    times: list[float] = field(default_factory=list)
    spent_s: float = 0.0
    cpu_s: float = 0.0

    @property
    def p50(self) -> float:
        """Return the median wait in milliseconds."""
        return 1e3 * statistics.median(self.times)

    @property
    def p95(self) -> float:
        """Return the wait in milliseconds that one answer of twenty exceeds."""
        return 1e3 * statistics.quantiles(self.times, n=20)[18]

    @property
    def rate(self) -> float:
        """Return answers a second."""
        return len(self.times) / self.spent_s

    @property
    def cpu_ms(self) -> float:
        """Return the processor time of one answer in milliseconds."""
        return 1e3 * self.cpu_s / len(self.times)


@dataclass(frozen=True)
class Server:
    """A web server of its own over one database."""

    here: str
    process: subprocess.Popen[bytes]
    database: str  # empty: not PostgreSQL

    def cpu_s(self) -> float:
        """Seconds of processor that its processes and its database have used.

        The clock on the wall counts what else this machine does; this does not.
        """
        pids = [self.process.pid, *_children(self.process.pid)]
        if self.database:
            pids += _backends(self.database)
        return sum(_cpu_of(pid) for pid in pids)


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in found.read_text().split()] if found.exists() else []


def _backends(database: str) -> list[int]:
    import psycopg

    with psycopg.connect(_server()) as link:
        rows = link.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s", [database]
        ).fetchall()
    return [pid for (pid,) in rows]


def _cpu_of(pid: int) -> float:
    """Processor time of one process; nothing where it is on another machine."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def load(
    server: Server,
    path: str,
    seconds: float,
    into: Asked,
    clients: int,
    headers: dict[str, str],
) -> None:
    """What so many clients get from one address."""
    times: list[float] = []
    failures: list[int] = []
    used = server.cpu_s()
    began = time.perf_counter()
    end = began + seconds

    def ask() -> None:
        with requests.Session() as session:
            session.headers.update(headers)
            while time.perf_counter() < end:
                asked = time.perf_counter()
                answer = session.get(server.here + path, timeout=60)
                times.append(time.perf_counter() - asked)
                if answer.status_code != 200:
                    failures.append(answer.status_code)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(f"{path}: {len(failures)} answers with {set(failures)}.")
    into.times += times
    into.spent_s += time.perf_counter() - began
    into.cpu_s += server.cpu_s() - used


def _server() -> str:
    return os.environ.get("BENCH_POSTGRES_URL", LOCAL_POSTGRES)


@contextmanager
def databases(folder: str, sizes: list[int]) -> Iterator[tuple[list[str], str]]:
    """A database for each size: their URLs, and their kind."""
    import psycopg

    try:
        psycopg.connect(_server(), connect_timeout=3).close()
    except psycopg.OperationalError:
        yield [f"sqlite:///{folder}/pages-{size}.sqlite3" for size in sizes], "SQLite"
        return
    names = [f"bench_pages_{os.getpid()}_{size}" for size in sizes]
    try:
        yield (
            [
                urlunsplit(urlsplit(_server())._replace(path=f"/{name}"))
                for name in names
            ],
            "PostgreSQL",
        )
    finally:
        with psycopg.connect(_server(), autocommit=True) as link:
            for name in names:
                link.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _begin(url: str, previous: str | None, environment: dict[str, str]) -> None:
    """Make a database: a copy of the smaller one, the first by migrations."""
    import psycopg

    name = urlsplit(url).path.lstrip("/")
    if url.startswith("sqlite"):
        if previous:
            shutil.copy(
                previous.removeprefix("sqlite:///"), url.removeprefix("sqlite:///")
            )
    else:
        template = f' TEMPLATE "{urlsplit(previous).path[1:]}"' if previous else ""
        with psycopg.connect(_server(), autocommit=True) as link:
            link.execute(f'CREATE DATABASE "{name}"{template}')
    if previous:
        return
    for command in ("migrate", "collectstatic"):
        subprocess.run(
            [sys.executable, "manage.py", command, "-v0", "--noinput"],
            cwd=ROOT,
            env=environment,
            check=True,
        )


def measure(sizes: list[int], seconds: float, *, only_players: bool = False) -> Report:
    """All sizes side by side: what else the machine does then meets all alike."""
    found: dict[int, Json] = {}
    peer: Peer | None = None
    with (
        tempfile.TemporaryDirectory() as folder,
        databases(folder, sizes) as (urls, kind),
        ExitStack() as running,
    ):
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "reboot_site.settings",
            "SECRET_KEY": "of-this-benchmark-alone-0123456789-abcdefghijklmnop",
            "VAR_DIR": folder,
            "HTTPS": "0",
            "BIND_HOST": "127.0.0.1",
            "LOG_LEVEL": "ERROR",
            "ALLOWED_HOSTS": "127.0.0.1,testserver",
            # One program asks here as fast as it can.
            "API_TOKEN_CALLS_PER_MINUTE": "1000000",
        }
        servers: dict[int, Server] = {}
        for place, (size, url) in enumerate(zip(sizes, urls, strict=True)):
            own = environment | {"DATABASE_URL": url}
            _begin(url, urls[place - 1] if place else None, own)
            words = ["-m", "benchmarks.bench_pages", "--fill", str(size)]
            words += ["--only", "players"] if only_players else []
            done = subprocess.run(
                [sys.executable, *words],
                cwd=ROOT,
                env=own,
                check=True,
                stdout=subprocess.PIPE,
            )
            found[size] = json.loads(done.stdout.splitlines()[-1])
            print(f"{size} athletes are in.", flush=True)
        for size, url in zip(sizes, urls, strict=True):
            words = ["-m", "gunicorn", "reboot_site.wsgi"]
            words += ["--config", "reboot_site/gunicorn.py"]
            database = urlsplit(url).path[1:] if kind == "PostgreSQL" else ""
            servers[size] = _serve(
                running,
                words,
                environment | {"DATABASE_URL": url},
                "/health",
                database,
            )
        for size in sizes:
            found[size] |= {"load": {}, "alone": {}}
        for name in found[sizes[0]].get("paths", ()):
            _side_by_side(servers, found, name, seconds)
            print(f"{name}: asked.", flush=True)
        if kind == "PostgreSQL":
            peer = _against_peer(
                running,
                servers[sizes[-1]],
                environment | {"DATABASE_URL": urls[-1]},
                found[sizes[-1]]["token"],
                seconds,
            )
    return report(found, peer, kind)


def _serve(
    running: ExitStack,
    words: list[str],
    environment: dict[str, str],
    path: str,
    database: str,
) -> Server:
    port = free_port()
    if "uvicorn" in words:
        words = [*words, "--port", str(port)]
    process = start([sys.executable, *words], environment | {"PORT": str(port)})
    running.callback(stop, process)
    here = f"http://127.0.0.1:{port}"
    wait(here + path, process)
    return Server(here, process, database)


ROUNDS = 3
PEER_ROUNDS = 6  # shorter turns: two neighbors then meet the same machine


def _side_by_side(
    servers: dict[int, Server], found: dict[int, Json], name: str, seconds: float
) -> None:
    """One page at all sizes, in turns."""
    crowd = {size: Asked() for size in servers}
    alone = {size: Asked() for size in servers}
    login = {size: {"Cookie": f"sessionid={found[size]['cookie']}"} for size in servers}
    for size, server in servers.items():
        load(server, found[size]["paths"][name], 0.5, Asked(), CLIENTS, login[size])
    for _ in range(ROUNDS):
        for size, server in servers.items():
            path = found[size]["paths"][name]
            load(server, path, seconds / ROUNDS, crowd[size], CLIENTS, login[size])
            load(server, path, seconds / ROUNDS / 3, alone[size], 1, login[size])
    for size in servers:
        found[size]["load"][name] = crowd[size]
        found[size]["alone"][name] = alone[size]


@dataclass
class Peer:
    """The list of athletes of ours and of the yardstick."""

    ours: Asked = field(default_factory=Asked)
    theirs: Asked = field(default_factory=Asked)
    open: Asked = field(default_factory=Asked)  # theirs without a token


def _against_peer(
    running: ExitStack,
    ours: Server,
    environment: dict[str, str],
    token: str,
    seconds: float,
) -> Peer:
    """Ours and theirs in turns, each asked by a program with a token."""
    words = ["-m", "uvicorn", "benchmarks.peer_fastapi:app", "--workers", "2"]
    words += ["--log-level", "error"]
    page = "/players?limit=100"
    theirs = _serve(running, words, environment, f"/open{page}", ours.database)
    headers = {"Authorization": f"Bearer {token}"}
    peer = Peer()
    turns = [
        (ours, page, peer.ours),
        (theirs, page, peer.theirs),
        (theirs, f"/open{page}", peer.open),
    ]
    for server, path, _ in turns:
        load(server, path, 1.0, Asked(), CLIENTS, headers)
    for _ in range(PEER_ROUNDS):
        for server, path, into in turns:
            load(server, path, seconds / PEER_ROUNDS, into, CLIENTS, headers)
    return peer


def _peer_rows(peer: Peer, size: int) -> list[Result]:
    rows = []
    for theirs, what, bar in (
        (peer.theirs, "looking up the token too", "at least as many"),
        (peer.open, "letting everybody in", "–"),
    ):
        is_met = peer.ours.rate >= theirs.rate if theirs is peer.theirs else None
        rows.append(
            Result(
                f"GET /players?limit=100 with a token, {size} athletes: "
                "requests a second",
                f"{peer.ours.rate:.0f}; {peer.ours.cpu_ms:.1f} ms of processor",
                f"FastAPI and SQLAlchemy, {what}: {theirs.rate:.0f}; "
                f"{theirs.cpu_ms:.1f} ms of processor",
                peer.ours.rate / theirs.rate,
                bar,
                is_met,
            )
        )
    return rows


def report(found: dict[int, Json], peer: Peer | None, kind: str) -> Report:
    """Return the rows of all pages and sizes."""
    small, large = min(found), max(found)
    rows = []
    for name in found[small].get("paths", ()):
        crowd = {size: found[size]["load"][name] for size in sorted(found)}
        few, many = crowd[small], crowd[large]
        between = "; ".join(
            f"{size}: p50 {asked.p50:.0f}, p95 {asked.p95:.0f} ms"
            for size, asked in crowd.items()
            if size != large
        )
        rows.append(
            Result(
                f"{name}, {large} athletes, {CLIENTS} clients",
                f"p50 {many.p50:.0f}, p95 {many.p95:.0f} ms, {many.rate:.0f} a second",
                between,
                many.p95 / few.p95,
                f"p95 at most {GROWTH_BAR} times",
                many.p95 <= GROWTH_BAR * few.p95,
            )
        )
        alone, alone_few = found[large]["alone"][name], found[small]["alone"][name]
        rows.append(
            Result(
                f"{name}, {large} athletes: server time (processor, web and database)",
                f"{alone.cpu_ms:.0f} ms; one client waited {alone.p50:.0f} ms",
                f"{small} athletes: {alone_few.cpu_ms:.0f} ms; "
                f"waited {alone_few.p50:.0f} ms",
                alone.cpu_ms / alone_few.cpu_ms,
                f"under {SERVER_BAR_MS:.0f} ms",
                alone.cpu_ms < SERVER_BAR_MS,
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
    if "rebuilt_s" in found[large]:
        rows.append(
            Result(
                "everybody's place among all, computed again (recompute_metrics)",
                f"{found[large]['rebuilt_s']:.0f} s for {large} athletes",
                f"{small} athletes: {found[small]['rebuilt_s']:.1f} s",
            )
        )
    if peer:
        rows += _peer_rows(peer, large)
    swings = (
        f" and {found[large]['swings']} swings without frames"
        if "swings" in found[large]
        else ""
    )
    return Report(
        "bench_pages",
        "Pages and JSON under load",
        f"{kind}, up to {large} athletes{swings}; "
        f"gunicorn with 2 processes, {CLIENTS} clients on the same machine; "
        "sizes and peers are asked in turns",
        tuple(rows),
    )


def run(is_quick: bool) -> Report:
    """For `make bench`."""
    return measure([100, 2000], 2.0) if is_quick else measure([100, 10_000, 100_000], 6)


def main() -> int:
    """Run this benchmark alone and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--only", choices=["players"])
    parser.add_argument("--fill", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    only_players = options.only == "players"
    if options.fill:
        print(json.dumps(fill(options.fill, only_players=only_players)))
        return 0
    sizes = options.sizes or ("100000" if only_players else "100,10000,100000")
    began = time.monotonic()
    found = measure(
        [int(size) for size in sizes.split(",")],
        options.seconds or (20.0 if only_players else 6.0),
        only_players=only_players,
    )
    print(section(found, is_quick=False, seconds=time.monotonic() - began))
    return 0


if __name__ == "__main__":
    sys.exit(main())
