"""Say of the sessions that are failed or partly here what they lack."""

from django.db import migrations

FRAMES = ("inverse-kinematics", "momentum-energy")


def forward(apps, schema_editor):
    session_model = apps.get_model("athletes", "Session")
    jobs = apps.get_model("syncing", "ExportJob").objects.filter(
        session__data_state__in=["failed", "partial"],
        data_type__in=FRAMES,
        state__in=["no_data", "failed", "given_up"],
    )
    gaps = {}
    rows = jobs.order_by().values_list(
        "session_id", "session__folded_into_id", "data_type", "state"
    )
    for session_pk, shown_by, data_type, state in rows.iterator():
        why = "no_data" if state == "no_data" else "failed"
        for pk in {session_pk, shown_by} - {None}:
            gaps.setdefault(pk, set()).add(f"{data_type}:{why}")
    for pk, lacks in gaps.items():
        session_model.objects.filter(pk=pk).update(data_gap=" ".join(sorted(lacks)))


class Migration(migrations.Migration):
    dependencies = [
        ("syncing", "0006_unreadable_values"),
        ("athletes", "0021_gaps_of_sessions"),
    ]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
