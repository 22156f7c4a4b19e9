"""How much disk each kind takes: measured by the queue, shown to staff."""

import datetime as dt
import random
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from athletes.models import BiomechanicsData
from privacy import tasks
from privacy.models import FOLDER, StorageReport
from privacy.storage import KEPT, _database, _kinds_of_tables, measure, storage_page
from syncing.models import RawPayload
from syncing.schedules import PLANS
from tests import factories
from tests.privacy.conftest import store_raw

MB = 1_000_000


@pytest.fixture(autouse=True)
def folders(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    settings.BACKUP_DIR = str(tmp_path / "backups")
    files = tmp_path / "files"
    options = {"location": str(files)}
    settings.STORAGES = settings.STORAGES | {
        "default": settings.STORAGES["default"] | {"OPTIONS": options}
    }
    return tmp_path


def write(path, size):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)


@pytest.mark.django_db
def test_files_are_told_apart_by_their_folder(folders):
    write(folders / "files" / FOLDER / "a.zip", 700)
    write(folders / "files" / "else" / "b", 50)
    write(folders / "backups" / "one" / "c.backup", 9000)
    report = measure()

    assert report.sizes["archives"] == 700
    assert report.sizes["files"] == 50
    assert report.sizes["backups"] == 9000
    assert report.newest_backup_at <= timezone.now()
    assert report.free_bytes > 0


@pytest.mark.django_db
def test_folders_that_are_not_there_take_nothing():
    report = measure()

    assert report.newest_backup_at is None
    assert not {"archives", "files", "backups"} & set(report.sizes)


@pytest.mark.django_db(transaction=True)
def test_each_kind_of_row_grows_its_own_kind():
    before = _database()
    movement = factories.make_movement()
    BiomechanicsData.objects.create(
        movement=movement,
        data_type="inverse-kinematics",
        frames=random.Random(1).randbytes(3 * MB),
        header_size=1,
        byte_size=3 * MB,
        frame_count=1,
        column_count=1,
    )
    after_frames = _database()
    for number in range(40):
        row = store_raw("player", f"p{number}", {})
        # Without a pattern, since PostgreSQL packs what repeats.
        text = random.Random(number).randbytes(25_000).hex()
        RawPayload.objects.filter(pk=row.pk).update(payload={"text": text})
    after_raw = _database()

    assert after_frames["frames"] - before.get("frames", 0) > 2.9 * MB
    assert after_raw["raw"] - before.get("raw", 0) > 0.5 * MB
    assert after_raw["frames"] == after_frames["frames"]


@pytest.mark.django_db
def test_every_table_is_of_a_kind_and_none_is_counted_twice():
    kinds = _kinds_of_tables()
    names = set(connection.introspection.table_names())

    assert kinds["biomechanics_data"] == "frames"
    assert kinds["sync_log"] == "sync"
    assert kinds["django_q_ormq"] == "queue"
    # What no model knows is small: the cache, and the list of migrations.
    assert names - kinds.keys() <= {"django_migrations", "django_cache"}


@pytest.mark.django_db(transaction=True)
def test_sum_is_what_the_database_takes():
    total = sum(_database().values())
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            assert total == cursor.fetchone()[0]
    else:
        path = Path(connection.settings_dict["NAME"])
        ends = [path, path.with_name(path.name + "-wal")]
        whole = sum(part.stat().st_size for part in ends if part.exists())
        assert total == pytest.approx(whole, rel=0.2)


@pytest.mark.django_db(transaction=True)
def test_sqlite_that_cannot_tell_tables_apart_tells_the_whole():
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite may be built without it")
    connection.ensure_connection()
    denied, allowed = 1, 0
    connection.connection.set_authorizer(
        lambda action, name, *rest: denied if name == "dbstat" else allowed
    )
    try:
        sizes = _database()
    finally:
        connection.connection.set_authorizer(None)
    assert set(sizes) == {"database"}
    assert sizes["database"] > 100_000


def report(days_ago, **sizes):
    return StorageReport.objects.create(
        taken_at=timezone.now() - dt.timedelta(days=days_ago),
        seconds=1.0,
        sizes=sizes,
        free_bytes=5_000_000_000,
    )


@pytest.mark.django_db
def test_growth_is_over_a_month_at_most():
    report(60, frames=1)
    report(30, frames=1000, raw=50)
    report(10, frames=2000, raw=50)
    report(0, frames=2500)
    page = storage_page()

    assert (page.total, page.growth_days, page.growth_bytes) == (2500, 30, 1450)
    found = {kind.name: (kind.bytes, kind.growth_bytes) for kind in page.kinds}
    assert found == {"Frames": (2500, 1500), "Raw answers": (0, -50)}


@pytest.mark.django_db
def test_old_reports_go():
    old = report(KEPT.days + 1, frames=1)
    measure()
    assert not StorageReport.objects.filter(pk=old.pk).exists()
    assert StorageReport.objects.count() == 1


@pytest.mark.django_db
def test_page_shows_sizes_and_how_long_they_are_kept(client, settings):
    settings.KEEP_RAW_PAYLOADS_DAYS = 99
    client.force_login(factories.make_staff())
    empty = client.get("/privacy/storage/").content.decode()
    assert "Nothing measured yet" in empty

    report(2, frames=1024 * 1024)
    report(0, frames=3 * 1024 * 1024, raw=1024 * 1024)
    page = " ".join(client.get("/privacy/storage/").content.decode().split())
    assert "4.0 MB in all" in page.replace("\xa0", " ")
    assert "+2.0 MB" in page.replace("\xa0", " ")
    assert "99 days after the last change" in page
    assert 'width="75.0"' in page


@pytest.mark.django_db
def test_page_costs_the_same_however_much_is_stored(
    client, django_assert_max_num_queries
):
    client.force_login(factories.make_staff())
    report(2, frames=1)
    report(0, frames=3)
    client.get("/privacy/storage/")
    # Session, user, two reports; nothing is measured.
    with django_assert_max_num_queries(5):
        client.get("/privacy/storage/")


@pytest.mark.django_db(transaction=True)
def test_button_has_the_queue_measure(client):
    client.force_login(factories.make_staff())
    response = client.post("/privacy/storage/", follow=True)
    assert "check again in a moment" in response.content.decode()
    assert OrmQ.objects.get().task["func"] == "privacy.tasks.measure_storage_task"
    assert not StorageReport.objects.exists()
    assert tasks.measure_storage_task() == sum(storage_page().report.sizes.values())


@pytest.mark.django_db
def test_coach_sees_neither_page_nor_link(client):
    client.force_login(factories.make_user())
    assert client.get("/privacy/storage/").status_code == 403
    assert client.post("/privacy/storage/").status_code == 403
    assert "/privacy/storage/" not in client.get("/syncing/").content.decode()
    client.force_login(factories.make_staff())
    assert "/privacy/storage/" in client.get("/syncing/").content.decode()


def test_it_is_measured_by_the_clock():
    assert "privacy.tasks.measure_storage_task" in [plan.func for plan in PLANS]
