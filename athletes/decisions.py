"""What people decide about swings and sessions: exclude, state a setup, move events.

Each decision is stored with who made it and why, and the numbers that follow from it
are computed in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy

import numpy as np
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.utils import timezone

from accounts.models import User
from athletes.analysis import peer_numbers, run, usual_scatter
from athletes.analysis.same_recording import SAME_RECORDING, shared_movements
from athletes.analysis.session_summary import refresh_session_summary
from athletes.analysis.summaries import refresh_player_summaries
from athletes.frames import carrying, load
from athletes.listeners import tell_changed
from athletes.models import (
    Condition,
    DataState,
    DataType,
    EventCorrection,
    GapDismissal,
    Inclusion,
    InclusionDecision,
    Movement,
    Note,
    SameRecording,
    Session,
    SetAside,
)
from biomechanics.analysis_types import EVENT_NAMES

_NO_SUCH_MOVE = "This move was already undone or changed, so nothing was undone now."
_NOT_COMPUTED = "Numbers can't be computed with the event at this time."


class EventOutsideError(ValidationError):
    """An event at a time at which the movement has no frame.

    `first_s` and `last_s` are the ends of the movement on the clock of its file.
    """

    def __init__(self, first_s: float, last_s: float) -> None:
        self.first_s, self.last_s = first_s, last_s
        text = f"The time must be between {first_s:.3f} and {last_s:.3f} s."
        super().__init__({"time_s": text})


def set_inclusion(
    *, movement: Movement, inclusion: str, reason: str, user: User | None
) -> Movement:
    """Include or exclude a movement, or let its quality decide again; returns it.

    The decision is kept as history. The averages of the session and the summary of the
    athlete are computed at once.

    Raises
    ------
    django.core.exceptions.ValidationError
        When the choice is unknown or the reason is missing or too long.
    """
    if inclusion not in Inclusion.values:
        raise ValidationError({"inclusion": f"“{inclusion}” is not a choice."})
    reason = _reason(reason, needed=inclusion != Inclusion.AUTOMATIC)
    with transaction.atomic():
        movement = _locked(movement)
        if (movement.inclusion, movement.inclusion_reason) == (inclusion, reason):
            return movement
        movement.inclusion = inclusion
        movement.inclusion_reason = reason
        movement.save(update_fields=["inclusion", "inclusion_reason", "updated_at"])
        InclusionDecision.objects.create(
            movement=movement,
            inclusion=inclusion,
            reason=reason,
            frames_sha256=carrying.frames_hash(movement.pk),
            created_by=user,
        )
        refresh_session_summary(movement.session_id)
        refresh_player_summaries([movement.session.player_id])
        tell_changed([movement])
    return movement


def decision_before(movement: Movement) -> tuple[str, str]:
    """What held before the last decision about a movement: inclusion and reason."""
    former = movement.inclusion_decisions.order_by("-pk")[1:2].first()
    if former is None:
        return Inclusion.AUTOMATIC, ""
    return former.inclusion, former.reason


def save_conditions(session: Session) -> None:
    """Store the setup and the bat of a session, and none of its other fields.

    Numbers of another setup are not compared with the former ones, so the athlete's
    percentiles and scatter are computed at once.
    """
    with transaction.atomic():
        stored = Session.objects.filter(pk=session.pk, condition=session.condition)
        has_new_setup = not stored.exists()
        # Only these fields: the sync may be writing the same row.
        session.save(update_fields=["condition", "bat", "updated_at"])
        # What its swings say of themselves may now be what the session says, or not.
        if session.movements.filter(condition__isnull=False).exists():
            refresh_session_summary(session.pk)
            refresh_player_summaries([session.player_id])
        peer_numbers.refresh([session.player_id])
        usual_scatter.refresh([session.player_id])
        if has_new_setup:
            swings = Movement.objects.present().filter(session=session)
            tell_changed(swings.select_related("session").only("session__player_id"))


#: Setups as they were before a change, by key: of sessions, and of single swings.
Setups = dict[str, dict[int, str | None]]


def set_setups(
    *,
    sessions: Iterable[Session] = (),
    movements: Iterable[Movement] = (),
    setup: str | None,
) -> Setups:
    """State the setup of whole sessions and of single swings; returns what was before.

    None gives swings back the setup of their session. A whole session loses the setups
    of its single swings. Averages follow at once.

    Raises
    ------
    django.core.exceptions.ValidationError
        When there is no such setup.
    """
    if setup not in (None, "", *Condition.values):
        raise ValidationError({"setup": f"“{setup}” is not a setup."})
    wanted: Setups = {
        "sessions": {one.pk: setup or "" for one in sessions},
        "movements": {one.pk: setup for one in movements},
    }
    own = Movement.objects.filter(
        session__in=list(wanted["sessions"]), condition__isnull=False
    )
    wanted["movements"] |= dict.fromkeys(own.values_list("pk", flat=True))
    return restore_setups(wanted)


def restore_setups(wanted: Setups, *, only_where: Setups | None = None) -> Setups:
    """Give sessions and swings these setups; returns those that they had before.

    With `only_where` those alone that still have the setup that it says.
    """
    now = timezone.now()
    with transaction.atomic():
        swings = Movement.objects.filter(pk__in=list(wanted["movements"]))
        touched = set(swings.values_list("session_id", flat=True))
        touched |= set(wanted["sessions"])
        # All writers lock in one order.
        sessions = list(
            Session.objects.select_for_update(no_key=True)
            .filter(pk__in=sorted(touched))
            .order_by("pk")
        )
        before: Setups = {
            "sessions": {
                one.pk: one.condition
                for one in sessions
                if one.pk in wanted["sessions"]
            },
            "movements": dict(swings.values_list("pk", "condition")),
        }
        if only_where is not None:
            before = {
                kind: {pk: own for pk, own in rows.items() if own == still[pk]}
                for kind, rows in before.items()
                for still in (only_where[kind],)
            }
        for pk in before["sessions"]:
            Session.objects.filter(pk=pk).update(
                condition=wanted["sessions"][pk] or "", updated_at=now
            )
        for pk in before["movements"]:
            Movement.objects.filter(pk=pk).update(
                condition=wanted["movements"][pk], updated_at=now
            )
        for session in sessions:
            refresh_session_summary(session.pk)
        athletes = {session.player_id for session in sessions}
        refresh_player_summaries(athletes)
        peer_numbers.refresh(athletes)
        usual_scatter.refresh(athletes)
        changed = Movement.objects.present().filter(
            Q(pk__in=list(before["movements"]))
            | Q(session__in=list(before["sessions"]))
        )
        tell_changed(changed.select_related("session").only("session__player_id"))
    return before


def move_event(
    *, movement: Movement, event: str, time_s: float, reason: str, user: User
) -> EventCorrection:
    """Move one event of a movement, as `move_events` does several."""
    (correction,) = move_events(
        movement=movement, times={event: time_s}, reason=reason, user=user
    )
    return correction


def move_events(
    *, movement: Movement, times: Mapping[str, float], reason: str, user: User
) -> list[EventCorrection]:
    """Move events of a movement to the times at which a person sees them.

    `times` are in seconds on the clock of the file, by event. Automatic times are kept,
    an earlier correction of the same event becomes history, and every number that
    depends on the events is computed again, once, before this returns. All of them are
    moved or none.

    Raises
    ------
    django.core.exceptions.ValidationError
        When an event is unknown, the movement has no frame at its time, the reason is
        too long, or the numbers cannot be computed with the events there.
    """
    _check_events(times)
    reason = _reason(reason, needed=False)
    now = timezone.now()
    with transaction.atomic():
        movement = _locked(movement)
        _check_times(movement, times)
        hashed = carrying.frames_hash(movement.pk)
        corrections = [
            EventCorrection.objects.create(
                movement=movement,
                event=event,
                time_s=time_s,
                automatic_time_s=(movement.automatic_events.get(event) or {}).get(
                    "time_s"
                ),
                replaced=_end_correction(movement, event, user),
                frames_sha256=hashed,
                reason=reason,
                created_by=user,
                created_at=now,
            )
            for event, time_s in times.items()
        ]
        _analyze_again(movement)
    return corrections


def with_events(*, movement: Movement, times: Mapping[str, float]) -> Movement:
    """The movement as `move_events` would leave it; nothing is stored.

    Raises
    ------
    django.core.exceptions.ValidationError
        Where `move_events` would raise it.
    """
    _check_events(times)
    _check_times(movement, times)
    try:
        result = run.result_with(movement, times)
    except ValueError as error:
        raise ValidationError(_NOT_COMPUTED) from error
    after = copy(movement)
    for name, value in result.items():
        setattr(after, name, value)
    return after


def undo_events(
    *, movement: Movement, corrections: Iterable[int], user: User
) -> list[EventCorrection]:
    """Undo moves of events, by their ids: each event is what it was before its move.

    That is where a person had put it before, with their name and reason, or where it is
    found by rule. All of them are undone or none.

    Raises
    ------
    django.core.exceptions.ValidationError
        When one of the moves is not what holds now: it was undone, or its event was
        moved again.
    """
    with transaction.atomic():
        movement = _locked(movement)
        undone = []
        for pk in corrections:
            active = movement.event_corrections.filter(pk=pk, undone_at=None).first()
            if active is None:
                raise ValidationError(_NO_SUCH_MOVE)
            correction = _end_correction(movement, active.event, user) or active
            _bring_back(correction, carrying.frames_hash(movement.pk))
            undone.append(correction)
        _analyze_again(movement)
    return undone


def _bring_back(undone: EventCorrection, frames_sha256: str) -> None:
    """Use again what a person had set before, if they saw it in the present frames."""
    former = undone.replaced
    if former is None or former.movement_id != undone.movement_id:
        return
    if former.set_aside_id is not None or former.frames_sha256 != frames_sha256:
        return
    former.undone_by = None
    former.undone_at = None
    former.save(update_fields=["undone_by", "undone_at"])


def dismiss_gap(*, session: Session, reason: str, user: User) -> GapDismissal:
    """Decide that what a session lacks needs nobody's care; returns the decision.

    It holds for what the session lacks now.

    Raises
    ------
    django.core.exceptions.ValidationError
        When nothing is lacking, or the reason is missing or too long.
    """
    reason = _reason(reason, needed=True)
    with transaction.atomic():
        session = _locked_session(session)
        if session.data_state not in {DataState.FAILED, DataState.PARTIAL}:
            raise ValidationError("This session is no longer missing anything.")
        decision = {
            "data_state": session.data_state,
            "data_gap": session.data_gap,
            "reason": reason,
            "created_by": user,
        }
        # Sent again after its answer was lost, it is one decision still.
        same = session.gap_dismissals.filter(undone_at__isnull=True, **decision).first()
        if same is not None:
            return same
        _end_dismissal(session, user)
        return GapDismissal.objects.create(session=session, **decision)


def bring_back_gap(*, session: Session, user: User) -> None:
    """Undo a dismissal: what the session lacks needs care again."""
    with transaction.atomic():
        _end_dismissal(_locked_session(session), user)


def choose_recording(*, pair: SameRecording, counts: str, user: User | None) -> None:
    """Have one of the two sessions count, or both; the other's swings are excluded.

    Raises
    ------
    django.core.exceptions.ValidationError
        When there is no such choice.
    """
    pair.counts = SameRecording.Counts(counts).value
    with transaction.atomic():
        for session, twin, is_counted in (
            (pair.session, pair.other, counts != SameRecording.Counts.OTHER),
            (pair.other, pair.session, counts != SameRecording.Counts.LATER),
        ):
            for movement in shared_movements(session, twin):
                _count_of_twin(movement, twin, user, is_counted=is_counted)
        pair.decided_by, pair.decided_at = user, timezone.now()
        pair.save(update_fields=["counts", "decided_by", "decided_at"])


def _count_of_twin(
    movement: Movement, twin: Session, user: User | None, *, is_counted: bool
) -> None:
    """Exclude a movement because its twin counts, or take that back."""
    is_excluded = movement.inclusion_reason == f"{SAME_RECORDING} {twin.pk}"
    if is_counted and is_excluded:
        set_inclusion(
            movement=movement, inclusion=Inclusion.AUTOMATIC, reason="", user=user
        )
    elif not is_counted and movement.inclusion != Inclusion.EXCLUDED:
        set_inclusion(
            movement=movement,
            inclusion=Inclusion.EXCLUDED,
            reason=f"{SAME_RECORDING} {twin.pk}",
            user=user,
        )


def _end_dismissal(session: Session, user: User) -> None:
    """Mark the active dismissal of a session's gap as undone."""
    session.gap_dismissals.filter(undone_at__isnull=True).update(
        undone_by=user, undone_at=timezone.now()
    )


