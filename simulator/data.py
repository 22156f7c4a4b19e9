"""The vendor's records: invented athletes and sessions, which tests may change."""

from __future__ import annotations

import copy
import dataclasses
import threading
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

from simulator import stories
from simulator.corrections import Corrections, NotInData
from simulator.population import (
    HITTING,
    SWING_SD,
    Athlete,
    Session,
    Shape,
    draw_athlete,
    draw_movements,
    draw_session,
)
from simulator.swings import Movement

#: Damage of a session that the login may not see.
REFUSED = "refused"
# Lists of movements kept ready; the oldest goes first.
MOVEMENT_LISTS = 2048


class World(Corrections):
    """All records, and the ways to change them. Safe to use from many threads."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.lock = threading.RLock()
        self._shift = timedelta(0)
        self._last_change = datetime.min.replace(tzinfo=UTC)
        self.athletes: list[Athlete] = []
        self.sessions: list[Session] = []
        self._athlete_by_id: dict[str, Athlete] = {}
        self._session_by_id: dict[str, Session] = {}
        self._movements: dict[tuple[Any, ...], list[Movement]] = {}
        for number in range(shape.players):
            self._keep_athlete(draw_athlete(shape.seed, number))
        if shape.players:
            for number in range(shape.sessions):
                self._keep_session(draw_session(shape, number, self.athletes))
        if shape.stories:
            stories.tell(shape, self.athletes, self.sessions)

    # The clock

    def now(self) -> datetime:
        """Return the simulator's time, which can be moved on."""
        return datetime.fromtimestamp(time.time(), UTC) + self._shift

    def advance(self, seconds: float) -> None:
        """Let the vendor's clock jump ahead."""
        with self.lock:
            self._shift += timedelta(seconds=seconds)

    def _changed(self) -> datetime:
        """Return the moment of a change, later than that of any change before."""
        moment = max(self.now(), self._last_change + timedelta(microseconds=1))
        self._last_change = moment
        return moment

    # Keeping what was drawn

    def _keep_athlete(self, athlete: Athlete) -> None:
        self.athletes.append(athlete)
        self._athlete_by_id[athlete.org_player_id] = athlete

    def _keep_session(self, session: Session) -> None:
        self.sessions.append(session)
        self._session_by_id[session.id] = session

    # Reading

    def athlete(self, org_player_id: str) -> Athlete:
        """Return the athlete with this id; raise `NotInData` for none."""
        found = self._athlete_by_id.get(org_player_id)
        if found is None or found.removed:
            raise NotInData(org_player_id)
        return found

    def session(self, session_id: str) -> Session:
        """Return the session with this id; raise `NotInData` for none."""
        found = self._session_by_id.get(session_id)
        if found is None or found.removed:
            raise NotInData(session_id)
        return found

    def listed_athletes(self) -> list[Athlete]:
        """Return the athletes that were not removed."""
        with self.lock:
            return [athlete for athlete in self.athletes if not athlete.removed]

    def listed_sessions(self) -> list[Session]:
        """Return the sessions that were not removed."""
        with self.lock:
            return [session for session in self.sessions if not session.removed]

    def has_data(self, session: Session, org_player_id: str, slug: str) -> bool:
        """Return whether an export for this athlete and movement type has data."""
        return (
            session.status == "processed"
            and session.slug == slug
            and org_player_id in session.athletes
            and org_player_id in self._athlete_by_id
            and org_player_id not in session.no_data_for
            and (session.data_from is None or session.data_from <= self.now())
        )

    def content_key(self, session: Session, org_player_id: str) -> tuple[Any, ...]:
        """Return a key that tells equal files: parts of one key have the same bytes."""
        athlete = self._swings(session, org_player_id)
        gone = tuple(sorted(m for p, m in session.removed_movements
                            if p == athlete.org_player_id))  # fmt: skip
        if self.shape.templates:
            hand = "L" if athlete.bats == "L" else "R"
            template = session.number % self.shape.templates
            return ("template", template, hand, session.swings, session.extras,
                    session.awkward_ids, session.revision, gone)  # fmt: skip
        shifts = tuple(sorted(session.shifts.get(athlete.org_player_id, {}).items()))
        corrected = (session.naming, session.turned, session.earlier_s, session.clock_s)
        return ("session", session.number, athlete.number, session.swings,
                session.revision, gone, shifts, corrected)  # fmt: skip

    def movements(self, session: Session, org_player_id: str) -> list[Movement]:
        """The recorded repetitions of one athlete in one session, in order."""
        key = self.content_key(session, org_player_id)
        with self.lock:
            found = self._movements.get(key)
        if found is None:
            athlete = self._swings(session, org_player_id)
            found = draw_movements(self.shape, session, athlete)
            with self.lock:
                if len(self._movements) >= MOVEMENT_LISTS:
                    self._movements.pop(next(iter(self._movements)))
                self._movements[key] = found
        return list(found)

    def movement(
        self, session_id: str, org_player_id: str, org_movement_id: str
    ) -> Movement:
        """Return one movement of an athlete's session; raise `NotInData` for none."""
        session = self.session(session_id)
        if org_player_id not in session.athletes:
            raise NotInData(org_player_id)
        for movement in self.movements(session, org_player_id):
            if movement.org_movement_id == org_movement_id:
                return movement
        raise NotInData(org_movement_id)

    # Changing. Each method moves updated_at, as the vendor would.

    def rename_player(
        self, org_player_id: str, first_name: str, last_name: str
    ) -> None:
        """Give an athlete another name."""
        with self.lock:
            athlete = self.athlete(org_player_id)
            athlete.first_name, athlete.last_name = first_name, last_name
            athlete.updated_at = self._changed()

    def set_attribute(self, org_player_id: str, key: str, value: str | None) -> None:
        """Set, or with None remove, one of the key and value pairs."""
        with self.lock:
            athlete = self.athlete(org_player_id)
            kept = [pair for pair in athlete.attributes if pair["key"] != key]
            if value is not None:
                kept.append({"key": key, "value": value})
            athlete.attributes = kept
            athlete.updated_at = self._changed()

    def say(self, record_id: str, name: str, value: Any) -> None:
        """Send any value under a name of an athlete's or session's record.

        With None the name is told the truth again.
        """
        with self.lock:
            found = self._athlete_by_id.get(record_id) or self.session(record_id)
            found.said.pop(name, None)
            if value is not None:
                found.said[name] = value
            found.updated_at = self._changed()

    def add_player(
        self,
        first_name: str,
        last_name: str,
        date_of_birth: str | None = None,
        attributes: list[dict[str, str]] | None = None,
        org_player_id: str | None = None,
    ) -> str:
        """Add an athlete, with an id of the organization's own; return the id."""
        with self.lock:
            athlete = draw_athlete(self.shape.seed, len(self.athletes))
            athlete.org_player_id = org_player_id or athlete.org_player_id
            athlete.first_name, athlete.last_name = first_name, last_name
            athlete.date_of_birth = date_of_birth
            if attributes is not None:
                athlete.attributes = copy.deepcopy(attributes)
            athlete.created_at = athlete.updated_at = self._changed()
            self._keep_athlete(athlete)
            return athlete.org_player_id

    def remove_player(self, org_player_id: str) -> None:
        """Take an athlete out of all answers."""
        with self.lock:
            self.athlete(org_player_id).removed = True

    def add_session(
        self,
        org_player_ids: list[str],
        *,
        status: str = "processed",
        swings: int | None = None,
        slug: str = HITTING,
        session_date: str | None = None,
    ) -> str:
        """Add a session of these athletes and return its id."""
        with self.lock:
            for org_player_id in org_player_ids:
                self.athlete(org_player_id)
            session = draw_session(self.shape, len(self.sessions), self.athletes)
            session.athletes = list(org_player_ids)
            session.no_data_for = set()
            session.status, session.slug = status, slug
            session.extras = session.awkward_ids = False
            if swings is not None:
                session.swings = swings
            session.created_at = session.updated_at = self._changed()
            session.session_date = (
                date.fromisoformat(session_date)
                if session_date
                else session.created_at.date()
            )
            self._keep_session(session)
            return session.id

    def copy_session(self, session_id: str) -> str:
        """Upload a session once more: same frames, other ids; return its id."""
        with self.lock:
            session = self.session(session_id)
            new_id = f"{session.id[:-4]}{len(self.sessions):04d}"
            # What is corrected in one of them from now on is not in the other.
            again = dataclasses.replace(
                copy.deepcopy(session), id=new_id, created_at=self._changed()
            )
            again.updated_at = again.created_at
            self._keep_session(again)
            return again.id

    def reprocess_session(self, session_id: str) -> None:
        """New numbers for every movement of the session."""
        with self.lock:
            session = self.session(session_id)
            session.revision += 1
            session.updated_at = self._changed()

    def shift_swings(
        self, session_id: str, org_player_id: str, by: dict[str, float]
    ) -> None:
        """Change an athlete's swings of one session: a true change of known size.

        `by` names habits (`population.SWING_SD`) and how far each moves, as a multiple
        of its standard deviation from swing to swing.
        """
        with self.lock:
            session = self.session(session_id)
            if org_player_id not in session.athletes:
                raise NotInData(org_player_id)
            unknown = sorted(by.keys() - SWING_SD.keys())
            if unknown or self.shape.templates:
                raise ValueError(
                    f"no such habit: {unknown[0]}; one of: {', '.join(SWING_SD)}"
                    if unknown
                    else "swings of templates are all alike"
                )
            swung_by = self._swings(session, org_player_id).org_player_id
            session.shifts[swung_by] = {k: float(v) for k, v in by.items()}
            session.updated_at = self._changed()

    def touch_session(self, session_id: str) -> None:
        """Move updated_at and nothing else."""
        with self.lock:
            self.session(session_id).updated_at = self._changed()

    def set_status(self, session_id: str, status: str) -> None:
        """Set how far the vendor is with a session."""
        with self.lock:
            session = self.session(session_id)
            session.status = status
            session.updated_at = self._changed()

    def give_data(self, session_id: str) -> None:
        """Finish the processing: every athlete of the session has data now."""
        with self.lock:
            session = self.session(session_id)
            session.status = "processed"
            session.no_data_for = set()
            session.data_from = None
            session.updated_at = self._changed()

    def delay_data(self, session_id: str, seconds: float) -> None:
        """No data for this long; updated_at does not tell when they come."""
        with self.lock:
            session = self.session(session_id)
            session.data_from = self.now() + timedelta(seconds=seconds)

    def damage_session(self, session_id: str, damage: str | None) -> None:
        """Break (or with None mend) the files of one session: a bad-… switch.

        Or "refused": the session and its exports answer 403.
        """
        with self.lock:
            self.session(session_id).damage = damage
