"""Moving the events of a swing: what would change, saving it, and undoing it."""

from __future__ import annotations

import re

import pytest

from accounts.models import Action, AuditEntry
from athletes import decisions, display
from athletes.analysis.metric_reading import reading_of
from athletes.models import EventCorrection
from biomechanics.definitions import METRICS, SHOWN_METRICS
from tests.dashboard.page_contents import swings_of, text_of
from tests.factories import make_user

pytestmark = pytest.mark.django_db

EVENTS = ("load", "first_move", "foot_down", "reference")


def event_form(swing, zero="reference", **changes):
    """What the form of the page posts when nothing but `changes` (ms) was typed."""
    zero_s = swing.events[zero]["time_s"]
    data = {
        name: str(round(1000 * (swing.events[name]["time_s"] - zero_s)))
        for name in EVENTS
    }
    was = {f"was_{name}": repr(swing.events[name]["time_s"]) for name in EVENTS}
    return data | was | {"zero_s": repr(zero_s)} | changes


def moved_by(swing, event, ms):
    """The time of an event of a form, so many ms from where it is."""
    return str(int(event_form(swing)[event]) + ms)


def address(swing, query=""):
    return f"/athletes/swings/{swing.pk}/events/{query}"


def undo_address(*moves):
    """The address that undoes moves."""
    keys = "-".join(str(one.pk) for one in moves)
    return f"/athletes/swings/{moves[0].movement_id}/events/{keys}/undo/"


def confirm_form(response):
    """What the page that lists the changes posts to save them."""
    body = response.content.decode()
    form = re.search(r'<form class="preview".*?</form>', body, re.S)
    assert form, "nothing to confirm"
    was = (f"was_{name}" for name in EVENTS)
    names = (*EVENTS, *was, "seen", "zero_s", "reason")
    found = dict(
        re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form[0])
    )
    return {name: found[name] for name in names}


def move(client, swing, query="", **changes):
    """Move events as a person does: look at what would change, then save it."""
    seen = client.post(address(swing, query), event_form(swing, **changes))
    assert seen.status_code == 200
    return client.post(address(swing, query), confirm_form(seen))


def rows_of(response):
    """What is listed to change, by name: before, after, and by how much."""
    table = re.search(
        r'<table class="preview__table">.*?</table>', response.content.decode(), re.S
    )
    assert table
    found = {}
    for row in re.findall(r"<tr.*?</tr>", table[0], re.S):
        cells = [
            re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", cell)).strip()
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)
        ]
        before, _, after = cells[1].partition(" → ")
        found[cells[0]] = (before, after, cells[2])
    return found


@pytest.mark.both
def test_what_would_change_is_listed_and_nothing_is_saved(client, coach, session):
    swing = swings_of(session)[0]
    before = event_form(swing)["foot_down"].replace("-", "−")
    after = moved_by(swing, "foot_down", 20)
    response = client.post(address(swing), event_form(swing, foot_down=after))
    assert response.status_code == 200
    rows = rows_of(response)
    assert rows["Foot down"] == (
        f"{before} ms",
        f"{after} ms".replace("-", "−"),
        "+20 ms",
    )
    assert "Times from contact" in text_of(response)
    # A headline that does not depend on foot down stays, and is listed all the same.
    name = METRICS["peak_hand_speed"].name
    assert name not in rows
    shown = display.value_text(
        swing.metrics["peak_hand_speed"]["value"], "m/s", "imperial", decimals=1
    )
    assert f"{name} {shown} ·" in text_of(response)
    knee = rows[METRICS["lead_knee_flex_fd"].name]
    assert knee[0] != knee[1]
    assert knee[2].endswith("°")
    assert not EventCorrection.objects.exists()
    again = swings_of(session)[0]
    assert (again.events, again.metrics) == (swing.events, swing.metrics)


