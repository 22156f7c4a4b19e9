"""What people type: filters in the URL and small changes by POST."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.utils import timezone

from accounts.models import Units
from athletes.display import unit_factor, unit_label
from athletes.models import Condition, DataState, Goal, Hand, Inclusion, Session
from athletes.phrases import EVENTS
from biomechanics.definitions import (
    METRICS,
    NUMERIC_HEADLINES,
    SERIES,
    MetricDefinition,
    SeriesDefinition,
)
from dashboard.selectors.duplicates_page import MergeFact
from dashboard.selectors.event_preview import Zero
from dashboard.selectors.freshness import Freshness
from dashboard.selectors.goals import typed
from dashboard.selectors.session_list import PERIODS
from dashboard.selectors.setup_choice import SETUP_CHOICES
from dashboard.selectors.swing_page import EventRow


class MergeForm(forms.Form):
    """Which of two records is right: one choice for each fact that differs."""

    KEPT, MERGED = "kept", "merged"

    def __init__(
        self, *args: Any, facts: Iterable[MergeFact] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._facts = tuple(facts)
        for fact in self._facts:
            self.fields[fact.name] = forms.ChoiceField(
                required=False,
                label=fact.label,
                choices=[(self.KEPT, "as kept"), (self.MERGED, "as merged")],
                initial=self.MERGED if fact.takes_merged else self.KEPT,
            )

    def chosen(self, name: str) -> str:
        """Which record is ticked for a fact: `kept` or `merged`."""
        return str(self[name].value() or self.KEPT)

    def rows(self) -> list[tuple[MergeFact, bool]]:
        """Each fact that differs, and whether the merged record's value is ticked."""
        return [(fact, self.chosen(fact.name) == self.MERGED) for fact in self._facts]

    def from_merged(self) -> list[str]:
        """Names of the facts that are taken from the merged record."""
        return [
            fact.name
            for fact in self._facts
            if self.cleaned_data.get(fact.name) == self.MERGED
        ]


