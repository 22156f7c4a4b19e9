"""Headline numbers of all athletes beside each other, for percentiles."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("athletes", "0010_one_athlete_under_two_ids")]

    operations = [
        migrations.CreateModel(
            name="PeerGroup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("metric", models.CharField(max_length=60)),
                ("condition", models.CharField(blank=True, max_length=12)),
                ("event_rule", models.CharField(blank=True, max_length=60)),
                ("source", models.CharField(blank=True, max_length=100)),
                ("method_version", models.CharField(max_length=20)),
            ],
            options={
                "db_table": "peer_groups",
                "constraints": [
                    models.UniqueConstraint(
                        fields=[
                            "metric",
                            "method_version",
                            "condition",
                            "event_rule",
                            "source",
                        ],
                        name="peer_group_basis",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PeerNumber",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("value", models.FloatField()),
                ("bucket", models.IntegerField()),
                ("age_band", models.PositiveSmallIntegerField(null=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="numbers",
                        to="athletes.peergroup",
                    ),
                ),
                (
                    "player",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="peer_numbers",
                        to="athletes.player",
                    ),
                ),
            ],
            options={
                "db_table": "peer_numbers",
                "indexes": [
                    models.Index(
                        fields=["group", "bucket", "value", "age_band"],
                        name="peer_number_place",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["player", "group"], name="peer_number"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PeerCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("audience", models.PositiveSmallIntegerField()),
                ("bucket", models.IntegerField()),
                ("n", models.IntegerField()),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="counts",
                        to="athletes.peergroup",
                    ),
                ),
            ],
            options={
                "db_table": "peer_counts",
                "constraints": [
                    models.UniqueConstraint(
                        fields=["group", "audience", "bucket"], name="peer_count_cell"
                    )
                ],
            },
        ),
    ]
