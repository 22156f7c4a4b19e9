from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("athletes", "0038_labels"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="eventcorrection",
            options={"verbose_name": "moved event"},
        ),
        migrations.AlterModelOptions(
            name="gapdismissal",
            options={
                "verbose_name": "dismissed missing data",
                "verbose_name_plural": "dismissed missing data",
            },
        ),
        migrations.AlterModelOptions(
            name="samerecording",
            options={"verbose_name": "duplicate recording"},
        ),
    ]
