"""What can be compared: swings, sessions, athletes, as the URL names them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import F

from athletes.access import (
    Viewer,
    kept_movements,
    kept_sessions,
    visible_movements,
    visible_players,
    visible_sessions,
)
from athletes.analysis.means_by_side import SIDES, side_key, side_of
from athletes.display import number_of
from athletes.models import Movement, Player, Session
from athletes.phrases import side_in_words
from dashboard import charts
from dashboard.phrases import session_day

LEAST_ITEMS, MOST_ITEMS = 2, 6
_SIDE_KEYS = tuple(map(side_key, SIDES))
KINDS = ("swing", "session", "athlete")
# An athlete stands for the counted swings of so many newest sessions.
ATHLETE_SESSIONS = 3
#: The condition or source of an athlete whose sessions have several.
MIXED = "mixed"


@dataclass(frozen=True)
class ItemKey:
    """One thing to compare as the URL names it: `session-12`, `session-12-left`.

    The second form names one of the two sides that a switch hitter swings from.
    """

    kind: str
    pk: int
    side: str = ""

    def __str__(self) -> str:
        return "-".join(filter(None, (self.kind, str(self.pk), self.side)))


@dataclass(frozen=True, eq=False)
class Item:
    """One thing that is compared, with the swings that stand for it."""

    key: ItemKey
    letter: str
    label: str
    detail: str
    url_name: str
    player: Player
    swings: tuple[Movement, ...]
    # Swings that tell the scatter: of a single swing those of its session.
    around: tuple[Movement, ...]
    condition: str
    source: str
    neighbors: tuple[int | None, int | None] = (None, None)
    # The side that the swings are taken from, and those that there are to choose from.
    side: str = ""
    side_choices: tuple[str, ...] = ()
    # Day and key of the session; None of an athlete, who stands for several.
    when: tuple[dt.date, int] | None = None

    @property
    def other_keys(self) -> tuple[tuple[str, ItemKey], ...]:
        """Each other side there are swings from, in words, with the key to show it."""
        return tuple(
            (side_in_words(side), replace(self.key, side=side_key(side)))
            for side in self.side_choices
            if side != self.side
        )

    @property
    def line_letter(self) -> str:
        """The letter as charts and CSS classes of lines take it: `a`."""
        return self.letter.lower()


def parse_items(texts: Iterable[str]) -> tuple[tuple[ItemKey, ...], tuple[str, ...]]:
    """The things that the URL names, each once, and what could not be read."""
    keys: dict[str, ItemKey] = {}
    problems = []
    for text in texts:
        for word in filter(None, (part.strip() for part in text.split(","))):
            kind, _, rest = word.partition("-")
            number, _, side = rest.partition("-")
            if (
                kind not in KINDS
                or not (number.isascii() and number.isdigit())
                or (side and (side not in _SIDE_KEYS or kind == "swing"))
                or rest.endswith("-")
            ):
                problems.append(f"“{word[:40]}” is not something to compare.")
            elif len(number) < 19:
                keys.setdefault(word, ItemKey(kind, int(number), side))
    if len(keys) > MOST_ITEMS:
        problems.append(f"Only the first {MOST_ITEMS} are shown.")
    return tuple(keys.values())[:MOST_ITEMS], tuple(problems)


def load_items(
    user: Viewer, keys: Sequence[ItemKey]
) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """Items in their order, and a sentence for each that is not shown.

    That is the order of the URL; sessions and swings of one athlete stand by date, so
    that a difference is always now minus before. What `user` may not see is said to be
    missing, like what does not exist.
    """
    wanted: dict[str, list[int]] = {kind: [] for kind in KINDS}
    for key in keys:
        wanted[key.kind].append(key.pk)
    swings = {
        swing.pk: swing
        # Whoever names a swing or a session gets it, gone ones too.
        for swing in kept_movements(user).filter(pk__in=wanted["swing"])
    }
    players = visible_players(user).in_bulk(wanted["athlete"])
    sessions_of = _newest_sessions(user, list(players))
    session_ids = {
        *wanted["session"],
        *(swing.session_id for swing in swings.values()),
        *(session for found in sessions_of.values() for session in found),
    }
    sessions = {
        session.pk: session
        for session in kept_sessions(user)
        .filter(pk__in=session_ids)
        .select_related("player")
    }
    by_session: dict[int, list[Movement]] = {}
    for movement in (
        visible_movements(user)
        .filter(session_id__in=sessions)
        .in_session_order()
        .defer("verdict", "metadata", "vendor_metrics", "quality_reasons")
    ):
        by_session.setdefault(movement.session_id, []).append(movement)
    found: list[Item] = []
    missing = []
    for key in keys:
        item = None
        if key.kind == "swing" and key.pk in swings:
            swing = swings[key.pk]
            session = sessions.get(swing.session_id)
            if session is not None:
                around = by_session.get(session.pk, [])
                if swing.missing_since is not None:
                    around = [*around, swing]
                item = _swing_item(key, session, around)
        elif key.kind == "session" and key.pk in sessions:
            item = _session_item(key, sessions[key.pk], by_session.get(key.pk, []))
        elif key.kind == "athlete" and key.pk in players:
            own = [sessions[pk] for pk in sessions_of.get(key.pk, []) if pk in sessions]
            item = _athlete_item(key, players[key.pk], own, by_session)
        if item is None:
            missing.append(f"There is no {key.kind} {key.pk}, or you may not see it.")
        else:
            found.append(item)
    lettered = [
        replace(item, letter=letter.upper())
        for item, letter in zip(in_order(found), charts.LETTERS, strict=False)
    ]
    return _with_one_side_each(lettered), tuple(missing)


def are_in_time_order(items: Sequence[Item]) -> bool:
    """Whether they are of several sessions of one athlete, which stand by date."""
    times = {item.when for item in items}
    return (
        len({item.player.pk for item in items}) == 1
        and len(times) > 1
        and None not in times
    )


def in_order(items: Sequence[Item]) -> list[Item]:
    """The items by date if they are of one athlete; swings of one session stay."""
    if not are_in_time_order(items):
        return list(items)
    return sorted(items, key=lambda item: item.when or (dt.date.min, 0))


def _with_one_side_each(items: Sequence[Item]) -> tuple[Item, ...]:
    """The items, each with swings from one side alone.

    What has swings of both sides, and names none, is of the side that most others are
    of, else of the one that most swings are from: left is not held against right by
    chance.
    """
    sides = [Counter(map(side_of, item.swings)) for item in items]
    fixed = Counter(
        item.key.side or side_key(next(iter(found)))
        for item, found in zip(items, sides, strict=True)
        if item.key.side or len(found) == 1
    )
    swings = sum(sides, Counter[str]())
    shown = []
    for item, found in zip(items, sides, strict=True):
        choices = tuple(side for side in SIDES if side in found)
        if item.key.side:
            side = next(one for one in SIDES if side_key(one) == item.key.side)
        elif choices:
            side = max(choices, key=lambda one: (fixed[side_key(one)], swings[one]))
        else:
            side = ""
        shown.append(_from_side(item, side, choices))
    # Of who swings from one side alone, which one is no news.
    of_player: dict[int, set[str]] = {}
    for item in shown:
        if item.swings:
            of_player.setdefault(item.player.pk, set()).update(
                (*item.side_choices, item.side)
            )
    return tuple(
        replace(item, label=f"{item.label}, {side_in_words(item.side)}")
        if len(of_player.get(item.player.pk, ())) > 1 and item.swings
        else item
        for item in shown
    )


def _from_side(item: Item, side: str, choices: tuple[str, ...]) -> Item:
    """The item with its swings from one side; `choices` are the sides there are."""
    swings = tuple(swing for swing in item.swings if side_of(swing) == side)
    around = tuple(swing for swing in item.around if side_of(swing) == side)
    detail = item.detail
    if len(swings) < len(item.swings):
        detail = number_of(len(swings), "counted swing")
        if item.key.kind == "athlete":
            sessions = len({swing.session_id for swing in swings})
            detail += f" of {number_of(sessions, 'session')}"
    return replace(
        item,
        swings=swings,
        around=around,
        detail=detail,
        side=side,
        side_choices=choices if len(choices) > 1 else (),
    )


def _newest_sessions(user: Viewer, players: Sequence[int]) -> dict[int, list[int]]:
    """Ids of each athlete's newest sessions with swings, newest first."""
    if not players:
        return {}
    found: dict[int, list[int]] = {}
    rows = (
        visible_sessions(user)
        .filter(player_id__in=players, swing_count__gt=0)
        .order_by(F("session_date").desc(nulls_last=True), "-pk")
        .values_list("player_id", "pk")
    )
    for player, session in rows:
        if len(found.setdefault(player, [])) < ATHLETE_SESSIONS:
            found[player].append(session)
    return found


