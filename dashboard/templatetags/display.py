"""Template tags that print numbers, dates and small pictures.

Tags that show a quantity ask the context for the user, because the user chooses
the units; filters cannot see the context and are for what has no unit.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeGuard

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from athletes import display
from athletes.phrases import capture_system, sequence_in_words
from dashboard.templatetags.drawn import drawn

register = template.Library()


def reader_system(context: Context) -> str:
    """The reader's units; a page for someone without an account sets `units`."""
    chosen = context.get("units")
    if isinstance(chosen, str):
        return chosen
    user = context.get("user") or getattr(context.get("request"), "user", None)
    return str(getattr(user, "units", "imperial"))


def _missing(reason: str = "") -> SafeString:
    """A dash, with the reason why there is no value."""
    # Most missing cells of a page give one of a few reasons.
    if not reason:
        return _DASH
    return format_html(
        '<span class="value value--missing" title="{0}"><span aria-hidden="true">–'
        '</span><span class="visually-hidden">missing: {0}</span></span>\n',
        reason,
    )


_DASH = SafeString(
    '<span class="value value--missing"><span aria-hidden="true">–</span>'
    '<span class="visually-hidden">missing</span></span>\n'
)
_FLAGGED = "Outside the plausible range; excluded from averages."


def _shown(
    shown: display.Printed,
    *,
    is_text: bool = False,
    flagged: bool = False,
    reason: str = "",
    sd: str = "",
    uncertainty: str = "",
) -> SafeString:
    """A printed value with its unit: each cell of a table is one, so no template.

    White space ends it, since words may stand right behind the tag.
    """
    unit = escape(shown.unit)
    signed = unit in ("°", "%")
    tight = " value__unit--tight" if shown.is_tight else ""
    return SafeString(
        '<span class="value'
        + (" value--flagged" if flagged else "")
        + (" value--text" if is_text else "")
        + (f'" title="{escape(reason or _FLAGGED)}">' if flagged else '">')
        + f'<span class="value__number">{escape(shown.number)}'
        + (f"{unit}</span>" if signed else "</span>")
        + (
            f'<span class="value__unit{tight}">{unit}</span>'
            if unit and not signed
            else ""
        )
        + (f' <span class="value__sd">± {escape(sd)}</span>' if sd else "")
        + (
            ' <span class="value__sd" title="Measurement uncertainty, one standard '
            f'deviation">{escape(uncertainty)}</span>'
            if uncertainty
            else ""
        )
        + "</span>\n"
    )


def _value(
    context: Context,
    value: Any,
    unit: str,
    decimals: int | None,
    *,
    reason: str = "",
    flagged: bool = False,
    sd: float | None = None,
    uncertainty: float | None = None,
    signed: bool = False,
) -> SafeString:
    """A value with its unit as the component prints it, or a dash."""
    return _value_drawn(
        value,
        unit,
        reader_system(context),
        decimals,
        reason,
        flagged,
        sd,
        uncertainty,
        signed,
    )


# Tables repeat themselves, and pages are looked at more than once.
@lru_cache(maxsize=8192, typed=True)
def _value_drawn(
    value: Any,
    unit: str,
    system: str,
    decimals: int | None,
    reason: str,
    flagged: bool,
    sd: float | None,
    uncertainty: float | None,
    signed: bool,
) -> SafeString:
    if display.is_missing(value):
        return _missing(reason)
    shown = display.printed(value, unit, system, decimals=decimals, signed=signed)
    spread = (
        display.printed(sd, unit, system, decimals=decimals).number
        if sd is not None
        else ""
    )
    return _shown(
        shown,
        is_text=isinstance(value, str),
        flagged=flagged,
        reason=reason,
        sd=spread,
        uncertainty=display.uncertainty_text(
            uncertainty, unit, system, decimals=decimals
        ),
    )


@register.simple_tag(takes_context=True)
def value(
    context: Context,
    number: Any,
    unit: str = "",
    decimals: int | None = None,
    reason: str = "",
    sd: float | None = None,
) -> SafeString:
    """A number in the reader's units: `{% value 71.4 "m/s" decimals=1 %}`.

    Where it is missing a dash is printed, with the `reason` for who asks.
    """
    return _value(context, number, unit, decimals, reason=reason, sd=sd)


def _in_words(shown: Any) -> Any:
    """The value as a page prints it: a kinematic sequence in words."""
    is_text = isinstance(shown.value, str)
    return sequence_in_words(shown.value) if is_text else shown.value