def _locked_session(session: Session) -> Session:
    """The session as it is now, locked; 404 if it is gone."""
    rows = Session.objects.select_for_update(no_key=True)
    return get_object_or_404(rows, pk=session.pk)


def take_up(*, offer: SetAside, user: User) -> None:
    """Use again what was set aside when the frames of a swing changed.

    A moved event is put as far from where it is found by rule as a person had put it
    then; without such a place, at the same time of the clip.

    Raises
    ------
    django.core.exceptions.ValidationError
        When the decision is not open any more, or an event cannot be there now.
    """
    with transaction.atomic():
        movement = _locked(offer.movement)
        offer = _open_offer(offer)
        source = offer.decided_on
        inclusion, reason = offer.offered_inclusion
        corrections = list(offer.corrections.order_by("pk"))
        if source is not None:
            corrections += source.event_corrections.filter(undone_at__isnull=True)
            Note.objects.filter(movement=source).update(
                movement=movement, session=movement.session_id
            )
            source.became = movement
            source.save(update_fields=["became", "updated_at"])
            carrying.carry_setup(source, movement)
        for correction in corrections:
            found = (movement.automatic_events.get(correction.event) or {}).get(
                "time_s"
            )
            time_s = correction.time_s
            if found is not None and correction.automatic_time_s is not None:
                time_s = found + (correction.time_s - correction.automatic_time_s)
            move_event(
                movement=movement,
                event=correction.event,
                time_s=time_s,
                reason=correction.reason,
                user=user,
            )
        if inclusion and inclusion != Inclusion.AUTOMATIC:
            set_inclusion(
                movement=movement, inclusion=inclusion, reason=reason, user=user
            )
        _settle_offer(offer, user, is_taken_up=True)


