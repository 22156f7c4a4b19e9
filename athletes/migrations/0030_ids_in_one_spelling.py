import re

from django.db import migrations, models
from django.db.models import F

_WHOLE_AS_FLOAT = re.compile(r"([1-9]\d*|0)\.0+", re.ASCII)

LIKENESS = [
    ("same_id", "The same id in another spelling"),
    ("same", "Same name and birth date"),
    ("swapped", "First and last name swapped, same birth date"),
    ("similar", "Similar name, same birth date"),
    ("same_typo", "Same name, birth dates that look like one slip"),
    ("same_no_date", "Same name, a birth date is missing"),
    ("swapped_no_date", "First and last name swapped, a birth date is missing"),
    ("similar_no_date", "Similar name, a birth date is missing"),
    ("same_other_date", "Same name, different birth dates"),
]


def spelled_as_float(rows, field):
    """Yield key, and id as a whole number, of rows whose id was sent as a float."""
    found = rows.filter(**{f"{field}__contains": ".0"}).order_by("pk")
    for pk, text in list(found.values_list("pk", field)):
        if match := _WHOLE_AS_FLOAT.fullmatch(text):
            yield pk, match[1]


def spell_alike(apps, schema_editor):
    """Give records whose id was once sent as a float the id that is sent now.

    Where the other spelling has a record too, people decide: the two are offered for
    merging. Sessions that stand under both are found as recordings that are here twice.
    """
    players = apps.get_model("athletes", "Player")
    pairs = apps.get_model("athletes", "DuplicatePair")
    sessions = apps.get_model("athletes", "Session")
    everyone = players._base_manager
    pairs.objects.update(rank=F("rank") + 1)
    for pk, whole in spelled_as_float(everyone, "org_player_id"):
        twin = everyone.filter(org_player_id=whole).first()
        if twin is None:
            everyone.filter(pk=pk).update(org_player_id=whole)
            continue
        first, second = sorted([pk, twin.pk])
        pairs.objects.filter(
            first=first, second=second, dismissed_at__isnull=True
        ).delete()
        pairs.objects.get_or_create(
            first_id=first,
            second_id=second,
            defaults={"likeness": "same_id", "rank": 0},
        )
    for pk, whole in spelled_as_float(sessions.objects, "session_id"):
        row = sessions.objects.get(pk=pk)
        others = sessions.objects.filter(session_id=whole, player=row.player_id)
        if not others.exists():
            sessions.objects.filter(pk=pk).update(session_id=whole)


def rank_as_before(apps, schema_editor):
    """Forget the reason that the release before does not know."""
    pairs = apps.get_model("athletes", "DuplicatePair")
    pairs.objects.filter(likeness="same_id").delete()
    pairs.objects.update(rank=F("rank") - 1)


class Migration(migrations.Migration):
    dependencies = [("athletes", "0029_changes_in_order")]

    operations = [
        migrations.AlterField(
            model_name="duplicatepair",
            name="likeness",
            field=models.CharField(choices=LIKENESS, max_length=20),
        ),
        migrations.RunPython(spell_alike, rank_as_before),
    ]
