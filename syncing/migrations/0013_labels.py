from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("syncing", "0012_participants_in_one_spelling"),
    ]

    operations = [
        migrations.AlterField(
            model_name="exportjob",
            name="state",
            field=models.CharField(
                choices=[
                    ("wanted", "Waiting to be requested"),
                    ("requested", "Requested"),
                    ("processing", "Reboot Motion is preparing it"),
                    ("ready", "Ready to download"),
                    ("downloading", "Downloading"),
                    ("stored", "Stored"),
                    ("no_data", "Reboot Motion has no data"),
                    ("failed", "Failed, will be retried"),
                    ("given_up", "Given up"),
                ],
                default="wanted",
                max_length=11,
            ),
        ),
        migrations.AlterField(
            model_name="synclog",
            name="kind",
            field=models.CharField(
                choices=[
                    ("vendor", "Sync with Reboot Motion"),
                    ("upload", "Manual upload"),
                ],
                default="vendor",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="synclog",
            name="phase",
            field=models.CharField(
                choices=[
                    ("starting", "Starting"),
                    ("movement_types", "Reading movement types"),
                    ("players", "Reading athletes"),
                    ("sessions", "Listing sessions"),
                    ("details", "Reading sessions"),
                    ("exports", "Downloading swing data"),
                    ("summaries", "Updating summaries"),
                    ("done", "Done"),
                ],
                default="starting",
                max_length=15,
            ),
        ),
        migrations.AlterField(
            model_name="synclog",
            name="since",
            field=models.DateField(
                blank=True,
                help_text="Only what Reboot Motion changed since that day.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="synclog",
            name="status",
            field=models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("running", "Running"),
                    ("success", "Success"),
                    ("partial", "Partly done"),
                    ("failed", "Failed"),
                    ("cancelled", "Canceled"),
                    ("abandoned", "Abandoned"),
                ],
                default="queued",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="synclog",
            name="sync_type",
            field=models.CharField(
                choices=[
                    ("incremental", "What changed"),
                    ("full", "Everything"),
                    ("since", "What changed since a date"),
                    ("exports", "Waiting exports only"),
                    ("upload", "Manual upload"),
                ],
                default="incremental",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="synclog",
            name="trigger",
            field=models.CharField(
                choices=[
                    ("command", "Command"),
                    ("button", "Button"),
                    ("api", "JSON API"),
                    ("schedule", "Schedule"),
                    ("sweep", "Cleanup of waiting work"),
                    ("upload", "Upload"),
                ],
                max_length=10,
            ),
        ),
    ]
