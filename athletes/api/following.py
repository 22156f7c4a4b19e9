"""Lists of what changed, as the JSON paths return them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal

from django.db.models import Q, QuerySet
from ninja import Query
from ninja.errors import HttpError
from pydantic import BeforeValidator

from accounts.api import ApiRequest
from athletes.access import Viewer
from athletes.api.rows import Row
from athletes.feed import pages
from athletes.feed.cursors import Cursor, CursorError, fingerprint, read_cursor
from athletes.feed.order import Settled, settle
from athletes.models import FeedKind

#: An unescaped + of a time zone arrives as a blank.
_BLANK_ZONE = re.compile(r"(\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) (\d{2}:?\d{2})$")
_CURSOR_LENGTH = 400


def moment(text: object) -> object:
    """The time of a text in ISO 8601; without a zone it is UTC."""
    if not isinstance(text, str) or not text:
        return text
    try:
        when = dt.datetime.fromisoformat(_BLANK_ZONE.sub(r"\1+\2", text.strip()))
        when = when if when.tzinfo else when.replace(tzinfo=dt.UTC)
        return when.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("write a time as 2026-03-01T18:00:00+00:00") from error


# An empty text counts as not given, as for days.
Since = Annotated[
    Annotated[dt.datetime, BeforeValidator(moment)] | Literal[""] | None,
    Query(
        description="What changed at or after this time (ISO 8601, with a zone). For "
        "the first call; then continue with `cursor`.",
        examples=["2026-03-01T18:00:00+00:00"],
    ),
]
CursorText = Annotated[
    str,
    Query(
        max_length=_CURSOR_LENGTH,
        description="`next` from the previous call, with the same filters: what "
        "changed since. `updated_since` is then ignored.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=1000, description="Rows per page.")]


def allow_only(request: ApiRequest, names: Iterable[str]) -> None:
    """Refuse (422) a request with a parameter that the path does not know."""
    unknown = sorted(request.GET.keys() - set(names))
    if unknown:
        raise HttpError(422, f"{unknown[0][:60]}: unknown parameter.")


def asked_by(caller: Any, kind: FeedKind, filters: Mapping[str, Any]) -> str:
    """The fingerprint of a question: a cursor fits just this one."""
    teams = caller.team_limit()
    limit = None if teams is None else sorted(teams.values_list("pk", flat=True))
    given = {name: value for name, value in filters.items() if value}
    return fingerprint(kind, given, limit)


def beginning(text: str, since: Any, *, asked: str, settled: Settled) -> Cursor:
    """Where to begin: behind the cursor, or at a time, or at the very first."""
    if not text:
        return pages.first_cursor(asked, since or None, settled)
    try:
        return read_cursor(text, asked=asked, last=settled.last, epoch=settled.epoch)
    except CursorError as error:
        raise HttpError(422, f"cursor: {error}.") from error


def changed_rows(
    question: pages.Question,
    build: Callable[[Any], list[Row]],
    found: list[Any],
) -> list[Row]:
    """The rows of a page in its order; of what is gone its number and the reason."""
    ids = [row.row_id for row in found]
    there = {
        row["id"]: row
        for row in build(pages.seen(question.kind, question.caller).filter(pk__in=ids))
    }
    gone = [row for row in found if row.row_id not in there]
    told = pages.tombstones(question.kind, question.caller, gone)
    return [there.get(pk) or told[pk] for pk in ids]


def follow(
    caller: Viewer,
    kind: FeedKind,
    *,
    name: str,
    build: Callable[[Any], list[Row]],
    cursor: str,
    since: Any,
    limit: int,
    filters: Mapping[str, Any],
    shown: QuerySet[Any] | None,
    told: Q,
    told_left: Q,
) -> Row:
    """The answer of a list: rows under `name`, `next` and `more`."""
    settled = settle()
    asked = asked_by(caller, kind, filters)
    start = beginning(cursor, since, asked=asked, settled=settled)
    question = pages.Question(kind, caller, shown, told, told_left)
    found = pages.page(question, start, settled, limit)
    return {
        name: changed_rows(question, build, found.rows),
        "next": str(found.following),
        "more": found.more,
    }
