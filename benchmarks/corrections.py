"""Whole syncs while the vendor corrects, held against a first sync of the final state.

    python -m benchmarks.faults --corrections [--seeds 10] [--first 1]
        [--seed 7] [--rounds 6] [--database URL]

For each seed a vendor whose sessions are moved, deleted, put back, re-dated, processed
again under other ids or with other frames, cut anew, merged and so on: between runs,
and while one is under way (after a drawn number of its requests). People exclude
swings, move events, write notes and state setups, between runs and during them. After a
last full run the database shows and counts, row for row, what one first sync of the
vendor's final state does (`tests.syncing.final_state` says what is compared), with what
people's decisions amount to decided there again. Each decision is looked for: it holds
on the motion on which it was made, or is offered again.

The same seed and number of rounds draw the same corrections; which of a run's requests
comes when depends on its threads.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from benchmarks.people import People, decide_again, holding

#: What happens seldom: a few of them would leave nothing to correct.
_SELDOM = {"merge_players", "remove_session", "copy_session", "add_player"}
#: A run of this size sends about so many requests.
_REQUESTS = 60
_MOST_FULL_RUNS = 4


def _number(text: Any, otherwise: float) -> float:
    """The number that an attribute says; the other where it says none."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return otherwise


class Vendor:
    """Draws corrections from a seed, and has the simulator make them over HTTP."""

    def __init__(self, server: Any, chance: random.Random) -> None:
        self._server = server
        self._chance = chance
        self._http = requests.Session()
        self._days = 0
        #: (session, athlete) pairs that were taken out of a session.
        self._taken_out: list[tuple[str, str]] = []
        self.done: Counter[str] = Counter()
        self._kinds = (
            self._rename_player,
            self._set_attribute,
            self._redate_session,
            self._move_session,
            self._remove_session,
            self._return_session,
            self._remove_movement,
            self._return_movements,
            self._rename_movements,
            self._process_again,
            self._turn_movement_ids,
            self._trim_clips,
            self._reprocess_session,
            self._shift_swings,
            self._remove_participant,
            self._add_participant,
            self._merge_players,
            self._add_session,
            self._add_player,
            self._copy_session,
            self._hide_data,
            self._touch_session,
        )

    def correct(self, *, after_requests: int | None = None) -> None:
        """Make one correction, at once or during the requests that follow."""
        for _ in range(20):
            draw = self._chance.choice(self._kinds)
            action = draw.__name__.removeprefix("_")
            if action in _SELDOM and self._chance.random() < 0.6:
                continue
            drawn = draw()
            if drawn is not None:
                break
        else:
            return
        # Some are a case of another action.
        drawn = {"action": action, **drawn}
        self.done[drawn["action"]] += 1
        if after_requests is not None:
            drawn["after_requests"] = after_requests
        self._control("mutate", drawn)

    def end_planned(self) -> None:
        """Make what a run that is over did not reach."""
        for told in self._control("planned", {})["done"]:
            if told["refused"]:
                self.done["refused: another came first"] += 1

    def settle(self) -> None:
        """Let all sessions have their data, and every part one swing at least."""
        self.end_planned()
        for session in self._world.listed_sessions():
            if session.status != "processed" or session.no_data_for:
                self._control(
                    "mutate", {"action": "give_data", "session_id": session.id}
                )
            if any(
                not self._world.movements(session, athlete)
                for athlete in session.athletes
            ):
                given = {"action": "return_movements", "session_id": session.id}
                self._control("mutate", given)

    @property
    def _world(self) -> Any:
        return self._server.world

    def _control(self, name: str, given: dict[str, Any]) -> Any:
        url = f"{self._server.url}/__simulator__/{name}"
        answer = self._http.post(url, json=given, timeout=60)
        if answer.status_code != requests.codes.ok:
            raise RuntimeError(f"{given}: {answer.text}")
        return answer.json()

    # What may be corrected. Each returns the arguments; None where there is nothing.

    def _pick(self, among: Any) -> Any:
        found = list(among)
        return self._chance.choice(found) if found else None

    def _session(self) -> Any:
        return self._pick(s for s in self._world.listed_sessions() if s.athletes)

    def _of_session(self) -> dict[str, Any] | None:
        session = self._session()
        return None if session is None else {"session_id": session.id}

    def _part(self) -> tuple[Any, str] | None:
        session = self._session()
        return session and (session, self._pick(session.athletes))

    def _player(self) -> str | None:
        found = self._pick(self._world.listed_athletes())
        return None if found is None else found.org_player_id

    def _day(self) -> str:
        """A day that no session has: lists of one day have no order to compare."""
        self._days += 1
        day = dt.date(2026, 1, 1) + dt.timedelta(days=self._days)
        return day.isoformat()

    def _rename_player(self) -> dict[str, Any] | None:
        first = ("Alder", "Briar", "Clover", "Elder", "Fern", "Hazel")
        last = ("Altair", "Ceres", "Deneb", "Europa")
        return {"org_player_id": self._player(), "first_name": self._pick(first),
                "last_name": self._pick(last)}  # fmt: skip

    def _set_attribute(self) -> dict[str, Any] | None:
        player = self._player()
        if player is None:
            return None
        said = {
            pair["key"]: pair["value"]
            for pair in self._world.athlete(player).attributes
        }
        # What no body does by itself: sessions keep the measures of their day, so that
        # growth counts only from when it was synced.
        height, weight = (
            _number(said.get(name), otherwise)
            for name, otherwise in (("height_ft", 6.0), ("weight_lbs", 180.0))
        )
        lower, lighter = height - self._chance.uniform(0.1, 0.3), weight * 0.8
        key, value = self._pick([
            ("height_ft", f"{lower if lower > 4.5 else height + 1.5:.3f}"),
            ("weight_lbs", f"{lighter if lighter > 90 else weight * 2:.0f}"),
            ("dom_hand_hitting", self._pick(["RHA", "LHA", "SHA"])),
            ("dom_hand_throwing", self._pick(["RHA", "LHA"])),
        ])  # fmt: skip
        return {"org_player_id": player, "key": key, "value": value}

    def _redate_session(self) -> dict[str, Any] | None:
        found = self._of_session()
        number = self._chance.randrange(1, 9)
        return found and found | {"session_date": self._day(), "session_num": number}

    def _move_session(self) -> dict[str, Any] | None:
        part = self._part()
        if part is None:
            return None
        session, athlete = part
        others = [
            other.org_player_id
            for other in self._world.listed_athletes()
            if other.org_player_id not in session.athletes
        ]
        to = self._pick(others)
        given = {"session_id": session.id, "org_player_id": athlete, "to": to}
        return None if to is None else given

    def _remove_session(self) -> dict[str, Any] | None:
        if len(self._world.listed_sessions()) < 4:
            return None
        return self._of_session()

    def _return_session(self) -> dict[str, Any] | None:
        gone = self._pick(s for s in self._world.sessions if s.removed)
        return None if gone is None else {"session_id": gone.id}

    def _remove_movement(self) -> dict[str, Any] | None:
        part = self._part()
        if part is None:
            return None
        session, athlete = part
        movements = self._world.movements(session, athlete)
        if len(movements) < 3:
            return None
        name = self._pick(movements).org_movement_id
        return {"session_id": session.id, "org_player_id": athlete,
                "org_movement_id": name}  # fmt: skip

    def _return_movements(self) -> dict[str, Any] | None:
        lacking = (s for s in self._world.listed_sessions() if s.removed_movements)
        found = self._pick(lacking)
        return None if found is None else {"session_id": found.id}

    def _rename_movements(self) -> dict[str, Any] | None:
        return self._of_session()

    def _process_again(self) -> dict[str, Any] | None:
        found = self._of_session()
        return found and found | {"action": "rename_movements", "other_frames": True}

    def _turn_movement_ids(self) -> dict[str, Any] | None:
        return self._of_session()

    def _trim_clips(self) -> dict[str, Any] | None:
        session = self._session()
        if session is None:
            return None
        # Never so far that the swing is no longer in the clip.
        earlier = -session.earlier_s or self._pick([0.05, 0.1])
        clock = -session.clock_s or self._pick([0.0, 1.0])
        return {"session_id": session.id, "earlier_s": earlier, "clock_s": clock}

    def _reprocess_session(self) -> dict[str, Any] | None:
        return self._of_session()

    def _shift_swings(self) -> dict[str, Any] | None:
        part = self._part()
        by = {"torso_rate": self._chance.choice([-1.0, 1.0, 2.0])}
        return part and {"session_id": part[0].id, "org_player_id": part[1], "by": by}

    def _remove_participant(self) -> dict[str, Any] | None:
        part = self._part()
        if part is None:
            return None
        self._taken_out.append((part[0].id, part[1]))
        return {"session_id": part[0].id, "org_player_id": part[1]}

    def _add_participant(self) -> dict[str, Any] | None:
        listed = {athlete.org_player_id for athlete in self._world.listed_athletes()}
        can = []
        for session in self._world.listed_sessions():
            taken = {session.swung_by.get(a, a) for a in session.athletes}
            can += [
                (session_id, athlete)
                for session_id, athlete in self._taken_out
                if session_id == session.id
                and athlete in listed.difference(session.athletes)
                # Nobody else has these swings meanwhile.
                and session.swung_by.get(athlete, athlete) not in taken
            ]
        found = self._pick(can)
        return found and {"session_id": found[0], "org_player_id": found[1]}

    def _merge_players(self) -> dict[str, Any] | None:
        listed = [athlete.org_player_id for athlete in self._world.listed_athletes()]
        if len(listed) < 4:
            return None
        one, other = self._chance.sample(listed, 2)
        return {"org_player_id": one, "into": other}

    def _add_session(self) -> dict[str, Any] | None:
        return {"org_player_ids": [self._player()], "swings": 3,
                "session_date": self._day()}  # fmt: skip

    def _add_player(self) -> dict[str, Any] | None:
        return {"first_name": "Tansy", "last_name": f"Titan {self._days}",
                "date_of_birth": "2005-03-04"}  # fmt: skip

    def _copy_session(self) -> dict[str, Any] | None:
        session = self._session()
        if session is None:
            return None
        again = {"action": "copy_session", "session_id": session.id}
        copied = self._control("mutate", again)["result"]
        return {"action": "redate_session", "session_id": copied,
                "session_date": self._day()}  # fmt: skip

    def _hide_data(self) -> dict[str, Any] | None:
        """Processing begins anew, or has ended: no data for a while."""
        session = self._session()
        if session is None:
            return None
        if session.status != "processed":
            return {"action": "give_data", "session_id": session.id}
        return {"action": "set_status", "session_id": session.id,
                "status": "processing"}  # fmt: skip

    def _touch_session(self) -> dict[str, Any] | None:
        return self._of_session()


