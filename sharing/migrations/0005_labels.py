from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sharing", "0004_paper"),
    ]

    operations = [
        migrations.AlterField(
            model_name="savedcomparison",
            name="is_shared",
            field=models.BooleanField(
                default=False, verbose_name="shared with other coaches"
            ),
        ),
    ]
