"""An athlete of two records: all of it in the archive, none of it after erasing."""

import io
import json
import zipfile
from datetime import timedelta

import pandas
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import Action
from athletes.identity import merging
from athletes.models import Player, Session, Tombstone
from privacy import erasing
from privacy.archive import write_archive
from privacy.models import Archive
from privacy.selectors import stored_page
from tests import factories
from tests.privacy.conftest import ORG_ID, REBOOT_ID, SESSION_ID, full_athlete
from tests.privacy.test_erasing import EVERY_TRACE, traces

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept():
    """An athlete into whom a full record was merged; both were in one session."""
    merged = full_athlete()
    kept = factories.make_player(first_name="Other", last_name="Name")
    session = factories.make_session(player=kept, session_id=SESSION_ID)
    factories.make_frames(movement=factories.make_swing(session=session))
    merging.merge(kept=kept, merged=merged, by=factories.make_staff())
    kept.refresh_from_db()
    return kept


def test_the_archive_holds_the_parts_of_both_and_all_ids(kept):
    file = io.BytesIO()
    write_archive(kept, file)
    archive = zipfile.ZipFile(file)
    with archive.open("merged_records.csv") as table:
        merged = pandas.read_csv(table)
    ids = merged[["org_player_id", "reboot_player_id"]].to_numpy().tolist()
    assert ids == [[ORG_ID, REBOOT_ID]]
    with archive.open("swings.csv") as table:
        assert len(pandas.read_csv(table)) == 4
    records = json.loads(archive.read("records/players.json"))
    found = {row["org_player_id"] for row in records}
    assert found == {kept.org_player_id, *merged["org_player_id"]}
    assert len(json.loads(archive.read("records/sessions.json"))) == 2
    payloads = json.loads(archive.read("vendor/payloads.json"))
    assert ORG_ID in {row["vendor_id"] for row in payloads}


def test_erasing_leaves_nothing_of_either(kept):
    player_id = kept.pk
    erasing.erase(player=kept, by=None)
    assert traces((*EVERY_TRACE, kept.org_player_id)) == set()
    assert Tombstone.objects.count() == 2
    assert Session.objects.count() == 0
    assert not Player.everyone.filter(org_player_id=ORG_ID).exists()
    assert not Player.everyone.filter(pk=player_id).exists()


def test_staff_see_who_took_data_of_either_record(kept):
    merged = Player.everyone.get(org_player_id=ORG_ID)
    erasing.record(Action.DATA_EXPORTED, player_id=merged.pk, what="archive")
    page = stored_page(kept, with_accesses=True)
    assert "archive" in [entry.detail for entry in page.accesses]


def test_an_archive_of_both_is_not_given_out_after_undoing(kept, client):
    staff = factories.make_staff()
    client.force_login(staff, "django.contrib.auth.backends.ModelBackend")
    archive = Archive.objects.create(
        player=kept, state="ready", expires_at=timezone.now() + timedelta(hours=1)
    )
    default_storage.save(archive.file_name, ContentFile(b"PK"))
    url = f"/privacy/archives/{archive.pk}/"
    response = client.get(url)
    assert b"".join(response.streaming_content) == b"PK"
    merging.separate(entry=kept.merges.get(), by=staff)
    assert client.get(url).status_code == 404
