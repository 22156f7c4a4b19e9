"""What changed in a session, as the JSON path returns it."""

from __future__ import annotations

from athletes.analysis.changes import (
    METHOD,
    MetricChange,
    newest_session,
    session_changes,
    without_value,
)
from athletes.analysis.history import histories, newest_side
from athletes.analysis.usual_scatter import Facility
from athletes.api.rows import Row
from athletes.models import Player
from athletes.querysets import SessionQuerySet
from biomechanics.definitions import METHOD_VERSION, NUMERIC_HEADLINES

# More digits than this no number has.
_DIGITS = 6


def player_changes(
    player: Player, sessions: SessionQuerySet, wanted: int | None, side: str | None
) -> Row:
    """What changed in the wanted session, or else the newest with numbers.

    `sessions` are those of the athlete that the caller may see, and the wanted one is
    among them. `side` chooses the swings of a switch hitter; without it they are those
    of most swings in the session. Six queries at most.
    """
    every = histories(sessions, [player.pk], NUMERIC_HEADLINES)
    found = every.get(player.pk, {})
    shown = newest_session(found) if wanted is None else wanted
    session = sessions.filter(pk=shown).first() if shown is not None else None
    changes: tuple[MetricChange, ...] = ()
    if session is not None:
        changes = session_changes(found, session.pk, Facility(every).of(player.pk))
    of_session = {
        name: [point for point in points if session and point.session_id == session.pk]
        for name, points in found.items()
    }
    sides = [
        key for key in ("right", "left") if any(c.side_key == key for c in changes)
    ]
    if side is None and any(of_session.values()):
        side = newest_side({n: points for n, points in of_session.items() if points})
    of_side = [c for c in changes if c.basis and c.basis.side == (side or "")]
    # Of a session with several setups that of most swings.
    swings: dict[str, int] = {}
    for change in of_side:
        setup = change.basis.condition if change.basis else ""
        swings[setup] = max(swings.get(setup, 0), change.n_now)
    shown_setup = max(swings, key=lambda one: swings[one], default=None)
    own = {
        change.definition.id: change
        for change in of_side
        if change.basis and change.basis.condition == shown_setup
    }
    return {
        "player_id": player.pk,
        "session": session.pk if session else None,
        "session_id": session.session_id if session else None,
        "side": side or None,
        "sides": sides,
        "setup": (shown_setup if own else session and session.condition) or None,
        "changes": [
            _row(own.get(name) or without_value(name)) for name in NUMERIC_HEADLINES
        ],
        "method": METHOD,
        "method_version": METHOD_VERSION,
    }


def _row(change: MetricChange) -> Row:
    """One number as `ChangeOut`; the difference is that of the numbers sent."""
    now, before = _rounded(change.now), _rounded(change.before)
    delta = None
    if now is not None and before is not None:
        delta = _rounded(now - before)
    return {
        "metric": change.definition.id,
        "basis": change.basis.measured or None if change.basis else None,
        "verdict": change.verdict,
        "delta": delta,
        "unit": change.unit,
        "now": {"mean": now, "n": change.n_now},
        "before": {
            "mean": before,
            "n": change.n_before,
            "sessions": change.sessions_before,
        },
        "needed": _rounded(change.needed),
        "reason": change.reason,
        "reason_code": change.reason_code or None,
    }


def _rounded(value: float | None) -> float | None:
    """The value with six significant digits."""
    return None if value is None else float(f"{value:.{_DIGITS}g}")
