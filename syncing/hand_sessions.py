"""Moving, dating and deleting a session that came by hand alone."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q

from accounts.audit import record
from accounts.models import Action, User
from athletes.models import HandUpload, Movement, Player, Session, UploadState
from syncing import clock
from syncing.people_added import UndoRefusedError, people_of, setups_of
from syncing.undoing import conclude, known_to_vendor, undo


def is_by_hand_alone(session: Session) -> bool:
    """Whether a session was begun by an upload, and no sync has brought it since."""
    began = any(
        upload.created.get("session") == session.pk
        for upload in session.hand_uploads.exclude(state=UploadState.UNDONE)
    )
    return began and not known_to_vendor(session)


def _own(session: Session) -> Session:
    """Return a session that came by hand alone, locked; refuse any other."""
    Session.objects.select_for_update(no_key=True).get(pk=session.pk)
    session = Session.objects.select_related("player").get(pk=session.pk)
    if not is_by_hand_alone(session):
        raise UndoRefusedError(
            "Reboot Motion has this session, and its data is used. Correct it there."
        )
    if session.folded_into_id or session.recorded_as_id or session.folded.exists():
        raise UndoRefusedError(
            "The athlete was merged with another record since. Undo the merge first."
        )
    return session


def move(*, session: Session, to: Player, by: User) -> None:
    """Give a session that came by hand to another athlete, with all that hangs on it.

    Links that share it end: they were made for somebody else's eyes.

    Raises
    ------
    UndoRefusedError
        Nothing was changed; the text says why.
    """
    with transaction.atomic():
        session = _own(session)
        former = session.player
        if to.pk == former.pk:
            raise UndoRefusedError("The session already belongs to this athlete.")
        if to.merged_into_id is not None:
            raise UndoRefusedError("This record was merged into another athlete.")
        taken = Session.objects.filter(session_id=session.session_id).filter(
            Q(player=to) | Q(player__merged_into=to)
        )
        if taken.exists():
            raise UndoRefusedError(
                "This athlete already has this session. Undo the upload, and add the "
                "files to that one."
            )
        session.player = to
        session.save(update_fields=["player", "updated_at"])
        HandUpload.objects.filter(session=session).update(player=to)
        _end_links(session)
        Movement.objects.filter(session=session).update(
            method_version="", updated_at=clock.now()
        )
        record(
            Action.RECORD_CHANGED,
            by=by,
            subject=session,
            player_id=to.pk,
            what="session moved",
            moved_from=former.pk,
        )
    conclude(session.pk, [former.pk, to.pk])


def _end_links(session: Session) -> None:
    """End whatever opens this session without a login, whoever keeps such links."""
    for relation in Session._meta.related_objects:
        model = relation.related_model
        if "revoked_at" in {each.name for each in model._meta.get_fields()}:
            model._base_manager.filter(
                **{relation.field.name: session}, revoked_at__isnull=True
            ).update(revoked_at=clock.now())


def redate(*, session: Session, date: dt.date, by: User) -> None:
    """Give a session that came by hand another date.

    Raises
    ------
    UndoRefusedError
        Nothing was changed; the text says why.
    """
    with transaction.atomic():
        session = _own(session)
        was = session.session_date
        session.session_date = date
        session.save(update_fields=["session_date", "updated_at"])
        record(
            Action.RECORD_CHANGED,
            by=by,
            subject=session,
            player_id=session.player_id,
            what="session date",
            was=None if was is None else was.isoformat(),
        )
    conclude(session.pk, [session.player_id])


def what_people_added(session: Session) -> list[str]:
    """Return what people added to a session and its swings, in words."""
    pks = list(session.movements.values_list("pk", flat=True))
    found = [*people_of(Movement, pks), *people_of(Session, [session.pk])]
    found += setups_of(pks)
    found += [f"setup: {session.get_condition_display()}"] * bool(session.condition)
    found += [f"bat: {session.bat}"] * bool(session.bat)
    return list(dict.fromkeys(found))


def delete(*, session: Session, by: User, with_added: bool = False) -> None:
    """Delete a session that came by hand, by undoing all uploads that it came with.

    Raises
    ------
    UndoRefusedError
        Nothing was changed; the text says why.
    """
    with transaction.atomic():
        session = _own(session)
        added = what_people_added(session)
        if added and not with_added:
            raise UndoRefusedError(
                "Coaches have added to this session: " + "; ".join(added) + ".",
                is_about_additions=True,
            )
        uploads = HandUpload.objects.filter(session=session).order_by("-pk")
        for upload in uploads.exclude(
            state__in=[UploadState.UNDONE, UploadState.STAGED]
        ):
            undo(upload=upload, by=by, with_added=True)
        # What was downloaded again since goes too.
        Session.objects.filter(pk=session.pk).delete()
