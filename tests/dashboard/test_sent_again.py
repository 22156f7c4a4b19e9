"""Forms that are sent again because their answer was lost add one thing, not two."""

from __future__ import annotations

import datetime as dt
import re
import threading

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import sent_forms
from accounts.models import AuditEntry, SentForm
from athletes import decisions
from athletes.models import DataState, Goal, Note
from sharing.models import SavedComparison, ShareLink
from tests import factories

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
IN_A_MONTH = (timezone.localdate() + dt.timedelta(days=30)).isoformat()


@pytest.fixture
def swing():
    return factories.make_swing()


def forms(swing):
    """{page: (address of its form, what is sent, the table it adds to)}"""
    player, session = swing.session.player_id, swing.session_id
    note = {"text": "Tired"}
    goal = {"metric": "peak_hand_speed", "low": "25", "by": IN_A_MONTH}
    items = f"session-{session},swing-{swing.pk}"
    link = {"label": "mother", "days": "7"}
    return {
        f"/athletes/{player}/": (f"/athletes/{player}/notes/", note, Note),
        f"/athletes/sessions/{session}/": (
            f"/athletes/sessions/{session}/notes/",
            note,
            Note,
        ),
        f"/athletes/swings/{swing.pk}/": (
            f"/athletes/swings/{swing.pk}/notes/",
            note,
            Note,
        ),
        f"/athletes/{player}/goals/": (f"/athletes/{player}/goals/", goal, Goal),
        f"/athletes/compare/?items={items}": (
            "/athletes/compare/save/",
            {"name": "before and after", "items": items},
            SavedComparison,
        ),
        f"/athletes/{player}/sheet/": (
            f"/athletes/{player}/sheet/share/",
            link,
            ShareLink,
        ),
        f"/athletes/sessions/{session}/sheet/": (
            f"/athletes/sessions/{session}/sheet/share/",
            link,
            ShareLink,
        ),
    }


def name_of_form(client, page, address):
    """The name that the page gives its form."""
    html = client.get(page).content.decode()
    form = next(
        form
        for form in re.findall(r"<form.*?</form>", html, re.DOTALL)
        if "csrfmiddlewaretoken" in form
        and 'name="once"' in form
        and (f'action="{address}"' in form or (page == address and "low" in form))
    )
    return re.search(r'name="once" value="([^"]+)"', form)[1]


def test_each_form_that_adds_something_adds_it_once(client, coach, swing):
    for page, (address, sent, table) in forms(swing).items():
        first, second = (name_of_form(client, page, address) for _ in range(2))
        assert first != second
        before, noted = table.objects.count(), AuditEntry.objects.count()
        answers = [client.post(address, {**sent, "once": first}) for _ in range(2)]
        assert answers[0].status_code == answers[1].status_code < 400
        assert table.objects.count() == before + 1, page
        assert AuditEntry.objects.count() <= noted + 1
        if table is Goal:  # a number has one at a time
            continue
        # Another form is another thing, and other words are never lost.
        client.post(address, {**sent, "once": second})
        key = next(key for key in ("text", "name", "label") if key in sent)
        client.post(address, {**sent, key: "other words", "once": first})
        assert table.objects.count() == before + 3


def test_another_users_form_of_the_same_name_is_another_one(client, coach, swing):
    sent = {"text": "Tired", "once": "a"}
    address = f"/athletes/swings/{swing.pk}/notes/"
    client.post(address, sent)
    other = Client()
    other.force_login(
        factories.make_user(), "django.contrib.auth.backends.ModelBackend"
    )
    other.post(address, sent)
    assert Note.objects.count() == 2


def test_what_is_refused_is_not_taken_for_stored(client, coach, swing):
    address = f"/athletes/{swing.session.player_id}/sheet/share/"
    client.post(address, {"days": "7000", "once": "a"})
    assert not SentForm.objects.exists()
    client.post(address, {"days": "7", "once": "a"})
    assert ShareLink.objects.count() == 1


def test_a_share_link_that_nobody_saw_is_shown_with_another_secret(
    client, coach, swing
):
    address = f"/athletes/{swing.session.player_id}/sheet/share/"
    sent = {"label": "mother", "days": "7", "once": "a"}
    urls = [
        re.search(r'value="(http[^"]+)"', client.post(address, sent).content.decode())[
            1
        ]
        for _ in range(2)
    ]
    stranger = Client()
    assert stranger.get(urls[0]).status_code == 404
    assert stranger.get(urls[1]).status_code == 200
    # It is in use now: the same form sent a third time must not take it away.
    answer = client.post(address, sent, headers=HTMX)
    assert answer.status_code == 422
    assert "already created and used" in answer.content.decode()
    assert stranger.get(urls[1]).status_code == 200
    assert ShareLink.objects.count() == 1


def test_a_setup_that_is_sent_again_can_still_be_undone(client, coach, swing):
    url = f"/athletes/sessions/{swing.session_id}/"
    sent = {"do": "setup", "chosen": [swing.pk], "setup": "machine"}
    for _ in range(2):
        client.post(f"{url}setups/", sent)
        swing.refresh_from_db()
        assert swing.condition == "machine"
    offer = client.get(url).context["setup_undo"]
    client.post("/athletes/sessions/setup/undo/", {"key": offer["key"]})
    swing.refresh_from_db()
    assert swing.condition is None


def test_missing_data_that_are_dismissed_again_are_dismissed_once(coach):
    session = factories.make_session(data_state=DataState.PARTIAL)
    for reason in ("known", "known", "other"):
        decisions.dismiss_gap(session=session, reason=reason, user=coach)
    assert session.gap_dismissals.count() == 2
    assert session.gap_dismissals.filter(undone_at=None).count() == 1


def test_forms_are_forgotten_after_a_week(client, coach, swing):
    address = f"/athletes/swings/{swing.pk}/notes/"
    client.post(address, {"text": "Tired", "once": "a"})
    assert sent_forms.forget_old() == 0
    long_ago = timezone.now() - sent_forms.KNOWN_FOR - dt.timedelta(hours=1)
    SentForm.objects.update(at=long_ago)
    assert sent_forms.forget_old() == 1


@pytest.mark.both
@pytest.mark.django_db(transaction=True)
def test_two_that_are_sent_at_the_same_moment_add_one_thing():
    swing = factories.make_swing()
    user = factories.make_user()
    clients = [Client() for _ in range(3)]
    for one in clients:
        one.force_login(user, "django.contrib.auth.backends.ModelBackend")
    start = threading.Barrier(len(clients))

    def send(client):
        start.wait()
        client.post(
            f"/athletes/swings/{swing.pk}/notes/", {"text": "Tired", "once": "a"}
        )
        connection.close()

    threads = [threading.Thread(target=send, args=[one]) for one in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Note.objects.count() == 1
