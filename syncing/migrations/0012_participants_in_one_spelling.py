"""Participants of the vendor's sessions get the ids under which they are sent now."""

import re

from django.db import migrations

_WHOLE_AS_FLOAT = re.compile(r"([1-9]\d*|0)\.0+", re.ASCII)


def spell_participants_alike(apps, schema_editor):
    """Rewrite ids that were once sent as floats; what stands under both is kept once."""
    sessions = apps.get_model("syncing", "VendorSession").objects
    found = sessions.exclude(participants={}).order_by("pk")
    for pk, participants in found.values_list("pk", "participants").iterator():
        floats = {key: _WHOLE_AS_FLOAT.fullmatch(key) for key in participants}
        # What stands under the id of today is the newer.
        alike = {
            match[1]: participants[key] for key, match in floats.items() if match
        } | {key: participants[key] for key, match in floats.items() if not match}
        if alike.keys() != participants.keys():
            sessions.filter(pk=pk).update(participants=alike)


class Migration(migrations.Migration):
    dependencies = [("syncing", "0011_ids_in_one_spelling")]

    operations = [
        migrations.RunPython(spell_participants_alike, migrations.RunPython.noop)
    ]
