"""What people decided about a swing, when the vendor sends other frames of it.

A decision belongs to the frames that it was made on. It is carried over where the new
frames provably show the same motion (`biomechanics.same_motion`): a clip that was cut
anew, or a session that was processed again under other movement ids. Else it is set
aside: kept, not used, and offered on the page of the session (`SetAside`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from athletes.frames import load
from athletes.models import (
    BiomechanicsData,
    DataType,
    EventCorrection,
    Inclusion,
    InclusionDecision,
    Movement,
    Note,
    Session,
    SetAside,
)
from biomechanics.same_motion import clock_shift, is_compared

Frames = Mapping[str, Any]


def frames_hash(movement_id: int) -> str:
    """The hash of the frames that a person looks at; empty where there are none."""
    rows = BiomechanicsData.objects.filter(
        movement_id=movement_id, data_type=DataType.INVERSE_KINEMATICS
    )
    return rows.values_list("content_sha256", flat=True).first() or ""


def _decided(movement_ids: Iterable[int], *, with_notes: bool) -> list[Movement]:
    """Those of these movements about which people decided, or wrote, something."""
    corrections = EventCorrection.objects.filter(
        movement=OuterRef("pk"), undone_at__isnull=True
    )
    said = ~Q(inclusion=Inclusion.AUTOMATIC) | Q(Exists(corrections))
    if with_notes:
        # How a swing was hit stays true whatever frames show it.
        said |= Q(condition__isnull=False)
        said |= Q(Exists(Note.objects.filter(movement=OuterRef("pk"))))
    return list(
        Movement.objects.filter(said, pk__in=list(movement_ids))
        .only(
            *("inclusion", "inclusion_reason", "position", "automatic_events"),
            "condition",
        )
        .order_by("position", "pk")
    )


def _active(movement: Movement) -> list[EventCorrection]:
    return list(movement.event_corrections.filter(undone_at__isnull=True))


def _frames_of(movement_ids: Sequence[int]) -> dict[int, Frames]:
    """The clock and the points of these movements, as they are stored now."""
    found = load.load_columns(movement_ids, DataType.INVERSE_KINEMATICS)
    return {
        pk: {
            name: values
            for name, values in columns.items()
            if (name == "time" or is_compared(name)) and values.dtype.kind == "f"
        }
        for pk, columns in found.items()
    }


def _shift(movement: Movement, old: Frames | None, new: Frames | None) -> float | None:
    """How much later the new frames' clock is; None where they may be another swing.

    All that a person saw there has to be in both, and so has the swing itself.
    """
    if old is None or new is None:
        return None
    instants = [correction.time_s for correction in _active(movement)]
    peak = (movement.automatic_events or {}).get("peak_hand_speed") or {}
    if peak.get("time_s") is not None:
        instants.append(float(peak["time_s"]))
    return clock_shift(old, new, tuple(instants))


# --- Other frames under the same id ---------------------------------------------------


@dataclass
class Held:
    """Decisions on movements whose frames are about to be replaced, and the frames."""

    movements: list[Movement] = field(default_factory=list)
    frames: dict[int, Frames] = field(default_factory=dict)


def hold(movement_ids: Sequence[int]) -> Held:
    """Take down what people decided on frames that are about to be replaced.

    Called before other frames of these movements are written, and followed by `carry`.
    """
    if not movement_ids:
        return Held()
    movements = _decided(movement_ids, with_notes=False)
    return Held(movements, _frames_of([movement.pk for movement in movements]))


def carry(held: Held) -> None:
    """Carry over to the new frames what means the same there; set the rest aside."""
    after = _frames_of([movement.pk for movement in held.movements])
    for movement in held.movements:
        pk = movement.pk
        shift = _shift(movement, held.frames.get(pk), after.get(pk))
        if shift is None:
            _set_aside(movement)
        else:
            _move(movement, movement, shift)


def withdraw(movement_ids: Iterable[int], *, since: Any, by: Any) -> list[SetAside]:
    """Settle what was set aside since, when the frames before come back."""
    offers = list(
        SetAside.objects.filter(
            movement__in=list(movement_ids),
            settled_at=None,
            decided_on=None,
            created_at__gt=since,
        )
    )
    SetAside.objects.filter(pk__in=[offer.pk for offer in offers]).update(
        settled_at=timezone.now(), settled_by=by, is_taken_up=True
    )
    return offers


def give_back(offers: Iterable[SetAside]) -> None:
    """Use again what was decided on the frames that are back."""
    for offer in offers:
        movement = offer.movement
        movement.refresh_from_db()
        hashed = frames_hash(movement.pk)
        taken = {correction.event for correction in _active(movement)}
        offer.corrections.filter(frames_sha256=hashed).exclude(event__in=taken).update(
            undone_at=None, set_aside=None
        )
        if offer.inclusion and movement.inclusion == Inclusion.AUTOMATIC:
            _set_inclusion(movement, offer.inclusion, offer.inclusion_reason)
            InclusionDecision.objects.create(
                movement=movement,
                inclusion=offer.inclusion,
                reason=offer.inclusion_reason,
                frames_sha256=hashed,
            )


def _set_aside(movement: Movement) -> None:
    """Stop using what was decided on a movement's former frames, and offer it."""
    offer = _offer(movement)
    if movement.inclusion != Inclusion.AUTOMATIC:
        offer.inclusion = movement.inclusion
        offer.inclusion_reason = movement.inclusion_reason
        offer.save(update_fields=["inclusion", "inclusion_reason"])
        _set_inclusion(movement, Inclusion.AUTOMATIC, "")
        InclusionDecision.objects.create(
            movement=movement,
            inclusion=Inclusion.AUTOMATIC,
            reason="Reboot Motion sent new frames of this swing.",
            frames_sha256=frames_hash(movement.pk),
        )
    movement.event_corrections.filter(undone_at__isnull=True).update(
        undone_at=timezone.now(), set_aside=offer
    )


