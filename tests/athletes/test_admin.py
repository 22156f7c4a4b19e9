"""What staff may edit by hand, and what hand edits cannot touch."""

from __future__ import annotations

import datetime as dt
import html
import io
import re

import pandas
import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django_q.models import OrmQ

from accounts import audit
from accounts.models import Action, AuditEntry
from athletes.admin.heights import EXAMPLES
from athletes.models import InclusionDecision, Movement, Note, Player, Tag
from privacy.models import Archive
from syncing.choices import JobState
from syncing.models import ExportJob, SyncLog
from tests.factories import (
    make_frames,
    make_movement,
    make_player,
    make_session,
    make_session_metric,
    make_staff,
    make_synced_session,
    make_user,
    metric,
)

pytestmark = pytest.mark.django_db


def edit(client, player, **changes):
    data = {
        "first_name": player.first_name,
        "last_name": player.last_name,
        "date_of_birth": "",
        "height_ft": player.height_ft,
        "weight_lbs": player.weight_lbs,
        "dominant_hand_hitting": player.dominant_hand_hitting,
        "dominant_hand_throwing": player.dominant_hand_throwing,
        "corrected_fields": player.corrected_fields,
    }
    url = reverse("admin:athletes_player_change", args=[player.pk])
    return client.post(url, data | changes)


def test_corrected_height_is_marked_so_that_the_sync_leaves_it(client, staff):
    player = make_player(height_ft=5.5, weight_lbs=180.0)
    assert edit(client, player, height_ft="6.25").status_code == 302
    player.refresh_from_db()
    assert player.height_ft == 6.25
    assert player.corrected_fields == ["height_ft"]


def test_saving_without_a_change_marks_nothing(client, staff):
    player = make_player()
    edit(client, player)
    player.refresh_from_db()
    assert player.corrected_fields == []


def test_unticked_correction_is_the_vendors_again(client, staff):
    player = make_player(corrected_fields=["height_ft", "last_name"])
    edit(client, player, corrected_fields=["last_name"])
    player.refresh_from_db()
    assert player.corrected_fields == ["last_name"]


def test_renamed_athlete_is_found_by_the_new_name(client, staff):
    player = make_player()
    edit(client, player, last_name="Juniper")
    player.refresh_from_db()
    assert "juniper" in player.search_text


@pytest.mark.parametrize(
    ("text", "found"),
    [("pena, alder", 1), ("elbow", 1), ("vendor-session-7", 1), ("oak", 0), ("", 2)],
)
def test_notes_are_found_by_text_athlete_and_session(client, staff, text, found):
    player = make_player(first_name="Alder", last_name="Peña")
    session = make_session(player=player, session_id="vendor-session-7")
    Note.objects.create(session=session, text="Front elbow", created_by=staff)
    other = make_session(player=make_player(last_name="Birch"))
    Note.objects.create(session=other, text="Stance", created_by=staff)
    answer = client.get("/admin/athletes/note/", {"q": text})
    assert answer.context["cl"].queryset.count() == found


@pytest.mark.both
@pytest.mark.parametrize(
    "text", ["5' 11\"", "5-11", "5ft 11in", "71 in", "180.34 cm", "1.8034 m"]
)
def test_a_height_is_typed_as_people_say_it(client, staff, text):
    player = make_player(height_ft=5.5)
    assert edit(client, player, height_ft=text).status_code == 302
    player.refresh_from_db()
    assert player.height_ft == pytest.approx(5 + 11 / 12)
    assert player.corrected_fields == ["height_ft"]


def test_a_height_that_is_saved_as_it_was_shown_is_not_corrected(client, staff):
    player = make_player(height_ft=5.9387)
    path = f"/admin/athletes/player/{player.pk}/change/"
    shown = client.get(path).context["adminform"].form["height_ft"].value()
    assert shown == "5 ft 11.26 in"
    assert edit(client, player, height_ft=shown).status_code == 302
    player.refresh_from_db()
    assert (player.height_ft, player.corrected_fields) == (5.9387, [])


