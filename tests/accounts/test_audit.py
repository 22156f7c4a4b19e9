"""The audit: added to, never changed."""

import pytest
from django.db import IntegrityError, transaction

from accounts.audit import record
from accounts.models import Action, AppendOnlyError, AuditEntry
from accounts.services import create_token
from tests import factories

pytestmark = pytest.mark.django_db


def test_an_entry_names_who_what_and_whom():
    staff = factories.make_staff()
    player = factories.make_player()
    entry = record(
        Action.RECORD_CHANGED,
        by=staff,
        subject=player,
        player_id=player.pk,
        fields=["height_ft"],
    )
    entry.refresh_from_db()
    assert (entry.user, entry.token, entry.actor) == (staff, None, staff.username)
    assert (entry.subject_type, entry.subject_id) == ("athletes.player", player.pk)
    assert entry.player_number == player.pk
    assert entry.detail == {"fields": ["height_ft"]}
    assert entry.at.tzinfo is not None


def test_an_entry_by_a_program_names_its_token():
    token, _ = create_token(name="importer")
    entry = record(Action.SYNC_REQUESTED, by=token)
    assert (entry.user, entry.token) == (None, token)
    assert entry.actor == f"token {token.prefix}"


def test_an_entry_by_the_system_names_nobody():
    entry = record(Action.SYNC_REQUESTED)
    assert (entry.user, entry.token, entry.actor) == (None, None, "")


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry.save(),
        lambda entry: entry.delete(),
        lambda entry: AuditEntry.objects.update(actor="x"),
        lambda entry: AuditEntry.objects.all().delete(),
        lambda entry: AuditEntry.objects.filter(pk=entry.pk).update(actor="x"),
        lambda entry: AuditEntry.objects.bulk_update([entry], ["actor"]),
    ],
)
def test_an_entry_cannot_be_changed(change):
    entry = record(Action.SYNC_REQUESTED)
    before = AuditEntry.objects.values().get()
    entry.actor = "somebody else"
    with pytest.raises(AppendOnlyError), transaction.atomic():
        change(entry)
    assert AuditEntry.objects.values().get() == before


def test_an_entry_does_not_replace_another():
    entry = record(Action.SYNC_REQUESTED)
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry(pk=entry.pk, action=Action.TOKEN_CREATED).save()
    assert AuditEntry.objects.get().action == Action.SYNC_REQUESTED


def test_an_entry_outlives_the_user_and_the_athlete():
    staff = factories.make_staff()
    player = factories.make_player()
    number, name = player.pk, staff.username
    entry = record(Action.DATA_EXPORTED, by=staff, subject=player, player_id=player.pk)
    player.delete()
    staff.delete()
    entry.refresh_from_db()
    assert (entry.user, entry.actor, entry.player_number) == (None, name, number)
