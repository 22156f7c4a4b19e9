from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("athletes", "0037_setup_of_a_swing"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="handupload",
            options={
                "ordering": ["-id"],
                "verbose_name": "manual upload",
                "verbose_name_plural": "manual uploads",
            },
        ),
        migrations.AlterField(
            model_name="biomechanicsdata",
            name="missing_since",
            field=models.DateTimeField(
                blank=True,
                help_text="When the latest file stopped including it; empty while it is included.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="duplicatepair",
            name="likeness",
            field=models.CharField(
                choices=[
                    ("same_id", "Same ID, spelled differently"),
                    ("same", "Same name and birth date"),
                    ("swapped", "First and last name swapped, same birth date"),
                    ("similar", "Similar name, same birth date"),
                    ("same_typo", "Same name, birth dates differ by a likely typo"),
                    ("same_no_date", "Same name, a birth date is missing"),
                    (
                        "swapped_no_date",
                        "First and last name swapped, a birth date is missing",
                    ),
                    ("similar_no_date", "Similar name, a birth date is missing"),
                    ("same_other_date", "Same name, different birth dates"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="eventcorrection",
            name="time_s",
            field=models.FloatField(help_text="Seconds on the file's clock."),
        ),
        migrations.AlterField(
            model_name="gapdismissal",
            name="data_state",
            field=models.CharField(
                choices=[
                    ("none", "No sessions"),
                    ("waiting", "Waiting for Reboot Motion"),
                    ("complete", "Complete"),
                    ("partial", "Partly imported"),
                    ("no_data", "Reboot Motion has no data"),
                    ("failed", "Failed"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="inclusiondecision",
            name="inclusion",
            field=models.CharField(
                choices=[
                    ("auto", "Automatic"),
                    ("included", "Included by a coach"),
                    ("excluded", "Excluded by a coach"),
                ],
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="movement",
            name="inclusion",
            field=models.CharField(
                choices=[
                    ("auto", "Automatic"),
                    ("included", "Included by a coach"),
                    ("excluded", "Excluded by a coach"),
                ],
                default="auto",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="movement",
            name="missing_since",
            field=models.DateTimeField(
                blank=True,
                help_text="When Reboot Motion stopped sending this movement; empty while it sends it.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="movement",
            name="position",
            field=models.PositiveIntegerField(
                help_text="Position in the session, from 1."
            ),
        ),
        migrations.AlterField(
            model_name="movement",
            name="unlisted_since",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When it disappeared from Reboot Motion's list of movements; empty while it is listed or there is no list.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="note",
            name="edited_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Empty if never edited.",
                null=True,
                verbose_name="edited",
            ),
        ),
        migrations.AlterField(
            model_name="player",
            name="data_state",
            field=models.CharField(
                choices=[
                    ("none", "No sessions"),
                    ("waiting", "Waiting for Reboot Motion"),
                    ("complete", "Complete"),
                    ("partial", "Partly imported"),
                    ("no_data", "Reboot Motion has no data"),
                    ("failed", "Failed"),
                ],
                default="none",
                editable=False,
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="player",
            name="missing_since",
            field=models.DateTimeField(
                blank=True,
                help_text="When Reboot Motion stopped listing this athlete; empty while it lists them.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="samerecording",
            name="counts",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "Both, until someone decides"),
                    ("later", "The newer one"),
                    ("other", "The older one"),
                    ("both", "Both"),
                ],
                default="",
                max_length=5,
            ),
        ),
        migrations.AlterField(
            model_name="session",
            name="condition",
            field=models.CharField(
                blank=True,
                choices=[
                    ("tee", "Tee"),
                    ("front_toss", "Front toss"),
                    ("machine", "Machine"),
                    ("live", "Live BP"),
                ],
                max_length=12,
                verbose_name="setup",
            ),
        ),
        migrations.AlterField(
            model_name="session",
            name="data_state",
            field=models.CharField(
                choices=[
                    ("none", "No sessions"),
                    ("waiting", "Waiting for Reboot Motion"),
                    ("complete", "Complete"),
                    ("partial", "Partly imported"),
                    ("no_data", "Reboot Motion has no data"),
                    ("failed", "Failed"),
                ],
                default="waiting",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="session",
            name="missing_since",
            field=models.DateTimeField(
                blank=True,
                help_text="When Reboot Motion stopped listing this session; empty while it lists it.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="setaside",
            name="inclusion",
            field=models.CharField(
                blank=True,
                choices=[
                    ("auto", "Automatic"),
                    ("included", "Included by a coach"),
                    ("excluded", "Excluded by a coach"),
                ],
                max_length=8,
            ),
        ),
    ]
