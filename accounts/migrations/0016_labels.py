"""Labels in plain words for the administration; no table changes."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0015_plain_labels"),
    ]

    operations = [
        migrations.AlterField(
            model_name="apitoken",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="apitoken",
            name="expires_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="expires"),
        ),
        migrations.AlterField(
            model_name="apitoken",
            name="last_used_at",
            field=models.DateTimeField(
                editable=False, null=True, verbose_name="last used"
            ),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="at",
            field=models.DateTimeField(
                auto_now_add=True, db_index=True, verbose_name="when"
            ),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="subject_id",
            field=models.BigIntegerField(null=True, verbose_name="record ID"),
        ),
        migrations.AlterField(
            model_name="failedlogin",
            name="at",
            field=models.DateTimeField(
                db_index=True, default=django.utils.timezone.now, verbose_name="when"
            ),
        ),
        migrations.AlterField(
            model_name="identity",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="identity",
            name="last_used_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, verbose_name="last used"
            ),
        ),
        migrations.AlterField(
            model_name="recoverycode",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="sentform",
            name="at",
            field=models.DateTimeField(
                db_index=True, default=django.utils.timezone.now, verbose_name="when"
            ),
        ),
    ]
