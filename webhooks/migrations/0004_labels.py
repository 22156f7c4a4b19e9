"""Labels in plain words for the administration; no table changes."""

import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0003_labels"),
    ]

    operations = [
        migrations.AlterField(
            model_name="webhook",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="webhook",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, verbose_name="updated"),
        ),
        migrations.AlterField(
            model_name="webhookdelivery",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="webhookdelivery",
            name="delivered_at",
            field=models.DateTimeField(null=True, verbose_name="delivered"),
        ),
        migrations.AlterField(
            model_name="webhookdelivery",
            name="message_id",
            field=models.UUIDField(
                default=uuid.uuid4,
                editable=False,
                unique=True,
                verbose_name="message ID",
            ),
        ),
        migrations.AlterField(
            model_name="webhookdelivery",
            name="next_try_at",
            field=models.DateTimeField(null=True, verbose_name="next try"),
        ),
    ]
