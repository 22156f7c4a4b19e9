"""Names of several words are found written as one: "delacruz"."""

from django.db import migrations

from athletes.names import search_text

_AT_ONCE = 2000


def fold(apps, schema_editor):
    """Write the search text of each athlete again where it differs."""
    players = apps.get_model("athletes", "Player")._base_manager.using(
        schema_editor.connection.alias
    )
    last = 0
    while True:
        rows = list(players.filter(pk__gt=last).order_by("pk").only(
            "first_name", "last_name", "search_text"
        )[:_AT_ONCE])
        if not rows:
            return
        last = rows[-1].pk
        changed = []
        for row in rows:
            folded = search_text(row.first_name, row.last_name)
            if folded != row.search_text:
                row.search_text = folded
                changed.append(row)
        players.bulk_update(changed, ["search_text"], batch_size=500)


class Migration(migrations.Migration):

    dependencies = [("athletes", "0040_names_of_fields")]

    operations = [migrations.RunPython(fold, migrations.RunPython.noop, elidable=True)]
