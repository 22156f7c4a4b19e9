"""The administration's pages of the audit trail: who did what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin_lists import ModelAdmin
from accounts.audit import in_words
from accounts.models import AuditEntry

ATHLETE = "athletes.player"

# Not needed to say what a record is called, and perhaps megabytes.
_LARGE = (models.JSONField, models.BinaryField, models.TextField)

Subject = tuple[str, int]


def _model(label: str) -> type[models.Model] | None:
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None  # of a table that is no more


def _field(model: type[models.Model] | None, name: Any) -> str:
    """Return the label that a field has on its form."""
    try:
        field = model._meta.get_field(name) if model else None
    except FieldDoesNotExist:
        field = None
    words = getattr(field, "verbose_name", None) or str(name).replace("_", " ")
    return str(words)


def _subjects(entry: AuditEntry) -> Iterable[Subject]:
    if entry.subject_id is not None:
        yield entry.subject_type, entry.subject_id
    if entry.player_number is not None:
        yield ATHLETE, entry.player_number


class _Names:
    """Names and links of the records that entries are about; one query for each kind.

    Of what is gone, or of what this user may not look at, the number alone is told.
    """

    def __init__(self, site: admin.AdminSite, request: HttpRequest) -> None:
        self._site = site
        self._request = request
        self._found: dict[Subject, models.Model] = {}

    def learn(self, entries: Iterable[AuditEntry]) -> None:
        wanted: dict[str, set[int]] = defaultdict(set)
        for entry in entries:
            for label, pk in _subjects(entry):
                wanted[label].add(pk)
        for label, pks in wanted.items():
            for record in self._records(label, pks):
                self._found[label, record.pk] = record

    def _records(self, label: str, pks: set[int]) -> Iterable[models.Model]:
        model = _model(label)
        known = self._site._registry.get(model) if model else None
        if model is None or known is None:
            return []
        if not known.has_view_permission(self._request):
            return []
        large = [f.name for f in model._meta.concrete_fields if isinstance(f, _LARGE)]
        rows = known.get_queryset(self._request).filter(pk__in=pks)
        return rows.order_by().defer(*large)

    def shown(self, subject: Subject) -> str:
        label, pk = subject
        model = _model(label)
        kind = str(model._meta.verbose_name) if model else label
        record = self._found.get(subject)
        if model is None or record is None:
            is_listed = model is not None and model in self._site._registry
            return f"{kind} {pk}, no longer here" if is_listed else f"{kind} {pk}"
        name = str(record)
        url = reverse(
            f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk]
        )
        words = name if kind in name else f"{kind} {name}"
        return format_html('<a href="{}">{}</a>', url, words)


@admin.register(AuditEntry)
class AuditEntryAdmin(ModelAdmin):
    """The list of who did what; nothing in it can be changed."""

    list_display = ("at", "action", "by", "athlete", "subject", "in_words")
    list_display_links = ("at",)
    list_filter = ("action", "at")
    search_fields = ("actor", "=player_number", "=subject_id", "subject_type")
    search_help_text = "User, start of a token, or ID of an athlete or record."
    date_hierarchy = "at"
    list_select_related = False
    show_full_result_count = False
    fields = (*list_display, "player_number", "subject_type", "subject_id")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list with the names of all its records looked up together."""
        changelist = super().get_changelist_instance(request)
        names = _Names(self.admin_site, request)
        names.learn(changelist.result_list)
        for entry in changelist.result_list:
            entry.names = names
        return changelist

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """Return one entry with the names of its records looked up."""
        entry = super().get_object(request, object_id, from_field)
        if entry is not None:
            entry.names = _Names(self.admin_site, request)
            entry.names.learn([entry])
        return entry

    @admin.display(description="by", ordering="actor")
    def by(self, entry: AuditEntry) -> str:
        """Name who did it; an entry without a user comes from a schedule."""
        return entry.actor or "the system"

    @admin.display(description="athlete", ordering="player_number")
    def athlete(self, entry: Any) -> str:
        """Name the athlete that the entry is about, with a link; a dash for none."""
        if entry.player_number is None:
            return "–"
        return str(entry.names.shown((ATHLETE, entry.player_number)))

    @admin.display(description="record")
    def subject(self, entry: Any) -> str:
        """Name the record that was changed, with a link; a dash for none."""
        if entry.subject_id is None or entry.subject_type == ATHLETE:
            return "–"
        return str(entry.names.shown((entry.subject_type, entry.subject_id)))

    @admin.display(description="detail")
    def in_words(self, entry: AuditEntry) -> str:
        """Names and values without the signs of JSON; PostgreSQL keeps no order."""
        if not isinstance(entry.detail, dict):
            return str(entry.detail)
        model = _model(entry.subject_type)
        parts = []
        for name, value in sorted(entry.detail.items()):
            if name == "fields" and isinstance(value, list):
                value = [_field(model, one) for one in value]
            parts.append(f"{name.replace('_', ' ')}: {in_words(value)}")
        return ", ".join(parts) or "–"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: only the product writes the audit."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: an entry is never changed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: an entry is never deleted."""
        return False
