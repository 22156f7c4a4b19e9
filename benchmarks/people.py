"""What people decide while the vendor corrects, and what became of it.

Each decision is remembered with the motion on which it was made: the points of the
body around the fastest instant of the clip, whatever the clip's clock and cut, and
whatever the swing is called. So nothing of the product is asked which swing is which.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Motion = npt.NDArray[np.float64]
EVENT = "foot_down"
#: Points of one motion differ by less, in meters; those of two swings by far more.
_SAME_M = 2e-5
#: Frames before and after the fastest one that are compared.
_AROUND = (-16, -8, 0, 4)


@dataclass
class Said:
    """One decision or note, by the words that nobody else uses."""

    kind: str  # "exclusion", "event" or "note"
    words: str
    session_id: str
    #: The motion for which it was said, or was used again; empty: not known.
    motions: list[Motion] = field(default_factory=list)
    is_dropped: bool = False


class People:
    """Draws decisions from a seed, and looks for each of them later."""

    def __init__(self, chance: random.Random, user: Any) -> None:
        self._chance = chance
        self._user = user
        self._motions: dict[str, Motion] = {}
        self.said: list[Said] = []
        #: What was stated about sessions as a whole, by (session, athlete).
        self.setups: dict[tuple[str, str], str] = {}

    # Deciding

    def act(self) -> None:
        """Decide one thing about something that is there."""
        from athletes.models import SetAside

        offers = list(SetAside.objects.filter(settled_at=None).order_by("pk"))
        if offers and self._chance.random() < 0.3:
            self._answer(self._chance.choice(offers))
            return
        kind = self._chance.choice(["exclusion", "event", "event", "note", "setup"])
        if kind == "setup":
            self._state_setup()
        else:
            self._say(kind)

    def _state_setup(self) -> None:
        from athletes import decisions
        from athletes.models import Condition, Session

        present = Session.objects.present().select_related("player").order_by("pk")
        session = self._chance.choice(list(present))
        session.condition = self._chance.choice([c for c in Condition.values if c])
        decisions.save_conditions(session)
        key = (session.session_id, session.player.org_player_id)
        self.setups[key] = session.condition

    def _say(self, kind: str) -> None:
        from django.core.exceptions import ValidationError
        from django.db.models import Exists, OuterRef

        from athletes import decisions
        from athletes.models import (
            EventCorrection,
            Inclusion,
            Movement,
            Note,
            SetAside,
        )

        moved = EventCorrection.objects.filter(undone_at=None)
        waiting = SetAside.objects.filter(settled_at=None)
        free = (
            Movement.objects.present()
            .filter(
                session__missing_since=None,
                is_swing=True,
                inclusion=Inclusion.AUTOMATIC,
                notes=None,
            )
            .exclude(Exists(moved.filter(movement=OuterRef("pk"))))
            .exclude(Exists(waiting.filter(movement=OuterRef("pk"))))
            .select_related("session")
            .order_by("pk")
        )
        movement = self._chance.choice(list(free) or [None])
        if movement is None:
            return
        said = Said(kind, f"{kind} {len(self.said) + 1}", movement.session.session_id)
        self.motion_of(movement.pk)
        if kind == "exclusion":
            decisions.set_inclusion(
                movement=movement,
                inclusion=Inclusion.EXCLUDED,
                reason=said.words,
                user=self._user,
            )
            hashed = movement.inclusion_decisions.latest("pk").frames_sha256
        elif kind == "event":
            found = (movement.automatic_events or {}).get(EVENT) or {}
            if found.get("time_s") is None:
                return
            try:
                correction = decisions.move_event(
                    movement=movement,
                    event=EVENT,
                    time_s=found["time_s"] + self._chance.choice([-0.02, 0.02]),
                    reason=said.words,
                    user=self._user,
                )
            except ValidationError:
                # The frames of the page were replaced while the person looked.
                return
            hashed = correction.frames_sha256
        else:
            Note.objects.create(
                session=movement.session,
                movement=movement,
                text=said.words,
                created_by=self._user,
            )
            hashed = self.hash_of(movement.pk)
        if hashed not in self._motions:
            # Other frames arrived in this very moment.
            self.motion_of(movement.pk)
        said.motions = [self._motions[hashed]] if hashed in self._motions else []
        self.said.append(said)

    def _answer(self, offer: Any) -> None:
        """Use again, or drop, what was set aside."""
        from django.core.exceptions import ValidationError

        from athletes import decisions

        about = [said for said in self.said if offer in self._offers(said)]
        try:
            if self._chance.random() < 0.7:
                decisions.take_up(offer=offer, user=self._user)
                motion = self.motion_of(offer.movement_id)
                for said in about:
                    said.motions = [] if motion is None else [motion]
            else:
                decisions.drop(offer=offer, user=self._user)
                for said in about:
                    said.is_dropped = True
        except ValidationError:
            # An event cannot be there on the present frames: the offer stays.
            return

    # Looking

    def hash_of(self, movement_pk: int) -> str:
        """The hash of the stored angles of a movement; empty where there are none."""
        from athletes.models import BiomechanicsData, DataType

        rows = BiomechanicsData.objects.filter(
            movement=movement_pk, data_type=DataType.INVERSE_KINEMATICS
        )
        return rows.values_list("content_sha256", flat=True).first() or ""

    def motion_of(self, movement_pk: int) -> Motion | None:
        """The motion that the stored frames of a movement show; None without any."""
        from athletes.frames.load import load_columns

        hashed = self.hash_of(movement_pk)
        if hashed in self._motions or not hashed:
            return self._motions.get(hashed)
        columns = load_columns([movement_pk], "inverse-kinematics")[movement_pk]
        if self.hash_of(movement_pk) == hashed:
            self._motions[hashed] = _motion(columns)
        return self._motions.get(hashed)

    def _offers(self, said: Said) -> list[Any]:
        """Open offers of this decision."""
        from athletes.models import EventCorrection, Note, SetAside

        found = []
        for offer in SetAside.objects.filter(settled_at=None).order_by("pk"):
            words = {offer.offered_inclusion[1]}
            words.update(offer.corrections.values_list("reason", flat=True))
            if offer.decided_on_id is not None:
                active = EventCorrection.objects.filter(
                    movement=offer.decided_on_id, undone_at=None
                )
                words.update(active.values_list("reason", flat=True))
                notes = Note.objects.filter(movement=offer.decided_on_id)
                words.update(notes.values_list("text", flat=True))
            if said.words in words:
                found.append(offer)
        return found

    def _holders(self, said: Said) -> list[Any]:
        """Movements on which the decision holds, gone ones among them."""
        from athletes.models import Movement

        by = {
            "exclusion": {"inclusion_reason": said.words},
            "event": {
                "event_corrections__reason": said.words,
                "event_corrections__undone_at": None,
            },
            "note": {"notes__text": said.words},
        }
        return list(Movement.objects.filter(**by[said.kind]).distinct())

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with what people said, a sentence each."""
        from athletes.models import Movement, Session

        present = {
            movement.pk: movement.session.session_id
            for movement in Movement.objects.present()
            .filter(session__in=Session.objects.present())
            .select_related("session")
        }
        motions = {pk: self.motion_of(pk) for pk in present}
        for said in self.said:
            holders = [movement.pk for movement in self._holders(said)]
            offered = [offer.movement_id for offer in self._offers(said)]
            # The page of a session offers what waits on any of its swings.
            shown = {
                pk
                for pk in offered
                if Session.objects.present().filter(movements=pk).exists()
            }
            # One that was used again is kept with the gone swing too.
            if len(used := present.keys() & set(holders)) > 1:
                yield f"{said.words}: holds on {len(used)} swings that are there"
            if said.is_dropped:
                continue
            if not holders and not offered:
                yield f"{said.words}: lost"
            if not said.motions:
                continue
            if said.kind != "note":
                for pk in holders:
                    if pk in present and not self._is_of(said, motions[pk]):
                        yield f"{said.words}: applied to other frames (movement {pk})"
            here = [
                pk
                for pk, session_id in present.items()
                if session_id == said.session_id and self._is_of(said, motions[pk])
            ]
            if here and not shown and not present.keys() & {*holders}:
                yield (
                    f"{said.words}: the swing is there (movement {here[0]}), and it is "
                    f"neither used nor offered (holds on {holders}, offered on "
                    f"{offered})"
                )
        for (session_id, player), condition in self.setups.items():
            stated = Session.objects.get(
                session_id=session_id, player__org_player_id=player
            ).condition
            if stated != condition:
                yield f"setup of {session_id}: {stated!r}, not {condition!r}"

    @staticmethod
    def _is_of(said: Said, motion: Motion | None) -> bool:
        """Whether this is a motion for which it was said."""
        return motion is not None and any(
            one.shape == motion.shape and bool(np.abs(one - motion).max() < _SAME_M)
            for one in said.motions
        )


