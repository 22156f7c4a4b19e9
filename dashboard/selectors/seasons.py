"""The season of school and travel teams: from September to the end of August."""

from __future__ import annotations

import datetime as dt

_FIRST_MONTH = 9


def season_of(day: dt.date, shift: int = 0) -> tuple[dt.date, dt.date]:
    """The first and last day of the season that a day lies in.

    `shift` -1 is the season before that one.
    """
    year = day.year - (day.month < _FIRST_MONTH) + shift
    first, following = (dt.date(year + n, _FIRST_MONTH, 1) for n in (0, 1))
    return first, following - dt.timedelta(days=1)
