from importlib import import_module

from django.db import migrations

spelled_as_float = import_module(
    "athletes.migrations.0030_ids_in_one_spelling"
).spelled_as_float


def spell_alike(apps, schema_editor):
    """Give the vendor's records that we keep the ids under which they are sent now.

    Of two raw payloads of one object the one under the id of today is the newer.
    """
    sessions = apps.get_model("syncing", "VendorSession").objects
    payloads = apps.get_model("syncing", "RawPayload").objects
    for pk, whole in spelled_as_float(sessions, "session_id"):
        if not sessions.filter(session_id=whole).exists():
            sessions.filter(pk=pk).update(session_id=whole)
    for pk, whole in spelled_as_float(payloads, "vendor_id"):
        row = payloads.get(pk=pk)
        if payloads.filter(kind=row.kind, vendor_id=whole).exists():
            row.delete()
        else:
            payloads.filter(pk=pk).update(vendor_id=whole)


class Migration(migrations.Migration):
    dependencies = [
        ("syncing", "0010_count_without_empty_gone_sessions"),
        ("athletes", "0030_ids_in_one_spelling"),
    ]

    operations = [migrations.RunPython(spell_alike, migrations.RunPython.noop)]
