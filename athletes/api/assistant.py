"""What an assistant may ask: few questions, answered as the JSON paths answer them.

Each function is one question, and `QUESTIONS` lists all of them. Their names,
parameters and docstrings are what the assistant is told (`reboot_site/mcp.py`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Annotated, Literal

from django.http import Http404
from ninja.errors import HttpError
from pydantic import Field

from accounts.audit import record
from accounts.models import Action, ApiToken
from athletes.access import visible_players, visible_sessions
from athletes.analysis.changes import METHOD
from athletes.analysis.history import histories
from athletes.api import changes
from athletes.api.parameters import LARGEST_ID
from athletes.api.rows import Row, definition, rounded
from athletes.models import Player
from biomechanics.definitions import METHOD_VERSION, METRICS, NUMERIC_HEADLINES

#: Sessions whose changes one answer holds, and points of one history.
MOST_SESSIONS = 12
MOST_POINTS = 200

Athlete = Annotated[
    int, Field(ge=1, le=LARGEST_ID, description="The id from find_athletes.")
]
Since = Annotated[dt.date | None, Field(description="From this day, YYYY-MM-DD.")]
Until = Annotated[
    dt.date | None, Field(description="Up to and including this day, YYYY-MM-DD.")
]
Side = Annotated[
    Literal["right", "left"] | None,
    Field(description="For a switch hitter: only swings from this side."),
]


def find_athletes(
    caller: ApiToken,
    name: Annotated[
        str, Field(max_length=200, description="Words of the name; empty for all.")
    ] = "",
    limit: Annotated[int, Field(ge=1, le=100)] = 20,
) -> Row:
    """Find athletes by name. Returns their ids, names and batting sides."""
    matching = visible_players(caller).named_like(name.replace("\0", " "))
    fields = ("id", "first_name", "last_name", "dominant_hand_hitting")
    found = [
        row | {name: row[name] or None for name in ("first_name", "last_name")}
        for row in matching.in_name_order().values(*fields)[:limit]
    ]
    _note(caller, "find_athletes")
    return {"total": matching.count(), "athletes": found}


def list_sessions(
    caller: ApiToken,
    athlete: Athlete,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
) -> Row:
    """List an athlete's sessions, latest first: id, day, movement type and setup.

    The setup is `mixed` where the swings have several.
    """
    player = _player(caller, athlete)
    sessions = visible_sessions(caller).filter(player=player).newest_first()
    if since:
        sessions = sessions.filter(session_date__gte=since)
    if until:
        sessions = sessions.filter(session_date__lte=until)
    fields = (
        *("pk", "session_date", "movement_type_name", "condition"),
        "summary__setups",
    )
    _note(caller, "list_sessions", player)
    return {
        "athlete": player.pk,
        "total": sessions.count(),
        "sessions": [
            {
                "id": pk,
                "date": day,
                "type": kind or None,
                "setup": _setup(setups or [setup]),
            }
            for pk, day, kind, setup, setups in sessions.values_list(*fields)[:limit]
        ],
    }


def _setup(setups: Collection[str]) -> str | None:
    """The setup of a session's swings; None where none is recorded."""
    return "mixed" if len(setups) > 1 else next(iter(setups)) or None


