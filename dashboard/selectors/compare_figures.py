"""Two figures of a comparison in step, and body positions of all its items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from athletes import display
from athletes.analysis.event_rules import event_rule, event_time
from athletes.analysis.marked_swings import typical_swing
from athletes.frames.curves import Curves
from athletes.kept_questions import kept_question
from athletes.models import Movement
from athletes.phrases import EVENTS
from dashboard import charts
from dashboard.selectors.aligned_curves import Alignment, event_label, zero_label
from dashboard.selectors.body_positions import (
    BodyPosition,
    PositionNumber,
    body_positions,
    view_of_swings,
)
from dashboard.selectors.compare_items import Item
from dashboard.selectors.compare_keys import SWING
from dashboard.selectors.posed import Posed, pose
from dashboard.selectors.swing_figure import (
    ON_CONTACT,
    STARTS_AT,
    figure_json,
    load_points_of,
    no_figure,
)

# Closer than this two legs are as long as each other, as a share of one.
_SAME_SIZE = 0.005


@dataclass(frozen=True, eq=False)
class DrawnSwing:
    """The swing that is drawn for an item, and why that one.

    Without a `swing`, or without its points, `missing` says why there is no figure.
    """

    item: Item
    swing: Movement | None
    why: str
    posed: Posed | None
    missing: str


@dataclass(frozen=True)
class SizeMatch:
    """What the second figure is enlarged by, and in words by which length."""

    factor: float
    words: str


@dataclass(frozen=True, eq=False)
class FigurePair:
    """Two figures in step as their script reads them, with what has to be said."""

    figure: charts.Json
    sides: tuple[DrawnSwing, DrawnSwing]
    size: SizeMatch
    notes: tuple[str, ...]

    @property
    def contact_label(self) -> str:
        """What contact is called in both; where rules differ, what each calls it."""
        labels = [str(body["contact_label"]) for body in self.figure["bodies"]]
        return " / ".join(dict.fromkeys(filter(None, labels)))

    @property
    def has_plates(self) -> bool:
        """Whether both have a plate to meet at: their files tell where to look."""
        return all(body["has_forward"] for body in self.figure["bodies"])


@dataclass(frozen=True)
class NumberRow:
    """One number of a body position, of every item; None where an item has no swing."""

    label: str
    metric: str
    cells: tuple[PositionNumber | None, ...]


@dataclass(frozen=True, eq=False)
class PositionRow:
    """All items at one event."""

    event: str
    label: str
    cells: tuple[tuple[DrawnSwing, BodyPosition | None], ...]
    numbers: tuple[NumberRow, ...]


@dataclass(frozen=True, eq=False)
class CompareFigures:
    """The figures and body positions of a comparison; `missing` instead of a pair."""

    drawn: tuple[DrawnSwing, ...]
    pair: FigurePair | None
    missing: str
    positions: tuple[PositionRow, ...]

    @property
    def others(self) -> tuple[DrawnSwing, ...]:
        """What can be drawn beside the first."""
        return self.drawn[1:]


def compare_figures(
    items: Sequence[Item],
    stored: Mapping[int, Curves],
    *,
    align: str,
    second: str,
    system: str,
) -> CompareFigures:
    """Figures of the first item and of the one whose letter is `second`.

    `stored` holds curves by movement id, `align` names the event at zero or is
    `PERCENT`, `system` is the reader's units. Three queries, however many items.
    """
    drawn = _drawn(items, stored)
    if len(drawn) < 2:
        return CompareFigures(drawn, None, "", ())
    other = next(
        (one for one in drawn[1:] if one.item.letter == second.upper()), drawn[1]
    )
    pair, missing = _pair(drawn[0], other, Alignment(align), system)
    return CompareFigures(drawn, pair, missing, _positions(drawn, stored))


@kept_question
def _swings(*keys: int) -> QuerySet[Movement]:
    return Movement.objects.filter(pk__in=keys)


def _drawn(
    items: Sequence[Item], stored: Mapping[int, Curves]
) -> tuple[DrawnSwing, ...]:
    """The swing of each item with its positions."""
    chosen = [_chosen(item, stored) for item in items]
    # Items come without what is known of the file.
    asked = (pk for pk, _ in chosen if pk is not None)
    swings = {swing.pk: swing for swing in _swings(*asked)}
    points = load_points_of(list(swings.values()))
    drawn = []
    for item, (pk, why) in zip(items, chosen, strict=True):
        swing = None if pk is None else swings.get(pk)
        if swing is None:
            drawn.append(DrawnSwing(item, None, why, None, "No swing to draw."))
            continue
        loaded = points[swing.pk]
        posed = pose(swing, loaded.columns)
        missing = "" if posed is not None else no_figure(loaded)
        drawn.append(DrawnSwing(item, swing, why, posed, missing))
    return tuple(drawn)


def _chosen(item: Item, stored: Mapping[int, Curves]) -> tuple[int | None, str]:
    """The id of the swing that is drawn for an item, and why that one."""
    if not item.swings:
        return None, ""
    if item.key.kind == SWING:
        return item.swings[0].pk, ""
    count = display.number_of(len(item.swings), "included swing")
    typical = typical_swing(
        {swing.pk: swing.events for swing in item.swings},
        {swing.pk: event_rule(swing, "reference") for swing in item.swings},
        stored,
    )
    if typical is not None:
        return typical, f"typical of {count}"
    if len(item.swings) == 1:
        return item.swings[0].pk, "its only included swing"
    return item.swings[0].pk, f"the first of {count}: no typical one is known"


# --- The pair -----------------------------------------------------------------------


def _pair(
    a: DrawnSwing, b: DrawnSwing, alignment: Alignment, system: str
) -> tuple[FigurePair | None, str]:
    """Two figures on a common clock, or why there are none."""
    for side in (a, b):
        if side.posed is None or side.swing is None:
            return None, f"{side.item.letter} has no figure: {side.missing}"
    notes = []
    clocks = [_clock(side, alignment) for side in (a, b)]
    if None in clocks:
        lacking: dict[str, list[str]] = {}
        for side in (a, b):
            why = (
                "" if side.swing is None else alignment.why_no_place(side.swing.events)
            )
            if why:
                lacking.setdefault(why, []).append(side.item.letter)
        alignment = ON_CONTACT
        clocks = [_clock(side, alignment) for side in (a, b)]
        if None in clocks:
            return None, (
                "Contact is missing in one of them, so their times can't be lined up."
            )
        words = ", and ".join(
            f"{why} in {' and '.join(letters)}" for why, letters in lacking.items()
        )
        notes.append(
            f"{words[0].upper()}{words[1:]}, so the figures are lined up on contact."
        )
    known = [clock for clock in clocks if clock is not None]
    match = size_match(a, b, system)
    figure: charts.Json = {
        "bodies": [
            _body(side, clock) for side, clock in zip((a, b), known, strict=True)
        ],
        "clock": _common_clock((a, b), known, alignment),
        "size": round(match.factor, 4),
    }
    notes += _notes(a, b, alignment)
    return FigurePair(figure, (a, b), match, tuple(notes)), ""


def _clock(side: DrawnSwing, alignment: Alignment) -> tuple[float, float] | None:
    """When the common time is zero (s on the file's clock), and how long one of it is.

    One is a second, or the whole swing where time is in percent of it.
    """
    found = None if side.swing is None else alignment.clock(side.swing.events)
    if found is None:
        return None
    zero_s, per_s = found
    return zero_s, 100.0 / per_s if alignment.is_percent else 1.0


def _body(side: DrawnSwing, clock: tuple[float, float]) -> charts.Json:
    """One of the figures, with its place on the common clock."""
    if side.swing is None or side.posed is None:
        raise ValueError("One of them has no figure.")
    body = figure_json(side.swing, side.posed)
    body["clock"] = {
        "letter": side.item.letter,
        "zero_s": round(clock[0], 6),
        "per": round(clock[1], 6),
    }
    return body


def _common_clock(
    sides: Sequence[DrawnSwing],
    clocks: Sequence[tuple[float, float]],
    alignment: Alignment,
) -> charts.Json:
    """The common time of both: from the first frame of either to the last."""
    starts, ends, steps = [], [], []
    for side, (zero_s, per) in zip(sides, clocks, strict=True):
        if side.posed is not None:
            starts.append((side.posed.start_s - zero_s) / per)
            ends.append((side.posed.end_s - zero_s) / per)
            steps.append(side.posed.dt_s / per)
    swing, (zero_s, per) = sides[0].swing, clocks[0]
    rule = "" if swing is None else event_rule(swing, alignment.event)
    first = next(
        (
            (at - zero_s) / per
            for name in STARTS_AT
            if swing is not None and (at := event_time(swing.events, name)) is not None
        ),
        min(starts),
    )
    return {
        "start": round(min(starts), 6),
        "end": round(max(ends), 6),
        "step": round(min(steps), 8),
        "first": round(first, 6),
        "zero": 0,
        "zero_label": "first move"
        if alignment.is_percent
        else zero_label(rule, alignment.event),
        "unit": alignment.unit,
        "per": 100 if alignment.is_percent else 1000,
    }


def size_match(a: DrawnSwing, b: DrawnSwing, system: str) -> SizeMatch:
    """How the second is made as large as the first: by leg length, else by height."""
    letters = a.item.letter, b.item.letter
    legs = [side.posed.leg_m if side.posed else None for side in (a, b)]
    if legs[0] is not None and legs[1] is not None:
        texts = [
            display.value_text(
                leg, "m", system, decimals=2 if system == "metric" else 1
            )
            for leg in legs
        ]
        return _match(legs[0] / legs[1], letters, "leg length", texts)
    heights = [side.item.player.height_ft for side in (a, b)]
    if heights[0] and heights[1]:
        texts = [display.height_text(height, system) for height in heights if height]
        return _match(heights[0] / heights[1], letters, "body height", texts)
    return SizeMatch(
        1.0,
        "Sizes are as recorded: leg length and height aren't known for both.",
    )


def _match(
    factor: float, letters: tuple[str, str], by: str, texts: Sequence[str]
) -> SizeMatch:
    """The match in words, with the factor."""
    lengths = f"{letters[0]} {texts[0]}, {letters[1]} {texts[1]}"
    if abs(factor - 1.0) < _SAME_SIZE:
        return SizeMatch(1.0, f"Both are scaled to the same {by} ({lengths}).")
    return SizeMatch(
        factor, f"{letters[1]} is drawn ×{factor:.2f} to match {by} ({lengths})."
    )


def _notes(a: DrawnSwing, b: DrawnSwing, alignment: Alignment) -> list[str]:
    """What has to be known to read the two figures."""
    letters = a.item.letter, b.item.letter
    notes: list[str] = []
    if a.swing is None or b.swing is None or a.posed is None or b.posed is None:
        return notes
    notes += [
        f"{side.item.letter}: in this swing {unsure}."
        for side, swing in ((a, a.swing), (b, b.swing))
        if (unsure := alignment.unsure_words(swing.events))
    ]
    if alignment.event == "reference":
        labels = [
            event_label("reference", event_rule(swing, "reference"))
            for swing in (a.swing, b.swing)
        ]
        if labels[0] != labels[1]:
            notes.append(
                f"Lined up at different events: {letters[0]} on {labels[0].lower()}, "
                f"{letters[1]} on {labels[1].lower()}."
            )
    notes += [
        f"{side.item.letter}: the file doesn't say where the pitcher is, so the "
        "figure may face any direction, and its angle to the other means nothing."
        for side, posed in ((a, a.posed), (b, b.posed))
        if not posed.has_forward
    ]
    if a.posed.side != b.posed.side:
        notes.append(
            f"{letters[1]} bats {b.posed.side} and is drawn mirrored, so that both "
            "face the same way."
        )
    if alignment.is_percent:
        notes.append("In percent of the swing, both use the timing of the first.")
    return notes


# --- Body positions -----------------------------------------------------------------


def _positions(
    drawn: Sequence[DrawnSwing], stored: Mapping[int, Curves]
) -> tuple[PositionRow, ...]:
    """Body positions of all items at each event, to one scale."""
    view = view_of_swings(
        [(one.swing, one.posed) for one in drawn if one.swing is not None]
    )
    found: list[dict[str, BodyPosition]] = []
    for one in drawn:
        if one.swing is None:
            found.append({})
            continue
        positions = body_positions(
            one.swing,
            stored.get(one.swing.pk),
            one.posed,
            who=f"{one.item.letter}, {one.item.label},",
            no_figure=one.missing,
            view=view,
        )
        found.append({position.event: position for position in positions})
    order = list(dict.fromkeys(event for own in found for event in own))
    return tuple(_row(event, drawn, found) for event in order)


def _row(
    event: str, drawn: Sequence[DrawnSwing], found: Sequence[dict[str, BodyPosition]]
) -> PositionRow:
    """All items at one event, with a row for each number."""
    cells = [own.get(event) for own in found]
    labels = list(dict.fromkeys(cell.label for cell in cells if cell is not None))
    model = next(cell for cell in cells if cell is not None)
    return PositionRow(
        event=event,
        # Contact is named as in the first; where it stands for another, both are.
        label=" / ".join(labels) if labels else EVENTS[event][0],
        cells=tuple(zip(drawn, cells, strict=True)),
        numbers=tuple(
            NumberRow(
                number.label,
                number.metric,
                tuple(None if cell is None else cell.numbers[place] for cell in cells),
            )
            for place, number in enumerate(model.numbers)
        ),
    )
