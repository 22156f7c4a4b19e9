"""Empties what django-axes had kept of forms: passwords and recovery codes in clear."""

from django.conf import settings
from django.db import migrations
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat


def forget_what_was_typed(apps, schema_editor):
    attempts = apps.get_model("axes", "AccessAttempt").objects
    failures = apps.get_model("axes", "AccessFailureLog").objects
    attempts.update(get_data="", post_data="")
    users = apps.get_model(settings.AUTH_USER_MODEL).objects.values("username")
    # People type their password into the field of the name.
    unknown = Concat(Value("unknown name "), Cast("pk", CharField()))
    for rows in (attempts, failures):
        named = rows.filter(username__isnull=False)
        named.exclude(username__in=users).update(username=unknown)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_a_login_is_unlocked"),
        ("axes", "0010_accessattemptexpiration"),
    ]

    operations = [
        migrations.RunPython(forget_what_was_typed, migrations.RunPython.noop),
    ]
