"""The paths by which tests control the simulator, under ``/__simulator__/``.

No login and no faults here. Nothing of it exists in the vendor's API.
"""

from __future__ import annotations

import inspect
import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator import swings
from simulator.corrections import NotInData
from simulator.faults import FaultPlan
from simulator.wire import Request, Response, as_json, detail

if TYPE_CHECKING:
    from simulator.app import SimulatorApp

CONTROL_PREFIX = "/__simulator__"
MUTATIONS = (
    "rename_player",
    "say",
    "set_attribute",
    "add_player",
    "remove_player",
    "add_session",
    "copy_session",
    "reprocess_session",
    "shift_swings",
    "touch_session",
    "set_status",
    "give_data",
    "delay_data",
    "remove_session",
    "return_session",
    "redate_session",
    "remove_movement",
    "return_movements",
    "move_session",
    "remove_participant",
    "add_participant",
    "merge_players",
    "rename_movements",
    "turn_movement_ids",
    "trim_clips",
    "damage_session",
)


class ControlError(ValueError):
    """A control request that makes no sense; the text goes to the caller."""


@dataclass
class Planned:
    """A change that is made before the answer to a request that is still to come."""

    at_request: int
    action: str
    given: dict[str, Any]


class Control:
    """Routes of the control prefix."""

    def __init__(self, app: SimulatorApp) -> None:
        self.app = app
        self._lock = threading.Lock()
        self._planned: list[Planned] = []
        self._done: list[dict[str, Any]] = []

    def work_off(self, number: int | None = None) -> None:
        """Make the changes that are planned up to a request; without one, all."""
        with self._lock:
            due = [p for p in self._planned if number is None or p.at_request <= number]
            self._planned = [p for p in self._planned if p not in due]
            for planned in due:
                told = {"action": planned.action, **planned.given, "refused": ""}
                try:
                    getattr(self.app.world, planned.action)(**planned.given)
                except (NotInData, ValueError) as error:
                    # Another change came first, so this one cannot be made any more.
                    told["refused"] = f"{type(error).__name__}: {error}"
                self._done.append(told)

    def handle(self, request: Request) -> Response:
        """Answer one request to the control paths."""
        name = request.path.removeprefix(CONTROL_PREFIX + "/")
        handlers = {
            ("GET", "data"): self.data,
            ("GET", "truth"): self.truth,
            ("GET", "requests"): self.requests,
            ("GET", "settings"): self.settings,
            ("POST", "requests/reset"): self.reset_requests,
            ("POST", "mutate"): self.mutate,
            ("POST", "planned"): self.planned,
            ("POST", "scenario"): self.scenario,
            ("POST", "faults"): self.faults,
            ("POST", "latency"): self.latency,
            ("POST", "advance"): self.advance,
            ("POST", "revoke-tokens"): self.revoke_tokens,
        }
        handler = handlers.get((request.method, name))
        if handler is None:
            known = ", ".join(f"{method} {path}" for method, path in handlers)
            return detail(404, f"no such control; one of: {known}")
        try:
            return as_json(handler(request))
        except NotInData as error:
            return detail(404, f"not in the data: {error.args[0]}")
        except (ControlError, ValueError, TypeError) as error:
            return detail(400, str(error))

    def _given(self, request: Request) -> dict[str, Any]:
        value = json.loads(request.body or b"{}")
        if not isinstance(value, dict):
            raise ControlError("Send a JSON object.")
        return value

    def settings(self, request: Request) -> Any:
        """Return what is switched on, and the simulator's time."""
        plan = self.app.faults.plan
        return {
            "scenario": self.app.scenario.text,
            "latency_ms": self.app.latency_s * 1000,
            "now": self.app.world.now().isoformat(),
            "faults": {
                "probability": plan.probability,
                "seed": plan.seed,
                "kinds": list(plan.kinds),
                "routes": list(plan.routes),
            },
        }

    def data(self, request: Request) -> Any:
        """Answer every athlete and session, with what the API itself does not tell."""
        world = self.app.world
        return {
            "players": [
                {
                    **athlete.record(),
                    "bats": athlete.bats,
                    "team": athlete.team,
                    "note": athlete.note,
                }
                for athlete in world.listed_athletes()
            ],
            "sessions": [
                {
                    "id": session.id,
                    "session_date": session.session_date.isoformat(),
                    "status": session.status,
                    "movement_type": session.slug,
                    "org_player_ids": session.athletes,
                    "with_data": [
                        org_id
                        for org_id in session.athletes
                        if world.has_data(session, org_id, session.slug)
                    ],
                    "movements": session.swings + (2 if session.extras else 0),
                    "setups": list(session.setups),
                }
                for session in world.listed_sessions()
            ],
        }

    def truth(self, request: Request) -> Any:
        """Truth of one movement, or of all of a (session, player)."""
        session_id = request.text("session_id")
        org_player_id = request.text("org_player_id")
        if session_id is None or org_player_id is None:
            raise ControlError("Give session_id and org_player_id.")
        world = self.app.world
        wanted = request.text("org_movement_id")
        if wanted is not None:
            movement = world.movement(session_id, org_player_id, wanted)
            return swings.truth(movement)
        session = world.session(session_id)
        if org_player_id not in session.athletes:
            raise NotInData(org_player_id)
        return [swings.truth(m) for m in world.movements(session, org_player_id)]

    def requests(self, request: Request) -> Any:
        """Return how many requests came, by path and status."""
        answer = self.app.log.summary()
        if request.text("log") is not None:
            answer["log"] = self.app.log.rows()
        return answer

    def reset_requests(self, request: Request) -> Any:
        """Count requests from zero again."""
        self.app.log.reset()
        return self.app.log.summary()

    def mutate(self, request: Request) -> Any:
        """Change something at the vendor: rename, move or remove a record."""
        given = self._given(request)
        action = given.pop("action", None)
        after = given.pop("after_requests", None)
        if action not in MUTATIONS:
            raise ControlError(
                f"unknown action {action!r}; one of: {', '.join(MUTATIONS)}"
            )
        method = getattr(self.app.world, action)
        try:
            inspect.signature(method).bind(**given)
        except TypeError as error:
            raise ControlError(f"{action}: {error}") from None
        if after is not None:
            at_request = self.app.log.total + int(after)
            with self._lock:
                self._planned.append(Planned(at_request, action, given))
            return {"at_request": at_request}
        return {"result": method(**given)}

    def planned(self, request: Request) -> Any:
        """Make at once what is still planned; answer all that was made by plan."""
        self.work_off()
        with self._lock:
            done, self._done = self._done, []
        return {"done": done}

    def scenario(self, request: Request) -> Any:
        """Switch to other scenarios."""
        self.app.set_scenario(str(self._given(request).get("scenario", "")))
        return self.settings(request)

    def faults(self, request: Request) -> Any:
        """Begin a new plan of random faults."""
        given = self._given(request)
        for name in ("kinds", "routes"):
            if name in given:
                given[name] = tuple(given[name])
        self.app.set_faults(FaultPlan(**given))
        return self.settings(request)

    def latency(self, request: Request) -> Any:
        """Set how long every answer takes, in milliseconds."""
        self.app.latency_s = float(self._given(request)["ms"]) / 1000
        return self.settings(request)

    def advance(self, request: Request) -> Any:
        """Move the simulator's clock on, by seconds."""
        self.app.world.advance(float(self._given(request)["seconds"]))
        return self.settings(request)

    def revoke_tokens(self, request: Request) -> Any:
        """Make all access tokens invalid."""
        self.app.revoke_tokens()
        return self.settings(request)
