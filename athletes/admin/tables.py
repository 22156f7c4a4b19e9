"""Tables in HTML of what a row stores as JSON, for staff to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from athletes.display import MISSING, value_text
from athletes.phrases import EVENTS, finding_name, reason_texts, rule_in_words
from biomechanics.definitions import METRICS

# The admin shows what is stored: seconds, degrees, meters.
_SYSTEM = "metric"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> SafeString | str:
    """A table with these column heads and rows; a dash where there are no rows."""
    lines = [
        format_html(
            '<tr><th scope="row">{}</th>{}</tr>',
            row[0],
            format_html_join("", "<td>{}</td>", ((each,) for each in row[1:])),
        )
        for row in rows
    ]
    if not lines:
        return MISSING
    return format_html(
        '<div class="stored"><table><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>",
        format_html_join("", '<th scope="col">{}</th>', ((each,) for each in heads)),
        format_html_join("", "{}", ((line,) for line in lines)),
    )


def events(stored: Mapping[str, Any]) -> SafeString | str:
    """A table of the stored events: when each is, and how it was found."""
    return table(
        ("Event", "Time in the file", "Found by", "Confidence", "Why missing"),
        [
            (
                EVENTS[name][0] if name in EVENTS else name.replace("_", " "),
                _seconds(entry.get("time_s")),
                rule_in_words(entry.get("rule") or "none"),
                entry.get("confidence") or MISSING,
                entry.get("reason") or "",
            )
            for name, entry in stored.items()
            if isinstance(entry, Mapping)
        ],
    )


def _seconds(time_s: float | None) -> str:
    """A time in seconds, or a dash."""
    return MISSING if time_s is None else f"{time_s:.3f} s"


def metrics(stored: Mapping[str, Any]) -> SafeString | str:
    """A table of the stored metrics: value, unit and window, or why there is none."""
    return table(
        ("Number", "Value", "Window", "Remark"),
        [
            (
                METRICS[name].name if name in METRICS else name,
                value_text(
                    entry.get("value"),
                    entry.get("unit") or "",
                    _SYSTEM,
                    decimals=METRICS[name].decimals if name in METRICS else None,
                ),
                entry.get("window") or MISSING,
                entry.get("reason")
                or ("Outside the plausible range" if entry.get("flagged") else ""),
            )
            for name, entry in sorted(stored.items())
            if isinstance(entry, Mapping)
        ],
    )


def findings(stored: Mapping[str, Any]) -> SafeString | str:
    """A table of what was found out about the file, in sentences."""
    return table(
        ("Question", "Answer"),
        [
            (finding_name(name), finding.get("text") or MISSING)
            for name, finding in stored.items()
            if isinstance(finding, Mapping)
        ],
    )


def sentences(stored: Sequence[object]) -> SafeString | str:
    """Stored reasons as sentences, each in its own paragraph."""
    texts = reason_texts(stored)
    return format_html_join("", "<p>{}</p>", ((text,) for text in texts)) or MISSING