@register.simple_tag(takes_context=True)
def reading(
    context: Context, shown: Any, sd: bool = True, uncertainty: bool = False
) -> SafeString:
    """A `MetricReading` in the reader's units, with its spread unless told not to.

    With the uncertainty of the measurement where it is asked for and known.
    """
    return _value(
        context,
        _in_words(shown),
        shown.definition.unit,
        shown.definition.decimals,
        reason=shown.reason,
        flagged=shown.flagged,
        sd=shown.sd_shown if sd else None,
        uncertainty=shown.uncertainty if uncertainty else None,
    )


@register.simple_tag
def printed(shown: display.Printed) -> SafeString:
    """A value that is printed already, as any other is shown."""
    return _shown(shown)


@register.simple_tag(takes_context=True)
def change_number(context: Context, change: Any, which: str) -> SafeString:
    """`before`, `now`, `delta` or `needed` of a change, in the reader's units.

    With as many digits as it takes that they add up.
    """
    printed = change.printed(reader_system(context))
    shown = getattr(printed, which) if printed is not None else None
    if shown is None:
        return _missing(change.reason)
    return _shown(shown)


@register.simple_tag(takes_context=True)
def value_text(
    context: Context, number: Any, unit: str = "", decimals: int | None = None
) -> str:
    """A value in the reader's units as bare text: for labels, titles, options."""
    return display.value_text(number, unit, reader_system(context), decimals=decimals)


@register.simple_tag(takes_context=True)
def unit(context: Context, stored: str) -> str:
    """The unit in which values stored in `stored` are shown: heads of columns."""
    return display.unit_label(stored, reader_system(context))


@register.simple_tag(takes_context=True)
def height(context: Context, height_ft: float | None) -> str | SafeString:
    """A height in the reader's units: 6 ft 1 in, or 185 cm."""
    if height_ft is None:
        return _missing("Not provided by Reboot, or not plausible.")
    return display.height_text(height_ft, reader_system(context))


@register.simple_tag(takes_context=True)
def weight(context: Context, weight_lbs: float | None) -> str | SafeString:
    """A weight in the reader's units: 180 lb, or 82 kg."""
    if weight_lbs is None:
        return _missing("Not provided by Reboot, or not plausible.")
    return display.weight_text(weight_lbs, reader_system(context))


@register.simple_tag
def component(component_name: str, **parts: Any) -> SafeString:
    """A component that its few words alone decide: it is drawn once for each.

    `{% component "quality_mark" grade=swing.grade %}`; not for what a person wrote.
    """
    return drawn(component_name, **parts)


@lru_cache(maxsize=1024)
def _average_tile(reading: Any, counted: int, units: str) -> SafeString:
    parts = {"reading": reading, "counted": counted, "units": units}
    return render_to_string("components/metric_tile.html", parts)


class _GoalWords(NamedTuple):
    """What a tile says of a goal."""

    words: str
    setup: str


@lru_cache(maxsize=2048)
def _metric_tile(units: str, parts: tuple[tuple[str, Any], ...]) -> SafeString:
    tile = dict(parts) | {"units": units}
    return render_to_string("components/metric_tile.html", tile)


@register.simple_tag(takes_context=True)
def metric_tile(
    context: Context, goals: Iterable[Any] = (), **parts: Any
) -> SafeString:
    """A `metric_tile`: what it shows and the units decide it."""
    words = tuple(_GoalWords(goal.words, goal.setup) for goal in goals)
    return _metric_tile(reader_system(context), (*parts.items(), ("goals", words)))


@register.simple_tag(takes_context=True)
def average_tile(context: Context, reading: Any, counted: int) -> SafeString:
    """A `metric_tile` of an average alone: the average and the units decide it."""
    return _average_tile(reading, counted, reader_system(context))


@register.simple_tag
def still_lines(strokes: Iterable[Any]) -> SafeString:
    """The lines of a `Still` with their rims: only numbers, and names of ours."""
    return _still_lines(tuple(strokes))


@lru_cache(maxsize=256)
def _still_lines(strokes: tuple[Any, ...]) -> SafeString:
    lines = []
    for stroke in strokes:
        ends = (stroke.x1, stroke.y1, stroke.x2, stroke.y2)
        for css_class, (x1, y1, x2, y2) in (
            ("still__rim", stroke.rim),
            (f"still__bone part-{stroke.part}", ends),
        ):
            lines.append(
                f'<line class="{css_class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" />'
            )
    return SafeString("".join(lines))


