"""The sync pages: what they say, and who may press what."""

import datetime as dt
import html

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django_q.models import Schedule

from accounts.models import User
from athletes import decisions
from athletes.models import DataState
from syncing.choices import JobState, Phase, RunStatus
from syncing.engine.request_slots import RequestSlots
from syncing.models import (
    AnalysisJob,
    ExportJob,
    SyncLog,
    VendorSession,
    WorkerHeartbeat,
)
from syncing.schedules import register
from syncing.selectors import LISTED_SESSIONS
from tests.factories import make_player, make_session, make_staff, make_team, make_user

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def coach(client):
    client.force_login(make_user())
    return client


@pytest.fixture
def staff(client):
    client.force_login(make_staff())
    return client


def make_run(status=RunStatus.SUCCESS, *, hours_ago=1.0, **fields):
    at = timezone.now() - dt.timedelta(hours=hours_ago)
    ended = None if status in {"queued", "running"} else at + dt.timedelta(seconds=40)
    return SyncLog.objects.create(
        **(
            {
                "trigger": "command",
                "status": status,
                "started_at": at,
                "completed_at": ended,
                "heartbeat_at": timezone.now(),
            }
            | fields
        )
    )


def make_job(state=JobState.FAILED, **fields):
    return ExportJob.objects.create(
        **(
            {
                "session": make_session(),
                "data_type": "inverse-kinematics",
                "state": state,
                "error_code": "truncated",
                "last_error": "The file ends in the middle.",
                "attempts": 2,
                "next_try_at": timezone.now() + dt.timedelta(hours=1),
            }
            | fields
        )
    )


def text_of(response):
    return " ".join(html.unescape(response.content.decode()).split())


def test_first_visit_says_how_to_begin(staff):
    page = text_of(staff.get("/syncing/"))
    assert "Nothing synced yet" in page
    assert "Press “Sync now”" in page
    assert 'data-sync-state="idle"' in page


def test_coach_sees_the_state_but_no_buttons_of_staff(coach):
    make_run()
    make_job()
    page = text_of(coach.get("/syncing/"))
    assert "Data is up to date" in page
    for word in ("Full resync", "Try again", "Download again", "Upload files"):
        assert word not in page


def test_a_coach_reads_whose_sessions_are_incomplete_and_staff_read_why(client):
    ours = make_player(first_name="Ash", last_name="Alder")
    other = make_player(first_name="Bay", last_name="Birch")
    user = make_user(limited_to_teams=True)
    make_team(members=[user], players=[ours])
    soon = timezone.now() + dt.timedelta(hours=1)
    for player, data_state, state, at in (
        (ours, DataState.PARTIAL, JobState.FAILED, soon),
        (ours, DataState.FAILED, JobState.GIVEN_UP, None),
        (other, DataState.FAILED, JobState.FAILED, soon),
    ):
        make_job(
            state,
            session=make_session(player=player, data_state=data_state),
            next_try_at=at,
        )
    message = "Downloading a file (inverse-kinematics of session 4): cut off."
    make_run(
        RunStatus.PARTIAL,
        error_message=message,
        errors=[{"message": message, "is_general": True}],
    )
    client.force_login(user)
    page = text_of(client.get("/syncing/"))
    tried = date_format(timezone.localtime(soon), "M j, Y, g:i a")
    assert "2 sessions are incomplete. What is missing is requested again" in page
    assert page.count("Ash Alder, session of") == 2
    assert f">{tried}</time>" in page
    assert "no further try planned" in page
    for words in ("Birch", "inverse-kinematics", "The file ends", "Worker", "queue"):
        assert words not in page
    client.force_login(make_staff())
    page = text_of(client.get("/syncing/"))
    assert "Bay Birch, session of" in page
    assert "The file ends in the middle." in page
    assert message in page


def test_a_coach_whose_athletes_lack_nothing_reads_so(client):
    make_job(session=make_session(data_state=DataState.FAILED))
    make_run(RunStatus.PARTIAL, error_message="The file ends in the middle.")
    user = make_user(limited_to_teams=True)
    make_team(members=[user], players=[make_player()])
    client.force_login(user)
    page = text_of(client.get("/syncing/"))
    assert "The sessions of your athletes are complete." in page
    assert "Incomplete sessions" not in page