def drop(*, offer: SetAside, user: User) -> None:
    """Decide that what was set aside does not hold for the present frames."""
    with transaction.atomic():
        _locked(offer.movement)
        _settle_offer(_open_offer(offer), user, is_taken_up=False)


def _open_offer(offer: SetAside) -> SetAside:
    """The decision set aside as it is now; refuse one that is settled."""
    found = (
        SetAside.objects.select_related("decided_on")
        .filter(pk=offer.pk, settled_at=None)
        .first()
    )
    if found is None:
        raise ValidationError("Someone has already decided this.")
    return found


def _settle_offer(offer: SetAside, user: User, *, is_taken_up: bool) -> None:
    offer.settled_by = user
    offer.settled_at = timezone.now()
    offer.is_taken_up = is_taken_up
    offer.save(update_fields=["settled_by", "settled_at", "is_taken_up"])


def _locked(movement: Movement) -> Movement:
    """The movement as it is now, after its session was locked; 404 if it is gone."""
    # The athlete may have been erased since the page was requested.
    get_object_or_404(
        Session.objects.select_for_update(no_key=True).only("pk"),
        pk=movement.session_id,
    )
    return get_object_or_404(Movement.objects.select_related("session"), pk=movement.pk)


def _end_correction(
    movement: Movement, event: str, user: User
) -> EventCorrection | None:
    """Mark the active move of an event as undone; returns it, or None."""
    correction = movement.event_corrections.filter(
        event=event, undone_at__isnull=True
    ).first()
    if correction is not None:
        correction.undone_by = user
        correction.undone_at = timezone.now()
        correction.save(update_fields=["undone_by", "undone_at"])
    return correction


