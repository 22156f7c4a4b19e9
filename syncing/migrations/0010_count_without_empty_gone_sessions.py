from django.db import migrations
from django.db.models import F
from django.utils import timezone


def want_numbers(apps, schema_editor):
    """Have athletes counted without sessions that are gone and have no movement."""
    sessions = apps.get_model("athletes", "Session")
    jobs = apps.get_model("syncing", "AnalysisJob")
    gone = sessions.objects.filter(
        missing_since__isnull=False, folded_into=None, movements=None
    )
    wanted = sorted(gone.order_by().values_list("pk", flat=True))
    now = timezone.now()
    jobs.objects.bulk_create(
        [jobs(session_id=pk, updated_at=now) for pk in wanted],
        ignore_conflicts=True,
        batch_size=500,
    )
    jobs.objects.filter(session__in=gone.order_by().values("pk")).update(
        wanted=F("wanted") + 1, attempts=0, updated_at=now
    )


class Migration(migrations.Migration):
    dependencies = [
        ("syncing", "0009_columns_of_files"),
        ("athletes", "0026_several_set_aside"),
    ]

    operations = [migrations.RunPython(want_numbers, migrations.RunPython.noop)]