@pytest.mark.both
def test_saved_numbers_are_those_of_the_preview(client, coach, session):
    swing = swings_of(session)[0]
    change = {
        "foot_down": moved_by(swing, "foot_down", -15),
        "reference": moved_by(swing, "reference", 6),
    }
    listed = client.post(address(swing), event_form(swing, **change))
    rows = rows_of(listed)
    assert client.post(address(swing), confirm_form(listed)).status_code == 302
    saved = swings_of(session)[0]
    compared = 0
    for item in SHOWN_METRICS:
        if item.name not in rows or item.unit == "text":
            continue
        before, after, _ = rows[item.name]
        digits = len(re.sub(r"^[−\d,]*\.?|\D.*$", "", after))
        for shown, one in ((before, swing), (after, saved)):
            value = reading_of(item.id, one.metrics).value
            if value is None:
                assert shown == "–"
                continue
            number = float(value) * display.unit_factor(item.unit, "imperial")
            assert shown.startswith(display.number_text(number, digits)), item.name
            compared += 1
    assert compared > 20
    changed = {
        item.name
        for item in SHOWN_METRICS
        if swing.metrics[item.id]["value"] != saved.metrics[item.id]["value"]
        and item.unit == "text"
    }
    assert changed <= set(rows)


@pytest.mark.both
def test_moved_event_is_kept_and_undone(client, coach, session):
    swing = swings_of(session)[0]
    automatic = swing.events["foot_down"]["time_s"]
    response = move(
        client,
        swing,
        "?tab=energy",
        foot_down=moved_by(swing, "foot_down", 20),
        reason="heel later",
    )
    assert response["Location"] == (
        f"/athletes/swings/{swing.pk}/?tab=energy&moved=1#events"
    )
    correction = EventCorrection.objects.get()
    assert correction.event == "foot_down"
    assert correction.automatic_time_s == pytest.approx(automatic)
    assert correction.time_s == pytest.approx(automatic + 0.02, abs=0.0006)
    assert correction.created_by == coach
    page = client.get(response["Location"])
    assert "set by a coach" in text_of(page)
    assert "heel later" in text_of(page)
    assert f"Saved: Foot down {(1000 * 0)}" not in text_of(page)
    assert "Saved: Foot down −" in text_of(page)
    undo = undo_address(correction)
    assert f'action="{undo}?tab=energy&amp;moved=1"' in page.content.decode()
    assert client.post(undo).status_code == 302
    again = swings_of(session)[0]
    assert (again.events, again.metrics) == (swing.events, swing.metrics)
    assert AuditEntry.objects.filter(action=Action.EVENT_MOVED).count() == 2


@pytest.mark.both
def test_undo_brings_back_what_another_person_had_set(client, coach, session):
    swing, other = swings_of(session)[0], make_user()
    first_s = swing.events["foot_down"]["time_s"] + 0.01
    decisions.move_event(
        movement=swing, event="foot_down", time_s=first_s, reason="video", user=other
    )
    between = swings_of(session)[0]
    move(client, between, foot_down=moved_by(between, "foot_down", 25))
    newest = EventCorrection.objects.get(undone_at=None)
    answer = client.post(undo_address(newest), follow=True)
    assert "the previous time is back" in text_of(answer)
    again = swings_of(session)[0]
    assert (again.events, again.metrics) == (between.events, between.metrics)
    active = EventCorrection.objects.get(undone_at=None)
    assert (active.created_by, active.reason) == (other, "video")
    assert active.time_s == pytest.approx(first_s)
    assert active.undone_by is None
    # And once more: what the rule had found.
    answer = client.post(undo_address(active), follow=True)
    assert "the automatic event is back" in text_of(answer)
    again = swings_of(session)[0]
    assert (again.events, again.metrics) == (swing.events, swing.metrics)


def test_events_moved_together_are_undone_together(client, coach, session):
    swing = swings_of(session)[0]
    response = move(
        client,
        swing,
        first_move=moved_by(swing, "first_move", -10),
        foot_down=moved_by(swing, "foot_down", 10),
    )
    page = client.get(response["Location"]).content.decode()
    undo = undo_address(*EventCorrection.objects.order_by("pk"))
    assert undo in page
    assert client.post(undo).status_code == 302
    again = swings_of(session)[0]
    assert (again.events, again.metrics) == (swing.events, swing.metrics)
    assert not EventCorrection.objects.filter(undone_at=None).exists()


