import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_paper"),
    ]

    operations = [
        migrations.AlterField(
            model_name="apitoken",
            name="name",
            field=models.CharField(
                help_text="The program that uses it.", max_length=100
            ),
        ),
        migrations.AlterField(
            model_name="apitoken",
            name="prefix",
            field=models.CharField(
                editable=False,
                help_text="Start of the token, to tell tokens apart.",
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="apitoken",
            name="team",
            field=models.ForeignKey(
                blank=True,
                help_text="Sees only this team's athletes. Empty: all athletes.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tokens",
                to="accounts.team",
            ),
        ),
        migrations.AlterField(
            model_name="failedlogin",
            name="pool",
            field=models.CharField(
                choices=[
                    ("device", "devices on which the user has logged in"),
                    ("network", "networks from which the user has logged in"),
                    ("elsewhere", "everyone else"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="limited_to_teams",
            field=models.BooleanField(
                default=False,
                help_text="Without a team, such a coach sees no athletes. Staff see all athletes.",
                verbose_name="sees only their own teams",
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="may_start_sync",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="With “Sync now”, for what is new. Staff can always start one, including a full sync.",
                verbose_name="may start a sync",
            ),
        ),
    ]
