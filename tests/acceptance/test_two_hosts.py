"""Two web servers and two queue clusters under load lose one of each by SIGKILL.

The hosts share PostgreSQL and Redis alone, as hosts of an organisation do. A balancer
in front of the web servers sends a request that got no answer to the other one; what
such a retry saves is no loss.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
import requests
from django.db import connection
from django.utils import timezone
from django_q.models import Schedule

from accounts.models import Scope
from accounts.services import create_token
from athletes.models import Session
from simulator.app import Config
from simulator.server import SimulatorServer
from syncing.choices import ACTIVE_RUNS, JobState, RunStatus
from syncing.models import ExportJob, SyncLog
from tests import factories
from tests.acceptance.conftest import ROOT, free_port
from tests.syncing.conftest import database_url

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.slow,
]

CLIENTS = 4
# Between two requests of a client: without a rest they take the hosts' processors.
REST_S = 0.1
# Of its own: another test may empty the broker of the other database.
REDIS_DATABASE = 14
SECRET_KEY = "a-key-for-these-two-hosts-only-0123456789-abcdefghijklmnop"
WAIT_S = 120


@pytest.fixture
def redis_url():
    if connection.vendor != "postgresql":
        pytest.skip("several hosts need PostgreSQL")
    given = os.environ.get("TEST_REDIS_URL", "")
    if not given and os.environ.get("CI") != "true":
        pytest.skip("no Redis; set TEST_REDIS_URL")
    url = urlsplit(given)._replace(path=f"/{REDIS_DATABASE}").geturl()
    client = redis.Redis.from_url(url)
    client.flushdb()
    yield url
    client.flushdb()
    client.close()


class Hosts:
    """Processes that share nothing but what their environment names."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.processes: list[subprocess.Popen] = []

    def start(self, name: str, command: list[str], **extra: str) -> subprocess.Popen:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment | {"VAR_DIR": str(self.folder / name)} | extra,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def manage(self, name: str, *command: str) -> None:
        process = self.start(name, [sys.executable, "manage.py", *command])
        assert process.wait(120) == 0, (self.folder / f"{name}.log").read_text()

    def web(self, name: str, port: int) -> subprocess.Popen:
        command = [sys.executable, "-m", "gunicorn", "reboot_site.wsgi"]
        command += ["--config", "reboot_site/gunicorn.py"]
        self.prepare(name)
        process = self.start(name, command, PORT=str(port), BIND_HOST="127.0.0.1")
        url = f"http://127.0.0.1:{port}/health/ready"
        wait_for(lambda: is_ready(url), f"{name} is not ready")
        return process

    def prepare(self, name: str) -> None:
        """Static files are collected once and brought to every host, as in an image."""
        static = self.folder / name / "static"
        if static.exists():
            return
        image = self.folder / "image" / "static"
        if not image.exists():
            self.manage("image", "collectstatic", "--noinput")
        shutil.copytree(image, static)

    def cluster(self, name: str) -> subprocess.Popen:
        return self.start(name, [sys.executable, "manage.py", "qcluster"])

    def lose(self, process: subprocess.Popen) -> None:
        """All of its processes at once, as when a host loses its power."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def is_ready(url: str) -> bool:
    with suppress(requests.ConnectionError):
        return requests.get(url, timeout=10).status_code == 200
    return False


def wait_for(condition, what):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@dataclass(frozen=True)
class Sent:
    """One request of a client: how it ended at each host that was asked."""

    path: str
    outcomes: tuple[int | str, ...]


class Load:
    """Clients behind a balancer that tries the other host once."""

    def __init__(self, urls: list[str], paths: list[str], secret: str) -> None:
        self.urls, self.paths, self.secret = urls, paths, secret
        self.sent: list[Sent] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._client, args=(number,))
            for number in range(CLIENTS)
        ]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _client(self, number: int) -> None:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.secret}"
        turns = itertools.cycle(self.paths)
        for turn in itertools.count(number):
            if self._stop.is_set():
                return
            self.sent.append(self._request(session, next(turns), turn))
            self._stop.wait(REST_S)

    def _request(self, session: requests.Session, path: str, turn: int) -> Sent:
        outcomes: list[int | str] = []
        for attempt in range(2):
            host = self.urls[(turn + attempt) % len(self.urls)]
            try:
                answer = session.get(host + path, timeout=30)
                outcomes.append(answer.status_code)
                if answer.status_code < 500:
                    break
            except requests.RequestException as error:
                outcomes.append(type(error).__name__)
        return Sent(path, tuple(outcomes))


def test_hosts_lost_under_load_cost_no_request_and_no_job(redis_url, tmp_path):
    # By hand: of athletes of the vendor's, its list would lack more than is believed.
    players = [factories.make_player(reboot_player_id="") for _ in range(40)]
    _, reader = create_token(name="reader", scope=Scope.READ)
    _, syncer = create_token(name="syncer", scope=Scope.SYNC)
    vendor = SimulatorServer(
        Config(
            players=8,
            sessions=14,
            swings=2,
            rate_hz=120.0,
            duration_s=1.2,
            scenario="plain",
            latency_ms=80,
        )
    )
    with vendor:
        hosts = Hosts(
            tmp_path,
            {
                **os.environ,
                "DATABASE_URL": database_url(),
                "REDIS_URL": redis_url,
                "SECRET_KEY": SECRET_KEY,
                "ALLOWED_HOSTS": "127.0.0.1",
                "DEBUG": "0",
                "HTTPS": "0",
                "WEB_CONCURRENCY": "1",
                "QUEUE_WORKERS": "2",
                "API_TOKEN_CALLS_PER_MINUTE": "1000000",
                "REBOOT_BASE_URL": vendor.url,
                "REBOOT_USERNAME": vendor.app.config.username,
                "REBOOT_PASSWORD": vendor.app.config.password,
                "REBOOT_API_KEY": "",
            },
        )
        try:
            _lose_one_of_each(hosts, vendor, players, reader, syncer)
        finally:
            for process in hosts.processes:
                hosts.lose(process)


def _lose_one_of_each(hosts, vendor, players, reader, syncer):
    hosts.manage("release", "register_schedules")
    ports = [free_port(), free_port()]
    webs = [hosts.web(f"web{n}", port) for n, port in enumerate(ports)]
    clusters = [hosts.cluster(f"cluster{n}") for n in range(2)]
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    paths = [
        "/players?limit=100",
        f"/players/{players[0].pk}",
        "/stats",
        "/sync/status",
    ]

    with Load(urls, paths, reader) as load:
        headers = {"Authorization": f"Bearer {syncer}"}
        answer = requests.post(f"{urls[0]}/sync/trigger", headers=headers, timeout=30)
        assert answer.status_code == 202
        wait_for(
            lambda: ExportJob.objects.filter(state=JobState.STORED).count() > 6,
            "nothing was stored",
        )
        run = SyncLog.objects.get()
        leading = [it for it in clusters if it.pid == os.getpgid(run.pid)]
        assert len(leading) == 1
        hosts.lose(leading[0])
        hosts.lose(webs[0])
        # Asked again while the run has no leader: taken up or joined, never doubled.
        answer = requests.post(f"{urls[1]}/sync/trigger", headers=headers, timeout=30)
        assert answer.status_code == 202
        # The schedule that sweeps comes every few minutes; here at once.
        sweeping = Schedule.objects.filter(func="syncing.tasks.sweep_task")
        deadline = time.monotonic() + WAIT_S
        while (run := SyncLog.objects.latest("pk")).status != RunStatus.SUCCESS:
            # An error that a run tells stays: waiting on would end at the deadline.
            assert run.errors == []
            assert time.monotonic() < deadline, list(SyncLog.objects.values())
            sweeping.update(next_run=timezone.now())
            time.sleep(2)

        hosts.web("web0", ports[0])
        before = len(load.sent)
        wait_for(lambda: len(load.sent) > before + 200, "the load stands still")

    lost = [it for it in load.sent if it.outcomes[-1] != 200]
    assert lost == []
    # It was under load that the host went: the other one had to help out.
    assert any(len(it.outcomes) == 2 for it in load.sent)

    # Each export of each athlete's session is stored, once.
    assert {it.state for it in ExportJob.objects.all()} == {JobState.STORED}
    world = vendor.app.world
    truth = {
        (session.id, athlete): {
            it.org_movement_id for it in world.movements(session, athlete)
        }
        for session in world.listed_sessions()
        for athlete in session.athletes
    }
    stored = Session.objects.filter(data_synced=True).select_related("player")
    assert {
        (it.session_id, it.player.org_player_id): set(
            it.movements.values_list("org_movement_id", flat=True)
        )
        for it in stored
    } == truth
    assert not SyncLog.objects.filter(status__in=ACTIVE_RUNS).exists()
