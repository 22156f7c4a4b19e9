"""Base classes of the administration's lists and forms, for every package.

Base classes for tables that may have millions of rows, filters that do not read the
whole table, and small helps for links and actions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Field, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.dates import MONTHS
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import User

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    _Paginator = Paginator[Any]
else:  # Django's own classes take no parameter at run time
    ModelAdmin = admin.ModelAdmin
    _Paginator = Paginator


def filter_by_empty(title: str, *, empty: str, filled: str) -> type[Any]:
    """A filter of rows where a column is empty or filled, in words of its own."""

    class Filter(admin.EmptyFieldListFilter):
        """Offers rows where the column is empty, and those where it is not."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

        def choices(self, changelist: Any) -> Any:
            """Yield each choice with its address, and whether it is chosen."""
            words = ("All", empty, filled)
            for word, choice in zip(words, super().choices(changelist), strict=True):
                yield {**choice, "display": word}

    return Filter


#: A filter in a list: what the vendor no longer lists.
MISSING_FILTER = (
    "missing_since",
    filter_by_empty("state at Reboot Motion", empty="Listed", filled="Removed"),
)
#: How many rows one action takes at once: each athlete is work for the queue.
MOST_PER_ACTION = 200

#: Rows that a list counts and leads through; a search finds the others.
LISTED_ROWS = 5_000
#: Newest rows among which a filter looks for the values that there are.
_LOOKED_AT = 2_000
#: Years that a filter by day offers, from the newest.
_MOST_YEARS = 15


class BoundedPaginator(_Paginator):
    """Counts no further than anybody turns pages: an exact count reads the table."""

    listed_rows = LISTED_ROWS

    @cached_property
    def count(self) -> int:
        """The number of rows, or `listed_rows` where there are more."""
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[: self.listed_rows].count()


class AutocompletePaginator(BoundedPaginator):
    """The first rows for a field that is filled by typing; more letters find others."""

    listed_rows = 100


class OnePassChangeList(ChangeList):
    """Reads the table once where a filter leaves few rows, or none.

    Columns that filters ask for have no index. A list counts its rows and then fetches
    them in order, and where few match, either reads the whole table.
    """

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the rows of this page, by their keys where a filter leaves few."""
        if self.has_active_filters:
            keys = self.queryset.order_by().values_list("pk", flat=True)
            found = list(keys[: self.list_per_page + 1])
            if len(found) <= self.list_per_page:
                self.queryset = self.queryset.filter(pk__in=found)
        super().get_results(request)


class RecentValuesFilter(admin.FieldListFilter):
    """Offers the values that a column has among the newest rows.

    Django's own filter asks for all values of the whole table.
    """

    def __init__(
        self,
        field: Field[Any, Any],
        request: HttpRequest,
        params: dict[str, Any],
        model: Any,
        model_admin: Any,
        field_path: str,
    ) -> None:
        self.lookup_kwarg = field_path
        chosen = params.get(field_path)
        self.chosen = chosen[-1] if chosen else None
        newest = model._default_manager.order_by("-pk").values(field_path)[:_LOOKED_AT]
        found = {row[field_path] for row in newest} - {None, ""}
        if self.chosen is not None:
            found.add(self.chosen)
        self.values = sorted(str(value) for value in found)
        super().__init__(field, request, params, model, model_admin, field_path)

    def expected_parameters(self) -> list[str | None]:
        """Names of the address's parameters that belong to this filter."""
        return [self.lookup_kwarg]

    def has_output(self) -> bool:
        """Whether there is anything to choose from."""
        return bool(self.values)

    def choices(self, changelist: Any) -> Any:
        """Yield each choice with its label and address, and whether it is chosen."""
        yield {
            "selected": self.chosen is None,
            "query_string": changelist.get_query_string(remove=[self.lookup_kwarg]),
            "display": "All",
        }
        for value in self.values:
            yield {
                "selected": self.chosen == value,
                "query_string": changelist.get_query_string({self.lookup_kwarg: value}),
                "display": value,
            }


