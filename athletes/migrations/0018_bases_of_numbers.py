"""What a number rests on becomes the key of averages and percentiles.

The columns keep the name that the release before knows, and are only widened: while
hosts are restarted, old code goes on reading and writing them.
"""

from django.db import migrations, models


def _longer(model):
    return migrations.AlterField(
        model,
        "event_rule",
        models.CharField(blank=True, db_column="event_rule", max_length=200),
    )


def _renamed(model, constraint):
    """The field's new name, in the models alone."""
    return [
        migrations.RemoveConstraint(model, constraint.name),
        migrations.RenameField(model, "event_rule", "basis"),
        migrations.AlterField(
            model,
            "basis",
            models.CharField(blank=True, db_column="event_rule", max_length=200),
        ),
        migrations.AddConstraint(model, constraint),
    ]


class Migration(migrations.Migration):
    dependencies = [("athletes", "0017_athletes_by_vendor_id")]

    operations = [
        _longer("sessionmetric"),
        _longer("peergroup"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                *_renamed(
                    "sessionmetric",
                    models.UniqueConstraint(
                        fields=("session", "metric", "basis"),
                        name="session_metric_rule",
                    ),
                ),
                *_renamed(
                    "peergroup",
                    models.UniqueConstraint(
                        fields=(
                            "metric",
                            "method_version",
                            "condition",
                            "basis",
                            "source",
                        ),
                        name="peer_group_basis",
                    ),
                ),
            ]
        ),
    ]
