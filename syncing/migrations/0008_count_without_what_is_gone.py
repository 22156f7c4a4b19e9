from django.db import migrations
from django.db.models import F
from django.utils import timezone


def want_numbers(apps, schema_editor):
    """Have the averages of sessions with gone movements computed without these."""
    movements = apps.get_model("athletes", "Movement")
    jobs = apps.get_model("syncing", "AnalysisJob")
    gone = movements.objects.filter(missing_since__isnull=False)
    wanted = set(gone.order_by().values_list("session_id", flat=True).distinct())
    now = timezone.now()
    jobs.objects.bulk_create(
        [jobs(session_id=pk, updated_at=now) for pk in sorted(wanted)],
        ignore_conflicts=True,
        batch_size=500,
    )
    rows = jobs.objects.filter(
        session__movements__missing_since__isnull=False
    ).values("pk")
    jobs.objects.filter(pk__in=rows).update(
        wanted=F("wanted") + 1, attempts=0, updated_at=now
    )


class Migration(migrations.Migration):
    dependencies = [
        ("syncing", "0007_gaps_of_sessions"),
        ("athletes", "0023_what_the_vendor_still_sends"),
    ]

    operations = [migrations.RunPython(want_numbers, migrations.RunPython.noop)]
