"""Labels in plain words for the administration; no table changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("syncing", "0014_plain_labels"),
    ]

    operations = [
        migrations.AlterField(
            model_name="exportjob",
            name="next_try_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="next try"),
        ),
        migrations.AlterField(
            model_name="exportjob",
            name="stored_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="stored"),
        ),
        migrations.AlterField(
            model_name="exportjob",
            name="vendor_updated_at",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="changed in Reboot Motion"
            ),
        ),
        migrations.AlterField(
            model_name="movementtype",
            name="vendor_id",
            field=models.IntegerField(unique=True, verbose_name="Reboot ID"),
        ),
        migrations.AlterField(
            model_name="rawpayload",
            name="fetched_at",
            field=models.DateTimeField(verbose_name="fetched"),
        ),
        migrations.AlterField(
            model_name="rawpayload",
            name="vendor_id",
            field=models.CharField(max_length=200, verbose_name="Reboot ID"),
        ),
        migrations.AlterField(
            model_name="synclog",
            name="completed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="ended"),
        ),
        migrations.AlterField(
            model_name="synclog",
            name="error_count",
            field=models.PositiveIntegerField(default=0, verbose_name="problems"),
        ),
        migrations.AlterField(
            model_name="synclog",
            name="started_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="started"),
        ),
        migrations.AlterField(
            model_name="vendorsession",
            name="next_check_at",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="next check"
            ),
        ),
        migrations.AlterField(
            model_name="vendorsession",
            name="session_id",
            field=models.CharField(
                max_length=200, unique=True, verbose_name="Reboot session ID"
            ),
        ),
        migrations.AlterField(
            model_name="vendorsession",
            name="vendor_updated_at",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="changed in Reboot Motion"
            ),
        ),
        migrations.AlterField(
            model_name="workerheartbeat",
            name="beat_at",
            field=models.DateTimeField(verbose_name="last heartbeat"),
        ),
    ]
