"""The vendor of the model: the simulator, with the next answers given by the machine.

Small clips and a cache of files over all examples keep a request at a few
milliseconds. Time is the model's.
"""

import io
import json
import threading
from collections import Counter, defaultdict, deque
from datetime import timedelta
from types import SimpleNamespace
from typing import NamedTuple

from simulator import files
from simulator.app import Config, SimulatorApp
from simulator.data import World
from simulator.exports import BUCKET_PREFIX
from simulator.population import Shape
from simulator.scenarios import Scenario
from simulator.server import SimulatorServer
from simulator.wire import as_json, detail, html, message

PLAIN = Scenario.parse("plain")
SHAPE = {"swings": 1, "rate_hz": 60.0, "duration_s": 0.6, "templates": 2}

#: Answers that the simulator's own faults do not hold.
ANSWERS = {
    "pending": lambda request: as_json({"status": "processing"}, 202),
    "pending-slow": lambda request: as_json(
        {"status": "queued"}, 202, [("Retry-After", "90")]
    ),
    "no-data": lambda request: detail(404, "No data found matching query"),
    "empty": lambda request: as_json({"download_urls": []}),
    "nothing": lambda request: as_json({"something": "else"}),
    "broken-off": lambda request: as_json({"status": "failed"}),
    "400": lambda request: detail(400, "Bad request"),
    "401": lambda request: detail(401, "Could not validate credentials"),
    "403": lambda request: message(403, "Forbidden"),
    "404": lambda request: detail(404, "Not Found"),
    "422-format": lambda request: detail(
        422,
        [{"loc": ["body", "data_format"], "msg": "Input should be", "type": "enum"}],
    ),
    "away": lambda request: as_json(
        {"status_url": "https://elsewhere.invalid/status/1"}, 202
    ),
    "other-host": lambda request: as_json(
        {"download_urls": ["https://elsewhere.invalid/file.parquet"]}
    ),
    "html": lambda request: html(200),
}


class Served(NamedTuple):
    """One file as it was downloaded."""

    session_id: str
    org_player_id: str
    data_type: str
    data_format: str
    content: tuple
    damage: str | None
    name: str


class ModelWorld(World):
    """Records that change at the time of the model."""

    def __init__(self, shape, clock, movements):
        self._clock = clock
        super().__init__(shape)
        self._movements = movements

    def now(self):
        return self._clock._epoch + timedelta(seconds=self._clock.passed)

    def list_again(self, session_id):
        with self.lock:
            session = self._session_by_id[session_id]
            session.removed = False
            session.updated_at = self._changed()

    def return_player(self, org_player_id):
        with self.lock:
            self._athlete_by_id[org_player_id].removed = False

    def count_swings(self, session_id, count):
        with self.lock:
            session = self.session(session_id)
            session.swings = count
            session.updated_at = self._changed()

    def rename_session(self, session_id, number):
        with self.lock:
            session = self.session(session_id)
            session.session_num = 10 + number
            session.session_type_id = 1 + number % 2
            session.session_date += timedelta(days=number % 3)
            session.updated_at = self._changed()

    def revise(self, session_id):
        with self.lock:
            session = self.session(session_id)
            session.revision = (session.revision + 1) % 3
            session.updated_at = self._changed()

    def take_part(self, session_id, org_player_ids):
        with self.lock:
            session = self.session(session_id)
            session.athletes = list(org_player_ids)
            session.updated_at = self._changed()