def _motion(columns: dict[str, Any]) -> Motion:
    """All points at a few frames around the fastest one, in meters."""
    names = sorted(name for name in columns if name[-2:] in {"_x", "_y", "_z"})
    points = np.stack([np.asarray(columns[name], float) for name in names])
    points = np.nan_to_num(points)
    speed = (np.diff(points, axis=1) ** 2).sum(axis=0)
    fastest = int(np.argmax(speed))
    places = np.clip([fastest + n for n in _AROUND], 0, points.shape[1] - 1)
    found: Motion = points[:, places]
    return found


# --- The same decisions on another database -----------------------------------------


def holding() -> list[dict[str, Any]]:
    """What people's decisions amount to on all that is there, by the vendor's ids."""
    from athletes.models import Inclusion, Movement, Session

    found: list[dict[str, Any]] = []
    present = Session.objects.present().select_related("player")
    for session in present.exclude(condition="", bat=""):
        found.append({
            "session": (session.session_id, session.player.org_player_id),
            "condition": session.condition, "bat": session.bat,
        })  # fmt: skip
    movements = Movement.objects.present().filter(session__in=present)
    for movement in movements.select_related("session__player").order_by("pk"):
        session = movement.session
        key = {"session": (session.session_id, session.player.org_player_id),
               "movement": movement.org_movement_id}  # fmt: skip
        for correction in movement.event_corrections.filter(undone_at=None):
            found.append(key | {"event": correction.event, "time_s": correction.time_s,
                                "reason": correction.reason})  # fmt: skip
        if movement.inclusion != Inclusion.AUTOMATIC:
            found.append(key | {"inclusion": movement.inclusion,
                                "reason": movement.inclusion_reason})  # fmt: skip
    return found


def decide_again(held: list[dict[str, Any]], user: Any) -> None:
    """Decide on this database what `holding` found on another one."""
    from athletes import decisions
    from athletes.models import Movement, Session

    for each in held:
        session_id, org_player_id = each["session"]
        session = Session.objects.get(
            session_id=session_id, player__org_player_id=org_player_id
        )
        if "condition" in each:
            session.condition, session.bat = each["condition"], each["bat"]
            decisions.save_conditions(session)
            continue
        movement = Movement.objects.get(
            session=session, org_movement_id=each["movement"]
        )
        if "event" in each:
            decisions.move_event(
                movement=movement, event=each["event"], time_s=each["time_s"],
                reason=each["reason"], user=user,
            )  # fmt: skip
        else:
            decisions.set_inclusion(
                movement=movement, inclusion=each["inclusion"],
                reason=each["reason"], user=user,
            )  # fmt: skip
