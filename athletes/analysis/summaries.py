"""The columns of an athlete by which lists sort, and numbers that became old.

Whoever writes sessions or numbers calls these functions, so that a list of 100 000
athletes sorts from an index.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone
from django_q.tasks import async_task

from athletes.analysis import peer_numbers, usual_scatter
from athletes.bulk_sql import in_batches
from athletes.kept_questions import kept_question_of_keys
from athletes.models import (
    DataState,
    Movement,
    Player,
    Session,
    SessionMetric,
)
from athletes.querysets import of_present_session

_PLAYER_SUMMARY = (
    "last_session_on",
    "session_count",
    "swing_count",
    "data_state",
    "latest_hand_speed_m_per_s",
    "latest_bat_speed_m_per_s",
)


def time_of_rows() -> datetime:
    """Return the time as Django dates the rows of athletes and their sessions."""
    return timezone.now()


def refresh_player_summaries(player_ids: Iterable[int]) -> int:
    """Bring the columns by which lists sort up to date.

    Called after sessions of these athletes arrived, went, or got new numbers, another
    day or another setup. The athletes' percentiles and scatter are brought up to date
    too. Returns how many athletes changed.
    """
    ids = sorted(set(player_ids))
    changed = 0
    for batch in in_batches(ids):
        changed += _refresh_players(batch)
    peer_numbers.refresh(ids)
    for batch in in_batches(ids):
        usual_scatter.refresh(batch)
    return changed


def _refresh_players(ids: Sequence[int]) -> int:
    """Bring a few hundred athletes up to date; returns how many changed."""
    sessions = {
        pk: dict(zip(_OF_SESSIONS, values, strict=True))
        for pk, *values in _sessions_of(ids)
    }
    changed = []
    for pk, found_hand, found_bat, *stored in _players_of(ids):
        own = sessions.get(pk, _NO_SESSIONS)
        found = [
            own["last"],
            own["sessions"],
            own["swings"],
            _joint_state(own),
            found_hand,
            found_bat,
        ]
        if found != stored:
            fields = dict(zip(_PLAYER_SUMMARY, found, strict=True))
            changed.append(Player(pk=pk, **fields))
    if changed:
        with transaction.atomic():
            # One statement locks its rows in the order in which they are stored, so two
            # writers that share two athletes could wait for each other forever.
            peer_numbers.lock_players(player.pk for player in changed)
            # updated_at stays: it says when facts about the athlete changed.
            Player.objects.bulk_update(changed, _PLAYER_SUMMARY)
    return len(changed)


_NO_SESSIONS: dict[str, Any] = {"last": None, "sessions": 0, "swings": 0}
_OF_SESSIONS = (
    *("last", "sessions", "swings"),
    *("waiting", "failed", "partial", "complete"),
)


@kept_question_of_keys
def _sessions_of(ids: Collection[int]) -> QuerySet[Any, Any]:
    def sessions_in(state: DataState) -> Count:
        return Count("pk", filter=Q(data_state=state))

    return (
        Session.objects.filter(player__in=ids)
        .present()
        .order_by()
        .values_list("player_id")
        .annotate(
            last=Max("session_date"),
            sessions=Count("pk"),
            swings=Sum("swing_count"),
            waiting=sessions_in(DataState.WAITING),
            failed=sessions_in(DataState.FAILED),
            partial=sessions_in(DataState.PARTIAL),
            complete=sessions_in(DataState.COMPLETE),
        )
    )


@kept_question_of_keys
def _players_of(ids: Collection[int]) -> QuerySet[Any, Any]:
    players: QuerySet[Any, Any] = (
        Player.objects.filter(pk__in=ids)
        .annotate(
            found_hand=_latest_mean("peak_hand_speed"),
            found_bat=_latest_mean("bat_speed_max"),
        )
        .order_by()
        .values_list("pk", "found_hand", "found_bat", *_PLAYER_SUMMARY)
    )
    return players


def _latest_mean(metric: str) -> Subquery:
    """The average of the latest session that has the metric, as a subquery."""
    rows = SessionMetric.objects.filter(
        of_present_session("session__"), session__player=OuterRef("pk"), metric=metric
    ).order_by(
        F("session__session_date").desc(nulls_last=True), "-session_id", "-n", "basis"
    )
    return Subquery(rows.values("mean")[:1])


def _joint_state(own: Mapping[str, Any]) -> str:
    """How complete the frames of all an athlete's sessions are, by their counts."""
    if not own["sessions"]:
        return DataState.NONE
    if own["waiting"]:
        return DataState.WAITING
    if own["partial"] or (own["failed"] and own["complete"]):
        return DataState.PARTIAL
    if own["failed"]:
        return DataState.FAILED
    return DataState.COMPLETE if own["complete"] else DataState.NO_DATA


