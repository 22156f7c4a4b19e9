"""Athletes and sessions that can be added to a comparison, found by name."""

from __future__ import annotations

from dataclasses import dataclass

from athletes.access import Viewer, visible_players, visible_sessions
from athletes.display import number_of
from dashboard.phrases import session_day


@dataclass(frozen=True)
class PickSession:
    """A session that can be added, by the key that the URL takes."""

    key: str
    label: str
    detail: str


@dataclass(frozen=True)
class PickAthlete:
    """An athlete that can be added, with their newest sessions."""

    key: str
    label: str
    sessions: tuple[PickSession, ...]


PICK_ATHLETES, PICK_SESSIONS = 6, 5


def pickable(user: Viewer, text: str) -> tuple[PickAthlete, ...]:
    """Athletes whose name matches `text`, with their newest sessions; two queries."""
    if not text.strip():
        return ()
    players = list(
        visible_players(user).named_like(text).in_name_order()[:PICK_ATHLETES]
    )
    sessions: dict[int, list[PickSession]] = {}
    for session in (
        visible_sessions(user)
        .filter(player__in=players, swing_count__gt=0)
        .newest_first()
        .defer("summary")
    ):
        found = sessions.setdefault(session.player_id, [])
        if len(found) < PICK_SESSIONS:
            condition = session.get_condition_display()
            words = number_of(session.swing_count, "swing")
            found.append(
                PickSession(
                    f"session-{session.pk}",
                    session_day(session.session_date, "undated"),
                    f"{words}, {condition}" if session.condition else words,
                )
            )
    return tuple(
        PickAthlete(
            f"athlete-{player.pk}",
            player.full_name,
            tuple(sessions.get(player.pk, ())),
        )
        for player in players
    )
