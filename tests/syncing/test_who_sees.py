"""What the sync says of athletes outside a coach's teams: numbers, and nothing else."""

import datetime as dt

import pytest
from django.utils import timezone

from athletes.models import DataState, Session
from syncing.choices import JobState
from syncing.models import ExportJob, SyncLog
from tests.factories import make_session, make_staff, make_team, make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def own():
    return make_session(session_date="2026-03-05")


@pytest.fixture
def foreign():
    return make_session(session_date="2026-04-17")


@pytest.fixture
def coach(client, own):
    user = make_user(limited_to_teams=True)
    make_team(players=[own.player], members=[user])
    client.force_login(user)
    return client


def make_job(session, message, **fields):
    return ExportJob.objects.create(
        session=session,
        data_type="inverse-kinematics",
        state=JobState.FAILED,
        error_code="truncated",
        last_error=message,
        attempts=2,
        next_try_at=timezone.now() + dt.timedelta(hours=1),
        **fields,
    )


def error_of(session, message):
    return {
        "what": "Downloading a file",
        "object": f"inverse-kinematics of session {session.pk}",
        "message": message,
        "hint": "Retry.",
        "code": "truncated",
        "url": f"/athletes/sessions/{session.pk}/",
        "is_general": False,
    }


#: Of a session that is not stored, by the vendor's number alone.
UNSTORED = {
    "what": "Reading a session",
    "object": "session vendor-4711",
    "message": "It was not found.",
    "hint": "",
    "code": "not_found",
    "url": "",
    "is_general": False,
}
GENERAL = UNSTORED | {
    "what": "Reading athletes",
    "object": "the athlete list",
    "message": "Reboot Motion did not answer.",
    "is_general": True,
}


def make_run(*errors, **fields):
    first = errors[0]
    now = timezone.now()
    return SyncLog.objects.create(
        **(
            {
                "trigger": "schedule",
                "status": "partial",
                "started_at": now - dt.timedelta(hours=30),
                "completed_at": now - dt.timedelta(hours=29),
                "errors": list(errors),
                "error_count": len(errors),
                "error_message": f"{first['what']} ({first['object']}): "
                f"{first['message']}",
            }
            | fields
        )
    )


def text_of(response):
    return " ".join(response.content.decode().split())


PATHS = ["/syncing/", "/syncing/panel/", "/syncing/records/", "/syncing/alert/"]


def told_of(client, run, session):
    """Whatever any page of the sync says of a session."""
    pages = [client.get(path, headers={"HX-Request": "true"}) for path in PATHS]
    pages.append(client.get(f"/syncing/runs/{run.pk}/"))
    text = " ".join(text_of(page) for page in pages)
    words = [
        f"/athletes/sessions/{session.pk}/",
        f"of session {session.pk}",
        session.session_date.strftime("%b %-d"),
        "It ends in row 99.",
    ]
    return [word for word in words if word in text]


def test_failed_files_of_other_teams_are_neither_shown_nor_counted(coach, own, foreign):
    make_job(own, "The file ends in the middle.")
    make_job(foreign, "It ends in row 99.")
    Session.objects.update(data_state=DataState.FAILED)
    run = make_run(error_of(foreign, "It ends in row 99."))
    own.refresh_from_db()
    foreign.refresh_from_db()

    assert told_of(coach, run, foreign) == []
    page = text_of(coach.get("/syncing/"))
    assert f"/athletes/sessions/{own.pk}/" in page
    assert page.count(", session of") == 1
    assert "1 session is incomplete." in page


def test_staff_see_all_of_it(client, own, foreign):
    client.force_login(make_staff())
    make_job(foreign, "It ends in row 99.")
    run = make_run(error_of(foreign, "It ends in row 99."))
    foreign.refresh_from_db()

    assert len(told_of(client, run, foreign)) == 4


def test_reason_of_other_teams_alone_is_not_told(coach, foreign):
    make_job(foreign, "It ends in row 99.")
    Session.objects.update(data_state=DataState.PARTIAL)
    Session.objects.exclude(pk=foreign.pk).update(data_state=DataState.COMPLETE)
    page = text_of(coach.get("/syncing/"))

    assert "It ends in row 99." not in page
    assert ", session of" not in page


def test_run_page_shows_what_is_general_and_what_is_of_the_own_team(
    coach, own, foreign
):
    run = make_run(
        error_of(foreign, "It ends in row 99."),
        UNSTORED,
        GENERAL,
        error_of(own, "It ends in row 5."),
    )
    page = text_of(coach.get(f"/syncing/runs/{run.pk}/"))

    assert "Reboot Motion did not answer." in page
    assert "It ends in row 5." in page
    assert "2 more about athletes on other teams." in page
    for hidden in ("row 99", "vendor-4711", f"of session {foreign.pk}"):
        assert hidden not in page


@pytest.mark.parametrize("error", [UNSTORED, "foreign"])
def test_message_that_names_a_foreign_session_is_replaced(coach, own, foreign, error):
    run = make_run(error_of(foreign, "x") if error == "foreign" else error)
    general = "Parts are missing. Problems with athletes on your teams"

    assert general in text_of(coach.get(f"/syncing/runs/{run.pk}/"))
    status = coach.get("/sync/status").json()
    assert status["error_message"].startswith(general)

    SyncLog.objects.all().delete()
    run = make_run(error_of(own, "It ends in row 5."))
    assert "It ends in row 5." in text_of(coach.get(f"/syncing/runs/{run.pk}/"))
    assert coach.get("/sync/status").json()["error_message"] == run.error_message


def test_end_from_outside_is_told_to_everybody(coach, foreign):
    run = make_run(
        error_of(foreign, "x"),
        error_class="Abandoned",
        error_message="The process running this stopped unexpectedly.",
    )
    assert "stopped unexpectedly" in text_of(coach.get(f"/syncing/runs/{run.pk}/"))


def test_token_of_a_team_hears_of_its_sessions_alone(client, own, foreign):
    team = make_team(players=[own.player])
    plain = make_token("read")
    limited = make_token("read", team=team)
    run = make_run(error_of(foreign, "It ends in row 99."))
    answers = [
        client.get("/sync/status", headers=token).json() for token in (plain, limited)
    ]

    assert answers[0]["error_message"] == run.error_message
    assert "row 99" not in str(answers[1])
