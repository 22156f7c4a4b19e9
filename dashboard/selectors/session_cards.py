"""Sessions as lines of a list, each with what changed in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from athletes.analysis.changes import MetricChange, session_changes
from athletes.analysis.history import histories
from athletes.analysis.usual_scatter import Facility
from athletes.models import Player, QualityGrade, Session
from athletes.querysets import SessionQuerySet
from biomechanics.definitions import NUMERIC_HEADLINES

CHANGES_PER_SESSION = 2


@dataclass(frozen=True)
class SessionCard:
    """A session of a list, with what changed in it."""

    session: Session
    player: Player
    counted: int
    grades: tuple[tuple[str, int], ...]
    changes: tuple[MetricChange, ...]
    compared: bool
    # Why nothing is compared, where nothing is.
    reason: str = ""

    @property
    def more_changes(self) -> int:
        """How many real changes there are beyond those shown."""
        return max(0, len(self.changes) - CHANGES_PER_SESSION)

    @property
    def first_changes(self) -> tuple[MetricChange, ...]:
        """The largest real changes, as many as the card shows."""
        return self.changes[:CHANGES_PER_SESSION]


def changes_of(
    listed: Sequence[Session], sessions: SessionQuerySet
) -> dict[int, tuple[MetricChange, ...]]:
    """What changed in each session listed, against its athlete's among `sessions`."""
    histories_of = histories(
        sessions, {session.player_id for session in listed}, NUMERIC_HEADLINES
    )
    facility = Facility(histories_of)
    return {
        session.pk: session_changes(
            histories_of.get(session.player_id, {}),
            session.pk,
            facility.of(session.player_id),
        )
        for session in listed
    }


def real_changes(changes: Iterable[MetricChange]) -> tuple[MetricChange, ...]:
    """Those that are more than the athlete's usual variation, clearest first."""
    found = [change for change in changes if change.real]
    return tuple(sorted(found, key=lambda change: change.size, reverse=True))


def session_card(session: Session, changes: Sequence[MetricChange]) -> SessionCard:
    """A session as a card; no query."""
    quality = session.summary.get("quality") or {}
    return SessionCard(
        session=session,
        player=session.player,
        counted=int(session.summary.get("counted") or 0),
        grades=tuple(
            (grade.value, int(quality.get(grade.value) or 0)) for grade in QualityGrade
        ),
        changes=real_changes(changes),
        compared=any(change.real is not None for change in changes),
        reason=next((change.reason for change in changes), ""),
    )
