from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("athletes", "0025_uploads_by_hand")]
    operations = [migrations.RemoveConstraint("setaside", "set_aside_one_open")]