@dataclass
class Outcome:
    """What one seed came to."""

    runs: int = 0
    requests: int = 0
    corrections: Counter[str] = field(default_factory=Counter)
    decisions: int = 0
    offers: int = 0
    differences: list[str] = field(default_factory=list)
    of_people: list[str] = field(default_factory=list)


def work(
    server: Any,
    *,
    seed: int,
    rounds: int,
    sync: Callable[..., Any],
    start_anew: Callable[[], None],
) -> Outcome:
    """Correct and decide for some rounds, then compare with a first sync.

    Parameters
    ----------
    server
        The simulator, before its first sync into an empty database.
    sync
        Does one run in this process and returns its log; `full=True` for a full one.
    start_anew
        Empties the database.
    """
    from athletes.models import SetAside
    from syncing.choices import RunStatus
    from tests.factories import make_user
    from tests.syncing.final_state import explained, final_state

    chance = random.Random(seed)
    vendor = Vendor(server, random.Random(f"vendor {seed}"))
    people = People(random.Random(f"people {seed}"), make_user())
    outcome = Outcome()

    def run(**options: Any) -> Any:
        outcome.runs += 1
        return sync(**options)

    run()
    for _ in range(rounds):
        for _ in range(chance.randrange(1, 6)):
            vendor.correct()
        for _ in range(chance.randrange(0, 3)):
            people.act()
        for _ in range(chance.randrange(0, 6)):
            vendor.correct(after_requests=chance.randrange(1, _REQUESTS))
        moments = sorted(chance.randrange(1, _REQUESTS) for _ in range(2))
        full = chance.random() < 0.2
        _run_with_people(server, lambda full=full: run(full=full), people, moments)
        vendor.end_planned()
        outcome.of_people += people.faults()
    vendor.settle()
    log = run(full=True)
    while log.status != RunStatus.SUCCESS and outcome.runs < rounds + _MOST_FULL_RUNS:
        log = run(full=True)
    if log.status != RunStatus.SUCCESS:
        outcome.differences.append(f"the last full run is {log.status}: {log.errors}")
    outcome.of_people += people.faults()
    outcome.corrections, outcome.requests = vendor.done, server.log.total
    outcome.decisions = len(people.said) + len(people.setups)
    outcome.offers = SetAside.objects.count()
    held, corrected = holding(), final_state()

    start_anew()
    if sync().status != RunStatus.SUCCESS:
        outcome.differences.append("the first sync of the final state did not succeed")
    decide_again(held, make_user())
    outcome.differences += explained(final_state(), corrected)
    outcome.of_people = list(dict.fromkeys(outcome.of_people))
    return outcome


def _run_with_people(
    server: Any, run: Callable[[], Any], people: People, moments: list[int]
) -> None:
    """Do one run in a thread, and let people decide while it is under way."""
    began = server.log.total
    failed: list[BaseException] = []

    def work() -> None:
        from django.db import connections

        try:
            run()
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work, name="sync")
    thread.start()
    for moment in moments:
        while thread.is_alive() and server.log.total - began < moment:
            time.sleep(0.002)
        people.act()
    thread.join()
    if failed:
        raise failed[0]
