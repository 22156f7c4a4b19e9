from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("syncing", "0013_labels"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="rawpayload",
            options={"verbose_name": "raw answer"},
        ),
        migrations.AlterModelOptions(
            name="vendorsession",
            options={"verbose_name": "Reboot session"},
        ),
    ]
