"""Which of a page's data came by hand, and from whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from athletes.kept_questions import kept_question
from athletes.models import HandUpload, Player, Session, UploadState

#: An athlete's page names so many uploads, the newest.
_MOST = 5
#: Columns that only undoing needs, but for the first.
_LONG = ("contents", "created", "before", "files", "choice")


@dataclass(frozen=True)
class ByHand:
    """One upload by hand that holds, as a page says it."""

    pk: int
    who: str
    at: dt.datetime | None
    session_id: int | None


def uploads_of_athlete(player: Player) -> list[ByHand]:
    """The athlete's newest uploads by hand; one query."""
    return _said(_of_athlete(player.pk))


def uploads_of_session(session: Session) -> list[ByHand]:
    """The uploads by hand that a session has data of; one query."""
    return _said(_of_session(session.pk))


@kept_question
def _of_athlete(player_id: int) -> QuerySet[HandUpload]:
    uploads = HandUpload.objects.filter(player_id=player_id)
    return _holding(uploads).defer(*_LONG)[:_MOST]


@kept_question
def _of_session(session_id: int) -> QuerySet[HandUpload]:
    return _holding(HandUpload.objects.filter(session_id=session_id)).defer(*_LONG)


@kept_question
def _with_contents(session_id: int) -> QuerySet[HandUpload]:
    return _holding(HandUpload.objects.filter(session_id=session_id))


def uploads_of_swing(session: Session, movement_id: int) -> list[ByHand]:
    """The uploads by hand whose files hold a swing; one query."""
    return _said(
        upload
        for upload in _with_contents(session.pk)
        if any(row[0] == movement_id for row in upload.contents)
    )


def _holding(uploads: QuerySet[HandUpload]) -> QuerySet[HandUpload]:
    held = uploads.filter(state__in=[UploadState.STORING, UploadState.STORED])
    return held.select_related("created_by").defer(*_LONG[1:])


def _said(uploads: Iterable[HandUpload]) -> list[ByHand]:
    return [
        ByHand(
            upload.pk,
            upload.created_by.get_username() if upload.created_by else "",
            upload.stored_at,
            upload.session_id,
        )
        for upload in uploads
    ]