@register.filter
def or_dash(text: Any, reason: str = "") -> Any:
    """The text, or a dash that says why there is none."""
    return _missing(reason) if display.is_missing(text) else text


register.filter("capture_system", capture_system)


# Of dates alone: one moment has different days in different zones, and is one key.
@lru_cache(maxsize=4096)
def _day_text(date: dt.date) -> str:
    return date_format(date, "M j, Y")


@register.filter
def day(date: dt.date | None, reason: str = "") -> SafeString:
    """A date as the facility writes it: `{{ d|day:"No session yet." }}`."""
    if date is None:
        return _missing(reason)
    is_moment = isinstance(date, dt.datetime)
    text = date_format(date, "M j, Y") if is_moment else _day_text(date)
    return SafeString(
        f'<time datetime="{date.isoformat()}" class="nowrap">{text}</time>'
    )


@register.filter
def moment(at: dt.datetime | None, reason: str = "") -> SafeString:
    """Date and time in the facility's zone."""
    if at is None:
        return _missing(reason)
    local = timezone.localtime(at)
    return format_html(
        '<time datetime="{}" class="nowrap">{}</time>',
        local.isoformat(),
        date_format(local, "M j, Y, g:i a"),
    )


@register.filter
def ago(at: dt.date | dt.datetime | None, reason: str = "") -> SafeString:
    """A day or a moment as time gone by, with the date itself in its title."""
    if at is None:
        return _missing(reason)
    if isinstance(at, dt.datetime):
        words = f"{display.since_text(at, timezone.now())} ago"
        title = date_format(timezone.localtime(at), "M j, Y, g:i a")
    else:
        words = display.days_ago_text(at, timezone.localdate())
        title = _day_text(at)
    return format_html(
        '<time datetime="{}" title="{}" class="nowrap">{}</time>',
        at.isoformat(),
        title,
        words,
    )


@register.filter
def time_taken(seconds: float) -> str:
    """How long something took: `{{ run.duration_s|time_taken }}`."""
    return display.time_taken_text(seconds)


@register.filter
def age_on(born: dt.date | None, on: dt.date | None) -> SafeString | str:
    """Age in years on a session's date: `{{ player.date_of_birth|age_on:date }}`."""
    if born is None:
        return _missing("Not provided by Reboot.")
    years = display.age_on(born, on or timezone.localdate())
    if years is None:
        return _missing("The date of birth is after the session.")
    return str(years)


@lru_cache(maxsize=4096)
def _address(prefix: str, view: str, keys: tuple[Any, ...]) -> str:
    return reverse(view, args=keys)


@register.simple_tag
def address(view: str, *keys: Any) -> str:
    """The address of a page, as `url` gives it: found once, for lists of many rows."""
    return _address(get_script_prefix(), view, keys)


@register.simple_tag(takes_context=True)
def nav_current(
    context: Context, prefix: str, exact: bool = False, but: str = ""
) -> SafeString | str:
    """` aria-current="page"` when the page lies under `prefix`."""
    path = getattr(context.get("request"), "path", "")
    here = path == prefix if exact else path.startswith(prefix)
    if not here or any(path.startswith(other) for other in but.split()):
        return ""
    return SafeString(' aria-current="page"')


@register.simple_tag(takes_context=True)
def with_query(context: Context, **changes: Any) -> str:
    """The present query string with some parts replaced (None takes one out).

    `<a href="{% with_query sort='-swings' after=None %}">` keeps the filters.
    """
    query = context["request"].GET.copy()
    for name, wanted in changes.items():
        if wanted is None or wanted == "":
            query.pop(name, None)
        else:
            query[name] = wanted
    return f"?{query.urlencode()}"


@register.simple_tag
def place_strip(percentile: float) -> SafeString:
    """A percentile as a dot on a line from 0 to 100; the words stand beside it."""
    marks = format_html_join(
        "",
        '<line class="place__mark" x1="{0}%" x2="{0}%" y1="4" y2="12" />',
        ((quarter,) for quarter in (0, 25, 50, 75, 100)),
    )
    return format_html(
        '<svg class="place__strip" width="100%" height="16" aria-hidden="true" '
        'focusable="false"><line class="place__line" x1="0%" x2="100%" y1="8" y2="8" />'
        '{}<circle class="place__dot" cx="{}%" cy="8" r="5" /></svg>',
        marks,
        f"{percentile:.1f}",
    )


def _finite(number: Any) -> TypeGuard[float]:
    """Whether it is a finite number."""
    return isinstance(number, int | float) and math.isfinite(number)