def test_impossible_height_is_refused_with_a_message(client, staff):
    player = make_player(height_ft=6.0)
    response = edit(client, player, height_ft="60")
    assert response.status_code == 200
    player.refresh_from_db()
    assert player.height_ft == 6.0


@pytest.mark.parametrize(
    "model",
    [
        "player",
        "session",
        "movement",
        "biomechanicsdata",
        "sessionmetric",
        "eventcorrection",
        "inclusiondecision",
        "setaside",
        "note",
        "tag",
    ],
)
def test_every_list_opens_and_searches(client, staff, model):
    session = make_synced_session(swings=1)
    make_session_metric(session=session)
    make_frames(movement=session.movements.get())
    url = reverse(f"admin:athletes_{model}_changelist")
    assert client.get(url).status_code == 200
    assert client.get(url, {"q": "invented"}).status_code == 200


def test_frames_are_never_loaded(client, staff, django_assert_max_num_queries):
    frames = make_frames()
    with django_assert_max_num_queries(20) as captured:
        client.get(reverse("admin:athletes_biomechanicsdata_changelist"))
        client.get(reverse("admin:athletes_biomechanicsdata_change", args=[frames.pk]))
    for query in captured.captured_queries:
        assert not re.search(r'"biomechanics_data"\."frames"', query["sql"])