#: Facts about an athlete from which the numbers of a swing are computed.
PROFILE_FIELDS = frozenset({"height_ft", "weight_lbs", "dominant_hand_hitting"})


def outdate_numbers(
    *, player_ids: Iterable[int] = (), session_ids: Iterable[int] = ()
) -> set[int]:
    """Mark the numbers of these athletes or sessions as old; returns the sessions.

    Called because a profile changed, or because somebody wants the numbers computed
    again. The next `analyze_session` of each session does that, and so does the command
    `recompute_metrics`. The sessions are returned by our keys.
    """
    movements = Movement.objects.filter(
        Q(session__player_id__in=list(player_ids)) | Q(session_id__in=list(session_ids))
    )
    sessions = set(movements.order_by().values_list("session_id", flat=True))
    movements.update(method_version="", updated_at=timezone.now())
    return sessions


#: Days before a change of height or weight for which the new value counts too. Nobody
#: grows more than 3 cm in them, and a profile is seldom brought up to date at once.
PROFILE_REACHES_DAYS = 90


#: A child grows by up to 10 cm a year, and a profile may be more than a year old.
MOST_GROWN_FT = 0.4
#: Nobody grows from this age on; whoever's birth date is not known counts as grown up.
GROWN_UP_YEARS = 19
#: A body gains or loses up to this share of its weight between two looks at a profile.
MOST_WEIGHT_CHANGE = 0.15


def is_correction(name: str, before: float | None, player: Player, on: date) -> bool:
    """Whether a changed height or weight says that the former value was wrong.

    What a body does by itself is no correction: a child grows, weight goes up and down.
    A correction is true of all sessions, the other of those from then on.

    Parameters
    ----------
    name : {'height_ft', 'weight_lbs'}
    before : float or None
        What the profile said; `player` has the new value.
    on : date
        The day on which the new value was seen.
    """
    now: float | None = getattr(player, name)
    if before is None or now is None:
        return False
    if name == "weight_lbs":
        return abs(now - before) > MOST_WEIGHT_CHANGE * before
    born = player.date_of_birth
    is_child = born is not None and (on - born).days < GROWN_UP_YEARS * 365.25
    return not (is_child and 0.0 < now - before <= MOST_GROWN_FT)


def follow_profile(
    session_ids: Iterable[int], *, changed: Collection[str], since: date | None
) -> set[int]:
    """Let sessions follow a changed profile; returns those with old numbers, by key.

    A session keeps the height and the weight that it was measured with. Only those
    from the day `since` on, and those without a day, take the new ones; with ``None``
    all do, since the former value was wrong. A session without a value takes it anyway.

    Parameters
    ----------
    changed : collection of str
        Of `PROFILE_FIELDS`.
    """
    measures = sorted({"height_ft", "weight_lbs"}.intersection(changed))
    without = Q()
    for name in measures:
        without |= Q(**{f"{name}__isnull": True})
    outdated: set[int] = set()
    for part in in_batches(session_ids):
        sessions = Session.objects.filter(pk__in=part)
        recent = sessions
        if since is not None:
            recent = sessions.filter(
                Q(session_date__gte=since) | Q(session_date__isnull=True)
            )
        if measures:
            recent.update(**dict.fromkeys(measures, None))
        if "dominant_hand_hitting" not in changed:
            sessions = sessions.filter(without)
        pks = sessions.order_by("pk").values_list("pk", flat=True)
        outdated |= outdate_numbers(session_ids=pks)
    return outdated


def recompute_later(player_ids: Iterable[int]) -> None:
    """Put a task for each athlete into the queue that computes old numbers again.

    Tasks are queued when the transaction is committed, and not at all when it fails.
    """
    ids = list(player_ids)

    def enqueue() -> None:
        for pk in ids:
            async_task(
                "athletes.tasks.recompute_player", pk, task_name="numbers of athlete"
            )

    transaction.on_commit(enqueue)