def test_a_long_list_of_incomplete_sessions_leads_to_all_of_them(coach):
    for _ in range(LISTED_SESSIONS + 3):
        make_session(data_state=DataState.PARTIAL)
    page = text_of(coach.get("/syncing/"))
    assert page.count(", session of") == LISTED_SESSIONS
    assert "And 3 more:" in page
    everything = text_of(coach.get("/athletes/sessions/?quality=incomplete"))
    assert f"{LISTED_SESSIONS + 3} sessions" in everything


@pytest.mark.parametrize("status", ["failed", "partial", "cancelled", "abandoned"])
def test_head_does_not_call_data_fresh_after_a_run_that_did_not_succeed(coach, status):
    make_run(hours_ago=3.2)
    make_run(status=status)
    page = text_of(coach.get("/syncing/"))
    assert "Complete as of 3 h ago" in page
    assert "Data is up to date" not in page


@pytest.mark.parametrize("name", ["cancel", "retry", "give_up", "backfill"])
def test_coach_may_not_act(coach, name):
    assert coach.post(reverse(f"syncing:{name}")).status_code == 403
    assert SyncLog.objects.count() == 0


def test_coach_may_not_upload(coach):
    assert coach.get("/syncing/upload/").status_code == 403


def test_sync_now_queues_one_run_and_a_second_press_none(staff):
    assert staff.post("/syncing/start/").status_code == 302
    run = SyncLog.objects.get()
    assert (run.status, run.trigger, run.sync_type) == (
        "queued",
        "button",
        "incremental",
    )
    assert run.requested_by.is_staff
    response = staff.post("/syncing/start/", follow=True)
    assert SyncLog.objects.count() == 1
    assert "already running" in text_of(response)


def test_sync_now_of_everything_is_a_full_run(staff):
    staff.post("/syncing/start/", {"full": "1"})
    assert SyncLog.objects.get().sync_type == "full"


def test_sync_now_by_htmx_answers_the_panel_that_polls(staff):
    response = staff.post("/syncing/start/", headers=HTMX)
    page = text_of(response)
    assert response.status_code == 200
    assert 'data-sync-state="active"' in page
    assert 'hx-get="/syncing/panel/?active=1" hx-trigger="every 1500ms"' in page
    assert response["HX-Trigger"] == "sync-started"  # the head of the page follows it
    assert "<html" not in page


def test_panel_shows_progress_and_time_left(staff):
    began = timezone.now().timestamp() - 60
    make_run(
        RunStatus.RUNNING,
        phase="exports",
        progress={"exports": {"done": 30, "total": 120, "began": began}},
    )
    response = staff.get("/syncing/panel/", headers=HTMX)
    page = text_of(response)
    assert response.status_code == 200
    assert "Downloading swing data: 30 of 120." in page
    assert 'max="120" value="30"' in page
    assert "About 3 min left." in page


def test_panel_says_once_that_the_run_has_ended_and_stays_true(staff):
    make_run(hours_ago=2)
    ended = staff.get("/syncing/panel/?active=1", headers=HTMX)
    assert ended.status_code == 200
    assert ended["HX-Trigger"] == "sync-ended"
    assert 'hx-get="/syncing/panel/" hx-trigger="every 20s"' in text_of(ended)
    # From then on it asks seldom, and whatever is below is loaded no more.
    later = staff.get("/syncing/panel/", headers=HTMX)
    assert "HX-Trigger" not in later
    # Somebody else starts one: the page that asks hears of it.
    make_run(RunStatus.RUNNING)
    assert 'data-sync-state="active"' in text_of(
        staff.get("/syncing/panel/", headers=HTMX)
    )


def test_a_coach_may_ask_for_what_is_new_and_for_nothing_else(coach):
    page = text_of(coach.get("/syncing/"))
    assert "Sync now" in page
    assert "Full resync" not in page
    assert coach.post("/syncing/start/", {"full": "1"}).status_code == 403
    assert SyncLog.objects.count() == 0
    assert coach.post("/syncing/start/").status_code == 302
    run = SyncLog.objects.get()
    assert (run.sync_type, run.trigger) == ("incremental", "button")
    assert "Cancel" not in text_of(coach.get("/syncing/"))


def test_staff_can_take_the_right_to_start_a_sync_away(client):
    client.force_login(make_user(may_start_sync=False))
    assert "Sync now" not in text_of(client.get("/syncing/"))
    assert client.post("/syncing/start/").status_code == 403
    client.force_login(make_staff(may_start_sync=False))
    assert client.post("/syncing/start/").status_code == 302


