"""Links of a table: to its next page, and those of its heads that sort it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol
from urllib.parse import urlencode

from django.forms import Form
from django.http import QueryDict

from dashboard.phrases import count_in_words
from dashboard.selectors.table_order import SortColumn, TableOrder


class Listing(Protocol):
    """One page of a table."""

    @property
    def order(self) -> TableOrder:
        """What it is sorted by."""

    @property
    def total_shown(self) -> int:
        """The number of matches that the page names."""

    @property
    def total_is_more(self) -> bool:
        """Whether there are more."""

    @property
    def has_previous(self) -> bool:
        """Whether there is a page before it."""

    @property
    def has_next(self) -> bool:
        """Whether there is a page behind it."""

    @property
    def first_id(self) -> int | None:
        """The id of its first row."""

    @property
    def last_id(self) -> int | None:
        """The id of its last row."""


def chosen(form: Form) -> dict[str, Any]:
    """The filters of a form that was checked, without those that filter nothing."""
    return {
        name: form.cleaned_data[name]
        for name in form.fields
        if form.cleaned_data.get(name)
    }


def table_context(
    listing: Listing, columns: Collection[SortColumn], query: QueryDict, *, noun: str
) -> dict[str, Any]:
    """What a template needs for the heads, the orders and the pages of a table."""
    return {
        "heads": [_head(column, listing.order, query) for column in columns],
        "sort_choices": [
            (order.text, label) for order, label in listing.order.choices(columns)
        ],
        "summary": count_in_words(
            listing.total_shown, noun, is_more=listing.total_is_more
        ),
        "previous_url": _url(query, before=listing.first_id)
        if listing.has_previous
        else "",
        "next_url": _url(query, after=listing.last_id) if listing.has_next else "",
    }


def row_id(query: QueryDict, name: str) -> int | None:
    """The id in the query, None where there is none or it is no number."""
    text = query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _url(query: QueryDict, **changes: int | str | None) -> str:
    """The URL of the list with some of its state changed, from the first page on."""
    kept = {
        name: value
        for name, value in query.items()
        if value and name not in {"after", "before", *changes}
    }
    kept |= {name: str(value) for name, value in changes.items() if value is not None}
    return f"?{urlencode(kept)}"


def _head(column: SortColumn, order: TableOrder, query: QueryDict) -> dict[str, object]:
    """A column's head with the link that sorts by it."""
    return {
        "column": column,
        "url": _url(query, sort=order.after_click(column).text),
        "aria_sort": order.aria_sort(column),
    }
