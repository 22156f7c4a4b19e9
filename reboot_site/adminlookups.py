"""Lets lists of the administration be filtered by what they show, nothing else.

Django lets whoever may see a list filter it by every column of its table, and whoever
may filter by a password's hash or a form that was sent reads it, letter by letter. Here
one rule holds for all lists, those of other packages too: `StaffSite` puts it before
each class that is registered. So does the other one, that a value which no column can
hold is no crash.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, FieldDoesNotExist, ValidationError
from django.db import DataError
from django.db.models import Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property

if TYPE_CHECKING:
    _Base = admin.ModelAdmin[Any]
else:  # comes before a class that is one
    _Base = object

#: How a shown column may be compared. No regular expressions: one that SQLite has
#: Python work out can hold a process for hours.
COMPARISONS = frozenset(
    {
        *("exact", "iexact", "isnull", "isempty", "in", "lt", "lte", "gt", "gte"),
        *("contains", "icontains", "startswith", "istartswith"),
        *("endswith", "iendswith", "year", "month", "day", "date"),
    }
)
# Marks before a name in `search_fields`.
_SEARCH_MARKS = "^=@"

Path = tuple[str, ...]


def split_lookup(model: type[Model], lookup: str) -> tuple[Path, list[str]]:
    """The column that a look-up leads to, by names from `model` on, and the rest.

    A relation and the key at its end are one column: `player__id` is `player`.
    """
    path: list[str] = []
    rest = lookup.split(LOOKUP_SEP)
    opts: Any = model._meta
    while rest and opts is not None:
        try:
            field = opts.pk if rest[0] == "pk" else opts.get_field(rest[0])
        except FieldDoesNotExist:
            break
        rest.pop(0)
        if not (path and field is opts.pk):
            path.append(field.name)
        ways = getattr(field, "path_infos", None)
        opts = ways[-1].to_opts if ways else None
    return tuple(path), rest


class ShownColumnsOnly(_Base):
    """Refuses to filter by what a list neither shows nor offers, with status 400.

    Shown are its columns, what it searches, and what its filters are of. A list that
    links elsewhere lead to, about one record, names the relation in `link_paths`.
    """

    def lookup_allowed(
        self, lookup: str, value: str, request: HttpRequest | None = None
    ) -> bool:
        """Return whether the list shows or offers the column of this look-up."""
        own = {
            each.parameter_name
            for each in self.list_filter
            if isinstance(each, type) and issubclass(each, admin.SimpleListFilter)
        }
        if lookup in own:
            return True
        path, rest = split_lookup(self.model, lookup)
        return (
            bool(path)
            and len(rest) <= 2
            and COMPARISONS.issuperset(rest)
            and path in self.shown_paths
        )

    @cached_property
    def shown_paths(self) -> set[Path]:
        """Columns that a look-up may name."""
        key = (self.model._meta.pk.name,)
        return {key} | {
            split_lookup(self.model, name)[0] for name in self._shown_names()
        }

    def _shown_names(self) -> Iterator[str]:
        for shown in self.list_display:
            # A method's name may be a relation's, and a method shows what it likes.
            is_method = isinstance(shown, str) and hasattr(type(self), shown)
            if isinstance(shown, str) and LOOKUP_SEP not in shown and not is_method:
                yield shown
        for each in self.list_filter:
            if isinstance(each, str):
                yield each
            elif isinstance(each, (list, tuple)):
                yield str(each[0])
        for name in self.search_fields:
            yield name.lstrip(_SEARCH_MARKS)
        if self.date_hierarchy:
            yield self.date_hierarchy
        yield from getattr(self, "link_paths", ())

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, or the page without its filters where these are no values.

        Django looks at values no closer than the database does, which answers each
        year and number that it does not know with an error of its own.
        """
        try:
            return super().get_changelist_instance(request)
        except (ValueError, OverflowError, DataError) as error:
            raise IncorrectLookupParameters from error

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Run an action after checking that the chosen rows are keys."""
        _check_keys(self.model, request.POST.getlist(ACTION_CHECKBOX_NAME))
        return super().response_action(request, queryset, *args, **kwargs)

    def changeform_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show or save a form after checking that its many-to-many choices are keys."""
        for field in self.opts.many_to_many:
            # A choice of many looks at all of them at once, which fails with one.
            _check_keys(field.related_model, request.POST.getlist(field.name))
        return super().changeform_view(request, *args, **kwargs)

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Records are named by their key alone; Django's rule lets other columns in."""
        pk = self.model._meta.pk
        return to_field in {pk.name, pk.attname}


def _check_keys(model: Any, values: list[str]) -> None:
    """Answer 400 where one of the values is no key that a row of the table can have."""
    for value in values:
        try:
            model._meta.pk.clean(value, None)
        except ValidationError:
            raise BadRequest("That isn't a valid row key.") from None
