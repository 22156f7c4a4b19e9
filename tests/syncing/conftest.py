"""A vendor on a real port, and syncs against it with short waits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection

from simulator.app import Config
from simulator.server import SimulatorServer
from syncing import services
from syncing.client.http import RetryPolicy
from syncing.engine import runs
from syncing.engine.tempo import Tempo

ROOT = Path(__file__).resolve().parent.parent.parent

FAST = Tempo(
    retry=RetryPolicy(first_wait_s=0.01, longest_wait_s=2.0, total_s=30.0),
    poll_s=(0.05, 0.1),
    failure_s=(0.05, 0.1, 3600),
    bad_file_s=(0.02, 0.02, 0.02, 3600),
    patience_s=2.0,
    heartbeat_s=0.25,
)


@pytest.fixture
def start_vendor(settings):
    """Start a simulator and point the settings to it; short clips, to be quick."""
    servers = []

    def start(**config):
        given = {"players": 8, "sessions": 6, "swings": 2, "rate_hz": 120.0}
        server = SimulatorServer(Config(**(given | {"duration_s": 1.2} | config)))
        servers.append(server.start())
        settings.REBOOT_BASE_URL = server.url
        settings.REBOOT_USERNAME = server.app.config.username
        settings.REBOOT_PASSWORD = server.app.config.password
        settings.REBOOT_API_KEY = ""
        cache.clear()
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def vendor(start_vendor):
    """A vendor of the usual size."""
    return start_vendor()


def sync(*, full=False, trigger="command", sync_type=None, since=None, **options):
    """One run in this process, from request to end."""
    if sync_type is None:
        sync_type = "full" if full else "since" if since else "incremental"
    log, is_new = runs.open_run(trigger=trigger, sync_type=sync_type, since=since)
    assert is_new, f"run {log.pk} is active already"
    return services.run_sync(log_id=log.pk, **({"tempo": FAST} | options))


@pytest.fixture
def run_sync():
    return sync


def database_url():
    """The test database as a child process has to name it."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    host = values["HOST"] or "127.0.0.1"
    login = values["USER"] + (f":{values['PASSWORD']}" if values["PASSWORD"] else "")
    return f"postgres://{login}@{host}:{values['PORT'] or 5432}/{values['NAME']}"


@pytest.fixture
def sync_process(settings):
    """Start `manage.py sync` in a process of its own, on the database of the test."""
    started = []

    def start(*arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, "manage.py", "sync", *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": database_url(),
                "DEBUG": "1",
                "SECRET_KEY": settings.SECRET_KEY,
                "REBOOT_BASE_URL": settings.REBOOT_BASE_URL,
                "REBOOT_USERNAME": settings.REBOOT_USERNAME,
                "REBOOT_PASSWORD": settings.REBOOT_PASSWORD,
                "REBOOT_API_KEY": settings.REBOOT_API_KEY,
                "REDIS_URL": "",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
