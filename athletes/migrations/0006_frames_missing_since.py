from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("athletes", "0005_frames_uncompressed_by_postgresql")]

    operations = [
        migrations.AddField(
            model_name="biomechanicsdata",
            name="missing_since",
            field=models.DateTimeField(
                blank=True, help_text="The newest file no longer holds it.", null=True
            ),
        )
    ]
