"""What a test that commits leaves behind is gone before the next one."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import F

from tests import factories
from tests.database_reset import KEPT, Reset
from tests.privacy.conftest import full_athlete

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]


def filled_tables():
    """Names of tables that hold rows, those made by `migrate` left out."""
    names = connection.introspection.django_table_names(only_existing=True)
    with connection.cursor() as cursor:
        found = set()
        for name in set(names) - set(KEPT):
            cursor.execute(f'SELECT 1 FROM "{name}" LIMIT 1')  # noqa: S608
            if cursor.fetchone():
                found.add(name)
    return found


def made_by_migrate():
    return (
        list(ContentType.objects.order_by("id").values()),
        list(Permission.objects.order_by("id").values()),
    )


@pytest.fixture
def reset():
    reset = Reset("default")
    reset.flush()
    return reset


def fill():
    full_athlete()
    factories.make_token()
    group = Group.objects.create(name="a group")
    group.permissions.set(Permission.objects.all()[:3])
    factories.make_staff().groups.add(group)


@pytest.mark.parametrize("time", range(3))
def test_a_test_finds_nothing_of_the_one_before(time):
    # The first of a run is followed by Django's flush, the others by ours. Before the
    # first may stand what migrations made.
    if time:
        assert filled_tables() == set()
    fill()


def test_all_rows_go_and_what_migrate_made_stays(reset):
    before = made_by_migrate()
    assert before[0]
    assert before[1]
    fill()
    assert len(filled_tables()) > 20

    reset.empty()
    assert filled_tables() == set()
    assert made_by_migrate() == before
    assert reset.flushes == 1


def test_djangos_flush_leaves_nothing_that_triggers_wrote(reset):
    fill()
    reset.flush()
    assert filled_tables() == set()


@pytest.mark.parametrize(
    "harm",
    [
        lambda: Permission.objects.first().delete(),
        lambda: Permission.objects.update(name=F("codename")),
        lambda: ContentType.objects.create(app_label="gone", model="gone"),
    ],
    ids=["deleted", "changed", "added"],
)
def test_what_migrate_made_is_made_again_when_a_test_changed_it(reset, harm):
    def names():
        return (
            set(ContentType.objects.values_list("app_label", "model")),
            set(Permission.objects.values_list("codename", "name")),
        )

    before = names()
    harm()
    assert names() != before
    reset.empty()
    assert names() == before
