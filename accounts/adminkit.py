"""Parts of the administration that stay quick where tables have millions of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Field, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:  # Django's own class takes no parameter at run time
    _Paginator = Paginator

#: Rows that a list counts and leads through; a search finds the others.
LISTED_ROWS = 5_000
#: Newest rows among which a filter looks for the values that there are.
_LOOKED_AT = 2_000


class BoundedPaginator(_Paginator):
    """Counts no further than anybody turns pages: an exact count reads the table."""

    listed_rows = LISTED_ROWS

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[: self.listed_rows].count()


class RecentValuesFilter(admin.FieldListFilter):
    """The values that a column has among the newest rows.

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
        return [self.lookup_kwarg]

    def has_output(self) -> bool:
        return bool(self.values)

    def choices(self, changelist: Any) -> Any:
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


def capped(rows: QuerySet[Any], limit: int = 1_000) -> tuple[int, bool]:
    """How many rows there are, up to `limit`, and whether there are more."""
    count = rows.order_by()[: limit + 1].count()
    return min(count, limit), count > limit
