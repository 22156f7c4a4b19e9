"""The history of a record, shown on its page in the administration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import template
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from accounts.audit import in_words
from accounts.models import AuditEntry

register = template.Library()

#: Newest entries that are shown; the audit has them all.
SHOWN = 15


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a record's history: who did what and when, with details."""

    at: datetime
    who: str
    what: str
    detail: str


@register.inclusion_tag("admin/_history.html")
def record_history(record: Any) -> dict[str, Any]:
    """The newest entries of the audit and of the administration about `record`."""
    label = record._meta.label_lower
    # The queue's tasks have texts as keys; nothing of the audit is about them.
    number = record.pk if isinstance(record.pk, int) else None
    about = Q(subject_type=label, subject_id=number)
    if label == "athletes.player":
        about |= Q(player_number=record.pk)
    entries = [
        Happening(
            entry.at,
            entry.actor or "the system",
            entry.get_action_display(),
            _in_words(_subject(entry, label) | entry.detail),
        )
        for entry in AuditEntry.objects.filter(about).order_by("-at", "-id")[:SHOWN]
    ]
    written = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(type(record)),
        object_id=str(record.pk),
    ).select_related("user")[:SHOWN]
    entries += [
        Happening(
            entry.action_time,
            entry.user.get_username(),
            "Edited here",
            entry.get_change_message(),
        )
        for entry in written
    ]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return {"entries": entries[:SHOWN], "record": record}


def _subject(entry: AuditEntry, label: str) -> dict[str, Any]:
    """Name the record that was changed; empty where this is its own page."""
    if entry.subject_id is None or entry.subject_type == label:
        return {}
    return {entry.subject_type.partition(".")[2]: entry.subject_id}


def _in_words(detail: dict[str, Any]) -> str:
    return "; ".join(
        f"{name.replace('_', ' ')}: {in_words(value)}"
        for name, value in sorted(detail.items())  # PostgreSQL keeps no order
        if value not in (None, "", [])
    )
