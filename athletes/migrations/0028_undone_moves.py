"""What undoing a moved event brings back."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("athletes", "0027_names_folded_for_search"),
    ]

    operations = [
        migrations.AddField(
            model_name="eventcorrection",
            name="replaced",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="athletes.eventcorrection",
            ),
        ),
        migrations.AlterField(
            model_name="eventcorrection",
            name="created_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False
            ),
        ),
    ]
