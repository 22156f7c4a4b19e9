"""The height and weight that a session was measured with."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('athletes', '0042_labels'),
    ]

    operations = [
        migrations.AddField(
            model_name='session',
            name='height_ft',
            field=models.FloatField(blank=True, editable=False, null=True, verbose_name='height then (decimal feet)'),
        ),
        migrations.AddField(
            model_name='session',
            name='weight_lbs',
            field=models.FloatField(blank=True, editable=False, null=True, verbose_name='weight then (pounds)'),
        ),
    ]