def _scaled(
    values: Sequence[Any], low: float, high: float, width: float, height: float
) -> list[list[str]]:
    """Runs of points "x,y" in a box; a missing value ends a run."""
    span = (high - low) or 1.0
    step = width / max(1, len(values) - 1)
    runs: list[list[str]] = [[]]
    for place, number in enumerate(values):
        if number is None or not _finite(number):
            if runs[-1]:
                runs.append([])
            continue
        y = height - (number - low) / span * height if high > low else height / 2
        runs[-1].append(f"{place * step:.1f},{y:.1f}")
    return [run for run in runs if run]


def _polylines(runs: list[list[str]], css_class: str = "") -> SafeString:
    """SVG lines through each run of points."""
    return format_html_join(
        "",
        '<polyline points="{}"{}/>',
        (
            (
                " ".join(run if len(run) > 1 else run * 2),
                format_html(' class="{}"', css_class) if css_class else "",
            )
            for run in runs
        ),
    )


def _said(words: str) -> SafeString:
    """The attributes of a small picture: its words, or that it is only decoration."""
    if not words:
        return SafeString('aria-hidden="true" focusable="false"')
    return format_html('role="img" aria-label="{}"', words)


@register.simple_tag
def sparkline(
    values: Iterable[float | None],
    band: tuple[float, float] | None = None,
    words: str = "",
) -> SafeString | str:
    """A small line of a history, oldest first; the last value is a dot.

    `band` is the usual variation. It is drawn, and the height of the picture holds all
    of it: what lies within does not look like a plunge. Where it is not known, the
    height is at least a tenth of the largest value. `words` say it to screen readers,
    which without them do not meet it. Nothing is drawn for fewer than two values.
    """
    numbers = list(values)
    known = [float(n) for n in numbers if _finite(n)]
    if len(known) < 2:
        return ""
    ends = [*known, *(band or ())]
    low, high = min(ends), max(ends)
    if band is None:
        more = max(abs(low), abs(high)) / 10.0 - (high - low)
        low, high = (low - more / 2.0, high + more / 2.0) if more > 0 else (low, high)
    runs = _scaled(numbers, low, high, 100.0, 30.0)
    x, y = runs[-1][-1].split(",")
    drawn: SafeString | str = ""
    if band and high > low:
        top, bottom = (30.0 - (end - low) / (high - low) * 30.0 for end in band[::-1])
        drawn = format_html(
            '<rect class="sparkline__band" x="0" width="100" y="{}" height="{}"/>',
            f"{top:.1f}",
            f"{bottom - top:.1f}",
        )
    return format_html(
        '<svg class="sparkline" viewBox="0 0 100 30" preserveAspectRatio="none"'
        " {}>{}{}"
        '<line class="sparkline__last" x1="{x}" y1="{y}" x2="{x}" y2="{y}"/></svg>',
        _said(words),
        drawn,
        _polylines(runs),
        x=x,
        y=y,
    )


@register.simple_tag
def mini_chart(
    lines: Sequence[Mapping[str, Any]], events: Iterable[float] = (), words: str = ""
) -> SafeString | str:
    """Several curves in a small box on one scale: a swing in a strip.

    `lines` are `{"part": "pelvis", "values": [...]}`, some fifty points each;
    `events` are places along the time axis from 0 to 1; `words` as in `sparkline`.
    """
    drawn_lines = tuple((line["part"], tuple(line["values"])) for line in lines)
    return _mini_chart(drawn_lines, tuple(events), words)


@lru_cache(maxsize=1024)
def _mini_chart(
    lines: tuple[tuple[str, tuple[Any, ...]], ...],
    events: tuple[float, ...],
    words: str,
) -> SafeString | str:
    known = [float(n) for _, values in lines for n in values if _finite(n)]
    if not known:
        return ""
    low, high = min(0.0, *known), max(known)
    drawn = format_html_join(
        "",
        "{}",
        (
            (
                _polylines(
                    _scaled(values, low, high, 100.0, 50.0),
                    f"part-{part}",
                ),
            )
            for part, values in lines
        ),
    )
    marks = format_html_join(
        "",
        '<line x1="{0}" x2="{0}" y1="0" y2="50"/>',
        ((f"{place * 100:.1f}",) for place in events),
    )
    return format_html(
        '<svg class="mini-chart" viewBox="0 0 100 50" preserveAspectRatio="none"'
        " {}>{}{}</svg>",
        _said(words),
        marks,
        drawn,
    )
