"""What staff have to look after in the vendor's data: values, and columns of files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse

from athletes.models import Player, Session
from syncing.mapping import FIELD_WORDS
from syncing.models import ColumnLayout, RawPayload

#: Values that are looked at, at most; more of them have one cause.
MOST_VALUES = 500

_WHY = {
    "unreadable": "cannot be read",
    "implausible": "isn't plausible",
    "too_long": "is too long",
}


@dataclass(frozen=True)
class UnreadValue:
    """A value of the vendor's that cannot be used, and what stands here instead."""

    name: str
    url: str
    edit_url: str
    what: str
    why: str
    text: str = field(repr=False)
    #: The value that was kept; empty where there was none.
    kept: str = field(repr=False)


def unread_values() -> list[UnreadValue]:
    """Return the values that cannot be used, athletes' first.

    What staff corrected is not among them: the vendor's value is not wanted there.
    """
    return [*_of_athletes(), *_of_sessions()]


def kept_values() -> int:
    """How many stored values may be out of date, as the new ones cannot be read."""
    return sum(bool(value.kept) for value in unread_values())


def _rows(kind: str) -> dict[str, list[dict[str, str]]]:
    rows = RawPayload.objects.filter(kind=kind, problems__isnull=False)
    found = rows.order_by("vendor_id").values_list("vendor_id", "problems")
    return {vendor_id: problems or [] for vendor_id, problems in found[:MOST_VALUES]}


def _of_athletes() -> Iterator[UnreadValue]:
    problems = _rows(RawPayload.Kind.PLAYER)
    players = Player.everyone.filter(org_player_id__in=list(problems))
    for player in players.order_by("last_name", "first_name", "id"):
        for problem in problems[player.org_player_id]:
            if problem["field"] not in player.corrected_fields:
                yield _value(
                    problem,
                    player,
                    name=player.full_name,
                    url=reverse(
                        "dashboard:athlete", args=[player.merged_into_id or player.pk]
                    ),
                    edit_url=reverse("admin:athletes_player_change", args=[player.pk]),
                )


def _of_sessions() -> Iterator[UnreadValue]:
    problems = _rows(RawPayload.Kind.SESSION_DETAIL)
    parts = Session.objects.filter(
        session_id__in=list(problems), missing_since__isnull=True
    ).select_related("player")
    seen = set()
    for part in parts.order_by("-id"):
        if part.session_id in seen:
            continue
        seen.add(part.session_id)
        for problem in problems[part.session_id]:
            yield _value(
                problem,
                part,
                name=f"Session of {part.player.full_name}",
                url=reverse("dashboard:session", args=[part.folded_into_id or part.pk]),
            )


def _value(
    problem: dict[str, str], row: Any, *, name: str, url: str, edit_url: str = ""
) -> UnreadValue:
    kept = getattr(row, problem["field"])
    return UnreadValue(
        name=name,
        url=url,
        edit_url=edit_url,
        what=FIELD_WORDS.get(problem["field"], problem["field"]),
        why=_WHY.get(problem["code"], problem["code"]),
        text=problem["text"],
        kept="" if kept is None else str(kept),
    )


@dataclass(frozen=True)
class ColumnChange:
    """Columns of one kind of file that are new, gone, or of another kind of value."""

    layout: ColumnLayout
    lines: list[str]


def column_changes() -> list[ColumnChange]:
    """Return the changes of columns that nobody noted yet, newest first."""
    layouts = ColumnLayout.objects.filter(noted_at__isnull=True).exclude(changes={})
    words = {
        "appeared": "New",
        "vanished": "Gone",
        "changed": "A different type of value",
    }
    return [
        ColumnChange(
            layout,
            [
                f"{word}: {', '.join(layout.changes[name])}"
                for name, word in words.items()
                if layout.changes[name]
            ],
        )
        for layout in layouts.order_by("-first_seen_at", "-id")[:20]
    ]
