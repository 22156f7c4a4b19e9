"""The pages of files by hand: choose, preview, store, undo, correct, without script."""

import datetime as dt
import re

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from athletes.models import HandUpload, Movement, Note, Player, Session, UploadState
from privacy import erasing, retention
from syncing import staging
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
    assert f"{count} recordings of these files are stored already" in warnings[0]
    assert player.full_name in warnings[0]
    assert "lies in the future" in warnings[1]
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
    assert "Correct it there" in client.get(path).content.decode()
    for data in ({"move": "1"}, {"redate": "1", "date": "2026-02-03"}, {"delete": "1"}):
        response = client.post(f"{path}?athlete={make_player().pk}", data)
        assert response.status_code == 422
    session.refresh_from_db()
    assert str(session.session_date) == "2026-03-01"
