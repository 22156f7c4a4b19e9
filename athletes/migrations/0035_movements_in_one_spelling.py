import re

from django.db import migrations
from django.utils import timezone

_WHOLE_AS_FLOAT = re.compile(r"([1-9]\d*|0)\.0+", re.ASCII)
_ANGLES = "inverse-kinematics"


def spell_alike(apps, schema_editor):
    """Bring movements together that stand under `101` and `101.0` in one session.

    A release that did not know the two for one id stored the angles of a swing under
    one and its energies under the other, or the same angles under both. One of them is
    kept under the plain id, with all frames and what people said; the other is marked
    as gone. Two with angles of their own are two movements, and stay.
    """
    movements = apps.get_model("athletes", "Movement").objects
    floats = movements.filter(
        org_movement_id__contains=".0", name_at_vendor="", missing_since=None
    ).order_by("pk")
    for pk, name in list(floats.values_list("pk", "org_movement_id")):
        if (match := _WHOLE_AS_FLOAT.fullmatch(name)) is None:
            continue
        one = movements.get(pk=pk)
        plain = movements.filter(
            session=one.session_id,
            folded_from=one.folded_from_id,
            org_movement_id=match[1],
            name_at_vendor="",
            missing_since=None,
        ).first()
        if plain is not None:
            _bring_together(apps, plain, one)


def _bring_together(apps, plain, one):
    frames = apps.get_model("athletes", "BiomechanicsData").objects
    hashes = {
        row.pk: dict(
            frames.filter(movement=row.pk).values_list("data_type", "content_sha256")
        )
        for row in (plain, one)
    }
    angles = {found[_ANGLES] for found in hashes.values() if _ANGLES in found}
    if len(angles) > 1:
        return
    said = [row for row in (plain, one) if _is_decided_on(apps, row)]
    if len(said) > 1:
        # Which of two decisions holds only people know.
        return
    with_angles = [row for row in (plain, one) if _ANGLES in hashes[row.pk]]
    kept = [*said, *with_angles, plain][0]
    gone = one if kept is plain else plain
    new = hashes[gone.pk].keys() - hashes[kept.pk].keys()
    frames.filter(movement=gone.pk, data_type__in=new).update(movement=kept.pk)
    apps.get_model("athletes", "Note").objects.filter(movement=gone.pk).update(
        movement=kept.pk
    )
    if kept is one:
        _exchange_names(apps, plain, one)
    now = timezone.now()
    movements = apps.get_model("athletes", "Movement").objects
    movements.filter(pk=gone.pk).update(
        missing_since=now, became=kept.pk, updated_at=now
    )
    # The numbers of its session are computed again.
    movements.filter(pk=kept.pk).update(method_version="", updated_at=now)


def _is_decided_on(apps, row):
    """Whether people decided something about a movement."""
    moved = apps.get_model("athletes", "EventCorrection").objects
    return row.inclusion != "auto" or moved.filter(movement=row.pk).exists()


def _exchange_names(apps, plain, one):
    movements = apps.get_model("athletes", "Movement").objects
    movements.filter(pk=plain.pk).update(org_movement_id=f"{plain.pk} was renamed")
    movements.filter(pk=one.pk).update(org_movement_id=plain.org_movement_id)
    movements.filter(pk=plain.pk).update(org_movement_id=one.org_movement_id)


class Migration(migrations.Migration):
    dependencies = [("athletes", "0034_tag_colors")]

    operations = [migrations.RunPython(spell_alike, migrations.RunPython.noop)]