class ModelApp(SimulatorApp):
    """Answers as the simulator, unless the machine has prepared something else."""

    def __init__(self):
        super().__init__(Config(players=0, sessions=0, scenario="plain", **SHAPE))
        self._kept_movements = {}
        self._kind = threading.local()
        self.faults = SimpleNamespace(
            draw=lambda route, what: self._kind.value,
            plan=SimpleNamespace(retry_after_s=7, slow_s=0.0),
            done=Counter(),
        )
        self.begin(None, 0)

    def begin(self, clock, players):
        """Forget everything but the files that were made."""
        self.prepared = defaultdict(deque)
        #: {route: function called while the request is under way}, once each
        self.meanwhile = {}
        #: (route, prepared answer, status, body) of each request
        self.told = []
        #: what each download held: session, athlete, type, content, damage, movement
        self.served = []
        #: {list: how many unreadable entries it holds}
        self.bad = Counter()
        self.broken = None
        #: until when the vendor asked for no requests, and one that came before
        self.quiet_until = 0.0
        self.impolite = None
        self._tokens.clear()
        self.log.reset()
        if clock is not None:
            shape = Shape(players=players, sessions=0, plain=True, **SHAPE)
            self.world = ModelWorld(shape, clock, self._kept_movements)
        self.set_scenario("plain")

    def prepare(self, route, *kinds):
        self.prepared[route].extend(kinds)

    def set_scenario(self, text):
        super().set_scenario(
            "plain" + (f",{text}" if text not in {"", "plain"} else "")
        )

    def heal(self):
        """Answer everything as it should be from now on."""
        self.prepared.clear()
        self.meanwhile.clear()
        self.bad.clear()
        self.set_scenario("plain")
        for session in self.world.sessions:
            session.damage = None

    def _with_fault(self, environ, request, route, handler, entry):
        try:
            return self._answer(environ, request, route, handler, entry)
        except BaseException as error:
            # The thread of the server would only print it.
            self.broken = error
            raise

    def _answer(self, environ, request, route, handler, entry):
        act = self.meanwhile.pop(route, None)
        if act is not None:
            act()
        self._note_politeness()
        kinds = self.prepared[route]
        kind = kinds.popleft() if kinds else None
        entry.fault = kind
        self._kind.value = None if kind in ANSWERS else kind
        if kind in ANSWERS:
            response = ANSWERS[kind](request)
        else:
            response = SimulatorApp._with_fault(
                self, environ, request, route, handler, entry
            )
            entry.fault = kind
        body = (
            json.loads(request.body) if route == "data_export" and request.body else {}
        )
        self.told.append((route, kind, response.status, body))
        if any(name == "Retry-After" for name, _ in response.headers) and (
            response.status in {429, 503}
        ):
            wait_s = float(dict(response.headers)["Retry-After"])
            until = self.world._clock.passed + wait_s
            self.quiet_until = max(self.quiet_until, until)
        if route == "download" and response.status == 200:
            self.served.append(self._what_is_in(request.path, kind))
        return response

    def _note_politeness(self):
        """A pause that was asked for holds for all that we send."""
        clock = self.world._clock
        # Among threads a request may be on its way when the pause is asked for.
        if clock._mover is None and clock.passed < self.quiet_until - 0.01:
            self.impolite = f"{self.quiet_until - self.world._clock.passed:.2f} s early"

    def _what_is_in(self, path, kind):
        parts = path.removeprefix(BUCKET_PREFIX + "/").split("/", 5)
        session_id, org_player_id, _, data_type, data_format, name = parts
        session = self.world.session(session_id)
        content = self.world.content_key(session, org_player_id)
        damage = kind or session.damage
        return Served(
            session_id, org_player_id, data_type, data_format, content, damage, name
        )

    def truth(self, session_id, org_player_id):
        """Names of an athlete's movements in a session, in order."""
        session = self.world.session(session_id)
        return [m.org_movement_id for m in self.world.movements(session, org_player_id)]

    def whole_file(self, served):
        """The bytes of the undamaged file of all movements, in the format served."""
        session = self.world.session(served.session_id)
        found = io.BytesIO()
        files.write(
            found,
            files.tables(
                self.world.movements(session, served.org_player_id),
                served.data_type,
                PLAIN.options(0.0),
                damage=None,
            ),
            data_format=served.data_format,
            zipped=False,
            scenario=PLAIN,
            damage=None,
        )
        found.seek(0)
        return found

    def _session_record(self, session):
        record = super()._session_record(session)
        if "num_players" in record:
            # Those who left the organization do not count.
            record["num_players"] = sum(
                not self.world._athlete_by_id[key].removed for key in session.athletes
            )
        if getattr(session, "is_mixed", False) and "total_movements" in record:
            record["total_movements"]["baseball-pitching"] = 2
        if getattr(session, "is_empty", False) and "total_movements" in record:
            record["total_movements"] = {}
        return record

    def players(self, request):
        return self._with_bad(super().players(request), "players")

    def sessions(self, request):
        return self._with_bad(super().sessions(request), "sessions")

    def _with_bad(self, response, name):
        """The first page of a list with entries that have no id."""
        found = json.loads(response.body)
        records = found[name] if isinstance(found, dict) else found
        if records:
            records += [{"number": number} for number in range(self.bad[name])]
        return as_json(found)


class ModelVendor(SimulatorServer):
    """The model's vendor on a real port."""

    def __init__(self):
        super().__init__(Config(players=0, sessions=0))
        self.app.close()
        self.app = self._server.app = ModelApp()
