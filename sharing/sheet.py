"""The sheet of an athlete or of a session: one page, the same on screen and as PDF.

Everything here is text that is ready to print, in the reader's units, so that the two
renderings cannot say different things.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from django.conf import settings
from django.utils import timezone

from athletes.analysis.history import (
    SessionAverage,
    SideChoice,
    histories,
    newest_side,
    of_side,
    side_choices,
    side_of_key,
    sides_in,
)
from athletes.analysis.usual_scatter import Facility
from athletes.display import number_of
from athletes.models import Condition, Player, Session
from athletes.phrases import capture_system
from athletes.querysets import SessionQuerySet
from biomechanics.definitions import NUMERIC_HEADLINES
from dashboard.phrases import session_day
from dashboard.selectors.changes import change_sentences
from sharing.drawing import Drawing
from sharing.sheet_curves import (
    CountedSwings,
    counted_swings,
    draw_turn_rates,
    order_line,
)
from sharing.sheet_notes import SheetNote, sheet_notes
from sharing.sheet_numbers import (
    Changes,
    Footnote,
    KeyNumber,
    SheetRow,
    changes_of,
    footnotes,
    key_numbers,
    remarks,
    sheet_rows,
)

Paper = Literal["a4", "letter"]

_SETUPS = dict(Condition.choices)

# A page has room for so many characters of what people and the vendor wrote.
NAME_LENGTH, FACILITY_LENGTH, DETAIL_LENGTH = 60, 80, 40


@dataclass(frozen=True)
class Sheet:
    """Everything that a sheet says, as text in the reader's units."""

    kind: Literal["athlete", "session"]
    facility: str
    name: str
    facts: tuple[str, ...]
    data_line: str
    findings: tuple[str, ...]
    chart: Drawing | None
    phone_chart: Drawing | None
    order: str
    rows: tuple[SheetRow, ...]
    key_numbers: tuple[KeyNumber, ...]
    before_head: str
    now_head: str
    footnotes: tuple[Footnote, ...]
    remarks: tuple[str, ...]
    made_line: str
    file_name: str
    units: str
    side_choices: tuple[SideChoice, ...] = ()
    notes: tuple[SheetNote, ...] = ()

    @property
    def title(self) -> str:
        """The title of the window and of the PDF: `Ash Maple: swing sheet`."""
        return f"{self.name}: swing sheet"

    @property
    def side_key(self) -> str:
        """The side of a switch hitter that is shown, as addresses name it: `left`."""
        return next((item.key for item in self.side_choices if item.is_chosen), "")


def paper_for(asked: str, usual: str) -> Paper:
    """The paper that was asked for in the address, else the reader's usual one."""
    return cast(Paper, asked if asked in ("a4", "letter") else usual)


def short_name(player: Player) -> str:
    """First name and last initial, `Ash M.`: too little for a stranger."""
    initial = f"{player.last_name.strip()[:1]}." if player.last_name.strip() else ""
    return f"{player.first_name} {initial}".strip() or "Athlete"


def athlete_sheet(
    player: Player,
    sessions: SessionQuerySet,
    *,
    units: str,
    name: str = "",
    side: str = "",
) -> Sheet:
    """The athlete's newest session with numbers, against those before it.

    `sessions` are those that the reader may see, `side` (`right`, `left`) the swing of
    a switch hitter, else that of most swings in the session. At most eleven queries.
    """
    every = _history(player, sessions)
    sides = sides_in(every)
    history, choices = _of_side(every, sides, side)
    newest = _newest(history)
    session = None
    if newest is not None:
        session = sessions.filter(pk=newest.session_id).first()
    return _sheet(
        "athlete", player, session, history, units=units, name=name, choices=choices
    )


def session_sheet(
    session: Session,
    sessions: SessionQuerySet,
    *,
    units: str,
    name: str = "",
    side: str = "",
) -> Sheet:
    """One session against those before it; later ones are left out."""
    player = session.player
    at = _place(session.session_date, session.pk)
    history = {
        metric: kept
        for metric, points in _history(player, sessions).items()
        if (kept := [p for p in points if _place(p.date, p.session_id) <= at])
        and any(point.session_id == session.pk for point in kept)
    }
    sides = sides_in(_of_session(history, session.pk))
    history, choices = _of_side(history, sides, side)
    return _sheet(
        "session", player, session, history, units=units, name=name, choices=choices
    )


def _of_session(
    history: Mapping[str, Sequence[SessionAverage]], pk: int
) -> dict[str, list[SessionAverage]]:
    """The averages of one session, by metric."""
    return {
        metric: [point for point in points if point.session_id == pk]
        for metric, points in history.items()
    }


def _of_side(
    history: Mapping[str, Sequence[SessionAverage]], sides: Sequence[str], wish: str
) -> tuple[dict[str, list[SessionAverage]], tuple[SideChoice, ...]]:
    """The averages of the wished side, and the sides there are to choose from."""
    chosen = side_of_key(wish, sides)
    if chosen is None:
        chosen = newest_side(history)
    return of_side(history, chosen), side_choices(sides, chosen)


