"""What is compared: swings, sessions, athletes and some time of theirs."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from athletes.access import (
    Viewer,
    kept_movements,
    kept_sessions,
    visible_movements,
    visible_players,
)
from athletes.analysis.means_by_side import SIDES, side_key, side_of
from athletes.display import number_of
from athletes.kept_questions import kept_question
from athletes.models import Movement, Player, Session
from athletes.phrases import setup_words as setup_phrase
from athletes.phrases import side_in_words
from athletes.querysets import MovementQuerySet, PlayerQuerySet, SessionQuerySet
from dashboard import charts
from dashboard.phrases import session_day
from dashboard.selectors.compare_keys import (
    ATHLETE,
    KINDS,
    RANGE,
    SESSION,
    SWING,
    ItemKey,
)
from dashboard.selectors.compare_names import (
    athlete_label,
    follow_moved,
    session_label,
    setup_words,
    swing_label,
)
from dashboard.selectors.compare_sets import (
    SETUPS,
    SessionSet,
    session_set,
    sessions_by_athlete,
)

#: A day and the key of a session: its place among an athlete's sessions.
Place = tuple[dt.date, int]


@dataclass(frozen=True, eq=False)
class Item:
    """One thing that is compared, with the swings that stand for it.

    `setup` says in words how all of them were hit, and is empty where that is not
    recorded of a swing or a session.
    """

    key: ItemKey
    letter: str
    label: str
    url_name: str
    player: Player
    swings: tuple[Movement, ...]
    # Swings that tell the scatter: of a single swing those of its session.
    around: tuple[Movement, ...]
    condition: str
    source: str
    setup: str = ""
    # The day of a swing, and whether it is gone.
    about: str = ""
    neighbors: tuple[int | None, int | None] = (None, None)
    # The side that the swings are taken from, and those that there are to choose from.
    side: str = ""
    side_choices: tuple[str, ...] = ()
    # Setups that a session, an athlete or a time could be shown in instead.
    setup_choices: tuple[str, ...] = ()
    # How many swings of its sessions are not in it, because they have another setup.
    other_swings: int = 0
    # How many sessions of a time are not in it, because they have another setup.
    left_out: int = 0
    # The first and the last of its sessions; None without any.
    span: tuple[Place, Place] | None = None

    @property
    def detail(self) -> str:
        """What stands for it: `11 swings included · last 3 sessions · Tee`."""
        told = [self.about]
        if self.key.kind != SWING:
            told.append(f"{number_of(len(self.swings), 'swing')} included")
        if self.key.kind in (ATHLETE, RANGE):
            sessions = len({swing.session_id for swing in self.swings})
            words = number_of(sessions, "session")
            if self.key.kind == ATHLETE:
                words = f"last {words}" if sessions > 1 else "latest session"
            told.append(words)
        told.append(self.setup)
        if self.other_swings:
            told.append(
                f"{number_of(self.other_swings, 'swing')} with a different setup not "
                "included"
            )
        if self.left_out:
            told.append(
                f"{number_of(self.left_out, 'session')} with a different setup or "
                "source not included"
            )
        return " · ".join(filter(None, told))

    @property
    def other_keys(self) -> tuple[tuple[str, ItemKey], ...]:
        """Each other side there are swings from, in words, with the key to show it."""
        return tuple(
            (side_in_words(side), replace(self.key, side=side_key(side)))
            for side in self.side_choices
            if side != self.side
        )

    @property
    def other_setups(self) -> tuple[tuple[str, ItemKey], ...]:
        """Each other setup there are swings of, with the key to show it."""
        return tuple(
            (setup_words(condition), self.key.with_condition(condition))
            for condition in self.setup_choices
        )

    @property
    def line_letter(self) -> str:
        """The letter as charts and CSS classes of lines take it: `a`."""
        return self.letter.lower()


def load_items(
    user: Viewer, keys: Sequence[ItemKey]
) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """Items in their order, and a sentence for each that is not shown.

    That is the order of the URL; what stands for different times of one athlete stands
    by date, so that a difference is always now minus before. What `user` may not see is
    said to be missing, like what does not exist. A merged athlete or session is shown
    by the one that was kept.
    """
    rows = _Rows(user, keys)
    lacking = [key for key in keys if not rows.has(key)]
    moved = follow_moved(user, lacking)
    if moved:
        keys = tuple(dict.fromkeys(moved.get(key, key) for key in keys))
        rows = _Rows(user, keys)
        lacking = [key for key in keys if not rows.has(key)]
    found = [rows.item(key) for key in keys if key not in lacking]
    lettered = [
        replace(item, letter=letter.upper())
        for item, letter in zip(in_order(found), charts.LETTERS, strict=False)
    ]
    missing = tuple(
        f"There is no {'athlete' if key.kind == RANGE else key.kind} {key.pk}, or you "
        "can't see it."
        for key in lacking
    )
    return _with_one_side_each(_with_one_setup_each(lettered)), missing


@kept_question
def _swings(movements: MovementQuerySet, *keys: int) -> MovementQuerySet:
    return movements.filter(pk__in=keys)


@kept_question
def _players(players: PlayerQuerySet, *keys: int) -> PlayerQuerySet:
    return players.filter(pk__in=keys)


@kept_question
def _sessions(sessions: SessionQuerySet, *keys: int) -> SessionQuerySet:
    return sessions.filter(pk__in=keys).select_related("player")


@kept_question
def _of_sessions(movements: MovementQuerySet, *session_ids: int) -> MovementQuerySet:
    found = movements.filter(session_id__in=session_ids).in_session_order()
    return found.defer("verdict", "metadata", "vendor_metrics", "quality_reasons")


class _Rows:
    """The rows that keys name, as far as `user` may see them; at most five queries."""

    def __init__(self, user: Viewer, keys: Sequence[ItemKey]) -> None:
        wanted: dict[str, set[int]] = {kind: set() for kind in KINDS}
        for key in keys:
            wanted[key.kind].add(key.pk)
        self.swings = {
            swing.pk: swing
            # Whoever names a swing or a session gets it, gone ones too.
            for swing in _swings(kept_movements(user), *wanted[SWING])
        }
        players = wanted[ATHLETE] | wanted[RANGE]
        self.players = {
            player.pk: player for player in _players(visible_players(user), *players)
        }
        of_player = sessions_by_athlete(user, list(self.players))
        self.sets = {
            key: session_set(key, of_player[key.pk])
            for key in keys
            if key.kind in (ATHLETE, RANGE) and key.pk in self.players
        }
        shown = {row.pk for found in self.sets.values() for row in found.rows}
        named = {swing.session_id for swing in self.swings.values()} | wanted[SESSION]
        self.sessions = {
            session.pk: session
            for session in _sessions(kept_sessions(user), *(named | shown))
        }
        for swing in self.swings.values():
            if swing.session_id in self.sessions:
                swing.session = self.sessions[swing.session_id]
        self.by_session: dict[int, list[Movement]] = {}
        for movement in _of_sessions(visible_movements(user), *self.sessions):
            # Whose setup the swing has, unless its own is stated.
            movement.session = self.sessions[movement.session_id]
            self.by_session.setdefault(movement.session_id, []).append(movement)

    def has(self, key: ItemKey) -> bool:
        """Whether there is what the key names, and may be seen."""
        if key.kind == SWING:
            swing = self.swings.get(key.pk)
            return swing is not None and swing.session_id in self.sessions
        if key.kind == SESSION:
            return key.pk in self.sessions
        return key.pk in self.players

    def item(self, key: ItemKey) -> Item:
        """The item that stands for a key that is there."""
        if key.kind == SWING:
            swing = self.swings[key.pk]
            session = self.sessions[swing.session_id]
            around = self.by_session.get(session.pk, [])
            if swing.missing_since is not None:
                around = [*around, swing]
            return _swing_item(key, session, around)
        if key.kind == SESSION:
            session = self.sessions[key.pk]
            return _session_item(key, session, self.by_session.get(key.pk, []))
        return _athlete_item(key, self.players[key.pk], self.sets[key], self.by_session)


def are_in_time_order(items: Sequence[Item]) -> bool:
    """Whether they are of different times of one athlete, and so stand by date.

    Two of the same session share its time; two times that overlap have no order, and
    neither has one of which the day is not known.
    """
    spans = {item.span for item in items}
    if len({item.player.pk for item in items}) != 1 or len(spans) < 2:
        return False
    dated = sorted(
        span for span in spans if span is not None and span[0][0] != dt.date.min
    )
    return len(dated) == len(spans) and all(
        before[1] < after[0] for before, after in pairwise(dated)
    )


def in_order(items: Sequence[Item]) -> list[Item]:
    """The items by date if they are of one athlete; swings of one session stay."""
    if not are_in_time_order(items):
        return list(items)
    return sorted(items, key=lambda item: item.span or ())


def _with_one_setup_each(items: Sequence[Item]) -> tuple[Item, ...]:
    """The items, each with swings of one setup alone.

    A session that has several, where its key names none, is of the setup that most
    others are of, else of that of most of its swings, of two that are level of the one
    that is stated of it.
    """
    setups = [Counter(swing.setup for swing in item.swings) for item in items]
    fixed = Counter(
        item.condition
        if item.key.kind != SESSION
        else next(iter(found))
        if item.key.condition is None
        else item.key.condition
        for item, found in zip(items, setups, strict=True)
        if item.key.setup or item.key.kind != SESSION or len(found) == 1
    )
    shown = []
    for item, found in zip(items, setups, strict=True):
        condition = item.condition
        if item.key.condition is not None:
            condition = item.key.condition
        elif item.key.kind == SESSION and found:
            condition = max(
                found,
                key=lambda one: (fixed[one], found[one], one == item.condition),
            )
        shown.append(_of_setup(item, condition, found))
    return tuple(shown)


def _of_setup(item: Item, condition: str, found: Mapping[str, int]) -> Item:
    """The item with its swings of one setup; `found` counts those of each."""
    choices = item.setup_choices
    if item.key.kind == SESSION:
        choices = tuple(one for one in SETUPS if one in found and one != condition)
    is_named = bool(condition or choices or item.setup)
    return replace(
        item,
        label=f"{item.label}, {setup_phrase(condition)}"
        if item.key.kind == SESSION and choices
        else item.label,
        swings=tuple(swing for swing in item.swings if swing.setup == condition),
        around=tuple(swing for swing in item.around if swing.setup == condition),
        condition=condition,
        setup=setup_words(condition) if is_named else "",
        setup_choices=choices,
        other_swings=sum(found.values()) - found.get(condition, 0),
    )


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
    return replace(
        item,
        swings=tuple(swing for swing in item.swings if side_of(swing) == side),
        around=tuple(swing for swing in item.around if side_of(swing) == side),
        side=side,
        side_choices=choices if len(choices) > 1 else (),
    )


def of_newest(item: Item, most: int) -> Item:
    """The item with at most so many swings, the newest ones."""
    return replace(
        item,
        swings=newest_swings(item.swings, most),
        around=newest_swings(item.around, most),
    )


def newest_swings(swings: Iterable[Movement], most: int) -> tuple[Movement, ...]:
    """The last swings of the newest sessions; `swings` have the newest one first."""
    kept: list[Movement] = []
    for _, of_session in groupby(swings, key=lambda swing: swing.session_id):
        own, room = list(of_session), most - len(kept)
        kept += own[max(len(own) - room, 0) :]
    return tuple(kept)


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
        label=swing_label(session, swing),
        url_name="dashboard:swing",
        player=session.player,
        swings=(swing,),
        around=_included(movements),
        condition=swing.setup,
        source=session.mocap_type_name,
        about=session_day(session.session_date, "undated")
        + (", no longer sent by Reboot Motion" if swing.missing_since else ""),
        span=_span([_place(session)]),
        neighbors=(
            movements[place - 1].pk if place else None,
            movements[place + 1].pk if place + 1 < len(movements) else None,
        ),
    )


def _session_item(
    key: ItemKey, session: Session, movements: Sequence[Movement]
) -> Item:
    """One session, of its included swings."""
    swings = _included(movements)
    return Item(
        key=key,
        letter="",
        label=session_label(session),
        url_name="dashboard:session",
        player=session.player,
        swings=swings,
        around=swings,
        condition=session.condition,
        source=session.mocap_type_name,
        span=_span([_place(session)]),
    )


def _place(session: Session) -> Place:
    """The place of a session among others: undated ones come first."""
    return (session.session_date or dt.date.min, session.pk)


def _span(places: Sequence[Place]) -> tuple[Place, Place] | None:
    return (min(places), max(places)) if places else None


def _athlete_item(
    key: ItemKey,
    player: Player,
    sessions: SessionSet,
    by_session: Mapping[int, Sequence[Movement]],
) -> Item:
    """One athlete, or some time of theirs, of the included swings of the sessions."""
    swings = tuple(
        swing
        for row in sessions.rows
        for swing in _included(by_session.get(row.pk, []))
    )
    return Item(
        key=key,
        letter="",
        label=athlete_label(key, player),
        url_name="dashboard:athlete",
        player=player,
        swings=swings,
        around=swings,
        condition=sessions.condition,
        source=sessions.source,
        setup=setup_words(sessions.condition) if sessions.rows else "",
        setup_choices=sessions.other_setups,
        left_out=sessions.left_out,
        span=_span([row.when for row in sessions.rows]),
    )