def _offer(movement: Movement, decided_on: Movement | None = None) -> SetAside:
    """A new open offer on a movement, beside those that wait there already."""
    return SetAside.objects.create(movement=movement, decided_on=decided_on)


def _move_offers(old: Movement, new: Movement) -> None:
    """Offer on `new` what waits on `old`; what is of `new` itself needs no offer."""
    waiting = SetAside.objects.filter(movement=old, settled_at=None)
    waiting.filter(decided_on=new).delete()
    waiting.update(movement=new)


def take_back(part_pks: Iterable[int]) -> set[int]:
    """Give decisions back to parts that the vendor moved away and has again.

    Returns the rows whose numbers are to be computed again.
    """
    rows = Movement.objects.of_parts(part_pks).filter(
        became__session__missing_since__isnull=False
    )
    pairs = [
        (old, old.became)
        for old in rows.select_related("became")
        if old.became is not None
    ]
    frames = _frames_of([one.pk for pair in pairs for one in pair])
    for old, now_at in pairs:
        shift = _shift(now_at, frames.get(now_at.pk), frames.get(old.pk))
        if shift is not None:
            _become(now_at, old, shift)
        else:
            Movement.objects.filter(pk=old.pk).update(became=None)
            if _decided([now_at.pk], with_notes=True):
                _offer(old, now_at)
    return {old.session_id for old, _ in pairs}


def _set_inclusion(movement: Movement, inclusion: str, reason: str) -> None:
    Movement.objects.filter(pk=movement.pk).update(
        inclusion=inclusion, inclusion_reason=reason, updated_at=timezone.now()
    )
    movement.inclusion, movement.inclusion_reason = inclusion, reason


def _move(old: Movement, new: Movement, shift_s: float) -> None:
    """Give what was decided on `old` to `new`, whose clock is so much later."""
    hashed = frames_hash(new.pk)
    for correction in _active(old):
        correction.movement = new
        correction.time_s += shift_s
        if correction.automatic_time_s is not None:
            correction.automatic_time_s += shift_s
        correction.frames_sha256 = hashed
        correction.save()
    old.inclusion_decisions.update(movement=new, frames_sha256=hashed)
    if old.pk == new.pk:
        return
    # Frames that were here before keep their numbers otherwise.
    Movement.objects.filter(pk__in=[old.pk, new.pk]).update(method_version="")
    if old.inclusion != Inclusion.AUTOMATIC:
        inclusion, reason = old.inclusion, old.inclusion_reason
        _set_inclusion(old, Inclusion.AUTOMATIC, "")
        _set_inclusion(new, inclusion, reason)
    carry_setup(old, new)
    Note.objects.filter(movement=old).update(movement=new, session=new.session_id)
    _move_offers(old, new)


def carry_setup(old: Movement, new: Movement) -> None:
    """Move the setup that was stated of `old` to `new`, which is the same swing.

    What was stated of `new` itself stays. What was stated of a whole session is not
    carried: the swing follows the session that it is in now.
    """
    if old.condition is None:
        return
    now = timezone.now()
    Movement.objects.filter(pk=new.pk, condition=None).update(
        condition=old.condition, updated_at=now
    )
    Movement.objects.filter(pk=old.pk).update(condition=None, updated_at=now)


# --- The same swings under other ids --------------------------------------------------