def _place(date: dt.date | None, pk: int) -> tuple[dt.date, int]:
    """Return the key by which sessions are ordered; undated ones come first."""
    return (date or dt.date.min, pk)


def _history(
    player: Player, sessions: SessionQuerySet
) -> dict[str, list[SessionAverage]]:
    """The athlete's averages by headline metric, oldest session first."""
    found = histories(sessions, [player.pk], NUMERIC_HEADLINES).get(player.pk, {})
    # In the order of the headlines, whatever the database gave.
    return {name: found[name] for name in NUMERIC_HEADLINES if name in found}


def _newest(history: Mapping[str, Sequence[SessionAverage]]) -> SessionAverage | None:
    """A point of the newest session that has any number."""
    return max(
        (points[-1] for points in history.values()),
        key=lambda point: _place(point.date, point.session_id),
        default=None,
    )


def _sheet(
    kind: Literal["athlete", "session"],
    player: Player,
    session: Session | None,
    history: Mapping[str, Sequence[SessionAverage]],
    *,
    units: str,
    name: str,
    choices: tuple[SideChoice, ...],
) -> Sheet:
    changes = changes_of(history, session, Facility({player.pk: history}).of(player.pk))
    side = changes[0][0].basis.side if changes else None
    setup = changes[0][0].basis.condition if changes else None
    counted = counted_swings(session, side, setup)
    swings = counted.swings
    charts = draw_turn_rates(
        swings, units, {point.metric: change.now for point, change in changes}
    )
    sessions_before = max((c.sessions_before for _, c in changes), default=0)
    return Sheet(
        kind=kind,
        facility=cut(settings.FACILITY_NAME, FACILITY_LENGTH),
        name=cut(name or player.full_name, NAME_LENGTH),
        facts=_facts(player, session, counted, _side_facts(changes, counted)),
        data_line=_data_line(session),
        findings=tuple(
            finding.text
            for finding in change_sentences([c for _, c in changes], system=units)
        ),
        chart=charts[0] if charts else None,
        phone_chart=charts[1] if charts else None,
        order=order_line(swings),
        rows=sheet_rows(changes, units),
        key_numbers=key_numbers(changes, units),
        before_head="Before"
        if not sessions_before
        else f"Before ({number_of(sessions_before, 'session')})",
        now_head=session_day(session.session_date) if session else "Now",
        footnotes=footnotes(changes),
        remarks=remarks(changes),
        made_line=f"Printed {session_day(timezone.localdate())}. "
        "Numbers describe a swing; they do not grade it.",
        file_name=_file_name(kind, player, session),
        units=units,
        side_choices=choices,
        notes=sheet_notes(player, session, with_athlete=kind == "athlete"),
    )


def cut(text: str, length: int) -> str:
    """At most `length` characters on one line, the rest as an ellipsis."""
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _side_facts(changes: Changes, counted: CountedSwings) -> tuple[str, ...]:
    """Say which side a switch hitter's numbers are of, and how many swings are not."""
    words = next((point.basis.side_words for point, _ in changes), "")
    told = [words.capitalize()] if words else []
    if words and counted.other_side:
        others = number_of(counted.other_side, "swing")
        told.append(f"{others} from the other side not included")
    if counted.other_setup:
        others = number_of(counted.other_setup, "swing")
        told.append(f"{others} with another setup not included")
    return tuple(told)


def _facts(
    player: Player,
    session: Session | None,
    counted: CountedSwings,
    side: tuple[str, ...],
) -> tuple[str, ...]:
    """Return what stands under the name: batting side, setup, bat, number of swings."""
    facts = []
    if player.dominant_hand_hitting:
        bats = player.get_dominant_hand_hitting_display() or ""
        facts.append("Switch hitter" if bats == "Switch" else f"Bats {bats.lower()}")
    if session is not None:
        facts.append(str(_SETUPS.get(counted.setup, "No setup recorded")))
        if session.bat:
            facts.append(f"Bat: {cut(session.bat, DETAIL_LENGTH)}")
        facts.append(number_of(len(counted.swings), "included swing"))
        facts += side
    return tuple(facts)


def _data_line(session: Session | None) -> str:
    """Say which session the numbers are of, and what captured it."""
    if session is None:
        return "No session with numbers yet."
    when = session_day(session.session_date)
    if session.session_date:
        when = f"Session of {when}"
    source = cut(capture_system(session.mocap_type_name), DETAIL_LENGTH)
    return f"{when}. Source: Reboot Motion{f', {source}' if source else ''}."


def _file_name(kind: str, player: Player, session: Session | None) -> str:
    """The name of the PDF file: `swing-sheet-athlete-7-2026-03-08.pdf`.

    Without the athlete's name: it stays in download folders and mail programs.
    """
    day = ""
    if session is not None and session.session_date:
        day = f"-{session.session_date.isoformat()}"
    number = session.pk if kind == "session" and session is not None else player.pk
    return f"swing-sheet-{kind}-{number}{day}.pdf"
