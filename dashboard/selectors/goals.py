"""Goals of an athlete, as the tile, the trend and the list of goals say them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format

from athletes import display
from athletes.analysis.history import Basis
from athletes.kept_questions import kept_question
from athletes.models import Condition, Goal, Player
from biomechanics.definitions import METRICS, MetricDefinition


@dataclass(frozen=True)
class ShownGoal:
    """A goal in words: `Goal 70 mph by Mar 1`; `low` and `high` in the stored unit."""

    goal: Goal
    words: str
    low: float
    high: float

    @property
    def definition(self) -> MetricDefinition:
        """The number that the goal is about."""
        return METRICS[self.goal.metric]

    @property
    def setup(self) -> str:
        """The setup that the goal is for; empty for any."""
        condition = self.goal.condition
        return str(Condition(condition).label) if condition else ""


@dataclass(frozen=True)
class Goals:
    """An athlete's goals: those that are shown, the soonest first, and those ended."""

    open: tuple[ShownGoal, ...]
    ended: tuple[ShownGoal, ...]

    def of(self, metric: str, basis: Basis | None) -> tuple[ShownGoal, ...]:
        """The open goals for a number that rests on `basis`: of its setup, or of any.

        A goal for another setup is no goal for this number.
        """
        return tuple(
            shown
            for shown in self.open
            if shown.goal.metric == metric
            and (
                not shown.goal.condition
                or (basis is not None and shown.goal.condition == basis.condition)
            )
        )


@kept_question
def _goals(player_id: int) -> QuerySet[Goal]:
    return Goal.objects.filter(player_id=player_id).prefetch_related("created_by")


def goals_of(player: Player, system: str) -> Goals:
    """The athlete's goals in the reader's units; one query, and two with any."""
    goals = _goals(player.pk)
    for goal in goals:
        goal.player = player
    return Goals(
        open=_shown((goal for goal in goals if goal.ended_at is None), system),
        ended=_shown((goal for goal in goals if goal.ended_at is not None), system),
    )


def _shown(goals: Iterable[Goal], system: str) -> tuple[ShownGoal, ...]:
    """The goals in words; a number that is measured no more has none."""
    return tuple(
        ShownGoal(goal, goal_in_words(goal, system), goal.low, goal.high)
        for goal in goals
        if goal.metric in METRICS
    )


def goal_in_words(goal: Goal, system: str) -> str:
    """`Goal 70 mph by Mar 1`, `Goal 65 to 70 mph by Mar 1, 2028`."""
    return f"Goal {_amount(goal, system)} by {_day(goal.by)}"


def _amount(goal: Goal, system: str) -> str:
    """The value or the range with its unit, as exact as it was typed."""
    unit = METRICS[goal.metric].unit
    numbers = [typed(value, unit, system) for value in (goal.low, goal.high)]
    label = display.unit_label(unit, system)
    said = " to ".join(
        display.number_text(float(number), len(number.partition(".")[2]))
        for number in dict.fromkeys(numbers)
    )
    return f"{said}{'' if label.startswith(('°', '%')) or not label else ' '}{label}"


def typed(value: float, unit: str, system: str) -> str:
    """A stored value as it is typed in the reader's units: `70`, `31.3`, `-12.5`."""
    number = round(value * display.unit_factor(unit, system), 2)
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _day(day: dt.date) -> str:
    """`Mar 1`, and the year where it is not this one."""
    return date_format(
        day, "M j" if day.year == timezone.localdate().year else "M j, Y"
    )
