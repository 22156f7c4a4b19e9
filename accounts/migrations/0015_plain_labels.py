from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_sent_forms"),
    ]

    operations = [
        migrations.AlterField(
            model_name="user",
            name="limited_to_teams",
            field=models.BooleanField(
                default=False,
                help_text="A coach limited this way sees no athletes until they are on a team. Staff see all athletes.",
                verbose_name="sees only their own teams",
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="may_start_sync",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Lets a coach press “Sync now” to import what is new. Staff can always start a sync, including a full one.",
                verbose_name="can start a sync",
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="paper",
            field=models.CharField(
                blank=True,
                choices=[("letter", "Letter"), ("a4", "A4")],
                db_default="",
                default="",
                help_text="If empty: the facility's, or the usual one for the units.",
                max_length=6,
            ),
        ),
    ]