def what_changed(
    caller: ApiToken,
    athlete: Athlete,
    since: Since = None,
    session: Annotated[
        int | None,
        Field(ge=1, le=LARGEST_ID, description="One session, from list_sessions."),
    ] = None,
    side: Side = None,
) -> Row:
    """Tell what changed for an athlete, session by session, latest first.

    Each session is compared with the comparable sessions before it. `since` asks for
    all sessions from that day on, `session` for one; without either it is the latest
    session with numbers. The verdict `real` means more than the athlete's usual
    variation, `no_clear_change` about the same, and `unknown` that there is not enough
    to tell; `reason` then says why. Call a number a change only where it is `real`.
    """
    player = _player(caller, athlete)
    sessions = visible_sessions(caller).filter(player=player)
    wanted: list[int | None] = [session]
    left_out = 0
    if session is not None:
        if not sessions.filter(pk=session).exists():
            raise Http404("This athlete doesn't have that session.")
    elif since is not None:
        later = sessions.filter(session_date__gte=since).newest_first()
        keys = list(later.values_list("pk", flat=True))
        wanted, left_out = list(keys[:MOST_SESSIONS]), len(keys[MOST_SESSIONS:])
    found = [changes.player_changes(player, sessions, pk, side) for pk in wanted]
    days = dict(sessions.values_list("pk", "session_date"))
    _note(caller, "what_changed", player)
    return {
        "athlete": player.pk,
        "sessions": [
            {
                "session": one["session"],
                "date": days.get(one["session"]),
                **{name: one[name] for name in ("side", "sides", "setup", "changes")},
            }
            for one in found
        ],
        "earlier_sessions_left_out": left_out,
        "method": METHOD,
        "method_version": METHOD_VERSION,
    }


def metric_history(
    caller: ApiToken,
    athlete: Athlete,
    metric: Annotated[str, Field(max_length=100, description="See definitions.")],
    since: Since = None,
    side: Side = None,
) -> Row:
    """Give the session averages of one metric over time, oldest first.

    Compare only points with the same `comparable` number: they have the same setup,
    events, side, source and method.
    """
    if metric not in METRICS:
        raise HttpError(422, "Unknown metric: definitions lists all ids.")
    player = _player(caller, athlete)
    sessions = visible_sessions(caller).filter(player=player)
    if since:
        sessions = sessions.filter(session_date__gte=since)
    every = histories(sessions, [player.pk], [metric]).get(player.pk, {})
    points = [
        point
        for point in every.get(metric, ())
        if side is None or point.basis.side == side
    ]
    bases = list(dict.fromkeys(point.basis for point in points))
    shown = points[-MOST_POINTS:]
    _note(caller, "metric_history", player)
    return {
        "athlete": player.pk,
        "metric": metric,
        "name": METRICS[metric].name,
        "unit": METRICS[metric].unit,
        "points": [
            {
                "session": point.session_id,
                "date": point.date,
                "mean": rounded(point.mean),
                "sd": rounded(point.sd),
                "swings": point.n,
                "comparable": bases.index(point.basis) + 1,
            }
            for point in shown
        ],
        "rests_on": {
            str(number): {
                "in_words": basis.label,
                "side": basis.side or None,
                "method_version": basis.method_version,
            }
            for number, basis in enumerate(bases, start=1)
        },
        "earlier_points_left_out": len(points) - len(shown),
    }


def definitions(
    caller: ApiToken,
    metrics: Annotated[
        list[str],
        Field(max_length=50, description="Metric ids; if empty, the headline numbers."),
    ] = [],  # noqa: B006  # is read, and shown in the schema
) -> Row:
    """Define metrics: what each means, its unit, how and when it is measured."""
    unknown = [name for name in metrics if name not in METRICS]
    if unknown:
        raise HttpError(422, "Unknown metric; all_metrics lists the ids.")
    return {
        "metrics": [definition(METRICS[key]) for key in metrics or NUMERIC_HEADLINES],
        "all_metrics": {key: one.name for key, one in METRICS.items()},
        "method_version": METHOD_VERSION,
    }


QUESTIONS = (find_athletes, list_sessions, what_changed, metric_history, definitions)


def _player(caller: ApiToken, pk: int) -> Player:
    player = visible_players(caller).filter(pk=pk).first()
    if player is None:
        raise Http404("That athlete doesn't exist, or you can't see them.")
    return player


def _note(caller: ApiToken, question: str, player: Player | None = None) -> None:
    """Write down in the audit that an assistant was told about athletes."""
    record(
        Action.DATA_EXPORTED,
        by=caller,
        subject=player,
        player_id=player.pk if player else None,
        format="mcp",
        data_type=question,
    )
