"""Kinds of parameters that several JSON paths take."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

from ninja import Path, Query
from pydantic import BeforeValidator

# The largest key of the database: with a larger one a query fails.
LARGEST_ID = 2**63 - 1
LARGEST_SKIP = 10**9
# The web server refuses a longer request line; for all columns none needs a name.
MOST_COLUMNS_TEXT = 4_000
# PostgreSQL refuses the character zero in text.
TEXT = r"^[^\x00]*$"

Id = Annotated[int, Path(..., ge=1, le=LARGEST_ID, examples=[1])]
Skip = Annotated[int, Query(0, ge=0, le=LARGEST_SKIP)]
Gone = Annotated[
    bool,
    Query(description="Include what Reboot Motion no longer has, with `gone_at`."),
]


def _day(text: object) -> object:
    """The text, if it is a day as YYYY-MM-DD; pydantic would take numbers too."""
    if isinstance(text, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise ValueError("write a day as YYYY-MM-DD")
    return text


# An empty text counts as not given: forms and some clients send it so.
Day = Annotated[dt.date, BeforeValidator(_day)] | Literal[""] | None