def _included(movements: Iterable[Movement]) -> tuple[Movement, ...]:
    """Those that are included in averages."""
    return tuple(movement for movement in movements if movement.is_counted)


def _swing_item(key: ItemKey, session: Session, movements: Sequence[Movement]) -> Item:
    """One swing, with its scatter from the `movements` of its session."""
    place = next(i for i, movement in enumerate(movements) if movement.pk == key.pk)
    swing = movements[place]
    return Item(
        key=key,
        letter="",
        label=f"{session.player.full_name}, swing {swing.position}",
        detail=session_day(session.session_date, "undated")
        + (", no longer sent by Reboot Motion" if swing.missing_since else ""),
        url_name="dashboard:swing",
        player=session.player,
        swings=(swing,),
        around=_included(movements),
        condition=session.condition,
        source=session.mocap_type_name,
        when=_when(session),
        neighbors=(
            movements[place - 1].pk if place else None,
            movements[place + 1].pk if place + 1 < len(movements) else None,
        ),
    )


def _session_item(
    key: ItemKey, session: Session, movements: Sequence[Movement]
) -> Item:
    """One session, of its counted swings."""
    swings = _included(movements)
    return Item(
        key=key,
        letter="",
        label=f"{session.player.full_name}, "
        f"{session_day(session.session_date, 'undated')}",
        detail=number_of(len(swings), "counted swing"),
        url_name="dashboard:session",
        player=session.player,
        swings=swings,
        around=swings,
        condition=session.condition,
        source=session.mocap_type_name,
        when=_when(session),
    )


def _when(session: Session) -> tuple[dt.date, int]:
    """The place of a session among others: undated ones come first, as in histories."""
    return (session.session_date or dt.date.min, session.pk)


def _athlete_item(
    key: ItemKey,
    player: Player,
    sessions: Sequence[Session],
    by_session: Mapping[int, Sequence[Movement]],
) -> Item:
    """One athlete, of the counted swings of their newest sessions."""
    swings = tuple(
        swing
        for session in sessions
        for swing in _included(by_session.get(session.pk, []))
    )
    conditions = {session.condition for session in sessions}
    sources = {session.mocap_type_name for session in sessions}
    return Item(
        key=key,
        letter="",
        label=player.full_name,
        detail=f"{number_of(len(swings), 'counted swing')} of "
        f"{number_of(len(sessions), 'session')}",
        url_name="dashboard:athlete",
        player=player,
        swings=swings,
        around=swings,
        condition=conditions.pop() if len(conditions) == 1 else MIXED,
        source=sources.pop() if len(sources) == 1 else MIXED,
    )