class ListFilterForm(forms.Form):
    """Filters of a list: a name, and others that a phone shows on demand."""

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter beside the name is in use, or could not be read."""
        return any(
            str(self[name].value() or "") or name in self.errors
            for name in self.fields
            if name != "q"
        )


class AthleteFilterForm(ListFilterForm):
    """Filters of the athlete list, as the URL holds them."""

    q = forms.CharField(required=False, max_length=100, label="Name")
    bats = forms.ChoiceField(
        required=False,
        choices=[("", "Any"), *Hand.choices, ("unknown", "Not known")],
        label="Bats",
    )
    freshness = forms.ChoiceField(
        required=False, choices=[("", "Any"), *Freshness.choices], label="Freshness"
    )
    state = forms.ChoiceField(
        required=False, choices=[("", "Any"), *DataState.choices], label="Data"
    )
    setup = forms.ChoiceField(required=False, choices=SETUP_CHOICES, label="Setup")
    # No choice field: a tag in a kept address that nobody has any more finds nobody.
    tag = forms.CharField(
        required=False, max_length=40, label="Tag", widget=forms.Select
    )
    start = forms.DateField(
        required=False,
        label="Last session from",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "Enter the first date as YYYY-MM-DD."},
    )
    end = forms.DateField(
        required=False,
        label="to",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "Enter the last date as YYYY-MM-DD."},
    )

    def __init__(self, *args: Any, tags: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_tags(self, tags)

    def clean(self) -> dict[str, Any]:
        """The cleaned values; an end before the start is an error."""
        values = super().clean() or {}
        _check_days(self, values)
        return values


class SessionFilterForm(ListFilterForm):
    """Filters of the list of sessions, as the URL holds them."""

    q = forms.CharField(required=False, max_length=100, label="Athlete")
    period = forms.ChoiceField(
        required=False, choices=[("", "Any day"), *PERIODS.items()], label="When"
    )
    start = forms.DateField(
        required=False,
        label="From",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "Enter the first date as YYYY-MM-DD."},
    )
    end = forms.DateField(
        required=False,
        label="to",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "Enter the last date as YYYY-MM-DD."},
    )
    setup = forms.ChoiceField(required=False, choices=SETUP_CHOICES, label="Setup")
    # No choice field: a tag in a kept address that nothing has any more finds nothing.
    tag = forms.CharField(
        required=False, max_length=40, label="Tag", widget=forms.Select
    )
    quality = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Any"),
            ("good", "All swings good"),
            ("poor", "With poor swings"),
            ("incomplete", "Data incomplete"),
        ],
        label="Quality",
    )

    def __init__(self, *args: Any, tags: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_tags(self, tags)

    def clean(self) -> dict[str, Any]:
        """The cleaned values; an end before the start is an error."""
        values = super().clean() or {}
        _check_days(self, values)
        return values


def _offer_tags(form: forms.Form, tags: Sequence[str]) -> None:
    """Offer the tags in use, and the one that the address asks for."""
    asked = str(form["tag"].value() or "").strip()
    offered = dict.fromkeys((*tags, *filter(None, [asked])))
    form.fields["tag"].widget.choices = [
        ("", "Any"),
        *((tag, tag) for tag in offered),
    ]


def _check_days(form: forms.Form, values: dict[str, Any]) -> None:
    """Complain of an end before the start."""
    start, end = values.get("start"), values.get("end")
    if start and end and end < start:
        form.add_error("end", "The last date is before the first.")


class SessionForm(forms.ModelForm):  # type: ignore[type-arg]
    """Setup and bat of a session, which the vendor does not know."""

    class Meta:
        model = Session
        fields = ["condition", "bat"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["condition"].required = False
        self.fields["condition"].choices = [  # type: ignore[attr-defined]
            ("", "Not recorded"),
            *Condition.choices,
        ]


class NoteForm(forms.Form):
    """A note on an athlete, a session or a swing."""

    text = forms.CharField(
        max_length=4000,
        strip=True,
        label="Note",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Not saved: the note is empty."},
    )
    on_sheet = forms.BooleanField(
        required=False,
        label="Show on the sheet",
        help_text="Everyone who gets the sheet can read it, also through share links. "
        "The two latest notes fit, up to 280 characters each.",
    )


class GoalForm(forms.Form):
    """A goal for one of an athlete's numbers: one value or a range, by a day.

    Values are typed in the units that the form was shown in, and kept in those of the
    metric.
    """

    # No number of a swing is so large in any unit.
    MOST = 1e6

    metric = forms.ChoiceField(label="Number")
    condition = forms.ChoiceField(
        required=False, choices=[("", "Any setup"), *Condition.choices], label="Setup"
    )
    low = forms.FloatField(
        label="Goal or lower end",
        min_value=-MOST,
        max_value=MOST,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    high = forms.FloatField(
        required=False,
        label="Upper end (optional)",
        min_value=-MOST,
        max_value=MOST,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    by = forms.DateField(
        label="By",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "Enter the date as YYYY-MM-DD."},
    )
    note = forms.CharField(
        required=False, max_length=300, strip=True, label="Note (optional)"
    )
    # In which units the values were typed: the reader's own may have changed since.
    units = forms.ChoiceField(
        required=False, choices=Units.choices, widget=forms.HiddenInput
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        goal: Goal,
        system: str,
        metric: str = "",
    ) -> None:
        sent = "" if data is None else data.get("units", "")
        self.goal, self._system = goal, sent if sent in Units else system
        system = self._system
        unit = METRICS[goal.metric].unit if goal.metric in METRICS else ""
        initial: dict[str, Any] = {"metric": metric}
        if goal.pk is not None:
            initial = {
                "metric": goal.metric,
                "condition": goal.condition,
                "low": _number(typed(goal.low, unit, system)),
                "high": None
                if goal.high == goal.low
                else _number(typed(goal.high, unit, system)),
                "by": goal.by.isoformat(),
                "note": goal.note,
            }
        super().__init__(data, initial={**initial, "units": system})
        offered = [*NUMERIC_HEADLINES]
        for name in (metric, goal.metric):
            known = METRICS.get(name)
            if known and known.unit != "text" and not known.retired:
                offered.append(name)
        self.fields["metric"].choices = [  # type: ignore[attr-defined]
            (name, self._label(METRICS[name])) for name in dict.fromkeys(offered)
        ]

    def _label(self, metric: MetricDefinition) -> str:
        """The name of a number with the unit in which its goal is typed."""
        unit = unit_label(metric.unit, self._system)
        return f"{metric.name} ({unit})" if unit else metric.name

    def clean(self) -> dict[str, Any]:
        """The cleaned values, in an order and on a day that a goal can have."""
        values = super().clean() or {}
        if "units" in self.errors:
            self.add_error(None, "Not saved: the units are not known. Reload the page.")
        low, high, by = (values.get(name) for name in ("low", "high", "by"))
        if low is not None and high is not None and high < low:
            self.add_error("high", "The upper end is below the lower one.")
        if by and "by" in self.changed_data and by < timezone.localdate():
            self.add_error("by", "Choose today or a later day.")
        others = Goal.objects.filter(
            player=self.goal.player_id,
            metric=values.get("metric", ""),
            condition=values.get("condition", ""),
            ended_at=None,
        ).exclude(pk=self.goal.pk)
        if others.exists():
            self.add_error(
                "metric",
                "This number and setup already have a goal. Edit or end that one.",
            )
        return values

    def changed_goal(self) -> Goal:
        """The goal with what was typed, not stored yet.

        What was not changed stays as it was, whatever it was typed in.
        """
        goal, values = self.goal, self.cleaned_data
        metric = METRICS[values["metric"]]
        if {"metric", "low", "high"} & set(self.changed_data):
            factor = unit_factor(metric.unit, self._system)
            goal.low = values["low"] / factor
            goal.high = goal.low if values["high"] is None else values["high"] / factor
        for name in ("metric", "condition", "by", "note"):
            setattr(goal, name, values[name])
        return goal


def _number(text: str) -> float:
    """The number, whole where it is: a form compares it with what is typed."""
    number = float(text)
    return int(number) if number.is_integer() else number


class TagForm(forms.Form):
    """A tag to put on an athlete or a session, or to take off."""

    name = forms.CharField(max_length=40, strip=True, label="Tag")
    remove = forms.BooleanField(required=False)


# Instants on which curves can be laid over each other, as the pages name them.
ALIGNMENTS = [
    ("reference", "Contact"),
    *(
        (event, EVENTS[event][0])
        for event in ("load", "first_move", "foot_down", "peak_hand_speed")
    ),
    ("percent", "Percent of the swing"),
]


class AlignForm(forms.Form):
    """What the time axis of a swing has at zero."""

    align = forms.ChoiceField(required=False, label="Align on", choices=ALIGNMENTS)


class SessionViewForm(AlignForm):
    """The series that the session's chart shows, and the event its curves meet on."""

    series = forms.ChoiceField(required=False, label="Series")

    def __init__(
        self, *args: Any, series: Iterable[SeriesDefinition] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        offered = tuple(series) or tuple(SERIES.values())
        self.fields["series"].choices = [  # type: ignore[attr-defined]
            (item.id, item.name) for item in offered
        ]


class CompareForm(SessionViewForm):
    """Series and event of a comparison, and what else is drawn.

    `each` is for single swings, `second` the letter of the item whose figure stands
    beside the first.
    """

    each = forms.BooleanField(required=False, label="Each swing")
    second = forms.RegexField("^[A-Fa-f]$", required=False)


class FigureForm(forms.Form):
    """How the two figures of a comparison stand, as its address says it.

    The choices are those of `static/js/figure/address.js`; what is none of them counts
    as not said. `camera` is where a hand has turned the figure: two angles in degrees
    and the size in percent.
    """

    fig = forms.ChoiceField(required=False, choices=[("side", "")])
    place = forms.ChoiceField(required=False, choices=[("foot", ""), ("plate", "")])
    size = forms.ChoiceField(required=False, choices=[("own", "")])
    ghosts = forms.ChoiceField(required=False, choices=[("on", "")])
    view = forms.ChoiceField(
        required=False,
        choices=[(name, "") for name in ("behind", "pitcher", "closed", "top")],
    )
    camera = forms.RegexField(r"^-?\d{1,3},-?\d{1,2},\d{2,3}$", required=False)

    def said(self) -> dict[str, str]:
        """What is said of each, in the order of the fields; empty where nothing is."""
        self.is_valid()
        return {name: self.cleaned_data.get(name) or "" for name in self.fields}


class DaysForm(forms.Form):
    """Some days of an athlete, `span`, that are added to a comparison."""

    span = forms.IntegerField(min_value=1, max_value=10**18 - 1)
    start = forms.DateField()
    end = forms.DateField()

    def clean(self) -> dict[str, Any]:
        """The cleaned values; an end before the start is an error."""
        values = super().clean() or {}
        start, end = values.get("start"), values.get("end")
        if start and end and end < start:
            self.add_error("end", "The last date is before the first.")
        return values


_SETUP_CHOICES = [*Condition.choices, ("session", "Same as the session")]


def positions_in(text: str) -> list[int]:
    """The numbers that `1-4, 7` names.

    Raises
    ------
    ValueError
        When it names none, or something that is no number or range.
    """
    found: set[int] = set()
    for part in text.replace("–", "-").split(","):
        first, dash, last = part.strip().partition("-")
        start = int(first)
        end = int(last) if dash else start
        if not 0 < start <= end < _MOST_SWINGS:
            raise ValueError(part)
        found.update(range(start, end + 1))
    return sorted(found)


_MOST_SWINGS = 10_000


class SwingSetupForm(forms.Form):
    """The setup of some of a session's swings: a range, or swings that are ticked."""

    swings = forms.CharField(
        max_length=200,
        required=False,
        label="Swings",
        widget=forms.TextInput(attrs={"placeholder": "1-8, 12"}),
    )
    setup = forms.ChoiceField(
        choices=[("", "Choose"), *_SETUP_CHOICES],
        label="Setup",
        error_messages={"required": "Choose a setup."},
    )
    # The form of the ticked swings also leads to their comparison, without a setup.
    use_required_attribute = False

    def clean_swings(self) -> list[int]:
        """The numbers of the swings; none where swings are ticked instead."""
        if not self.cleaned_data["swings"] and "chosen" in self.data:
            return []
        try:
            return positions_in(self.cleaned_data["swings"])
        except ValueError:
            raise forms.ValidationError(
                "Select swings, or write their numbers like 1-8 or 2, 5, 7."
            ) from None


class SessionsSetupForm(forms.Form):
    """The setup of several sessions."""

    sessions = forms.TypedMultipleChoiceField(coerce=int)
    # None is chosen beforehand: a tap on the button must not state one by chance.
    setup = forms.ChoiceField(
        choices=[("", "Choose"), *SETUP_CHOICES[1:]], label="Setup"
    )
    # The boxes are ticked in the list; the browser would ask for the setup alone.
    use_required_attribute = False

    def __init__(self, *args: Any, sessions: Sequence[int] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sessions"].choices = [  # type: ignore[attr-defined]
            (pk, str(pk)) for pk in sessions
        ]


class InclusionForm(forms.Form):
    """Whether a swing is included in averages, and why."""

    inclusion = forms.ChoiceField(choices=Inclusion.choices)
    reason = forms.CharField(required=False, max_length=300, strip=True)

    def clean(self) -> dict[str, Any]:
        """The cleaned values; a decision without a reason is an error."""
        values = super().clean() or {}
        decided = values.get("inclusion") not in (None, Inclusion.AUTOMATIC)
        if decided and not values.get("reason"):
            self.add_error("reason", "Give a short reason; it is saved with the swing.")
        return values


class EventForm(forms.Form):
    """Times of the events that may be moved, in ms from the zero that the page shows.

    An input is named like its event, because dragging a line in a chart fills it.
    `zero_s` is where that zero is on the clock of the file when the form was shown:
    what was typed counts from there. `was_` and an event's name is where that event
    was then, in s on the clock of the file, empty where it was not found. `seen` is the
    key of the preview that was confirmed (`EventPreview`); without it nothing is to be
    saved yet.
    """

    # Half a millisecond: what the input shows is rounded to this.
    SAME_MS = 0.6
    # No clip is so long; a clock may count from a far day.
    MOST_MS = 1e6
    MOST_S = 1e10

    zero_s = forms.FloatField(
        min_value=-MOST_S, max_value=MOST_S, widget=forms.HiddenInput
    )
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    reason = forms.CharField(
        required=False, max_length=300, strip=True, label="Why (optional)"
    )

    def __init__(
        self,
        *args: Any,
        events: Iterable[EventRow] = (),
        zero: Zero | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._events = tuple(events)
        if zero is not None:
            self.fields["zero_s"].initial = repr(zero.time_s)
        for event in self._events:
            at = None if zero is None else zero.ms(event.time_s)
            self.fields[event.name] = forms.FloatField(
                required=False,
                label=f"{event.label} (ms)",
                initial=None if at is None else round(at),
                min_value=-self.MOST_MS,
                max_value=self.MOST_MS,
                # Without the bounds: they say nothing of this clip.
                widget=forms.NumberInput(attrs={"step": "1"}),
                error_messages={
                    "invalid": f"{event.label}: enter a number of ms.",
                    "min_value": f"{event.label}: no clip is that long.",
                    "max_value": f"{event.label}: no clip is that long.",
                },
            )
            self.fields[f"was_{event.name}"] = forms.FloatField(
                required=False,
                initial=None if event.time_s is None else repr(event.time_s),
                min_value=-self.MOST_S,
                max_value=self.MOST_S,
                widget=forms.HiddenInput,
            )

    @property
    def event_fields(self) -> list[forms.BoundField]:
        """The inputs of the events, in their order on the page."""
        return [self[event.name] for event in self._events]

    @property
    def was_fields(self) -> list[forms.BoundField]:
        """Where the events were when the form was shown, as hidden inputs."""
        return [self[f"was_{event.name}"] for event in self._events]

    def moved(self) -> dict[str, float]:
        """New times (s on the clock of the file) of the events that were changed.

        An emptied input is no move, nor is one that shows where its event was when the
        form was shown: another person may have moved that event since.
        """
        zero = Zero(self.cleaned_data["zero_s"], "")
        moved = {}
        for event in self._events:
            new = self.cleaned_data.get(event.name)
            old = zero.ms(self.cleaned_data.get(f"was_{event.name}"))
            if new is not None and (old is None or abs(new - old) > self.SAME_MS):
                moved[event.name] = zero.time_of(new)
        return moved

    def is_stale(self, moved: Iterable[str]) -> bool:
        """Whether one of the events is not any more where the form showed it."""
        now = {event.name: event.time_s for event in self._events}
        return any(
            not _is_same_time(self.cleaned_data.get(f"was_{name}"), now[name])
            for name in moved
        )

    def knows(self, replaced: Iterable[int | None]) -> bool:
        """Whether moves replaced only moves of people that are in the form's events."""
        known = {event.correction.pk for event in self._events if event.correction}
        return known.issuperset(pk for pk in replaced if pk is not None)

    def show_present(self, moved: Iterable[str]) -> None:
        """Show events where they are now, with what was typed for those moved."""
        zero = Zero(self.cleaned_data["zero_s"], "")
        data: dict[str, Any] = dict(self.data.items())
        for event in self._events:
            at = zero.ms(event.time_s)
            data[f"was_{event.name}"] = "" if at is None else repr(event.time_s)
            if event.name not in moved:
                data[event.name] = "" if at is None else str(round(at))
        self.data = data


def _is_same_time(one: float | None, other: float | None) -> bool:
    """Whether two times (s) are the same, up to how a database keeps them."""
    if one is None or other is None:
        return one is other
    return abs(one - other) < 1e-6
