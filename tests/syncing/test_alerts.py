"""Who is told, and how often, when a day passes without a successful sync."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from syncing import alerts, sweeping
from syncing.choices import Phase, RunStatus
from syncing.models import SyncLog
from syncing.status import sync_state
from tests.factories import make_session, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def recipients(settings):
    settings.ALERT_EMAILS = ["coach@example.org"]


def make_run(status=RunStatus.SUCCESS, *, hours_ago, **values):
    at = timezone.now() - timedelta(hours=hours_ago)
    run = SyncLog.objects.create(
        trigger="schedule", status=status, completed_at=at, **values
    )
    SyncLog.objects.filter(pk=run.pk).update(created_at=at)
    return run


def test_no_mail_while_syncs_succeed():
    make_run(hours_ago=23)
    make_run(RunStatus.FAILED, hours_ago=1)

    assert sweeping.sweep()["mailed"] == 0
    assert mail.outbox == []


def test_mail_after_a_day_without_success_once_a_day():
    make_run(hours_ago=30)
    run = make_run(
        RunStatus.FAILED, hours_ago=1, error_message="Reboot Motion is away."
    )
    assert [sweeping.sweep()["mailed"] for _ in range(3)] == [1, 0, 0]

    (message,) = mail.outbox
    assert message.to == ["coach@example.org"]
    assert f"Run {run.pk}: failed.\nReboot Motion is away." in message.body

    tomorrow = timezone.now() + timedelta(hours=24)
    assert alerts.mail_when_overdue(tomorrow)
    assert len(mail.outbox) == 2


def alert(client):
    return " ".join(client.get("/syncing/alert/").content.decode().split())


def test_syncs_with_a_few_bad_files_are_no_missing_syncs(client):
    make_run(hours_ago=50)
    make_run(RunStatus.PARTIAL, hours_ago=1, phase=Phase.DONE, error_message="1 file.")
    make_session(data_state="partial")
    assert sweeping.sweep()["mailed"] == 1
    (message,) = mail.outbox
    assert message.subject == "Some data has been missing for a day"
    assert "got through on" in message.body
    assert "Sessions that are incomplete: 1." in message.body
    assert "without a successful sync" not in message.body
    assert "Everything else is up to date." in message.body

    client.force_login(make_user())
    page = alert(client)
    assert "Some data has been missing for a day" in page
    assert "The last sync got through 1 h ago. 1 session is incomplete." in page
    # One that broke off before its end brought nothing up to date.
    SyncLog.objects.filter(status=RunStatus.PARTIAL).update(phase=Phase.EXPORTS)
    page = alert(client)
    assert "A day has passed without a successful sync" in page


def test_first_run_has_a_day_to_succeed():
    make_run(RunStatus.FAILED, hours_ago=2)
    assert not sync_state().is_overdue
    assert sweeping.sweep()["mailed"] == 0

    make_run(RunStatus.FAILED, hours_ago=25)
    SyncLog.objects.order_by("id").first().delete()
    assert sync_state().is_overdue
    assert sweeping.sweep()["mailed"] == 1
    assert "the last success: never" in mail.outbox[0].body


def test_no_mail_without_recipients(settings):
    settings.ALERT_EMAILS = []
    make_run(hours_ago=30)

    assert sweeping.sweep()["mailed"] == 0
    settings.ALERT_EMAILS = ["coach@example.org"]
    assert sweeping.sweep()["mailed"] == 1


def test_mail_that_could_not_be_sent_is_tried_again(settings, caplog):
    make_run(hours_ago=30)
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    assert sweeping.sweep()["mailed"] == 0
    assert "alert email could not be sent (ConnectionRefusedError)" in caplog.text
    assert "coach@example.org" not in caplog.text

    settings.EMAIL_BACKEND = working
    assert sweeping.sweep()["mailed"] == 1
