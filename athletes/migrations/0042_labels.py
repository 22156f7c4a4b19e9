"""Labels in plain words for the administration; no table changes."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("athletes", "0041_names_joined_for_search"),
    ]

    operations = [
        migrations.AlterField(
            model_name="athletemerge",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="athletemerge",
            name="undone_at",
            field=models.DateTimeField(null=True, verbose_name="undone"),
        ),
        migrations.AlterField(
            model_name="biomechanicsdata",
            name="column_count",
            field=models.PositiveIntegerField(verbose_name="columns"),
        ),
        migrations.AlterField(
            model_name="biomechanicsdata",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="biomechanicsdata",
            name="frame_count",
            field=models.PositiveIntegerField(verbose_name="frames"),
        ),
        migrations.AlterField(
            model_name="biomechanicsdata",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, verbose_name="updated"),
        ),
        migrations.AlterField(
            model_name="eventcorrection",
            name="automatic_time_s",
            field=models.FloatField(null=True, verbose_name="automatic time (s)"),
        ),
        migrations.AlterField(
            model_name="eventcorrection",
            name="created_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now,
                editable=False,
                verbose_name="created",
            ),
        ),
        migrations.AlterField(
            model_name="eventcorrection",
            name="time_s",
            field=models.FloatField(
                help_text="Seconds on the file's clock.", verbose_name="time (s)"
            ),
        ),
        migrations.AlterField(
            model_name="eventcorrection",
            name="undone_at",
            field=models.DateTimeField(null=True, verbose_name="undone"),
        ),
        migrations.AlterField(
            model_name="gapdismissal",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="gapdismissal",
            name="undone_at",
            field=models.DateTimeField(null=True, verbose_name="undone"),
        ),
        migrations.AlterField(
            model_name="handupload",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="handupload",
            name="stored_at",
            field=models.DateTimeField(null=True, verbose_name="stored"),
        ),
        migrations.AlterField(
            model_name="handupload",
            name="undone_at",
            field=models.DateTimeField(null=True, verbose_name="undone"),
        ),
        migrations.AlterField(
            model_name="inclusiondecision",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="movement",
            name="analysed_at",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="numbers computed"
            ),
        ),
        migrations.AlterField(
            model_name="movement",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="movement",
            name="frame_count",
            field=models.PositiveIntegerField(
                blank=True, null=True, verbose_name="frames"
            ),
        ),
        migrations.AlterField(
            model_name="movement",
            name="org_movement_id",
            field=models.CharField(max_length=300, verbose_name="Reboot movement ID"),
        ),
        migrations.AlterField(
            model_name="movement",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, verbose_name="updated"),
        ),
        migrations.AlterField(
            model_name="movement",
            name="vendor_metrics",
            field=models.JSONField(
                blank=True, null=True, verbose_name="Reboot Motion's own numbers"
            ),
        ),
        migrations.AlterField(
            model_name="movementcurves",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, verbose_name="updated"),
        ),
        migrations.AlterField(
            model_name="note",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="note",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, verbose_name="updated"),
        ),
        migrations.AlterField(
            model_name="player",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="player",
            name="org_player_id",
            field=models.CharField(
                max_length=200, verbose_name="organization's player ID"
            ),
        ),
        migrations.AlterField(
            model_name="player",
            name="reboot_player_id",
            field=models.CharField(
                blank=True, max_length=200, verbose_name="Reboot player ID"
            ),
        ),
        migrations.AlterField(
            model_name="player",
            name="session_count",
            field=models.PositiveIntegerField(
                default=0, editable=False, verbose_name="sessions"
            ),
        ),
        migrations.AlterField(
            model_name="player",
            name="swing_count",
            field=models.PositiveIntegerField(
                default=0, editable=False, verbose_name="swings"
            ),
        ),
        migrations.AlterField(
            model_name="player",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, verbose_name="updated"),
        ),
        migrations.AlterField(
            model_name="player",
            name="vendor_updated_at",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="changed in Reboot Motion"
            ),
        ),
        migrations.AlterField(
            model_name="replacedframes",
            name="column_count",
            field=models.PositiveIntegerField(verbose_name="columns"),
        ),
        migrations.AlterField(
            model_name="replacedframes",
            name="frame_count",
            field=models.PositiveIntegerField(verbose_name="frames"),
        ),
        migrations.AlterField(
            model_name="samerecording",
            name="decided_at",
            field=models.DateTimeField(null=True, verbose_name="decided"),
        ),
        migrations.AlterField(
            model_name="session",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="session",
            name="movement_type_id",
            field=models.IntegerField(
                blank=True, null=True, verbose_name="movement type"
            ),
        ),
        migrations.AlterField(
            model_name="session",
            name="session_id",
            field=models.CharField(max_length=200, verbose_name="Reboot session ID"),
        ),
        migrations.AlterField(
            model_name="session",
            name="swing_count",
            field=models.PositiveIntegerField(
                default=0, editable=False, verbose_name="swings"
            ),
        ),
        migrations.AlterField(
            model_name="session",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, verbose_name="updated"),
        ),
        migrations.AlterField(
            model_name="session",
            name="vendor_status",
            field=models.CharField(
                blank=True, max_length=50, verbose_name="status in Reboot Motion"
            ),
        ),
        migrations.AlterField(
            model_name="session",
            name="vendor_updated_at",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="changed in Reboot Motion"
            ),
        ),
        migrations.AlterField(
            model_name="setaside",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="setaside",
            name="settled_at",
            field=models.DateTimeField(null=True, verbose_name="settled"),
        ),
        migrations.AlterField(
            model_name="tag",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
    ]