def test_a_coach_hears_whom_to_ask_when_a_sync_fails(client):
    make_staff(username="kim", last_login=timezone.now())
    now = timezone.now()
    make_staff(first_name="Sam", last_name="Staff", last_login=now - dt.timedelta(1))
    make_staff(username="never")
    make_staff(username="gone", is_active=False)
    WorkerHeartbeat.objects.create(host="here", beat_at=timezone.now())
    client.force_login(make_user())
    make_run(RunStatus.FAILED, error_message="Reboot Motion refused the password.")
    page = text_of(client.get("/syncing/"))
    assert "Ask kim or Sam Staff." in page
    make_run(RunStatus.SUCCESS)
    assert "Ask kim" not in text_of(client.get("/syncing/"))
    client.force_login(make_staff())
    make_run(RunStatus.FAILED)
    assert "Ask kim" not in text_of(client.get("/syncing/"))


def test_every_page_hears_of_the_end_of_a_run_it_showed(client):
    player = make_player()
    user = make_user(limited_to_teams=True)
    make_team(members=[user], players=[player])
    client.force_login(user)
    make_session(player=player)
    run = make_run(RunStatus.RUNNING)
    chip = text_of(client.get("/syncing/freshness/"))
    assert "Syncing now" in chip
    assert f'hx-get="/syncing/freshness/?run={run.pk}"' in chip
    make_session(player=player)
    make_session(player=player)
    make_session()  # of another team
    SyncLog.objects.filter(pk=run.pk).update(started_at=timezone.now())
    asked = f"/syncing/freshness/?run={run.pk}"
    assert "Sync ended" not in text_of(client.get(asked))
    for status, expected in (
        (RunStatus.SUCCESS, "No new sessions."),
        (RunStatus.PARTIAL, "No new sessions. Parts are still missing."),
        (RunStatus.CANCELLED, "The sync was canceled. No new sessions."),
        (RunStatus.FAILED, "The sync failed. No new sessions. Ask staff."),
        (RunStatus.ABANDONED, "The sync failed."),
    ):
        SyncLog.objects.filter(pk=run.pk).update(status=status)
        assert expected in text_of(client.get(asked))
    began = timezone.now() - dt.timedelta(minutes=5)
    SyncLog.objects.filter(pk=run.pk).update(
        status=RunStatus.SUCCESS, started_at=began, completed_at=timezone.now()
    )
    news = text_of(client.get(asked))
    assert "3 new sessions." in news
    # What came later is of another run.
    make_session(player=player)
    assert "3 new sessions." in text_of(client.get(asked))
    assert 'href="/athletes/sessions/"' in news
    assert "Sync ended" not in text_of(client.get("/syncing/freshness/"))
    assert "Sync ended" not in text_of(client.get("/syncing/freshness/?run=999999"))
    assert client.get("/syncing/freshness/?run=x").status_code == 200


@pytest.mark.parametrize("path", ["/syncing/freshness/", "/syncing/panel/"])
def test_a_page_that_asks_by_itself_is_not_led_away_from_what_is_typed(client, path):
    poll = client.get(path, headers=HTMX | {"X-Poll": "1"})
    assert poll.status_code == 401
    assert "HX-Redirect" not in poll
    asked = client.get(path, headers=HTMX)
    assert asked["HX-Redirect"].startswith("/accounts/login/")


def test_panel_without_htmx_leads_to_the_page(staff):
    assert staff.get("/syncing/panel/").url == "/syncing/"


def test_cancel_ends_a_queued_run(staff):
    run = make_run(RunStatus.QUEUED, started_at=None)
    staff.post("/syncing/cancel/")
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED


def test_failures_stand_together_by_reason_with_links_to_their_sessions(staff):
    jobs = [make_job() for _ in range(7)]
    other = make_job(JobState.GIVEN_UP, error_code="too_large", last_error="Too large.")
    page = text_of(staff.get("/syncing/"))
    assert "Try all 7 again" in page
    shown = [j for j in jobs if f"/athletes/sessions/{j.session_id}/" in page]
    assert len(shown) == 5
    assert f"/athletes/sessions/{other.session_id}/" in page
    day = jobs[-1].session
    day.refresh_from_db()
    label = f"of the session of {day.session_date:%b} {day.session_date.day}, "
    assert f'aria-label="Try again: Inverse kinematics {label}' in page
    # Markup inside an attribute would end it.
    assert 'aria-label="Try again: Inverse kinematics of the session of <' not in page


