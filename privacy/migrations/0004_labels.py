"""Labels in plain words for the administration; no table changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0003_restore_checks"),
    ]

    operations = [
        migrations.AlterField(
            model_name="archive",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="archive",
            name="expires_at",
            field=models.DateTimeField(null=True, verbose_name="expires"),
        ),
        migrations.AlterField(
            model_name="archive",
            name="started_at",
            field=models.DateTimeField(null=True, verbose_name="started"),
        ),
    ]
