"""The pages of files by hand: choose, preview, store, undo, correct, without script."""

import datetime as dt
import io
import os
import re
import time

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.utils import timezone

from athletes.models import HandUpload, Movement, Note, Player, Session, UploadState
from privacy import erasing, retention
from syncing import hand_sessions, staging, undoing
from syncing.imports import GivenFile, ImportRefusedError, NewAthlete, import_files
from syncing.models import ExportJob, SyncLog
from tests.factories import make_player, make_session, make_staff, make_user
from tests.syncing.test_imports import download

__all__ = ["download"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    """A folder of this test's own for files."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }
    return tmp_path


@pytest.fixture
def staff(client):
    user = make_staff(username="robin")
    client.force_login(user)
    return user


def staged_files():
    folder = staging.FOLDER
    return default_storage.listdir(folder)[1] if default_storage.exists(folder) else []


def choose_files(client, *contents, names=()):
    given = [
        SimpleUploadedFile(name, content)
        for name, content in zip(
            names or [f"file{n}.csv" for n in range(len(contents))],
            contents,
            strict=True,
        )
    ]
    response = client.post("/syncing/upload/", {"exports": given})
    assert response.status_code == 302, response.content.decode()
    return response.url, HandUpload.objects.latest("pk")


def test_from_files_to_a_stored_session(client, staff, download):
    player = make_player(
        org_player_id=download.player,
        first_name="Bay",
        last_name="Birch",
        date_of_birth=dt.date(2009, 5, 4),
    )
    make_player(first_name="Cedar", last_name="Elm")
    whose, upload = choose_files(client, download(), download("momentum-energy"))
    assert len(staged_files()) == 2
    assert not Session.objects.exists()
    page = client.get(whose, {"q": "bi"}).content.decode()
    assert "Bay Birch" in page
    assert "born 2009" in page
    assert "Cedar" not in page
    data = {"session_id": download.session, "date": "2026-03-05"}
    response = client.post(f"{whose}?athlete={player.pk}", data)
    preview = f"/syncing/uploads/{upload.pk}/preview/"
    assert response.url == preview
    page = client.get(preview).content.decode()
    assert "Bay Birch" in page
    assert not Session.objects.exists()
    # Once more without choosing any file again.
    response = client.post(preview)
    assert response.url == f"/syncing/uploads/{upload.pk}/"
    session = Session.objects.get()
    assert session.player == player
    assert session.session_date == dt.date(2026, 3, 5)
    assert session.movements.filter(is_swing=True).exists()
    assert staged_files() == []
    upload.refresh_from_db()
    assert (upload.state, upload.created_by) == (UploadState.STORED, staff)
    for path in (
        f"/athletes/sessions/{session.pk}/",
        f"/athletes/{player.pk}/",
        f"/athletes/swings/{session.movements.first().pk}/",
        f"/admin/athletes/session/{session.pk}/change/",
    ):
        staff.is_superuser = True
        staff.save()
        text = re.sub(r"<[^>]+>|\s+", " ", client.get(path).content.decode())
        assert "by robin" in re.sub(r"\s+", " ", text), path


def test_the_preview_names_what_is_here_already_and_what_is_odd(
    client, staff, download
):
    player = make_player(org_player_id=download.player)
    whose, upload = choose_files(client, download())
    data = {"session_id": download.session, "date": "2026-03-05"}
    client.post(f"{whose}?athlete={player.pk}", data)
    client.post(f"/syncing/uploads/{upload.pk}/preview/")
    count = Movement.objects.count()
    # Into the same session again: nothing to store.
    whose, upload = choose_files(client, download())
    session = Session.objects.get()
    client.post(f"{whose}?athlete={player.pk}", {"part": session.pk})
    response = client.get(f"/syncing/uploads/{upload.pk}/preview/")
    kind = response.context["preview"].kinds[0]
    assert (kind.movements, kind.new, kind.same) == (count, 0, count)
    assert response.context["preview"].changes_nothing
    assert response.context["preview"].warnings == []
    # For another athlete, on a day to come.
    other = make_player(first_name="Cedar", last_name="Elm")
    tomorrow = (timezone.localdate() + dt.timedelta(days=1)).isoformat()
    data = {"session_id": "another", "date": tomorrow}
    client.post(f"{whose}?athlete={other.pk}", data)
    preview = f"/syncing/uploads/{upload.pk}/preview/"
    warnings = client.get(preview).context["preview"].warnings
    assert f"{count} recordings of these files are already stored" in warnings[0]
    assert player.full_name in warnings[0]
    assert "is in the future" in warnings[1]
    response = client.post(preview)
    assert response.status_code == 422
    assert Session.objects.count() == 1
    assert client.post(preview, {"looked": "1"}).status_code == 302
    assert Session.objects.count() == 2


@pytest.mark.parametrize("typed", ["x", "660001"])
def test_an_unknown_id_needs_a_new_athlete_with_a_name(client, staff, download, typed):
    whose, upload = choose_files(client, download())
    new = {
        "new": "1",
        "new-org_player_id": typed,
        "new-first_name": "",
        "new-last_name": "",
        "new-session_id": download.session,
        "new-date": "2026-03-05",
    }
    assert client.post(whose, new).status_code == 422
    preview = f"/syncing/uploads/{upload.pk}/preview/"
    assert client.get(preview).url == whose
    assert client.post(preview).url == whose
    response = client.post(whose, new | {"new-first_name": "Ash", "new-last_name": "M"})
    assert response.url == preview
    assert not Player.objects.exists()
    response = client.get(preview)
    assert "does not look like a name" in response.context["preview"].warnings[0]
    client.post(preview, {"looked": "1"})
    assert Player.objects.get().full_name == "Ash M"


def test_a_stored_id_is_no_new_athlete(client, staff, download):
    make_player(org_player_id="AB-12", first_name="Bay", last_name="Birch")
    whose, _ = choose_files(client, download())
    new = {
        "new": "1",
        "new-org_player_id": "ab12",
        "new-first_name": "Ash",
        "new-last_name": "Maple",
        "new-session_id": "s",
    }
    response = client.post(whose, new)
    assert response.status_code == 422
    assert "a stored athlete" in response.content.decode()


def test_a_file_of_another_athlete_by_its_name_is_not_stored(client, staff, download):
    player, other = make_player(), make_player(org_player_id="d6c7a1b0-1111-4111-8111")
    name = "20260305_session_4_rebootmotion_{}_baseball-hitting_inverse-kinematics.csv"
    whose, upload = choose_files(
        client, download(), names=[name.format(other.org_player_id)]
    )
    response = client.get(whose)
    assert response.context["suggested"] == other
    client.post(f"{whose}?athlete={player.pk}", {"session_id": "s"})
    preview = f"/syncing/uploads/{upload.pk}/preview/"
    response = client.post(preview, {"looked": "1"})
    assert response.status_code == 422
    assert "a file of another athlete" in response.content.decode()
    client.post(f"{whose}?athlete={other.pk}", {"session_id": "s"})
    client.post(preview, {"looked": "1"})
    session = Session.objects.get()
    # Day and number are those of the name.
    assert (session.player, str(session.session_date), session.session_num) == (
        other,
        "2026-03-05",
        "4",
    )


def test_a_wrong_file_is_refused_at_once(client, staff, download):
    files = [
        SimpleUploadedFile("ik.csv", download()),
        SimpleUploadedFile("page.csv", b"<html>not here</html>"),
    ]
    response = client.post("/syncing/upload/", {"exports": files})
    assert response.status_code == 422
    assert "page.csv" in response.content.decode()
    assert (staged_files(), HandUpload.objects.count()) == ([], 0)


def test_staged_files_are_seen_by_who_chose_them_alone(client, staff, download):
    whose, upload = choose_files(client, download())
    client.force_login(make_staff(is_superuser=True))
    for path in (whose, f"/syncing/uploads/{upload.pk}/preview/"):
        assert client.get(path).status_code == 404
    assert client.post(f"/syncing/uploads/{upload.pk}/drop/").status_code == 404
    assert client.get(f"/syncing/uploads/{upload.pk}/").status_code == 404
    name = upload.files[0]["stored_as"]
    for path in (f"/{name}", f"/files/{name}", f"/media/{name}", f"/static/{name}"):
        assert client.get(path).status_code == 404


def test_dropped_files_are_deleted(client, staff, download):
    _, upload = choose_files(client, download())
    client.post(f"/syncing/uploads/{upload.pk}/drop/")
    assert (staged_files(), HandUpload.objects.count()) == ([], 0)


def test_staged_files_are_swept_when_their_time_is_up(client, staff, download, files):
    whose, _ = choose_files(client, download())
    retention.prune()
    assert len(staged_files()) == 1
    HandUpload.objects.update(created_at=timezone.now() - dt.timedelta(hours=13))
    assert client.get(whose).status_code == 404
    assert staged_files() == []
    choose_files(client, download())
    HandUpload.objects.update(created_at=timezone.now() - dt.timedelta(hours=13))
    assert retention.prune()["uploads"] == 1
    assert (staged_files(), HandUpload.objects.count()) == ([], 0)


def test_staged_files_go_with_an_erased_athlete(client, staff, download):
    player, other = make_player(last_name="Birch"), make_player(last_name="Elm")
    whose, _ = choose_files(client, download())
    client.post(f"{whose}?athlete={player.pk}", {"session_id": "s"})
    choose_files(client, download(), names=["birch_swings.csv"])
    _, others = choose_files(client, download())
    erasing.erase(player=player, by=None)
    assert list(HandUpload.objects.all()) == [others]
    assert len(staged_files()) == 1
    assert Player.objects.filter(pk=other.pk).exists()


def test_athletes_are_found_by_who_may_see_them_alone(client, download):
    client.force_login(make_user())
    assert client.get("/syncing/upload/").status_code == 403
    assert client.post("/syncing/upload/").status_code == 403


def test_an_upload_is_undone_with_a_tick_for_what_people_added(client, staff, download):
    player = make_player(org_player_id=download.player)
    whose, upload = choose_files(client, download())
    data = {"session_id": download.session, "date": "2026-03-05"}
    client.post(f"{whose}?athlete={player.pk}", data)
    client.post(f"/syncing/uploads/{upload.pk}/preview/")
    Note.objects.create(session=Session.objects.get(), text="Tired.", created_by=staff)
    page = client.get(f"/syncing/uploads/{upload.pk}/").content.decode()
    assert "1 note by robin" in page
    response = client.post(f"/syncing/uploads/{upload.pk}/undo/")
    assert response.status_code == 422
    assert "1 note by robin" in response.content.decode()
    assert Session.objects.exists()
    client.post(f"/syncing/uploads/{upload.pk}/undo/", {"added": "1"})
    assert not Session.objects.exists()
    # The sync brought the athlete.
    assert list(Player.objects.all()) == [player]
    page = client.get(f"/syncing/uploads/{upload.pk}/").content.decode()
    assert "Undone" in page


def test_a_session_by_hand_is_moved_dated_and_deleted(client, staff, download):
    player = make_player(org_player_id=download.player)
    other = make_player(first_name="Cedar", last_name="Elm")
    whose, upload = choose_files(client, download())
    data = {"session_id": download.session, "date": "2026-03-05"}
    client.post(f"{whose}?athlete={player.pk}", data)
    client.post(f"/syncing/uploads/{upload.pk}/preview/")
    session = Session.objects.get()
    path = f"/syncing/sessions/{session.pk}/by-hand/"
    assert "Cedar Elm" in client.get(path, {"q": "elm"}).content.decode()
    client.post(f"{path}?athlete={other.pk}", {"move": "1"})
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    response = client.post(path, {"redate": "1", "date": tomorrow.isoformat()})
    assert response.status_code == 422
    client.post(path, {"redate": "1", "date": "2026-02-03"})
    session.refresh_from_db()
    assert (session.player, str(session.session_date)) == (other, "2026-02-03")
    client.post(path, {"delete": "1"})
    assert not Session.objects.exists()


def test_a_session_of_the_sync_is_not_corrected(client, staff):
    session = make_session()
    path = f"/syncing/sessions/{session.pk}/by-hand/"
    assert "Correct them there" in client.get(path).content.decode()
    for data in ({"move": "1"}, {"redate": "1", "date": "2026-02-03"}, {"delete": "1"}):
        response = client.post(f"{path}?athlete={make_player().pk}", data)
        assert response.status_code == 422
    session.refresh_from_db()
    assert str(session.session_date) == "2026-03-01"


# --- Two tabs, and storing that breaks off --------------------------------------------


def name_new(client, whose, download, **values):
    """Say that staged files are of a new athlete."""
    said = {
        "org_player_id": download.player,
        "first_name": "Ash",
        "last_name": "Maple",
        "date_of_birth": "2009-05-04",
        "session_id": download.session,
        "date": "2026-03-05",
    }
    data = {f"new-{name}": value for name, value in (said | values).items()}
    return client.post(whose, {"new": "1"} | data)


@pytest.mark.both
def test_of_two_tabs_that_confirm_one_stores(client, staff, download):
    player = make_player(org_player_id=download.player)
    _, upload = choose_files(client, download())

    def store(seen):
        return import_files(
            [GivenFile("file0.csv", io.BytesIO(download()))],
            org_player_id=download.player,
            session_id=download.session,
            upload=seen,
            trigger="upload",
            user=staff,
        )

    # Both have read the row before either stores.
    tabs = [HandUpload.objects.get(pk=upload.pk) for _ in range(2)]
    store(tabs[0])
    with pytest.raises(ImportRefusedError, match="already stored"):
        store(tabs[1])
    assert SyncLog.objects.active().count() == 0
    upload.refresh_from_db()
    movements = Movement.objects.count()
    # What the first one began is still known, and so goes as a whole.
    assert upload.created["session"] == Session.objects.get().pk
    assert len(upload.created["movements"]) == movements > 0
    undoing.undo(upload=upload, by=staff)
    assert not Movement.objects.exists()
    assert not Session.objects.exists()
    assert list(Player.objects.all()) == [player]


def test_a_page_stores_for_the_athlete_whom_it_shows_alone(client, staff, download):
    bay = make_player(
        org_player_id=download.player, first_name="Bay", last_name="Birch"
    )
    elm = make_player(first_name="Cedar", last_name="Elm")
    whose, upload = choose_files(client, download())
    preview = f"/syncing/uploads/{upload.pk}/preview/"
    data = {"session_id": download.session, "date": "2026-03-05"}

    def shown():
        page = client.get(preview).content.decode()
        return page, re.search(r'name="shown" value="(\w+)"', page)[1]

    client.post(f"{whose}?athlete={bay.pk}", data)
    page, token = shown()
    assert "Bay Birch" in page
    client.post(f"{whose}?athlete={elm.pk}", data)
    response = client.post(preview, {"looked": "1", "shown": token})
    assert response.status_code == 422
    assert "The choice changed" in response.content.decode()
    assert not Session.objects.exists()
    page, token = shown()
    assert "Cedar Elm" in page
    client.post(preview, {"looked": "1", "shown": token})
    assert Session.objects.get().player == elm


@pytest.fixture
def broken(client, staff, download):
    """An upload of a new athlete whose storing broke off, with its file still there."""
    whose, upload = choose_files(client, download())
    name_new(client, whose, download)

    def fail_at_jobs(execute, sql, params, many, context):
        if sql.startswith(f'INSERT INTO "{ExportJob._meta.db_table}"'):
            raise OperationalError("The disk is full.")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail_at_jobs), pytest.raises(OperationalError):
        client.post(f"/syncing/uploads/{upload.pk}/preview/", {"looked": "1"})
    upload.refresh_from_db()
    assert (upload.state, len(staged_files())) == (UploadState.STORING, 1)
    return upload


def test_a_file_that_stays_after_storing_broke_off_is_swept(broken, files):
    staging.sweep()
    assert len(staged_files()) == 1
    aged = time.time() - 13 * 3600
    for name in staged_files():
        os.utime(files / staging.FOLDER / name, (aged, aged))
    assert staging.sweep() == 1
    assert staged_files() == []


def test_a_file_that_stays_after_storing_broke_off_goes_with_the_athlete(broken, staff):
    erasing.erase(player=Player.objects.get(), by=staff)
    assert (staged_files(), HandUpload.objects.count()) == ([], 0)


# --- Ids as people spell them ---------------------------------------------------------


@pytest.mark.parametrize(
    ("erased", "spellings"),
    [("P-ABC-12", ("P-ABC-12", "p-abc-12")), ("660001", ("660001", "660001.0"))],
)
def test_an_erased_id_is_refused_however_it_is_spelled(
    client, staff, download, erased, spellings
):
    erasing.erase(player=make_player(org_player_id=erased), by=staff)
    whose, _ = choose_files(client, download())
    for spelled in spellings:
        response = name_new(client, whose, download, org_player_id=spelled)
        assert response.status_code == 422, spelled
        assert "permanently erased" in response.content.decode()
        with pytest.raises(ImportRefusedError, match="permanently erased"):
            import_files(
                [GivenFile("file0.csv", io.BytesIO(download()))],
                org_player_id=spelled,
                session_id=download.session,
                new_athlete=NewAthlete("Ash", "Maple"),
                trigger="command",
            )
    assert not Player.everyone.exists()


def test_a_whole_number_with_a_point_is_the_id_without(client, staff, download):
    player = make_player(org_player_id="660001", first_name="Bay", last_name="Birch")
    whose, upload = choose_files(client, download())
    response = name_new(client, whose, download, org_player_id="660001.0")
    assert response.status_code == 422
    assert "The ID 660001 belongs to a stored athlete" in response.content.decode()
    result = import_files(
        [GivenFile("file0.csv", io.BytesIO(download()))],
        org_player_id="660001.0",
        session_id=download.session,
        trigger="command",
    )
    assert result.session.player == player
    # A new one is begun by the id as the sync will spell it.
    name_new(client, whose, download, org_player_id="660002.0")
    client.post(f"/syncing/uploads/{upload.pk}/preview/", {"looked": "1"})
    ids = Player.objects.values_list("org_player_id", flat=True)
    assert sorted(ids) == ["660001", "660002"]


def test_a_new_athletes_id_is_proposed_as_the_file_spells_it(client, staff, download):
    name = "20260305_session_4_rebootmotion_{}_baseball-hitting_inverse-kinematics.csv"
    whose, _ = choose_files(client, download(), names=[name.format("P-ABC-12")])
    assert 'value="P-ABC-12"' in client.get(whose, {"new": "1"}).content.decode()


# --- Files that wait beside what is undone or erased ----------------------------------


def by_import(download, **options):
    """An upload of a new athlete without any page."""
    return import_files(
        [GivenFile("file0.csv", io.BytesIO(download()))],
        org_player_id=download.player,
        session_id=download.session,
        new_athlete=NewAthlete("Ash", "Maple"),
        trigger="command",
        **options,
    ).upload


def test_files_that_wait_do_not_keep_a_session_from_being_deleted(
    client, staff, download
):
    player = make_player(org_player_id=download.player)
    whose, upload = choose_files(client, download())
    data = {"session_id": download.session, "date": "2026-03-05"}
    client.post(f"{whose}?athlete={player.pk}", data)
    client.post(f"/syncing/uploads/{upload.pk}/preview/")
    session = Session.objects.get()
    client.force_login(make_staff(username="kim"))
    whose, waiting = choose_files(client, download("momentum-energy"))
    client.post(f"{whose}?athlete={player.pk}", {"part": session.pk})
    path = f"/syncing/sessions/{session.pk}/by-hand/"
    uploads = client.get(path).context["uploads"]
    assert list(uploads) == [upload]
    assert client.post(path, {"delete": "1"}).status_code == 302
    assert not Session.objects.exists()
    # They wait on, and ask again for a session.
    waiting.refresh_from_db()
    assert (waiting.state, waiting.session) == (UploadState.STAGED, None)
    assert client.get(f"/syncing/uploads/{waiting.pk}/preview/").url == whose


@pytest.mark.both
def test_files_that_wait_do_not_keep_a_mistyped_athlete(client, staff, download):
    upload = by_import(download)
    player = Player.objects.get()
    whose, waiting = choose_files(client, download("momentum-energy"))
    client.post(f"{whose}?athlete={player.pk}", {"session_id": "another"})
    waiting.refresh_from_db()
    assert waiting.player == player
    plan = undoing.undo(upload=upload, by=staff)
    assert plan.player is not None
    assert not Player.everyone.exists()
    assert not Session.objects.exists()
    # They are whoever's they will be said to be.
    waiting.refresh_from_db()
    assert (waiting.state, waiting.player) == (UploadState.STAGED, None)
    assert waiting.choice == {}
    assert len(staged_files()) == 1
    assert client.get(f"/syncing/uploads/{waiting.pk}/preview/").url == whose


def test_a_short_name_is_erased_without_a_strangers_files(client, staff, download):
    # "Kin" stands in "inverse-kinematics", which every row of files holds.
    name = "20260305_session_4_rebootmotion_{}_baseball-hitting_inverse-kinematics.csv"
    _, stranger = choose_files(client, download(), names=[name.format("Q-77-Z")])
    choose_files(client, download(), names=["swings of Bo Kin.csv"])
    erasing.erase(player=make_player(first_name="Bo", last_name="Kin"), by=staff)
    assert list(HandUpload.objects.all()) == [stranger]
    assert staged_files() == [stranger.files[0]["stored_as"].rpartition("/")[2]]


# --- What a stored upload still says of somebody --------------------------------------


def test_a_stored_upload_keeps_no_name_or_birth_date(client, staff, download):
    whose, upload = choose_files(client, download())
    name_new(client, whose, download)
    upload.refresh_from_db()
    assert upload.choice["new"]["last_name"] == "Maple"
    client.post(f"/syncing/uploads/{upload.pk}/preview/", {"looked": "1"})
    upload.refresh_from_db()
    assert (upload.state, upload.choice) == (UploadState.STORED, {})
    assert str(Player.objects.get().date_of_birth) == "2009-05-04"


@pytest.mark.both
def test_file_names_do_not_tell_of_an_erased_athlete_whose_session_was_moved(
    client, staff, download
):
    former = make_player(org_player_id="P-ABC-12", first_name="Ash", last_name="Maple")
    name = "20260305_session_4_x_{}_baseball-hitting_inverse-kinematics.csv"
    whose, upload = choose_files(
        client,
        download(),
        download("momentum-energy"),
        names=[name.format("p_abc-12"), "maple ash.csv"],
    )
    data = {"session_id": download.session, "date": "2026-03-05"}
    client.post(f"{whose}?athlete={former.pk}", data)
    client.post(f"/syncing/uploads/{upload.pk}/preview/", {"looked": "1"})
    bay = make_player(first_name="Bay", last_name="Birch")
    hand_sessions.move(session=Session.objects.get(), to=bay, by=staff)
    erasing.erase(player=former, by=staff)
    upload.refresh_from_db()
    assert (upload.player, upload.state) == (bay, UploadState.STORED)
    assert upload.files == [
        {"name": name.format("(erased)"), "kind": "inverse-kinematics"},
        {"name": "(erased).csv", "kind": "momentum-energy"},
    ]
    assert Movement.objects.exists()


def test_an_erased_number_stays_where_it_is_a_part_of_another(client, staff, download):
    other = make_player(org_player_id="4600012")
    name = "20260305_session_4_x_4600012_baseball-hitting_inverse-kinematics.csv"
    whose, upload = choose_files(client, download(), names=[name])
    client.post(f"{whose}?athlete={other.pk}", {"session_id": download.session})
    client.post(f"/syncing/uploads/{upload.pk}/preview/", {"looked": "1"})
    erasing.erase(player=make_player(org_player_id="60001"), by=staff)
    upload.refresh_from_db()
    assert upload.files[0]["name"] == name
