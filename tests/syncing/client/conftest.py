"""A vendor on a real port of this machine, and clients that do not wait."""

import logging

import pytest

from simulator.app import Config
from simulator.server import SimulatorServer
from syncing.client.reboot import RebootClient
from syncing.client.tokens import ApiKey, PasswordLogin
from tests.syncing.clocks import ManualClock

LOGIN = PasswordLogin("demo-user", "demo-password")
KEY = ApiKey("demo-api-key")


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def start_vendor():
    """Starts simulators; all are stopped at the end."""
    running = []

    def start(**config):
        settings = {"players": 3, "sessions": 2, "swings": 2, "duration_s": 0.3}
        server = SimulatorServer(Config(**{**settings, **config})).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def make_client(clock):
    """Clients of a simulator, whose sessions are closed at the end."""
    clients = []

    def make(url, credentials=LOGIN, **options):
        options = {
            "clock": clock,
            "jitter": lambda: 0.0,
            "plain_http_hosts": ("127.0.0.1",),
            **options,
        }
        client = RebootClient(base_url=url, credentials=credentials, **options)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def all_logs(caplog):
    """Everything that anybody logs, urllib3's own lines included."""
    caplog.set_level(logging.DEBUG)
    return caplog