def recognize(part_pk: int, before: Sequence[int], now: Sequence[int]) -> None:
    """Recognize a session that the vendor processed again under other movement ids.

    Whichever of the former movements shows the same motion as one that is new has
    become it, and what people said about it moves there. What stands at the same place
    of as many movements may be the same swing: what people decided about it is offered
    there.

    Parameters
    ----------
    part_pk
        The athlete's part of the session, by our key. What was gone of it before is
        looked at too: a swing that was deleted may come back under another id, or in
        the part of the athlete to whom the vendor gave the session meanwhile.
    before, now
        The movements of the part by the file with angles before, and by the newest one,
        in the order of the files, by our keys.
    """
    gone = [pk for pk in before if pk not in set(now)]
    arrived = [pk for pk in now if pk not in set(before)]
    if not arrived:
        return
    earlier = _gone_before(part_pk, [*before, *now])
    if not gone and not earlier:
        return
    # Another athlete's swing at the same place says nothing of this one's, and who may
    # see the one may not see the other.
    place_of = dict(zip(before, now, strict=True)) if len(before) == len(now) else {}
    hashed = dict(
        BiomechanicsData.objects.filter(
            movement_id__in=[*gone, *earlier, *arrived],
            data_type=DataType.INVERSE_KINEMATICS,
        ).values_list("movement_id", "content_sha256")
    )
    same = {hashed.get(pk): pk for pk in arrived}
    said = {movement.pk for movement in _decided([*gone, *earlier], with_notes=True)}
    said.update(
        SetAside.objects.filter(
            movement__in=[*gone, *earlier], settled_at=None
        ).values_list("movement", flat=True)
    )
    gone += [pk for pk in earlier if pk in said or hashed.get(pk) in same]
    movements = Movement.objects.in_bulk([*gone, *arrived])
    frames = _frames_of([*gone, *arrived])
    free = list(arrived)
    for pk in gone:
        # Most likely with its own frames, or at its own place. All others are looked
        # at only where somebody said something: each look takes some milliseconds, of
        # a transaction for which others wait.
        likely = [same.get(hashed.get(pk)), place_of.get(pk)]
        likely += free if pk in said else []
        for other in dict.fromkeys(one for one in likely if one in free):
            shift = _shift(movements[pk], frames.get(pk), frames.get(other))
            if shift is not None:
                free.remove(other)
                _become(movements[pk], movements[other], shift)
                break
    pairs = {
        pk: place_of[pk]
        for pk in gone
        if movements[pk].became_id is None and place_of.get(pk) in free
    }
    for old, new in pairs.items():
        Movement.objects.filter(pk=new).update(position=movements[old].position)
        _move_offers(movements[old], movements[new])
    for movement in _decided(pairs, with_notes=True):
        _offer(movements[pairs[movement.pk]], movement)
    _offer_with_its_frames(gone, now)


def _offer_with_its_frames(gone: Sequence[int], now: Sequence[int]) -> None:
    """Offer what waits on gone movements where the frames are that it was decided on.

    Those of the gone movement itself may be others, which the new file does not have.
    """
    waiting = SetAside.objects.filter(
        movement__in=gone, movement__became=None, settled_at=None
    ).select_related("decided_on")
    for offer in waiting.order_by("pk"):
        decided_on = offer.decided_on_id or offer.movement_id
        inclusion, reason = offer.offered_inclusion
        decisions = InclusionDecision.objects.filter(
            movement=decided_on, inclusion=inclusion, reason=reason
        )
        corrections = EventCorrection.objects.filter(
            Q(set_aside=offer) | Q(movement=offer.decided_on_id, undone_at__isnull=True)
        )
        hashes = {
            *decisions.values_list("frames_sha256", flat=True),
            *corrections.values_list("frames_sha256", flat=True),
        }
        found = BiomechanicsData.objects.filter(
            movement__in=now,
            data_type=DataType.INVERSE_KINEMATICS,
            content_sha256__in=hashes - {""},
        ).order_by("movement__position")
        movement = found.values_list("movement_id", flat=True).first()
        if movement is not None:
            SetAside.objects.filter(pk=offer.pk).update(movement=movement)


def _gone_before(part_pk: int, known: Sequence[int]) -> list[int]:
    """The movements that were gone before the newest file of a part, by our keys.

    Those of the part itself, which may come back under another id, and those of parts
    of the same session that are gone: the vendor moved it to another athlete. Without
    those of `known`.
    """
    of_part = Q(session=part_pk, folded_from=None) | Q(folded_from=part_pk)
    of_former_part = Q(
        session__missing_since__isnull=False,
        session__session_id__in=Session.objects.filter(pk=part_pk).values("session_id"),
    )
    rows = Movement.objects.filter(
        (of_part & Q(missing_since__isnull=False)) | of_former_part, became=None
    )
    found = rows.in_session_order().exclude(pk__in=known)
    return list(found.values_list("pk", flat=True))


def _become(old: Movement, new: Movement, shift_s: float) -> None:
    """Note that `old` is sent as `new` now, at its place in the session."""
    old.became = new
    Movement.objects.filter(pk=old.pk).update(became=new)
    Movement.objects.filter(pk=new.pk).update(became=None, position=old.position)
    # What is used again there need not be offered elsewhere.
    SetAside.objects.filter(decided_on=old, settled_at=None).delete()
    _move(old, new, shift_s)
