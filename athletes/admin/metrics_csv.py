"""The means of sessions, as a file."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from athletes.api.frames import cell
from athletes.biomechanics.definitions import METRICS
from athletes.models import Session


class _Line:
    """What `csv.writer` writes to: it hands the line back."""

    def write(self, line: str) -> str:
        return line


_SESSION_COLUMNS = ("session_id", "session_date", "condition", "bat")
_METRIC_COLUMNS = (
    *("n", "mean", "sd", "minimum", "maximum", "median", "method_version"),
)


def metrics_csv(sessions: list[Session]) -> Iterator[str]:
    """Means of the sessions, a line each; units as stored."""
    writer = csv.writer(_Line())
    yield writer.writerow(
        [
            *("athlete", "org_player_id", *_SESSION_COLUMNS),
            *("metric", "name", "unit", "event_rule", *_METRIC_COLUMNS),
        ]
    )
    for session in sessions:
        about = [session.player.full_name, session.player.org_player_id]
        about += [getattr(session, name) for name in _SESSION_COLUMNS]
        for row in session.session_metrics.order_by("metric", "event_rule"):
            definition = METRICS.get(row.metric)
            values = [
                *about,
                row.metric,
                definition.name if definition else "",
                definition.unit if definition else "",
                row.event_rule,
                *(getattr(row, name) for name in _METRIC_COLUMNS),
            ]
            yield writer.writerow(
                [cell(value) if isinstance(value, str) else value for value in values]
            )
