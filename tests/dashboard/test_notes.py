"""Notes on athletes, sessions and swings: by whom they are written, edited, deleted."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import Action, AuditEntry
from athletes.models import Note
from tests import factories
from tests.dashboard.page_contents import text_of

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def swing():
    return factories.make_swing()


def login(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")


def addresses(swing):
    return {
        f"/athletes/{swing.session.player_id}/": {"player": swing.session.player},
        f"/athletes/sessions/{swing.session_id}/": {"session": swing.session},
        f"/athletes/swings/{swing.pk}/": {"session": swing.session, "movement": swing},
    }


def test_a_note_stands_on_the_page_of_what_it_is_about(client, coach, swing):
    for page, about in addresses(swing).items():
        answer = client.post(f"{page}notes/", {"text": f"On <b> of {page}"})
        assert (answer.status_code, answer.url) == (302, f"{page}#notes")
        note = Note.objects.latest("pk")
        assert {name: getattr(note, name) for name in about} == about
        assert (note.created_by, note.on_sheet, note.edited_at) == (coach, False, None)
        shown = client.get(page)
        assert f"On &lt;b&gt; of {page}" in shown.content.decode()
        assert coach.get_username() in text_of(shown)
    # The session's page says of which swing a note is, the athlete's has its own alone.
    session = client.get(f"/athletes/sessions/{swing.session_id}/").content.decode()
    assert f">Swing {swing.position}</a></p>" in session
    athlete = client.get(f"/athletes/{swing.session.player_id}/")
    assert len(athlete.context["note_box"].notes) == 1


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_was_typed_is_not_lost_when_it_is_refused(client, coach, swing, headers):
    too_long = "word " * 801 + "end"
    for page in addresses(swing):
        sent = {"text": too_long, "on_sheet": "1"}
        answer = client.post(f"{page}notes/", sent, headers=headers)
        assert answer.status_code == 422
        html = answer.content.decode()
        assert "word end" in html
        assert "checked" in html
        assert "at most 4000 characters" in html
    assert not Note.objects.exists()
    note = Note.objects.create(session=swing.session, text="a", created_by=coach)
    url = reverse("dashboard:note", args=[note.pk])
    answer = client.post(url, {"text": too_long}, headers=headers)
    assert (answer.status_code, "word end" in answer.content.decode()) == (422, True)
    if headers:
        assert answer["HX-Retarget"] == f"#note-{note.pk}"
    note.refresh_from_db()
    assert note.text == "a"


def test_its_writer_edits_it_and_that_is_marked(client, coach, swing):
    note = Note.objects.create(session=swing.session, text="before", created_by=coach)
    page = f"/athletes/sessions/{swing.session_id}/"
    url = reverse("dashboard:note", args=[note.pk])
    assert "before" in client.get(url, headers=HTMX).content.decode()
    # A tick alone is no other text.
    client.post(url, {"text": "before", "on_sheet": "on"})
    note.refresh_from_db()
    assert (note.on_sheet, note.edited_at) == (True, None)
    assert "edited" not in text_of(client.get(page))
    answer = client.post(url, {"text": "after"}, headers=HTMX)
    assert "after" in answer.content.decode()
    note.refresh_from_db()
    assert (note.text, note.on_sheet, note.created_by) == ("after", False, coach)
    assert note.edited_at > note.created_at
    assert "edited" in text_of(client.get(page))


def test_who_may_edit_and_delete(client, coach, swing):
    note = Note.objects.create(player=swing.session.player, text="a", created_by=coach)
    edit = reverse("dashboard:note", args=[note.pk])
    delete = reverse("dashboard:note_delete", args=[note.pk])
    elsewhere = factories.make_user(limited_to_teams=True)
    factories.make_team(members=[elsewhere])
    login(client, elsewhere)
    assert client.get(edit).status_code == 404
    assert client.post(edit, {"text": "b"}).status_code == 404
    assert client.post(delete).status_code == 404
    for page in addresses(swing):
        assert client.post(f"{page}notes/", {"text": "b"}).status_code == 404
    login(client, factories.make_user())
    assert client.post(edit, {"text": "b"}).status_code == 403
    assert client.post(delete).status_code == 403
    page = client.get(f"/athletes/{note.player_id}/").content.decode()
    assert edit not in page
    login(client, factories.make_staff())
    assert client.post(edit, {"text": "b"}).status_code == 403
    assert client.post(delete).status_code == 302
    assert not Note.objects.exists()


def test_the_audit_says_who_did_what_and_not_what_a_note_says(client, coach, swing):
    page = f"/athletes/swings/{swing.pk}/notes/"
    client.post(page, {"text": "secretword"})
    note = Note.objects.get()
    client.post(reverse("dashboard:note", args=[note.pk]), {"text": "secretword 2"})
    client.post(reverse("dashboard:note_delete", args=[note.pk]), headers=HTMX)
    entries = AuditEntry.objects.filter(subject_type="athletes.note").order_by("pk")
    assert [(e.action, e.user, e.player_number, e.detail) for e in entries] == [
        (action, coach, swing.session.player_id, {"what": f"note {what}"})
        for action, what in (
            (Action.RECORD_CHANGED, "added"),
            (Action.RECORD_CHANGED, "edited"),
            (Action.RECORD_DELETED, "deleted"),
        )
    ]