def _check_events(events: Iterable[str]) -> None:
    """Refuse an event that there is not."""
    for event in events:
        if event not in EVENT_NAMES:
            raise ValidationError({"event": f"There is no event “{event}”."})


def _check_times(movement: Movement, times: Mapping[str, float]) -> None:
    """Refuse times at which the movement has no frame."""
    clock = load.load_columns([movement.pk], DataType.INVERSE_KINEMATICS, ["time"]).get(
        movement.pk, {}
    )
    stamps = clock.get("time")
    if stamps is None or not np.isfinite(stamps).any():
        raise ValidationError(
            {"time_s": "This movement has no frames, so events can't be moved."}
        )
    first, last = float(np.nanmin(stamps)), float(np.nanmax(stamps))
    for time_s in times.values():
        if not first <= time_s <= last:  # also refuses NaN
            raise EventOutsideError(first, last)


def _analyze_again(movement: Movement) -> None:
    """Compute the numbers again; refuse the change where that fails."""
    counts = run.analyze_movements([movement.pk])
    if counts.failed:
        # The transaction is rolled back, so the former numbers stay.
        raise ValidationError(_NOT_COMPUTED)
    refresh_player_summaries([movement.session.player_id])
    tell_changed([movement])


def _reason(reason: str, *, needed: bool) -> str:
    """The reason without spaces around it; refuse one that is missing or too long."""
    reason = reason.strip()
    if needed and not reason:
        raise ValidationError({"reason": "Give a reason, so others know why."})
    limit = 300
    if len(reason) > limit:
        raise ValidationError({"reason": f"At most {limit} characters."})
    return reason
