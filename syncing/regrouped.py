"""What the sync does when the parts of sessions were grouped anew (EVENT_LISTENERS)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from athletes.listeners import SESSION_REGROUPED
from syncing.engine.session_state import refresh_session_state
from syncing.models import ExportJob


def on_event(event: str, rows: Sequence[dict[str, Any]]) -> None:
    """Tell anew how complete sessions are after records were merged or separated.

    A row may have stood for several records; which of them lacks what, their files
    tell. Sessions without files keep the state they have.
    """
    if event != SESSION_REGROUPED:
        return
    for pk in (row["id"] for row in rows):
        of_it = Q(session=pk) | Q(session__folded_into=pk)
        if ExportJob.objects.filter(of_it).exists():
            refresh_session_state(pk)
