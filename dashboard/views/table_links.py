"""Links of a table: to its next page, and those of its heads that sort it."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import QueryDict

from dashboard.selectors.table_order import SortColumn, TableOrder


def row_id(query: QueryDict, name: str) -> int | None:
    """The id in the query, None where there is none or it is no number."""
    text = query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def list_url(query: QueryDict, **changes: int | str | None) -> str:
    """The URL of the list with some of its state changed, from the first page on."""
    kept = {
        name: value
        for name, value in query.items()
        if value and name not in {"after", "before", *changes}
    }
    kept |= {name: str(value) for name, value in changes.items() if value is not None}
    return f"?{urlencode(kept)}"


def head_of(
    column: SortColumn, order: TableOrder, query: QueryDict
) -> dict[str, object]:
    """A column's head with the link that sorts by it."""
    return {
        "column": column,
        "url": list_url(query, sort=order.after_click(column).text),
        "aria_sort": order.aria_sort(column),
    }
