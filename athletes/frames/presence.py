"""Which movements the vendor still sends, and which are gone.

The one place that decides it, from what the newest files hold and from who takes part
in the session. A movement that is gone is kept with all that people said about it, but
it is in no average, count or file (`MovementQuerySet.present`); it is there again as
soon as the vendor sends it again.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Case, Exists, F, OuterRef, When
from django.utils import timezone

from athletes.models import BiomechanicsData, DataType, Movement


def settle(part_pks: Iterable[int]) -> set[int]:
    """Mark what is gone of these parts of sessions, and clear what is back.

    Called in the transaction that stored a file of a part, or that marked the part
    itself, and that has locked its session. Averages are to be computed again where
    anything changed.

    Returns
    -------
    set of int
        The movements whose mark changed, by our keys.
    """
    frames = BiomechanicsData.objects.filter(movement=OuterRef("pk"))
    sent = frames.filter(missing_since__isnull=True)
    rows = (
        Movement.objects.of_parts(part_pks)
        .order_by()
        .annotate(
            part_gone=Case(
                When(folded_from__isnull=True, then=F("session__missing_since")),
                default=F("folded_from__missing_since"),
            ),
            has_frames=Exists(frames),
            has_angles=Exists(sent.filter(data_type=DataType.INVERSE_KINEMATICS)),
            has_energies=Exists(sent.filter(data_type=DataType.MOMENTUM_ENERGY)),
        )
        .values_list(
            "pk",
            "missing_since",
            "part_gone",
            "unlisted_since",
            "became_id",
            "has_frames",
            "has_angles",
            "has_energies",
        )
    )
    gone, back = [], []
    for pk, marked, part_gone, unlisted, became, *files in rows:
        is_listed = unlisted is None and became is None
        is_sent = part_gone is None and _is_sent(is_listed, *files)
        if is_sent and marked is not None:
            back.append(pk)
        elif not is_sent and marked is None:
            gone.append(pk)
    now = timezone.now()
    for pks, since in ((gone, now), (back, None)):
        if pks:
            Movement.objects.filter(pk__in=pks).update(
                missing_since=since, updated_at=now
            )
    return {*gone, *back}


def _is_sent(
    is_listed: bool, has_frames: bool, has_angles: bool, has_energies: bool
) -> bool:
    """Whether the newest files of its part hold a movement.

    The angles decide; where they lack it, the energies alone may have it, unless the
    list of movements does not name it, or it has become another one: then they are
    merely older. A movement that never had frames is known from that list alone.
    """
    if has_angles:
        return True
    return is_listed and (has_energies or not has_frames)


def note_listed(part_pk: int, names: Iterable[str]) -> None:
    """Note which movements of a part the vendor's list of movements names.

    `names` are all that the newest list has. Followed by `settle`.
    """
    wanted = set(names)
    listed, unlisted = [], []
    for pk, name, name_at_vendor, since in (
        Movement.objects.of_parts([part_pk])
        .order_by()
        .values_list("pk", "org_movement_id", "name_at_vendor", "unlisted_since")
    ):
        if (name_at_vendor or name) in wanted:
            if since is not None:
                listed.append(pk)
        elif since is None:
            unlisted.append(pk)
    for pks, mark in ((listed, None), (unlisted, timezone.now())):
        if pks:
            Movement.objects.filter(pk__in=pks).update(unlisted_since=mark)
