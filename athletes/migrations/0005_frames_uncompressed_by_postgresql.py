from django.db import migrations


def store_frames_outside(apps, schema_editor):
    """Let PostgreSQL cut parts out of `frames` without reading the rest.

    The column is compressed already; under the default, EXTENDED, the server tries
    again, and where that succeeds substring() has to unpack the whole value first.
    """
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE biomechanics_data ALTER COLUMN frames SET STORAGE EXTERNAL"
        )


def store_frames_by_default(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE biomechanics_data ALTER COLUMN frames SET STORAGE EXTENDED"
        )


class Migration(migrations.Migration):
    dependencies = [("athletes", "0004_movement_curves")]

    operations = [
        migrations.RunPython(
            store_frames_outside, store_frames_by_default, elidable=False
        )
    ]