def test_movements_cannot_be_edited_or_deleted(client, staff):
    movement = make_synced_session(swings=1).movements.get()
    url = reverse("admin:athletes_movement_change", args=[movement.pk])
    assert client.post(url, {"quality_grade": "poor"}).status_code == 403
    delete = reverse("admin:athletes_movement_delete", args=[movement.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert Movement.objects.get().quality_grade == "good"


def test_records_link_to_their_pages(client, staff):
    session = make_synced_session(swings=1)
    for name, pk, page in (
        ("player", session.player_id, f"/athletes/{session.player_id}/"),
        ("session", session.pk, f"/athletes/sessions/{session.pk}/"),
        (
            "movement",
            session.movements.get().pk,
            f"/athletes/swings/{session.movements.get().pk}/",
        ),
    ):
        body = client.get(reverse(f"admin:athletes_{name}_change", args=[pk]))
        assert f'href="{page}"' in body.content.decode()


@pytest.mark.parametrize("is_staff", [True, False])
def test_pages_link_to_their_records_for_staff_alone(client, is_staff):
    client.force_login(
        make_staff() if is_staff else make_user(),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    session = make_synced_session(swings=1)
    for page, name, pk in (
        (f"/athletes/{session.player_id}/", "player", session.player_id),
        (f"/athletes/sessions/{session.pk}/", "session", session.pk),
        (
            f"/athletes/swings/{session.movements.get().pk}/",
            "movement",
            session.movements.get().pk,
        ),
    ):
        link = f'href="/admin/athletes/{name}/{pk}/change/"'
        assert (link in client.get(page).content.decode()) is is_staff, page


def test_coaches_do_not_enter(client):
    client.force_login(make_user(), backend="django.contrib.auth.backends.ModelBackend")
    url = reverse("admin:athletes_player_changelist")
    assert client.get(url).status_code == 302


# --- Bulk actions -----------------------------------------------------------------


def run_action(client, model, action, rows, **extra):
    url = reverse(f"admin:athletes_{model}_changelist")
    data = {"action": action, "_selected_action": [row.pk for row in rows], **extra}
    return client.post(url, data)


def messages_of(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_swings_are_counted_out_with_a_reason(client, staff):
    session = make_synced_session(swings=3)
    swings = list(session.movements.order_by("position"))
    asked = run_action(client, "movement", "count_out", swings[:2])
    page = asked.content.decode()
    assert asked.status_code == 200
    assert page.count('name="_selected_action"') == 2
    assert Movement.objects.filter(inclusion="excluded").count() == 0
    empty = run_action(client, "movement", "count_out", swings[:2], reason=" ")
    assert empty.status_code == 200
    assert "This field is required" in empty.content.decode()
    done = run_action(client, "movement", "count_out", swings[:2], reason="Sensor off")
    assert done.status_code == 302
    found = session.movements.order_by("position").values_list(
        "inclusion", "inclusion_reason"
    )
    assert list(found) == [
        ("excluded", "Sensor off"),
        ("excluded", "Sensor off"),
        ("auto", ""),
    ]
    assert InclusionDecision.objects.filter(created_by=staff).count() == 2
    entries = AuditEntry.objects.filter(action=Action.INCLUSION_CHANGED)
    assert {entry.subject_id for entry in entries} == {m.pk for m in swings[:2]}
    run_action(client, "movement", "by_quality", swings[:1])
    swings[0].refresh_from_db()
    assert swings[0].inclusion == "auto"


def test_numbers_are_computed_again_by_the_queue(
    client, staff, django_capture_on_commit_callbacks
):
    first, second = make_synced_session(swings=1), make_synced_session(swings=1)
    with django_capture_on_commit_callbacks(execute=True):
        run_action(client, "session", "recompute", [first])
    versions = dict(Movement.objects.values_list("session_id", "method_version"))
    assert versions == {first.pk: "", second.pk: "test"}
    with django_capture_on_commit_callbacks(execute=True):
        run_action(client, "player", "recompute", [second.player])
    assert set(Movement.objects.values_list("method_version", flat=True)) == {""}
    queued = [OrmQ.objects.order_by("id")[n].task for n in (0, 1)]
    assert [(task["func"], task["args"]) for task in queued] == [
        ("athletes.tasks.recompute_player", (first.player_id,)),
        ("athletes.tasks.recompute_player", (second.player_id,)),
    ]


def test_athletes_are_synced(client, staff):
    session, other = make_synced_session(swings=1), make_synced_session(swings=1)
    for each in (session, other):
        ExportJob.objects.create(
            session=each, data_type="metadata", state=JobState.STORED, sha256="x"
        )
    response = run_action(client, "player", "sync_athletes", [session.player])
    assert messages_of(response)[0].startswith("1 files will be downloaded again")
    states = dict(ExportJob.objects.values_list("session_id", "state"))
    assert states == {session.pk: JobState.WANTED, other.pk: JobState.STORED}
    assert SyncLog.objects.get().requested_by == staff
    entry = AuditEntry.objects.get(action=Action.SYNC_REQUESTED)
    assert (entry.user, entry.player_number) == (staff, session.player_id)


def test_archives_are_made(client, staff):
    players = [make_player(), make_player()]
    run_action(client, "player", "make_archives", players)
    archives = Archive.objects.filter(requested_by=staff, state="queued")
    assert {archive.player_id for archive in archives} == {p.pk for p in players}
    entries = AuditEntry.objects.filter(action=Action.DATA_EXPORTED)
    assert {entry.player_number for entry in entries} == {p.pk for p in players}


def test_metrics_of_sessions_are_downloaded_without_formulas(client, staff):
    session = make_synced_session(
        swings=1, player=make_player(first_name="=1+1", last_name="Cell")
    )
    make_session_metric(session=session, mean=640.25)
    make_session_metric()  # of a session that is not chosen
    response = run_action(client, "session", "metrics_as_csv", [session])
    assert response["Content-Disposition"].startswith('attachment; filename="metrics-')
    table = pandas.read_csv(io.BytesIO(response.getvalue()))
    assert table["athlete"].tolist() == ["'=1+1 Cell"]
    assert table["mean"].tolist() == [640.25]
    assert table["unit"].tolist() == ["deg/s"]
    entry = AuditEntry.objects.get(action=Action.DATA_EXPORTED)
    assert entry.player_number == session.player_id
    assert entry.detail == {"what": "metrics", "sessions": [session.pk]}


def test_too_many_at_once_do_nothing(client, staff):
    players = [make_player() for _ in range(26)]
    response = run_action(client, "player", "make_archives", players)
    assert "Choose at most 25" in messages_of(response)[0]
    assert not Archive.objects.exists()


def test_staff_have_the_actions_too(client):
    client.force_login(make_staff(), "django.contrib.auth.backends.ModelBackend")
    make_synced_session(swings=1)
    for model, actions in {
        "player": {"recompute", "sync_athletes", "make_archives"},
        "session": {"recompute", "metrics_as_csv"},
        "movement": {"count_out", "by_quality"},
    }.items():
        page = client.get(reverse(f"admin:athletes_{model}_changelist"))
        choices = dict(page.context["action_form"].fields["action"].choices)
        assert actions <= set(choices)


# --- History, links, deletions ------------------------------------------------------


def test_a_record_shows_who_changed_what(client, staff):
    player = make_player(height_ft=5.5)
    edit(client, player, height_ft="6.25")
    other = make_player()
    page = client.get(reverse("admin:athletes_player_change", args=[player.pk]))
    (found,) = [c for c in page.context if "entries" in c and "record" in c][:1]
    whats = [(entry.who, entry.what) for entry in found["entries"]]
    assert sorted(whats) == [
        (staff.username, "Edited here"),
        (staff.username, "Record changed"),
    ]
    assert any("height_ft" in entry.detail for entry in found["entries"])
    page = client.get(reverse("admin:athletes_player_change", args=[other.pk]))
    assert "No changes since" in page.content.decode()


def test_a_swing_shows_its_decisions(client, staff):
    session = make_synced_session(swings=2)
    first, second = session.movements.order_by("position")
    run_action(client, "movement", "count_out", [first], reason="Sensor off")
    for movement, shown in ((first, True), (second, False)):
        url = reverse("admin:athletes_movement_change", args=[movement.pk])
        assert (
            "Swing included or excluded" in client.get(url).content.decode()
        ) is shown


def test_an_athlete_is_not_deleted_but_erased(client, staff):
    player = make_player()
    url = reverse("admin:athletes_player_delete", args=[player.pk])
    assert client.post(url, {"post": "yes"}).status_code == 403
    page = client.get(reverse("admin:athletes_player_change", args=[player.pk]))
    assert f'href="/privacy/athletes/{player.pk}/erase/"' in page.content.decode()
    assert "the next sync would import them again" in page.content.decode()
    listed = client.get(reverse("admin:athletes_player_changelist"))
    assert "delete_selected" not in str(listed.context["action_form"])
    Tag.objects.create(name="power")
    listed = client.get(reverse("admin:athletes_tag_changelist"))
    assert "delete_selected" in str(listed.context["action_form"])


def test_an_athlete_leads_to_his_sessions_and_a_session_to_its_swings(client, staff):
    session = make_synced_session(swings=2)
    make_synced_session(swings=1)
    page = client.get(reverse("admin:athletes_player_change", args=[session.player_id]))
    link = f"/admin/athletes/session/?player__id__exact={session.player_id}"
    assert f'href="{link}"' in page.content.decode()
    rows = client.get(link).context["cl"].result_list
    assert [row.pk for row in rows] == [session.pk]
    page = client.get(reverse("admin:athletes_session_change", args=[session.pk]))
    link = f"/admin/athletes/movement/?session__id__exact={session.pk}"
    assert f'href="{link}"' in page.content.decode()
    assert len(client.get(link).context["cl"].result_list) == 2


def _text(page):
    text = html.unescape(re.sub(r"<[^>]+>", " ", page.content.decode()))
    return re.sub(r"\s+", " ", text)


def test_what_a_movement_keeps_as_json_is_read_as_tables(client, staff):
    turn = metric(612.345, "deg/s") | {"window": "load to contact"}
    movement = make_movement(
        metrics={
            "peak_pelvis_omega": turn,
            "attack_angle": metric(None, "deg", "No bat in the file."),
            "no_longer_known": metric(3.0, "m"),
        },
        events={
            "foot_down": {"time_s": 1.23456, "rule": "vendor", "confidence": "vendor"},
            "load": {"time_s": None, "rule": None, "reason": "The file begins later."},
        },
        verdict={"length_unit": {"value": "mm", "text": "In <millimeters>."}},
        quality_reasons=[{"code": "gap", "text": "A gap of 30 ms."}],
    )
    url = reverse("admin:athletes_movement_change", args=[movement.pk])
    page = client.get(url)
    text = _text(page)
    assert "Peak pelvis rotation speed 612°/s load to contact" in text
    assert "Attack angle, last 10 ms – – No bat in the file." in text
    assert "no_longer_known 300 cm" in text
    assert "Foot down 1.235 s vendor" in text
    assert "Load – not found" in text
    assert "The file begins later." in text
    assert "length unit In <millimeters>." in text
    assert "<millimetres>" not in page.content.decode()
    assert "Reasons for the grade: A gap of 30 ms." in text
    assert '"time_s"' not in text


def test_a_mean_is_read_with_its_unit(client, staff):
    row = make_session_metric(mean=640.0, cv=3.125, robust_spread=None)
    url = reverse("admin:athletes_sessionmetric_change", args=[row.pk])
    text = _text(client.get(url))
    assert "Swings: 5" in text
    assert "Average: 640°/s" in text
    assert "Standard deviation (SD): 20.0°/s" in text
    assert "Minimum to maximum: 610°/s to 670°/s" in text
    assert "Coefficient of variation (CV): 3.12%" in text
    assert re.search(r"Robust spread \([^)]+\): –", text)


def test_deleting_a_tag_says_what_loses_it(client, staff):
    session = make_synced_session(swings=1)
    tag = Tag.objects.create(name="power")
    tag.players.add(session.player)
    tag.sessions.add(session)
    url = reverse("admin:athletes_tag_delete", args=[tag.pk])
    assert "1 athletes and 1 sessions lose it" in client.get(url).content.decode()
    assert client.post(url, {"post": "yes"}).status_code == 302
    assert not Tag.objects.exists()
    assert Player.objects.filter(pk=session.player_id).exists()


def test_the_list_says_in_words_what_was_corrected_and_who_is_gone(client, staff):
    make_player(
        corrected_fields=["height_ft", "dominant_hand_hitting"],
        missing_since=dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC),
    )
    page = client.get(reverse("admin:athletes_player_changelist")).content.decode()
    assert "height, bats" in page
    assert "since Mar 4, 2026" in page
    assert "icon-no" not in page


def test_fields_are_called_with_their_units(client, staff):
    player = make_player()
    url = reverse("admin:athletes_player_change", args=[player.pk])
    page = client.get(url).content.decode()
    assert page.count("Height (decimal feet)") == 1  # the tick
    assert "Weight (pounds)" in page
    assert "height ft" not in page.lower()
    assert "When Reboot Motion stopped listing this athlete" in page


def test_the_history_of_an_athlete_is_that_of_the_audit(client, staff):
    player = make_player()
    edit(client, player, height_ft=5.5)
    url = reverse("admin:athletes_player_history", args=[player.pk])
    page = client.get(url).content.decode()
    assert "Record changed" in page
    assert "have a change history" not in page


def test_the_history_says_in_words_what_was_chosen(client, staff):
    player = make_player()
    audit.record(Action.SHARE_CREATED, by=staff, player_id=player.pk, full_name=False)
    url = reverse("admin:athletes_player_history", args=[player.pk])
    page = client.get(url).content.decode()
    assert "full name: no<" in page


def test_the_rate_of_a_movement_is_given_in_whole_hertz(client, staff):
    make_movement(sampling_rate_hz=240.0000000033147)
    page = client.get(reverse("admin:athletes_movement_changelist")).content.decode()
    assert "240 Hz<" in page
    assert "240.0" not in page


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        *(
            (
                "height_ft",
                f"{feet} ft",
                f"Enter a height between 1.5 and 9 feet: this is {feet} feet.",
            )
            for feet in (60, 1.5)
        ),
        (
            "height_ft",
            60,
            f"Enter a height with its unit, such as {EXAMPLES}.",
        ),
        ("weight_lbs", 7000, "Enter a value between 20 and 700 pounds."),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_words(client, staff, field, value, words):
    player = make_player()
    answer = edit(client, player, **{field: value})
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors == {field: [words]}
    player.refresh_from_db()
    assert getattr(player, field) != value
