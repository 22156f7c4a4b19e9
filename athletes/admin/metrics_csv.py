"""The averages of sessions as a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from athletes.analysis.event_rules import rule_in_basis
from athletes.analysis.means_by_side import means_by_side, side_in_files
from athletes.api.frames import cell
from athletes.models import Session
from biomechanics.basis import setup_in, without_setup
from biomechanics.definitions import METRICS


class _Line:
    """A file for `csv.writer` that returns each line instead of storing it."""

    def write(self, line: str) -> str:
        """The line itself."""
        return line


_SESSION_COLUMNS = ("session_id", "session_date", "condition", "bat")
# Where the setup stands behind the athlete's name and id.
_SETUP = 2 + _SESSION_COLUMNS.index("condition")
_METRIC_COLUMNS = (
    *("n", "mean", "sd", "minimum", "maximum", "median", "method_version"),
)


def metrics_csv(sessions: list[Session]) -> Iterator[str]:
    """Yield the lines of the file: one for each average, in the unit as stored.

    Where a switch hitter's session has swings from both sides, `side` says so, and the
    lines of each side follow.
    """
    writer = csv.writer(_Line())
    yield writer.writerow(
        [
            *("athlete", "org_player_id", *_SESSION_COLUMNS),
            *(
                "metric",
                "name",
                "unit",
                "event_rule",
                *_METRIC_COLUMNS,
                "side",
                "basis",
            ),
        ]
    )
    for session in sessions:
        about = [session.player.full_name, session.player.org_player_id]
        about += [getattr(session, name) for name in _SESSION_COLUMNS]
        # Other movements have no numbers, and gone ones are in no average.
        swings = session.movements.present().filter(is_swing=True).in_session_order()
        sides = set(swings.order_by().values_list("side", flat=True).distinct())
        of_side = means_by_side(swings) if len(sides) > 1 else {}
        together = side_in_files(of_side or {side or "" for side in sides})
        rows = session.session_metrics.order_by("metric", "basis")
        versions = {}
        lines = []
        for row in rows:
            versions[row.metric, row.basis] = row.method_version
            numbers = [getattr(row, name) for name in _METRIC_COLUMNS]
            lines.append((row.metric, row.basis, [*numbers, together]))
        if len(of_side) > 1:
            lines += [
                (
                    metric,
                    basis,
                    [
                        *(one.n, one.mean, one.sd, one.minimum, one.maximum),
                        *(one.median, versions.get((metric, basis), "")),
                        side or "unknown",
                    ],
                )
                for side, means in of_side.items()
                for (metric, basis), one in sorted(means.items())
            ]
        for metric, basis, numbers in lines:
            definition = METRICS.get(metric)
            setup = setup_in(basis)
            about[_SETUP] = session.condition if setup is None else setup
            values = [
                *about,
                metric,
                definition.name if definition else "",
                definition.unit if definition else "",
                rule_in_basis(basis),
                *numbers,
                without_setup(basis),
            ]
            yield writer.writerow(
                [cell(value) if isinstance(value, str) else value for value in values]
            )
