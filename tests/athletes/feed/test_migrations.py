"""Migrations that come later change tables whose changes are written down."""

import sys

import pytest
from django.core.management import call_command
from django.db import connection

from athletes.feed import triggers
from athletes.models import FeedNote, FeedRow
from tests import factories
from tests.factories import settle_all

pytestmark = pytest.mark.django_db(transaction=True)

LATER = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("athletes", {last!r})]
    operations = [
        migrations.AddField("player", "nickname", models.TextField(default="")),
        migrations.AlterField("session", "condition", models.CharField(max_length=90)),
        migrations.RemoveField("movement", "frame_count"),
    ]
"""


@pytest.fixture
def last():
    """The newest migration of the product."""
    from django.db.migrations.loader import MigrationLoader

    (name,) = [name for app, name in MigrationLoader(None).graph.leaf_nodes("athletes")]
    return name


@pytest.fixture
def later(tmp_path, settings, monkeypatch, last):
    """A migration of a later release."""
    package = tmp_path / "later_migrations"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from athletes import migrations\n__path__ += migrations.__path__\n"
    )
    (package / "m9000_later.py").write_text(LATER.format(last=last))
    monkeypatch.syspath_prepend(str(tmp_path))
    before = settings.MIGRATION_MODULES
    settings.MIGRATION_MODULES = {**before, "athletes": "later_migrations"}
    yield "m9000_later"
    for name in [name for name in sys.modules if name.startswith("later_migrations")]:
        del sys.modules[name]


def columns(table):
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_description(cursor, table)
    return {column.name for column in found}


def test_a_later_migration_changes_followed_tables_there_and_back(later, last):
    swing = factories.make_swing(frame_count=400)
    settle_all()
    place = FeedRow.objects.get(kind="movement", row_id=swing.pk).place
    try:
        call_command("migrate", "athletes", later, verbosity=0)
        assert "nickname" in columns("players")
        assert "frame_count" not in columns("movements")
        # What changed meanwhile unseen is told again; then the new column is followed.
        settle_all()
        assert FeedRow.objects.get(kind="movement", row_id=swing.pk).place > place
        with connection.cursor() as cursor:
            cursor.execute("UPDATE players SET nickname = 'Ash'")
        assert FeedNote.objects.filter(kind="player").exists()
    finally:
        call_command("migrate", "athletes", last, verbosity=0)
    assert "nickname" not in columns("players")
    assert "frame_count" in columns("movements")
    assert triggers.install(connection) == []
    settle_all()
    type(swing).objects.filter(pk=swing.pk).update(frame_count=7)
    assert FeedNote.objects.filter(kind="movement", row_id=swing.pk).exists()
