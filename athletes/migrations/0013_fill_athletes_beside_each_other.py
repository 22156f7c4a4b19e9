"""What sessions say already, athlete by athlete; later writes keep it so."""

import math
from collections import Counter

from django.db import migrations
from django.db.models import F

# As they were when this was written; recompute_metrics makes all of it anew.
WIDTHS = {
    "attack_angle": 0.5,
    "bat_speed_max": 0.1,
    "lead_knee_ext": 0.5,
    "peak_hand_speed": 0.1,
    "peak_lead_arm_omega": 4.0,
    "peak_pelvis_omega": 4.0,
    "peak_torso_omega": 4.0,
    "pelvis_rot_ref": 0.5,
    "side_bend_ref": 0.5,
    "time_to_ref": 2.0,
    "x_factor_max": 0.5,
}
LAST_BUCKET = 1_000_000
BAND_STARTS = (0, 11, 13, 15, 17, 19, 23)
AT_ONCE = 500


def band_of(born, day):
    if born is None or day is None or day < born:
        return None
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return sum(start <= years for start in BAND_STARTS)


def bucket_of(metric, value):
    place = math.floor(value / WIDTHS[metric])
    return max(-LAST_BUCKET, min(LAST_BUCKET, place))


def fill(apps, schema_editor):
    Player = apps.get_model("athletes", "Player")
    SessionMetric = apps.get_model("athletes", "SessionMetric")
    PeerGroup = apps.get_model("athletes", "PeerGroup")
    PeerNumber = apps.get_model("athletes", "PeerNumber")
    PeerCount = apps.get_model("athletes", "PeerCount")
    groups = {}
    counts = Counter()

    def group_of(key):
        if key not in groups:
            names = ("metric", "condition", "event_rule", "source", "method_version")
            values = dict(zip(names, key, strict=True))
            groups[key] = PeerGroup.objects.get_or_create(**values)[0].pk
        return groups[key]

    last = 0
    while True:
        # Merged records stay out, and so does who is no longer listed.
        players = list(
            Player._base_manager.filter(
                pk__gt=last, missing_since=None, merged_into=None
            )
            .order_by("pk")
            .values_list("pk", "date_of_birth", "last_session_on")[:AT_ONCE]
        )
        if not players:
            break
        last = players[-1][0]
        bands = {pk: band_of(born, day) for pk, born, day in players}
        newest = {}
        rows = (
            SessionMetric.objects.filter(
                session__player_id__in=list(bands), metric__in=WIDTHS
            )
            .order_by(F("session__session_date").asc(nulls_first=True), "session_id")
            .values_list(
                "session__player_id",
                "mean",
                "metric",
                "session__condition",
                "event_rule",
                "session__mocap_type_name",
                "method_version",
            )
        )
        for player_id, mean, *key in rows.iterator():
            newest[player_id, tuple(key)] = mean
        numbers = []
        for (player_id, key), value in newest.items():
            group_id, bucket = group_of(key), bucket_of(key[0], value)
            band = bands[player_id]
            numbers.append(
                PeerNumber(
                    player_id=player_id,
                    group_id=group_id,
                    value=value,
                    bucket=bucket,
                    age_band=band,
                )
            )
            for audience in {0, band} - {None}:
                counts[group_id, audience, bucket] += 1
        PeerNumber.objects.bulk_create(numbers, batch_size=1000)
    PeerCount.objects.bulk_create(
        [
            PeerCount(group_id=group_id, audience=audience, bucket=bucket, n=n)
            for (group_id, audience, bucket), n in counts.items()
        ],
        batch_size=1000,
    )


def empty(apps, schema_editor):
    apps.get_model("athletes", "PeerGroup").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("athletes", "0011_athletes_beside_each_other")]

    operations = [migrations.RunPython(fill, empty)]
