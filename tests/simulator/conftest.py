"""A simulator on a real port, and a bare client for it."""

import gzip
import io

import numpy as np
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
import requests

from simulator.app import Config
from simulator.server import SimulatorServer

HITTING = 1
IK, ME = "inverse-kinematics", "momentum-energy"


class Vendor:
    """Plain HTTP calls; no retry, no cleverness."""

    def __init__(self, server):
        self.server = server
        self.url = server.url
        self.world = server.world
        self.log = server.log
        self.app = server.app
        self.session = requests.Session()

    def close(self):
        self.session.close()

    def login(self, **changed):
        body = {"username": "demo-user", "password": "demo-password", **changed}
        answer = self.session.post(f"{self.url}/oauth/token", json=body, timeout=30)
        return answer

    def call(self, method, path, **options):
        headers = {"x-api-key": "demo-api-key", **options.pop("headers", {})}
        return self.session.request(
            method, self.url + path, headers=headers, timeout=30, **options
        )

    def get(self, path, **params):
        return self.call("GET", path, params=params)

    def post(self, path, body):
        return self.call("POST", path, json=body)

    def control(self, path, body=None, **params):
        url = f"{self.url}/__simulator__/{path}"
        if body is None:
            return self.session.get(url, params=params, timeout=30)
        return self.session.post(url, json=body, timeout=30)

    def part(self, number=0):
        """(session id, org player id) of the session's first athlete."""
        session = self.world.sessions[number]
        return session.id, session.athletes[0]

    def export(self, number=0, data_type=IK, player=0, **changed):
        session = self.world.sessions[number]
        body = {
            "session_id": session.id,
            "movement_type_id": HITTING,
            "org_player_id": session.athletes[player],
            "data_type": data_type,
            "data_format": "csv",
            "aggregate": True,
            **changed,
        }
        return self.post("/data_export", {k: v for k, v in body.items() if v != ""})

    def links(self, *args, **options):
        answer = self.export(*args, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()["download_urls"]

    def download(self, link, **options):
        return self.session.get(link, timeout=60, **options)

    def table(self, *args, **options):
        """One aggregate file as an Arrow table."""
        (link,) = self.links(*args, **options)
        body = self.download(link).content
        if ".parquet" in link:
            return pq.read_table(io.BytesIO(body))
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        options = pacsv.ConvertOptions(strings_can_be_null=True)
        return pacsv.read_csv(io.BytesIO(body), convert_options=options)

    def frames(self, *args, movement=0, **options):
        """Columns of one movement as arrays, and its truth."""
        table = self.table(*args, **options)
        session = self.world.sessions[args[0] if args else 0]
        movements = self.world.movements(session, session.athletes[0])
        wanted = movements[movement].org_movement_id
        rows = np.array([v == wanted for v in table["org_movement_id"].to_pylist()])
        columns = {
            name: table[name].to_numpy()[rows]
            for name in table.column_names
            if name not in ("org_movement_id", "movement_id", "event")
        }
        return columns, movements[movement]


@pytest.fixture
def start():
    """Start simulators; they end with the test."""
    running = []

    def start(**config):
        defaults = {"players": 6, "sessions": 6, "swings": 3}
        server = SimulatorServer(Config(**{**defaults, **config})).start()
        vendor = Vendor(server)
        running.append(vendor)
        return vendor

    yield start
    for vendor in running:
        vendor.close()
        vendor.server.stop()


@pytest.fixture(scope="module")
def vendor():
    """One for the tests that only read. Sizes are those of the fixture's facts."""
    with SimulatorServer(Config(players=137, sessions=30, swings=3)) as server:
        client = Vendor(server)
        yield client
        client.close()