class DayFilter(admin.FieldListFilter):
    """Offers the years that a column of days spans, and the months of the chosen one.

    Django's `date_hierarchy` cuts every row's day to its year; this reads the first
    and the last from the index.
    """

    def __init__(
        self,
        field: Field[Any, Any],
        request: HttpRequest,
        params: dict[str, Any],
        model: Any,
        model_admin: Any,
        field_path: str,
    ) -> None:
        self.path = field_path
        self.lookup_kwarg = f"{field_path}__year"
        self.month_kwarg = f"{field_path}__month"
        self.year = _number(params.get(self.lookup_kwarg))
        self.month = _number(params.get(self.month_kwarg))
        days = model._default_manager.filter(**{f"{field_path}__isnull": False})
        first, last = (
            days.order_by(order).values_list(field_path, flat=True).first()
            for order in (field_path, f"-{field_path}")
        )
        self.years = range(last.year, first.year - 1, -1) if first else range(0)
        super().__init__(field, request, params, model, model_admin, field_path)

    def expected_parameters(self) -> list[str | None]:
        """Names of the address's parameters that belong to this filter."""
        return [self.lookup_kwarg, self.month_kwarg]

    def has_output(self) -> bool:
        """Whether there is anything to choose from."""
        return len(self.years) > 0

    def choices(self, changelist: Any) -> Any:
        """Yield each choice with its label and address, and whether it is chosen."""
        both = self.expected_parameters()
        yield {
            "selected": self.year is None,
            "query_string": changelist.get_query_string(remove=both),
            "display": "All",
        }
        for year in self.years[:_MOST_YEARS]:
            yield {
                "selected": year == self.year and self.month is None,
                "query_string": changelist.get_query_string(
                    {self.lookup_kwarg: year}, [self.month_kwarg]
                ),
                "display": str(year),
            }
            if year != self.year:
                continue
            for month, name in MONTHS.items():
                yield {
                    "selected": month == self.month,
                    "query_string": changelist.get_query_string(
                        {self.lookup_kwarg: year, self.month_kwarg: month}
                    ),
                    "display": f"{name} {year}",
                }


def _number(values: list[str] | None) -> int | None:
    text = values[-1] if values else ""
    return int(text) if text.isascii() and text.isdigit() else None


def capped(rows: QuerySet[Any], limit: int = 1_000) -> tuple[int, bool]:
    """Count the rows up to `limit`; also return whether there are more."""
    count = rows.order_by()[: limit + 1].count()
    return min(count, limit), count > limit


class LargeTableAdmin(ModelAdmin):
    """The admin of a table that may have millions of rows."""

    paginator = BoundedPaginator
    # Counts beside each filter would read the table once for each.
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False

    def get_changelist(
        self, request: HttpRequest, **kwargs: Any
    ) -> type[OnePassChangeList]:
        """The class of the list; this one reads the table once."""
        return OnePassChangeList

    def get_paginator(
        self, request: HttpRequest, queryset: Any, per_page: int, *args: Any, **kw: Any
    ) -> Any:
        """The paginator of a list, or of what a field filled by typing offers."""
        match = request.resolver_match
        if match and match.url_name == "autocomplete":
            return AutocompletePaginator(queryset, per_page, *args, **kw)
        return super().get_paginator(request, queryset, per_page, *args, **kw)


class VendorTableAdmin(LargeTableAdmin):
    """The admin of rows that come from the vendor: none is added or deleted here.

    A deleted row would come back with the next sync, without what people had
    decided about it.
    """

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds such a row by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes such a row by hand."""
        return False


class ReadOnlyAdmin(VendorTableAdmin):
    """The admin of rows that follow from others, or that record what happened."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes such a row by hand."""
        return False


def too_many(
    model_admin: Any,
    request: HttpRequest,
    rows: QuerySet[Any],
    limit: int = MOST_PER_ACTION,
) -> bool:
    """Whether more rows are chosen than one action takes; the user is told so."""
    if rows.order_by()[: limit + 1].count() <= limit:
        return False
    model_admin.message_user(
        request, f"Choose at most {limit} at once; nothing was done.", messages.ERROR
    )
    return True


def link_to(url_name: str, pk: int, text: str) -> SafeString:
    """Return a link to the administration's page of one row, as HTML."""
    return format_html('<a href="{}">{}</a>', reverse(url_name, args=[pk]), text)


def user_of(request: HttpRequest) -> User:
    """The user who is logged in; the admin lets nobody else in."""
    return cast(User, request.user)
