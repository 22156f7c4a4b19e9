"""What is put aside to compare while somebody browses."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session as Login

from tests.dashboard.page_contents import swings_of, text_of
from tests.factories import (
    make_player,
    make_session,
    make_swing,
    make_synced_session,
    make_team,
    make_user,
)

pytestmark = pytest.mark.django_db

TRAY = "/athletes/compare/tray/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def ada():
    return make_player(first_name="Ada", last_name="Quill")


def turn(client, word, **fields):
    return client.post(TRAY, {"turn": word, **fields}, headers=HTMX)


def put_aside(client):
    return client.session.get("compare_items")


def test_what_is_added_stays_while_one_browses(client, coach, ada):
    session = make_synced_session(player=ada)
    swing = swings_of(session)[0]
    first = turn(client, f"session-{session.pk}")
    assert "Ada Quill, Mar 1, 2026" in text_of(first)
    assert "Added: Ada Quill, Mar 1, 2026." in text_of(first)
    turn(client, f"swing-{swing.pk}")
    turn(client, f"athlete-{ada.pk}")
    for address in ("/", "/athletes/", f"/athletes/{ada.pk}/", "/syncing/"):
        page = client.get(address)
        keys = f"session-{session.pk},swing-{swing.pk},athlete-{ada.pk}"
        assert f'data-tray="{keys}"' in page.content.decode()
        shown = text_of(page).split("Your comparison")[1]
        assert f"B Ada Quill, swing {swing.position} Mar 1, 2026" in shown
        assert f'href="/athletes/compare/?items={keys}"' in page.content.decode()


def test_the_button_of_what_is_in_takes_it_out(client, coach, ada):
    session = make_synced_session(player=ada)
    page = client.get(f"/athletes/sessions/{session.pk}/").content.decode()
    button = f'data-tray-key="session-{session.pk}" data-compared="false"'
    assert button in page
    assert f'data-tray-key="swing-{swings_of(session)[1].pk}"' in page
    turn(client, f"session-{session.pk}")
    page = client.get(f"/athletes/sessions/{session.pk}/").content.decode()
    assert button not in page
    assert button.replace("false", "true") in page
    turn(client, f"session-{session.pk}")
    assert put_aside(client) is None


@pytest.mark.parametrize("address", ["/", "/athletes/", "/athletes/{player}/"])
def test_every_row_can_be_put_aside(client, coach, ada, address):
    session = make_synced_session(player=ada)
    page = client.get(address.format(player=ada.pk)).content.decode()
    if address != "/":
        assert f'data-tray-key="athlete-{ada.pk}"' in page
    if address != "/athletes/":
        assert f'data-tray-key="session-{session.pk}"' in page


def test_six_is_the_limit_and_says_so(client, coach):
    keys = [f"session-{make_session().pk}" for _ in range(7)]
    for key in keys[:6]:
        answer = turn(client, key)
    assert "You can compare up to six." in text_of(answer)
    answer = turn(client, keys[6])
    assert "You can compare up to six: remove one first." in text_of(answer)
    assert put_aside(client) == keys[:6]
    client.post(TRAY, {"remove": keys[1]}, headers=HTMX)
    turn(client, keys[6])
    assert put_aside(client) == [keys[0], *keys[2:7]]


def test_it_can_be_cleared(client, coach):
    turn(client, f"session-{make_session().pk}")
    answer = client.post(TRAY, {"clear": "1"}, headers=HTMX)
    assert 'data-tray=""' in answer.content.decode()
    assert put_aside(client) is None


def test_without_scripts_a_form_leads_back(client, coach, ada):
    session = make_synced_session(player=ada)
    here = f"/athletes/sessions/{session.pk}/"
    answer = client.post(
        TRAY, {"turn": f"session-{session.pk}", "next": here}, follow=True
    )
    assert answer.redirect_chain == [(here, 302)]
    assert "Added: Ada Quill, Mar 1, 2026." in text_of(answer)
    away = client.post(TRAY, {"clear": "1", "next": "https://example.com/"})
    assert away["Location"] == "/athletes/compare/"


def test_what_one_may_not_see_is_not_put_aside(client):
    mine, theirs = make_session(), make_session(player=make_player(last_name="Secret"))
    coach = make_user(limited_to_teams=True)
    make_team(players=[mine.player], members=[coach])
    client.force_login(coach, "django.contrib.auth.backends.ModelBackend")
    for word in (f"session-{theirs.pk}", f"athlete-{theirs.player_id}", "session-0"):
        answer = turn(client, word)
        assert "That doesn't exist, or you can't see it." in text_of(answer)
        assert "Secret" not in text_of(answer)
    for word in ("", "nonsense", "session-1,session-2"):
        turn(client, word)
    assert put_aside(client) is None


def test_what_one_may_see_no_more_is_not_shown(client):
    session = make_session(player=make_player(last_name="Secret"))
    coach = make_user(limited_to_teams=True)
    team = make_team(players=[session.player], members=[coach])
    client.force_login(coach, "django.contrib.auth.backends.ModelBackend")
    turn(client, f"session-{session.pk}")
    assert "Secret" in text_of(client.get("/syncing/"))
    team.members.clear()
    assert "Secret" not in text_of(client.get("/syncing/"))
    other = make_session()
    team.members.add(coach)
    team.players.add(other.player)
    team.players.remove(session.player)
    # The next change forgets it.
    turn(client, f"session-{other.pk}")
    assert put_aside(client) == [f"session-{other.pk}"]


def test_an_erased_athlete_leaves_the_tray(client, coach, ada):
    swing = make_swing(session=make_session(player=ada))
    turn(client, f"swing-{swing.pk}")
    turn(client, f"athlete-{ada.pk}")
    ada.delete()
    page = client.get("/syncing/")
    assert page.status_code == 200
    assert "Ada" not in text_of(page)
    assert "Your comparison" not in text_of(page)


def test_nothing_is_left_after_logging_out(client, coach, ada):
    turn(client, f"athlete-{ada.pk}")
    # Nothing but the key of the session is on the device.
    assert set(client.cookies) <= {"sessionid", "csrftoken", "messages"}
    assert "Quill" not in str(client.cookies)
    assert "athlete" not in str(client.cookies)
    login = Login.objects.get(pk=client.session.session_key)
    client.post("/accounts/logout/")
    assert not Login.objects.filter(pk=login.pk).exists()
    client.force_login(coach, "django.contrib.auth.backends.ModelBackend")
    assert put_aside(client) is None
    assert "Quill" not in text_of(client.get("/syncing/"))


def test_a_chart_adds_what_it_shows_and_its_curve(client, coach, ada):
    session = make_synced_session(player=ada)
    answer = turn(client, f"session-{session.pk} bat_speed")
    address = f"/athletes/compare/?items=session-{session.pk}&amp;series=bat_speed"
    assert f'href="{address}"' in answer.content.decode()
    turn(client, f"athlete-{ada.pk} nonsense")
    assert client.session["compare_series"] == "bat_speed"


def test_an_empty_tray_costs_no_query(client, coach, django_assert_num_queries):
    sessions = [make_session() for _ in range(3)]
    with django_assert_num_queries(2):  # login and user
        client.get("/accounts/password_change/done/")
    for session in sessions:
        turn(client, f"session-{session.pk}")
    with django_assert_num_queries(3):
        client.get("/accounts/password_change/done/")
    turn(client, f"athlete-{sessions[0].player_id}")
    turn(client, f"swing-{make_swing().pk}")
    with django_assert_num_queries(5):
        client.get("/accounts/password_change/done/")


def test_every_chart_can_be_put_aside(client, coach, session):
    """Of a session with the curve that is shown, and that opens the comparison."""
    swing = swings_of(session)[0]
    for address, wanted in (
        (f"/athletes/swings/{swing.pk}/", f'value="swing-{swing.pk}"'),
        (f"/athletes/{session.player_id}/", f'value="athlete-{session.player_id}"'),
        (
            f"/athletes/sessions/{session.pk}/?series=torso_omega",
            f'value="session-{session.pk} torso_omega"',
        ),
    ):
        charts = client.get(address).content.decode().split('class="chart__compare"')
        assert len(charts) > 1
        assert any(wanted in chart.split("</div>")[0] for chart in charts[1:])
    answer = turn(client, f"session-{session.pk} torso_omega")
    assert "&amp;series=torso_omega" in answer.content.decode()
