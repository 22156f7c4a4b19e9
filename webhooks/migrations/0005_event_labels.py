"""A label in plain words for an event; no table changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0004_labels"),
    ]

    operations = [
        migrations.AlterField(
            model_name="webhookdelivery",
            name="event",
            field=models.CharField(
                choices=[
                    ("sync.finished", "A sync ended"),
                    ("sync.failing", "A sync failed or was interrupted"),
                    ("session.stored", "New swing data arrived for a session"),
                    (
                        "movement.changed",
                        "Someone included or excluded a swing, moved an event, or recorded the setup",
                    ),
                    ("session.gone", "A session is gone"),
                    ("athlete.gone", "An athlete was erased, or merged into another"),
                    ("webhook.test", "A test"),
                ],
                max_length=20,
            ),
        ),
    ]