def test_try_again_makes_one_job_due_now_and_starts_a_run(staff):
    job, left = make_job(), make_job(error_code="other")
    staff.post("/syncing/retry/", {"job": job.pk})
    job.refresh_from_db()
    left.refresh_from_db()
    assert (job.state, job.attempts, job.last_error) == (JobState.WANTED, 0, "")
    assert job.next_try_at <= timezone.now()
    assert left.state == JobState.FAILED
    assert SyncLog.objects.get().sync_type == "exports"


def test_try_all_again_takes_the_jobs_of_one_reason(staff):
    jobs = [make_job() for _ in range(3)]
    left = make_job(error_code="other")
    staff.post("/syncing/retry/", {"code": "truncated"})
    states = ExportJob.objects.filter(pk__in=[j.pk for j in jobs])
    assert {job.state for job in states} == {JobState.WANTED}
    left.refresh_from_db()
    assert left.state == JobState.FAILED


def make_unread(session_id="vendor-4711", **fields):
    return VendorSession.objects.create(
        session_id=session_id,
        last_error="Reboot Motion's server failed (HTTP 500).",
        checks=1,
        next_check_at=timezone.now() + dt.timedelta(hours=1),
        **fields,
    )


def make_uncomputed(**fields):
    given = {"wanted": 1, "attempts": 3, "last_error": "Its numbers failed."}
    session = fields.pop("session", None) or make_session()
    return AnalysisJob.objects.create(session=session, **given | fields)


def test_sessions_that_failed_stand_there_with_a_try_again_each(staff):
    make_run()
    row = make_uncomputed()
    stored = make_session()
    unread = [make_unread(), make_unread(stored.session_id)]
    make_unread("gone", missing_since=timezone.now())
    page = text_of(staff.get("/syncing/"))

    assert "2</strong> sessions could not be read: Reboot Motion's server failed" in (
        page.replace("&#x27;", "'")
    )
    assert "1</strong> session stored without its numbers: Its numbers failed." in page
    assert f'href="/athletes/sessions/{stored.pk}/"' in page
    assert f'href="/athletes/sessions/{row.session_id}/"' in page
    assert 'aria-label="Try again: session vendor-4711"' in page
    assert "Try all 2 again" in page
    assert "earlier failures are still waiting" in page

    staff.post("/syncing/retry/", {"sessions": "unread", "row": unread[0].pk})
    run = SyncLog.objects.active().get()
    assert (run.sync_type, run.trigger) == ("exports", "button")
    waiting = VendorSession.objects.filter(missing_since__isnull=True)
    due = waiting.exclude(next_check_at__gt=timezone.now())
    assert [found.session_id for found in due] == ["vendor-4711"]
    staff.post("/syncing/retry/", {"sessions": "unread"})
    assert not waiting.filter(next_check_at__gt=timezone.now()).exists()
    staff.post("/syncing/retry/", {"sessions": "uncomputed", "row": row.pk})
    row.refresh_from_db()
    assert (row.attempts, row.last_error) == (0, "")


@pytest.mark.parametrize("row", ["", "x", "9" * 30, "4"])
def test_try_again_of_no_session_starts_nothing(staff, row):
    make_uncomputed()
    for kind in ("unread", "nonsense"):
        data = {"sessions": kind, "row": row}
        assert staff.post("/syncing/retry/", data).status_code == 302
    assert not SyncLog.objects.exists()


def test_session_that_the_vendor_has_not_finished_is_waited_for(staff):
    make_run()
    at = timezone.now() + dt.timedelta(hours=2)
    VendorSession.objects.create(session_id="s", needs_detail=False, next_check_at=at)
    page = text_of(staff.get("/syncing/"))
    assert "Reboot Motion has not finished the session" in page
    assert "1</span> session, next try" in page


def test_files_of_sessions_that_are_gone_are_nobodys_failures(staff):
    make_run()
    make_job(session=make_session(missing_since=timezone.now()))
    page = text_of(staff.get("/syncing/"))
    assert "What failed" not in page
    assert "The last sync was complete." in page


