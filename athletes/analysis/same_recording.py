"""One recording under two sessions: found by its frames; staff say which counts.

The vendor was given it twice, or hands it out under two sessions. Both count until
somebody decides, since only a person knows which of them is right.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from athletes.analysis.session_summary import refresh_session_summary
from athletes.kept_questions import kept_question
from athletes.models import (
    BiomechanicsData,
    DataType,
    Inclusion,
    InclusionDecision,
    Movement,
    SameRecording,
    Session,
)

#: How a reason begins with which swings of a recording are excluded that is here twice.
SAME_RECORDING = "Same recording as session"


def withdraw(pairs: Iterable[SameRecording]) -> set[int]:
    """Take back choices that rest on what is not so any more; return the sessions.

    Their swings count again, and their averages are to be computed by the caller.
    """
    touched: set[int] = set()
    for pair in pairs:
        both = [pair.session_id, pair.other_id]
        rows = Movement.objects.filter(
            session_id__in=both,
            inclusion=Inclusion.EXCLUDED,
            inclusion_reason__in=[f"{SAME_RECORDING} {pk}" for pk in both],
        )
        said = "The duplicate this decision was about no longer exists."
        InclusionDecision.objects.bulk_create(
            InclusionDecision(movement=row, inclusion=Inclusion.AUTOMATIC, reason=said)
            for row in rows
        )
        rows.update(
            inclusion=Inclusion.AUTOMATIC,
            inclusion_reason="",
            updated_at=timezone.now(),
        )
        pair.counts, pair.decided_by, pair.decided_at = "", None, None
        pair.save(update_fields=["counts", "decided_by", "decided_at"])
        touched.update(both)
    return touched


def note_same_recording(session_pk: int) -> None:
    """Store whether frames of a session are stored under another one, and which.

    The pair stands with the session that came later. One other session is enough to
    ask somebody: where there are more, the oldest is named. A session that was named
    with this one, and shares nothing with it any more, may share with a third one.
    """
    left: set[int] = set()
    touched: set[int] = set()
    with transaction.atomic():
        for pair in SameRecording.objects.of_session(session_pk):
            if _hashes(pair.session_id) & _hashes(pair.other_id):
                continue
            left |= {pair.session_id, pair.other_id} - {session_pk}
            touched |= _withdraw_if_decided(pair)
            pair.delete()
        for pk in sorted(touched):
            refresh_session_summary(pk)
    for pk in (session_pk, *sorted(left)):
        _name_other(pk)


def note_others_of(session_pks: Iterable[int]) -> None:
    """Name others for sessions whose twins are gone, or are back."""
    pks = set(session_pks)
    pairs = SameRecording.objects.filter(Q(session__in=pks) | Q(other__in=pks))
    for pair in pairs:
        pks |= {pair.session_id, pair.other_id}
    for pk in sorted(pks):
        _name_other(pk)


def _name_other(session_pk: int) -> None:
    """Store with which session, the oldest that is there, this one shares frames."""
    hashes = _hashes(session_pk)
    other = (
        BiomechanicsData.objects.filter(
            content_sha256__in=hashes,
            data_type=DataType.INVERSE_KINEMATICS,
            movement__missing_since=None,
            movement__session__folded_into=None,
        )
        .exclude(movement__session_id=session_pk)
        .order_by("movement__session_id")
        .values_list("movement__session_id", flat=True)
        .first()
        if hashes
        else None
    )
    if other is None:
        return
    first, later = sorted([session_pk, other])
    shared = len(_hashes(other).intersection(hashes))
    with transaction.atomic():
        pair, _ = SameRecording.objects.get_or_create(
            session_id=later, defaults={"other_id": first, "swings": shared}
        )
        if (pair.other_id, pair.swings) == (first, shared):
            return
        touched = _withdraw_if_decided(pair)
        pair.other_id, pair.swings = first, shared
        pair.save(update_fields=["other_id", "swings"])
        for pk in sorted(touched):
            refresh_session_summary(pk)


def _withdraw_if_decided(pair: SameRecording) -> set[int]:
    return withdraw([pair]) if pair.decided_at is not None else set()


def _hashes(session_pk: int) -> set[str]:
    """Hashes of the frames of a session's movements; none of one shown in another."""
    return {sha256 for (sha256,) in _hashes_of(session_pk)}


@kept_question
def _hashes_of(session_pk: int) -> QuerySet[Any, Any]:
    rows = BiomechanicsData.objects.filter(
        movement__session_id=session_pk,
        movement__session__folded_into=None,
        data_type=DataType.INVERSE_KINEMATICS,
        movement__missing_since=None,
    )
    return rows.values_list("content_sha256")


def shared_movements(session: Session, twin: Session) -> list[Movement]:
    """Movements of a session whose frames are stored under its twin too."""
    frames = BiomechanicsData.objects.filter(
        movement__session=session,
        data_type=DataType.INVERSE_KINEMATICS,
        content_sha256__in=_hashes(twin.pk),
    )
    movements = Movement.objects.filter(pk__in=frames.values("movement"))
    return list(movements.in_session_order())