def test_what_was_not_moved_cannot_be_undone(client, coach, session):
    swing = swings_of(session)[0]
    move(client, swing, foot_down=moved_by(swing, "foot_down", 10))
    moved = swings_of(session)[0]
    kept = EventCorrection.objects.get()
    for other in (f"{kept.pk}-{kept.pk + 1}", "foot_down", "9" * 30, "²"):
        answer = client.post(
            f"/athletes/swings/{swing.pk}/events/{other}/undo/", follow=True
        )
        if other == "²":
            assert answer.status_code == 404
        else:
            assert "so nothing was undone now" in text_of(answer)
    again = swings_of(session)[0]
    assert again.events == moved.events
    assert EventCorrection.objects.get().undone_at is None


def test_times_count_from_the_event_that_the_page_is_aligned_on(client, coach, session):
    swing = swings_of(session)[0]
    zero_s = swing.events["foot_down"]["time_s"]
    page = client.get(f"/athletes/swings/{swing.pk}/?align=foot_down")
    body = page.content.decode()
    assert f'name="zero_s" value="{zero_s!r}"' in body
    assert "in ms from foot down" in text_of(page)
    listed = client.post(
        address(swing, "?align=foot_down"),
        event_form(swing, zero="foot_down", foot_down="12"),
    )
    assert rows_of(listed)["Foot down"] == ("0 ms", "12 ms", "+12 ms")
    assert "Times from foot down" in text_of(listed)
    client.post(address(swing, "?align=foot_down"), confirm_form(listed))
    correction = EventCorrection.objects.get()
    assert correction.time_s == pytest.approx(zero_s + 0.012, abs=1e-9)


def test_numbers_that_changed_meanwhile_are_shown_anew(client, coach, session):
    swing = swings_of(session)[0]
    listed = client.post(
        address(swing),
        event_form(swing, foot_down=moved_by(swing, "foot_down", 20)),
    )
    decisions.move_event(
        movement=swing,
        event="first_move",
        time_s=swing.events["first_move"]["time_s"] - 0.02,
        reason="",
        user=make_user(),
    )
    answer = client.post(address(swing), confirm_form(listed))
    assert answer.status_code == 200
    assert "changed in the meantime, so nothing was saved" in text_of(answer)
    assert EventCorrection.objects.get().event == "first_move"
    # The other person's move stays: the form did not move that event.
    assert "First move" not in rows_of(answer)
    assert client.post(address(swing), confirm_form(answer)).status_code == 302
    saved = swings_of(session)[0]
    assert saved.events["first_move"]["time_s"] == pytest.approx(
        swing.events["first_move"]["time_s"] - 0.02
    )
    assert saved.events["foot_down"]["time_s"] == pytest.approx(
        swing.events["foot_down"]["time_s"] + 0.02, abs=0.0006
    )


@pytest.mark.both
def test_stale_form_leaves_the_event_that_another_person_moved(client, coach, session):
    swing = swings_of(session)[0]
    stale = event_form(swing, first_move=moved_by(swing, "first_move", -10))
    theirs_s = swing.events["foot_down"]["time_s"] + 0.012
    decisions.move_event(
        movement=swing,
        event="foot_down",
        time_s=theirs_s,
        reason="",
        user=make_user(),
    )
    listed = client.post(address(swing), stale)
    assert "meanwhile" not in text_of(listed)
    assert "Foot down" not in rows_of(listed)
    assert client.post(address(swing), confirm_form(listed)).status_code == 302
    saved = swings_of(session)[0]
    assert saved.events["foot_down"]["time_s"] == pytest.approx(theirs_s)
    assert saved.events["first_move"]["time_s"] == pytest.approx(
        swing.events["first_move"]["time_s"] - 0.01, abs=0.0006
    )


@pytest.mark.parametrize("is_listed", [False, True])
def test_event_that_another_person_has_moved_is_not_moved_from_its_former_place(
    client, coach, session, is_listed
):
    swing = swings_of(session)[0]
    posted = event_form(swing, foot_down=moved_by(swing, "foot_down", 20))
    if is_listed:
        posted = confirm_form(client.post(address(swing), posted))
    other = make_user()
    theirs = decisions.move_event(
        movement=swing,
        event="foot_down",
        time_s=swing.events["foot_down"]["time_s"] + 0.012,
        reason="",
        user=other,
    )
    answer = client.post(address(swing), posted)
    assert "changed in the meantime, so nothing was saved" in text_of(answer)
    assert EventCorrection.objects.get() == theirs
    # From where it is now, and that can be saved.
    assert rows_of(answer)["Foot down"][2] == "+8 ms"
    assert client.post(address(swing), confirm_form(answer)).status_code == 302
    assert EventCorrection.objects.get(undone_at=None).replaced == theirs