@pytest.mark.parametrize("status", ["failed", "partial", "abandoned"])
def test_data_are_not_called_fresh_before_the_first_success(staff, status):
    make_run(status, error_message="Reboot Motion refuses the login.")
    page = text_of(staff.get("/syncing/"))
    assert "Not fully synced yet" in page
    assert "Data is up to date" not in page


def test_run_that_no_worker_takes_up_is_not_under_way(staff):
    make_run(hours_ago=30)
    run = make_run(RunStatus.QUEUED, started_at=None)
    page = text_of(staff.get("/syncing/"))
    assert "Sync waiting" in page
    assert "Sync waiting" in text_of(staff.get("/syncing/freshness/"))
    for word in ("Sync running", "<progress", "the sync keeps running"):
        assert word not in page
    assert 'hx-trigger="every 1500ms"' in page

    SyncLog.objects.filter(pk=run.pk).update(
        status=RunStatus.RUNNING, started_at=timezone.now()
    )
    page = text_of(staff.get("/syncing/"))
    assert "Sync running" in page
    # Also while a run is under way.
    assert '<dt>Last success</dt> <dd><time datetime="' in page


def test_run_whose_process_is_gone_is_not_called_under_way(staff):
    """Without a worker nobody marks it abandoned: the button has to."""
    began = timezone.now().timestamp() - 900
    silent_since = timezone.now() - dt.timedelta(minutes=10)
    run = make_run(
        RunStatus.RUNNING,
        phase="exports",
        heartbeat_at=silent_since,
        progress={"exports": {"done": 30, "total": 120, "began": began}},
    )
    page = text_of(staff.get("/syncing/"))
    assert "isn't responding" in page
    assert "Sync interrupted" in text_of(staff.get("/syncing/freshness/"))
    assert "Last heartbeat" in page
    for word in ("left.", "Cancel", "Sync running", "<progress"):
        assert word not in page.split("Waiting")[0].replace("what is left.", "")
    assert "Sync now" in page

    staff.post("/syncing/start/")
    run.refresh_from_db()
    assert run.status == RunStatus.ABANDONED
    assert SyncLog.objects.active().get().pk > run.pk


@pytest.mark.parametrize(
    ("seconds", "text"), [(8.4, "8 s"), (700, "12 min"), (7560, "2.1 h")]
)
def test_how_long_a_run_took_is_told_in_its_unit(coach, seconds, text):
    now = timezone.now()
    run = make_run(started_at=now - dt.timedelta(seconds=seconds), completed_at=now)
    for path in ("/syncing/", f"/syncing/runs/{run.pk}/"):
        assert text in text_of(coach.get(path))


def test_pause_that_the_vendor_asked_for_is_told(staff):
    make_run(RunStatus.RUNNING, phase="exports")
    assert "No requests until" not in text_of(staff.get("/syncing/"))
    RequestSlots(6).pause(600)
    try:
        assert "No requests until" in text_of(staff.get("/syncing/"))
    finally:
        cache.clear()


def test_give_up_stops_asking(staff):
    job = make_job()
    staff.post("/syncing/give-up/", {"job": job.pk})
    job.refresh_from_db()
    assert (job.state, job.next_try_at) == (JobState.GIVEN_UP, None)


def test_what_tries_gave_up_says_when_it_is_asked_again_until_a_person_gives_it_up(
    staff,
):
    moment = dt.datetime(2026, 3, 9, 12, tzinfo=dt.UTC)
    job = make_job(
        JobState.GIVEN_UP, attempts=10, given_up_at=moment, next_try_at=moment
    )
    words = '10 attempts · given up, next try <time datetime="2026-03-09'
    assert words in text_of(staff.get("/syncing/"))
    staff.post("/syncing/give-up/", {"job": job.pk})
    job.refresh_from_db()
    assert (job.state, job.next_try_at) == (JobState.GIVEN_UP, None)
    page = staff.get("/syncing/")
    assert "next try" not in text_of(page)
    assert f'action="{reverse("syncing:give_up")}"' not in page.content.decode()


def test_backfill_asks_anew_for_the_chosen_days(staff):
    inside = make_job(JobState.STORED, session=make_session(session_date="2026-03-05"))
    outside = make_job(JobState.STORED, session=make_session(session_date="2026-04-05"))
    staff.post("/syncing/backfill/", {"start": "2026-03-01", "end": "2026-03-31"})
    inside.refresh_from_db()
    outside.refresh_from_db()
    assert (inside.state, outside.state) == (JobState.WANTED, JobState.STORED)


