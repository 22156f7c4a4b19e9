"""One recording under two sessions: found by its frames; staff say which counts.

The vendor was given it twice, or hands it out under two sessions. Both count until
somebody decides, since only a person knows which of them is right.
"""

from __future__ import annotations

from athletes.models import (
    BiomechanicsData,
    DataType,
    Movement,
    SameRecording,
    Session,
)


def note_same_recording(session_pk: int) -> None:
    """Store whether frames of a session are stored under another one, and which.

    The pair stands with the session that came later. One other session is enough to
    ask somebody: where there are more, the oldest is named.
    """
    hashes = _hashes(session_pk)
    other = (
        BiomechanicsData.objects.filter(
            content_sha256__in=hashes,
            data_type=DataType.INVERSE_KINEMATICS,
            movement__missing_since=None,
        )
        .exclude(movement__session_id=session_pk)
        .order_by("id")
        .values_list("movement__session_id", flat=True)
        .first()
        if hashes
        else None
    )
    waiting = SameRecording.objects.of_session(session_pk).waiting()
    if other is None:
        waiting.delete()
        return
    first, later = sorted([session_pk, other])
    waiting.exclude(session_id=later, other_id=first).delete()
    shared = len(_hashes(other).intersection(hashes))
    SameRecording.objects.update_or_create(
        session_id=later, defaults={"other_id": first, "swings": shared}
    )


def _hashes(session_pk: int) -> set[str]:
    """Hashes of the frames of a session's movements."""
    rows = BiomechanicsData.objects.filter(
        movement__session_id=session_pk,
        data_type=DataType.INVERSE_KINEMATICS,
        movement__missing_since=None,
    )
    return set(rows.values_list("content_sha256", flat=True))


def shared_movements(session: Session, twin: Session) -> list[Movement]:
    """Movements of a session whose frames are stored under its twin too."""
    frames = BiomechanicsData.objects.filter(
        movement__session=session,
        data_type=DataType.INVERSE_KINEMATICS,
        content_sha256__in=_hashes(twin.pk),
    )
    movements = Movement.objects.filter(pk__in=frames.values("movement"))
    return list(movements.in_session_order())
