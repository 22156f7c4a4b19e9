"""Files that were given up are asked for again: also those given up before this."""

from datetime import timedelta

from django.db import migrations, models
from django.db.models import F


def ask_again(apps, schema_editor):
    # A person's "given up" has had fewer tries and stays without a next one.
    jobs = apps.get_model("syncing", "ExportJob").objects.filter(
        state="given_up", attempts__gte=10
    )
    jobs.exclude(error_code="worker_died").update(
        given_up_at=F("updated_at"), next_try_at=F("updated_at") + timedelta(days=7)
    )


class Migration(migrations.Migration):
    dependencies = [
        ("syncing", "0003_known_processes"),
    ]

    operations = [
        migrations.AddField(
            model_name="exportjob",
            name="given_up_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunPython(ask_again, migrations.RunPython.noop),
    ]