def test_backfill_by_athlete_takes_the_vendors_id(staff):
    job = make_job(JobState.STORED)
    make_job(JobState.STORED)
    player = job.session.player
    staff.post("/syncing/backfill/", {"player": player.org_player_id})
    wanted = ExportJob.objects.filter(state=JobState.WANTED)
    assert [j.pk for j in wanted] == [job.pk]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "Choose an athlete, or a first or last date."),
        ({"player": "nobody"}, "That athlete doesn't exist."),
        ({"start": "2026-03-31", "end": "2026-03-01"}, "is before the first"),
    ],
)
def test_backfill_refuses_what_makes_no_sense(staff, data, message):
    make_job(JobState.STORED)
    response = staff.post("/syncing/backfill/", data)
    assert response.status_code == 422
    assert message in text_of(response)
    assert ExportJob.objects.get().state == JobState.STORED


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], "Never synced"),
        ([("success", 2)], "Synced 1 h ago"),
        ([("success", 50)], "Synced 2 days ago"),
        ([("success", 30), ("failed", 1)], "Last sync failed"),
        ([("success", 30), ("running", 0)], "Syncing now"),
        # It ended before its last step: nobody knows what is missing.
        ([("partial", 2)], "Sync not complete yet"),
    ],
)
def test_freshness_chip(coach, runs, expected):
    for status, hours in runs:
        make_run(status, hours_ago=hours)
    assert expected in text_of(coach.get("/syncing/freshness/"))


def test_chip_counts_what_one_sees_incomplete_until_staff_dismiss_it(coach):
    def chip():
        return text_of(coach.get("/syncing/freshness/"))

    make_run("partial", hours_ago=2, phase=Phase.DONE)
    assert "Synced 1 h ago" in chip()
    assert "incomplete" not in chip()
    own, hidden = (make_session(data_state="partial") for _ in range(2))
    assert "Synced 1 h ago · 2 incomplete" in chip()
    user = User.objects.get(pk=coach.session["_auth_user_id"])
    User.objects.filter(pk=user.pk).update(limited_to_teams=True)
    make_team(players=[own.player], members=[user])
    assert "Synced 1 h ago · 1 incomplete" in chip()
    staff = make_staff()
    decisions.dismiss_gap(session=own, reason="No bat that day", user=staff)
    assert "incomplete" not in chip()
    assert hidden.pk not in {own.pk}
    # What nobody dismissed is no excuse for data that are old.
    make_run("partial", hours_ago=2, phase=Phase.EXPORTS)
    assert "Synced 1 h ago" in chip()


def test_alert_speaks_after_a_day_without_success(coach):
    make_run(hours_ago=2)
    assert text_of(coach.get("/syncing/alert/")) == ""
    SyncLog.objects.all().delete()
    make_run(hours_ago=30)
    make_run(RunStatus.FAILED, hours_ago=1, error_message="Reboot Motion is away.")
    page = text_of(coach.get("/syncing/alert/"))
    assert "A day has passed without a successful sync" in page
    assert "Reboot Motion is away." in page


def test_silent_worker_is_told(staff):
    make_run()
    beat = WorkerHeartbeat.objects.create(host="gym", beat_at=timezone.now())
    assert "The sync service isn't running" not in text_of(staff.get("/syncing/"))
    beat.beat_at -= dt.timedelta(minutes=20)
    beat.save()
    assert "The sync service isn't running" in text_of(staff.get("/syncing/"))


def test_silent_host_is_named_while_others_work(staff):
    make_run()
    for host, minutes in (("gym", 1), ("annex", 20)):
        beat_at = timezone.now() - dt.timedelta(minutes=minutes)
        WorkerHeartbeat.objects.create(host=host, beat_at=beat_at)
    page = text_of(staff.get("/syncing/"))
    assert "Worker not responding: annex" in page
    assert "The sync service isn't running" not in page


