"""What the table of a session's swings needs, and when the page shows it."""

from __future__ import annotations

from collections.abc import Mapping

from athletes import access
from athletes.http import PageRequest
from dashboard.selectors.session_page import SessionPage
from dashboard.selectors.swing_table import SWING_COLUMNS, SwingTable

# How the address asks for the table of swings.
ALL_NUMBERS = "all"


def shows_numbers(query: Mapping[str, str]) -> bool:
    """Whether an address with this query shows the table of all numbers."""
    return bool(query.get("sort")) or query.get("numbers") == ALL_NUMBERS


def table_context(
    page: SessionPage, table: SwingTable | None, request: PageRequest
) -> dict[str, object]:
    """What the table of swings needs; it has no heads while it is not shown."""
    return {
        "page": page,
        "table": table,
        "heads": []
        if table is None
        else [
            {
                "column": column,
                "sort": table.order.after_click(column).text,
                "aria_sort": table.order.aria_sort(column),
            }
            for column in SWING_COLUMNS
        ],
        "may_edit": access.may_edit(request.user),
    }
