"""What was kept long enough goes, by its setting."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session as Login
from django.utils import timezone

from privacy.archives import make_archive, request_archive
from privacy.models import Archive
from privacy.retention import RUNS_KEPT
from privacy.tasks import prune_task
from syncing.models import RawPayload, SyncLog, WorkerHeartbeat
from syncing.schedules import PLANS
from tests import factories
from tests.privacy.conftest import store_raw
from tests.webhooks.conftest import make_webhook
from webhooks.models import WebhookDelivery, WebhookEvent
from webhooks.services import emit

pytestmark = pytest.mark.django_db


def make_run(days_ago, status="success", **fields):
    run = SyncLog.objects.create(trigger="schedule", status=status, **fields)
    at = timezone.now() - timedelta(days=days_ago)
    SyncLog.objects.filter(pk=run.pk).update(completed_at=at, created_at=at)
    return run


def test_old_runs_go_but_not_the_newest_nor_the_last_success(settings):
    settings.KEEP_SYNC_LOGS_DAYS = 100
    gone = [make_run(300, "failed"), make_run(299)]
    kept = [make_run(290)]
    gone.append(make_run(280, "failed"))
    kept += [make_run(200, "failed") for _ in range(RUNS_KEPT)]
    assert prune_task()["runs"] == 3
    assert set(SyncLog.objects.values_list("pk", flat=True)) == {r.pk for r in kept}


def test_a_run_that_has_not_ended_stays(settings):
    settings.KEEP_SYNC_LOGS_DAYS = 1
    for _ in range(RUNS_KEPT):
        make_run(0)
    SyncLog.objects.all()
    run = SyncLog.objects.order_by("id").first()
    SyncLog.objects.filter(pk=run.pk).update(status="running", completed_at=None)
    make_run(0)
    prune_task()
    assert SyncLog.objects.filter(pk=run.pk).exists()


def test_records_of_logins_and_hosts_that_are_no_more_go(settings):
    settings.KEEP_LOGIN_RECORDS_DAYS = 30
    now = timezone.now()
    for days, name in ((40, "old"), (10, "new")):
        at = now - timedelta(days=days)
        for model in (AccessLog, AccessAttempt, AccessFailureLog):
            fields = {"username": name, "ip_address": "192.0.2.1"}
            if model is AccessAttempt:
                fields |= {"get_data": "", "post_data": "", "failures_since_start": 1}
            row = model.objects.create(**fields)
            model.objects.filter(pk=row.pk).update(attempt_time=at)
        store = SessionStore()
        store.create()
        Login.objects.filter(pk=store.session_key).update(
            expire_date=now + timedelta(days=20 - days)
        )
        WorkerHeartbeat.objects.create(host=name, beat_at=at)
    WorkerHeartbeat.objects.create(host="alive", beat_at=now)
    counts = prune_task()

    assert (counts["login records"], counts["logins"], counts["hosts"]) == (3, 1, 2)
    for model in (AccessLog, AccessAttempt, AccessFailureLog):
        assert [row.username for row in model.objects.all()] == ["new"]
    assert WorkerHeartbeat.objects.get().host == "alive"
    assert Login.objects.get().expire_date > now


def test_payloads_and_deliveries_go_by_their_age(settings):
    settings.KEEP_RAW_PAYLOADS_DAYS = 10
    settings.KEEP_WEBHOOK_DELIVERIES_DAYS = 20
    now = timezone.now()
    for days in (5, 15):
        row = store_raw("player", f"p{days}", {})
        RawPayload.objects.filter(pk=row.pk).update(
            fetched_at=now - timedelta(days=days)
        )
    make_webhook()
    for days in (15, 25):
        (delivery,) = emit(WebhookEvent.SYNC_FINISHED, {"id": 1})
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            created_at=now - timedelta(days=days), state="delivered"
        )
    counts = prune_task()
    assert (counts["payloads"], counts["deliveries"]) == (1, 1)
    assert RawPayload.objects.get().vendor_id == "p5"


def test_zero_keeps_for_ever(settings):
    settings.KEEP_SYNC_LOGS_DAYS = 0
    settings.KEEP_RAW_PAYLOADS_DAYS = 0
    settings.KEEP_WEBHOOK_DELIVERIES_DAYS = 0
    for _ in range(RUNS_KEPT + 2):
        make_run(10_000, "failed")
    row = store_raw("player", "p", {})
    RawPayload.objects.filter(pk=row.pk).update(
        fetched_at=timezone.now() - timedelta(days=10_000)
    )
    counts = prune_task()
    assert (counts["runs"], counts["payloads"], counts["deliveries"]) == (0, 0, 0)


def test_expired_archives_go(athlete, files):
    archive = request_archive(player=athlete, user=factories.make_user())
    make_archive(archive.pk)
    Archive.objects.update(expires_at=timezone.now())
    assert prune_task()["archives"] == 1
    assert [path for path in files.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_every_schedule_calls_something_that_exists(plan):
    from django.utils.module_loading import import_string

    assert callable(import_string(plan.func))
