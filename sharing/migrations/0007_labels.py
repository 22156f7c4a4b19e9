"""Labels in plain words for the administration; no table changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sharing", "0006_figure_of_comparisons"),
    ]

    operations = [
        migrations.AlterField(
            model_name="savedcomparison",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="savedcomparison",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, verbose_name="updated"),
        ),
        migrations.AlterField(
            model_name="sharelink",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="sharelink",
            name="download_count",
            field=models.PositiveIntegerField(
                default=0, editable=False, verbose_name="downloads"
            ),
        ),
        migrations.AlterField(
            model_name="sharelink",
            name="expires_at",
            field=models.DateTimeField(verbose_name="expires"),
        ),
        migrations.AlterField(
            model_name="sharelink",
            name="last_opened_at",
            field=models.DateTimeField(
                editable=False, null=True, verbose_name="last opened"
            ),
        ),
        migrations.AlterField(
            model_name="sharelink",
            name="open_count",
            field=models.PositiveIntegerField(
                default=0, editable=False, verbose_name="times opened"
            ),
        ),
    ]