def test_undo_of_a_move_that_was_moved_again_undoes_nothing(client, coach, session):
    swing = swings_of(session)[0]
    response = move(client, swing, foot_down=moved_by(swing, "foot_down", 10))
    own = EventCorrection.objects.get()
    theirs = decisions.move_event(
        movement=swing,
        event="foot_down",
        time_s=own.time_s + 0.01,
        reason="",
        user=make_user(),
    )
    page = client.get(response["Location"]).content.decode()
    assert "moved-bar--saved" not in page
    answer = client.post(undo_address(own), follow=True)
    assert "so nothing was undone now" in text_of(answer)
    assert EventCorrection.objects.get(undone_at=None) == theirs
    # Pressed twice: the second press leaves what the first one brought back.
    assert "the previous time" in text_of(
        client.post(undo_address(theirs), follow=True)
    )
    assert "so nothing was undone now" in text_of(
        client.post(undo_address(theirs), follow=True)
    )
    assert EventCorrection.objects.get(undone_at=None) == own


def test_saved_move_offers_its_undo_beside_a_newer_one_of_another_person(
    client, coach, session
):
    swing = swings_of(session)[0]
    response = move(client, swing, foot_down=moved_by(swing, "foot_down", 10))
    own = EventCorrection.objects.get()
    decisions.move_event(
        movement=swing,
        event="first_move",
        time_s=swing.events["first_move"]["time_s"] - 0.01,
        reason="",
        user=make_user(),
    )
    page = client.get(response["Location"]).content.decode()
    bar = re.search(r'<div class="moved-bar moved-bar--saved.*?</div>', page, re.S)
    assert bar
    assert undo_address(own) in bar[0]
    assert "Saved: Foot down" in bar[0]
    assert "First move" not in bar[0]


@pytest.mark.parametrize(
    ("zero_s", "foot_down"), [("1e306", "0"), ("0.5", "1e305"), ("nan", "0")]
)
def test_times_of_no_clip_are_refused(client, coach, session, zero_s, foot_down):
    swing = swings_of(session)[0]
    posted = event_form(swing, foot_down=foot_down) | {"zero_s": zero_s}
    assert client.post(address(swing), posted).status_code == 422
    assert not EventCorrection.objects.exists()


def test_event_outside_the_clip_is_refused_with_the_limits(client, coach, session):
    swing = swings_of(session)[0]
    response = client.post(address(swing), event_form(swing, foot_down="99000"))
    assert response.status_code == 422
    limits = re.search(
        r"must be between (−[\d,]+) and (\d+) ms from contact", text_of(response)
    )
    assert limits
    zero_ms = 1000 * swing.events["reference"]["time_s"]
    assert limits[1] == f"−{round(zero_ms):,}"
    assert not EventCorrection.objects.exists()


def test_word_for_a_time_is_refused(client, coach, session):
    swing = swings_of(session)[0]
    response = client.post(address(swing), event_form(swing, foot_down="soon"))
    assert response.status_code == 422
    assert "Foot down: enter a number of ms." in text_of(response)


def test_unchanged_events_are_not_moved(client, coach, session):
    swing = swings_of(session)[0]
    answer = client.post(address(swing), event_form(swing), follow=True)
    assert "No event was moved." in text_of(answer)
    assert not EventCorrection.objects.exists()


def test_script_gets_the_list_alone(client, coach, session):
    swing = swings_of(session)[0]
    answer = client.post(
        address(swing),
        event_form(swing, foot_down=moved_by(swing, "foot_down", 20)),
        headers={"HX-Request": "true"},
    )
    assert b"<html" not in answer.content
    assert rows_of(answer)["Foot down"][2] == "+20 ms"