def test_run_page_shows_counts_and_errors_with_what_to_do(coach):
    run = make_run(
        RunStatus.PARTIAL,
        error_count=1,
        errors=[
            {
                "what": "Reading a file",
                "object": "session 7",
                "message": "It ends in the middle.",
                "hint": "Press “Try again”.",
                "code": "truncated",
            }
        ],
    )
    page = text_of(coach.get(f"/syncing/runs/{run.pk}/"))
    for text in ("session 7", "It ends in the middle.", "Press “Try again”."):
        assert text in page


@pytest.mark.parametrize("count", [1, 3])
def test_page_asks_the_database_a_constant_number_of_times(
    staff, count, django_assert_num_queries
):
    for _ in range(count):
        make_run()
        make_job()
    with django_assert_num_queries(23):
        staff.get("/syncing/")


# --- After a recovery -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("whole", "heading", "rest"),
    [
        (
            ["partial"],
            "Not fully synced yet",
            " The last full sync was not complete; the next one checks again.",
        ),
        (
            ["success", "failed"],
            "Complete as of 2 h ago",
            " The last full sync was not complete; the next one checks again.",
        ),
        (["partial", "success"], "Data is up to date", ""),
    ],
)
def test_fetched_files_do_not_make_a_sync_complete(staff, whole, heading, rest):
    for place, status in enumerate(whole):
        make_run(status, hours_ago=3 - place, sync_type="incremental")
    make_run(hours_ago=0.5, sync_type="exports")
    page = text_of(staff.get("/syncing/"))
    assert heading in page
    assert f"The waiting files have arrived.{rest} </p>" in page
    assert "The last sync was complete" not in page
    chip = text_of(staff.get("/syncing/freshness/"))
    assert ("Last sync failed" in chip) == (whole[-1] == "failed")


def test_a_run_whose_process_died_took_until_its_last_sign_of_life(staff):
    at = timezone.now() - dt.timedelta(minutes=30)
    run = make_run(
        RunStatus.ABANDONED,
        started_at=at,
        heartbeat_at=at + dt.timedelta(seconds=12),
        completed_at=at + dt.timedelta(seconds=210),
    )
    assert run.duration_s == 12
    assert "<dt>Took</dt> <dd>12 s</dd>" in text_of(
        staff.get(f"/syncing/runs/{run.pk}/")
    )


# --- By the clock ---------------------------------------------------------------


def next_sync(client):
    page = text_of(client.get("/syncing/"))
    return page.partition("<dt>Next sync</dt> <dd> ")[2].partition(" </dd>")[0]


def test_page_tells_when_the_next_sync_begins_by_itself(coach, settings):
    settings.TIME_ZONE = "America/Chicago"
    assert next_sync(coach) == "Not scheduled: no schedule is turned on."
    register()
    daily = Schedule.objects.get(name="Sync every day")
    weekly = Schedule.objects.get(name="Full sync every week")
    soon = timezone.now() + dt.timedelta(hours=5)
    Schedule.objects.filter(pk=daily.pk).update(next_run=soon)
    Schedule.objects.filter(pk=weekly.pk).update(next_run=soon + dt.timedelta(days=1))
    local = date_format(timezone.localtime(soon), "M j, Y, g:i a")
    assert next_sync(coach).endswith(f">{local}</time>")
    # Switched off by staff.
    Schedule.objects.filter(pk=daily.pk).update(repeats=0)
    local = date_format(
        timezone.localtime(soon + dt.timedelta(days=1)), "M j, Y, g:i a"
    )
    assert next_sync(coach).endswith(f">{local}</time>, a full one")
    Schedule.objects.filter(pk=weekly.pk).update(
        next_run=timezone.now() - dt.timedelta(minutes=3)
    )
    assert next_sync(coach) == "Due now, as soon as a worker runs"


# --- Whose file it is -----------------------------------------------------------


def test_staff_read_whose_files_failed_and_logs_do_not(client, caplog, staff):
    player = make_player(first_name="Zebulon", last_name="Quixley")
    job = make_job(session=make_session(player=player))
    make_uncomputed(session=make_session(player=player))
    page = text_of(staff.get("/syncing/"))
    link = f'<a href="/athletes/sessions/{job.session_id}/">Zebulon Quixley, session of'
    assert link in page
    assert page.count("Zebulon Quixley, session of") == 2
    assert "Quixley" not in caplog.text
    user = make_user()
    make_team(players=[player], members=[user])
    client.force_login(user)
    text_of(client.get("/syncing/"))
    assert "Quixley" not in caplog.text
