"""What a vendor corrects after the fact: moved, taken away, put back, cut anew.

Each method moves `updated_at` as the vendor would. What is taken away is kept, so that
it can be put back as it was.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import date, datetime
from threading import RLock

from simulator.population import Athlete, Session, Shape
from simulator.swings import Movement


class NotInData(KeyError):
    """A record asked for by an id that the simulator does not hold."""


class Corrections(ABC):
    """The corrections of `simulator.data.World`, which holds the records."""

    shape: Shape
    lock: RLock
    athletes: list[Athlete]
    sessions: list[Session]
    _athlete_by_id: dict[str, Athlete]
    _session_by_id: dict[str, Session]

    @abstractmethod
    def athlete(self, org_player_id: str) -> Athlete:
        """Return the athlete with this id; raise `NotInData` for none."""

    @abstractmethod
    def session(self, session_id: str) -> Session:
        """Return the session with this id; raise `NotInData` for none."""

    @abstractmethod
    def movement(
        self, session_id: str, org_player_id: str, org_movement_id: str
    ) -> Movement:
        """Return one movement of an athlete's session; raise `NotInData` for none."""

    @abstractmethod
    def _changed(self) -> datetime:
        """Return the moment of a change: later than every one before."""

    def _swings(self, session: Session, org_player_id: str) -> Athlete:
        """Return whose swings the vendor has under this id in a session."""
        return self._athlete_by_id[session.swung_by.get(org_player_id, org_player_id)]

    # Sessions

    def remove_session(self, session_id: str) -> None:
        """Take a session out of all answers."""
        with self.lock:
            self.session(session_id).removed = True

    def return_session(self, session_id: str) -> None:
        """Put a session back that was taken out of all answers."""
        with self.lock:
            session = self._session_by_id.get(session_id)
            if session is None:
                raise NotInData(session_id)
            session.removed = False
            session.updated_at = self._changed()

    def redate_session(
        self, session_id: str, session_date: str, session_num: int | None = None
    ) -> None:
        """Give a session another day, and perhaps another number of that day."""
        with self.lock:
            session = self.session(session_id)
            # The swings stay what they were on the day on which they were swung.
            session.swung_on = session.swung_on or session.session_date
            session.session_date = date.fromisoformat(session_date)
            if session_num is not None:
                session.session_num = session_num
            session.updated_at = self._changed()

    # Who took part

    def move_session(self, session_id: str, org_player_id: str, to: str) -> None:
        """Give an athlete's part of a session, the same swings, to another athlete."""
        with self.lock:
            session = self.session(session_id)
            self.athlete(to)
            if org_player_id not in session.athletes or to in session.athletes:
                raise NotInData(org_player_id)
            self._give_part(session, org_player_id, to)

    def _give_part(self, session: Session, org_player_id: str, to: str) -> None:
        swung_by = self._swings(session, org_player_id).org_player_id
        session.swung_by.pop(org_player_id, None)
        session.swung_by[to] = swung_by
        place = session.athletes.index(org_player_id)
        session.athletes[place] = to
        session.updated_at = self._changed()

    def remove_participant(self, session_id: str, org_player_id: str) -> None:
        """Take one athlete out of a session."""
        with self.lock:
            session = self.session(session_id)
            if org_player_id not in session.athletes:
                raise NotInData(org_player_id)
            session.athletes.remove(org_player_id)
            session.updated_at = self._changed()

    def add_participant(self, session_id: str, org_player_id: str) -> None:
        """Put an athlete into a session: with the swings that they had there."""
        with self.lock:
            session = self.session(session_id)
            self.athlete(org_player_id)
            if org_player_id in session.athletes:
                raise ValueError("This athlete takes part already.")
            session.athletes.append(org_player_id)
            session.updated_at = self._changed()

    def merge_players(self, org_player_id: str, into: str) -> None:
        """Merge two athletes: the sessions of one are the other's, who alone stays.

        Where both took part, the swings of the one that stays are kept.
        """
        with self.lock:
            gone = self.athlete(org_player_id)
            kept = self.athlete(into)
            if gone is kept:
                raise ValueError("An athlete can't be merged into the same athlete.")
            for session in self.sessions:
                if org_player_id not in session.athletes:
                    continue
                if into in session.athletes:
                    session.athletes.remove(org_player_id)
                    session.updated_at = self._changed()
                else:
                    self._give_part(session, org_player_id, into)
            gone.removed = True
            kept.updated_at = self._changed()

    # Movements

    def remove_movement(
        self, session_id: str, org_player_id: str, org_movement_id: str
    ) -> None:
        """Take one movement out of its session's files."""
        with self.lock:
            self.movement(session_id, org_player_id, org_movement_id)
            session = self.session(session_id)
            swung_by = self._swings(session, org_player_id).org_player_id
            session.removed_movements.add((swung_by, org_movement_id))
            session.updated_at = self._changed()

    def return_movements(self, session_id: str) -> None:
        """Put back all movements that were taken out of a session's files."""
        with self.lock:
            session = self.session(session_id)
            session.removed_movements.clear()
            session.updated_at = self._changed()

    def rename_movements(self, session_id: str, *, other_frames: bool = False) -> None:
        """Process a session again: its movements get other ids.

        Their frames stay the same, or with `other_frames` become slightly others.
        """
        with self.lock:
            session = self.session(session_id)
            session.naming += 1
            if other_frames:
                for athlete in session.athletes:
                    swung_by = self._swings(session, athlete).org_player_id
                    shifts = session.shifts.setdefault(swung_by, {})
                    shifts["torso_rate"] = shifts.get("torso_rate", 0.0) + 0.05
            session.updated_at = self._changed()

    def turn_movement_ids(self, session_id: str) -> None:
        """Give each movement of a session the id of the one after it."""
        with self.lock:
            session = self.session(session_id)
            session.turned += 1
            session.updated_at = self._changed()

    def trim_clips(
        self, session_id: str, *, earlier_s: float = 0.0, clock_s: float = 0.0
    ) -> None:
        """Cut the clips of a session anew; the motion stays what it is.

        They begin so much earlier, in whole frames, and their clocks show so much at
        the first frame, both in seconds and added to what was.
        """
        with self.lock:
            session = self.session(session_id)
            rate = self.shape.rate_hz
            session.earlier_s += round(earlier_s * rate) / rate
            session.clock_s += clock_s
            session.updated_at = self._changed()
