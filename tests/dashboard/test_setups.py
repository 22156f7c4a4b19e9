"""A session may hold swings of several setups: nothing that is compared joins them."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from statistics import fmean

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from athletes import decisions
from athletes.admin.metrics_csv import metrics_csv
from athletes.analysis import peer_numbers, session_summary
from athletes.analysis.changes import session_changes
from athletes.analysis.history import histories
from athletes.frames.carrying import carry_setup
from athletes.models import Movement, PeerNumber, Player, Session, SessionMetric
from athletes.phrases import basis_in_words
from athletes.tasks import refresh_joined_task
from biomechanics.basis import with_setup
from biomechanics.definitions import NUMERIC_HEADLINES
from biomechanics.variance import published_prior
from dashboard.selectors.compare_items import load_items
from dashboard.selectors.compare_keys import parse_items
from dashboard.selectors.compare_numbers import compare_numbers
from dashboard.selectors.home_page import home_page
from dashboard.selectors.session_list import SessionFilter, filtered
from tests.dashboard.page_contents import text_of
from tests.factories import (
    make_player,
    make_session,
    make_swing,
    make_team,
    make_user,
)

pytestmark = pytest.mark.django_db

METRIC = "peak_hand_speed"
DAY = dt.date(2026, 3, 1)
TEE = (10.0, 10.1, 9.9, 10.0)
LIVE = (8.0, 8.1, 7.9, 8.0)
JOINED = fmean([*TEE, *LIVE])


def session_of(player, week, tee=(), live=(), *, condition="tee"):
    """A session off a tee in which some swings were pitched live."""
    session = make_session(
        player=player,
        session_date=DAY + dt.timedelta(weeks=week),
        condition=condition,
        data_state="complete",
        data_synced=True,
    )
    for values, own in ((tee, None), (live, "live")):
        for value in values:
            swing = make_swing({METRIC: value}, session=session)
            Movement.objects.filter(pk=swing.pk).update(condition=own)
    session_summary.refresh_session_summary(session.pk)
    session.refresh_from_db()
    return session


def undo(client, key=None):
    """Tap Undo; `key` is that of the button, by itself the one that is shown now."""
    kept = client.session.get("setups_before") or {}
    data = {"key": kept.get("key", "") if key is None else key}
    return client.post(reverse("dashboard:setups_undo"), data, follow=True)


def shown_key(page):
    """The key in the button to undo."""
    return re.search(r'name="key" value="(\w+)"', page.content.decode())[1]


@pytest.fixture
def coach(client):
    user = make_user(units="metric")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


@pytest.fixture
def player():
    return make_player()


@pytest.fixture
def mixed(player):
    """Three weeks off a tee, and one with as many swings live as off the tee."""
    for week in range(3):
        session_of(player, week, TEE)
    return session_of(player, 3, TEE, LIVE)


def points_of(player):
    found = histories(Session.objects.all(), [player.pk], NUMERIC_HEADLINES)
    return found[player.pk][METRIC]


def test_session_of_two_setups_has_two_averages_and_none_over_both(mixed):
    rows = SessionMetric.objects.filter(session=mixed, metric=METRIC)
    assert sorted((row.mean, row.n) for row in rows) == [
        (pytest.approx(8.0), 4),
        (pytest.approx(10.0), 4),
    ]
    points = [p for p in points_of(mixed.player) if p.session_id == mixed.pk]
    assert {(p.basis.condition, p.n) for p in points} == {("tee", 4), ("live", 4)}
    # What lists sort by is of one of them.
    assert round(mixed.summary["headlines"][METRIC]["mean"], 6) in {8.0, 10.0}


@pytest.mark.both
def test_averages_that_an_older_release_joined_are_stored_apart_again(mixed):
    assert refresh_joined_task() == 0
    rows = SessionMetric.objects.filter(session=mixed, metric=METRIC)
    of_tee = rows.get(mean__gt=9)
    rows.exclude(pk=of_tee.pk).delete()
    rows.update(mean=JOINED, n=8)
    del mixed.summary["setups"]
    mixed.save()
    assert refresh_joined_task() == 1
    assert sorted((row.mean, row.n) for row in rows.all()) == [
        (pytest.approx(8.0), 4),
        (pytest.approx(10.0), 4),
    ]
    assert refresh_joined_task() == 0


def test_changes_compare_the_tee_with_the_tee_alone(mixed):
    history = {METRIC: points_of(mixed.player)}
    changes = session_changes(
        history, mixed.pk, lambda metric, _: published_prior(metric)
    )
    tee, live = changes
    assert (tee.basis.condition, tee.sessions_before) == ("tee", 3)
    assert (tee.verdict, tee.delta) == ("no_clear_change", pytest.approx(0.0))
    assert (live.basis.condition, live.verdict) == ("live", "unknown")
    assert live.reason_code == "not_comparable"
    # A live session that follows is compared with the live part.
    after = session_of(mixed.player, 4, LIVE, condition="live")
    found = {METRIC: points_of(mixed.player)}
    (change,) = session_changes(
        found, after.pk, lambda metric, _: published_prior(metric)
    )
    assert (change.before, change.n_before) == (pytest.approx(8.0), 4)


def test_page_tells_of_each_setup_by_itself(client, coach, mixed):
    address = reverse("dashboard:session", args=[mixed.pk])
    response = client.get(address, {"numbers": "all"})
    page = response.context["page"]
    assert [
        (part.key, part.counted, part.first_means[0].value) for part in page.parts
    ] == [("tee", 4, pytest.approx(10.0)), ("live", 4, pytest.approx(8.0))]
    text = text_of(response)
    assert "Tee: average ± SD of 4" in text
    assert "Mixed" in text
    assert f"{JOINED:.1f} m/s" not in text
    alone = client.get(address, {"setup": "live"}).context["page"]
    assert {swing.setup for swing in alone.swings} == {"live"}
    one = reverse("dashboard:swing", args=[alone.swings[0].id])
    assert "included in averages live BP" in text_of(client.get(one))
    assert [part.counted for part in alone.parts] == [4]


PLACES = (
    "/",
    "/athletes/{player}/",
    "/athletes/{player}/?metric=peak_hand_speed",
    "/athletes/sessions/",
    "/athletes/sessions/{session}/?numbers=all",
    "/athletes/sessions/{session}/?numbers=all&effort=full",
    "/athletes/swings/{swing}/",
    "/athletes/compare/?items=session-{session},session-{earlier}",
    "/athletes/compare/?items=athlete-{player},session-{session}",
    "/athletes/sessions/{session}/sheet/",
    "/athletes/{player}/sheet/",
)


def test_athletes_page_tells_what_changed_in_a_setup_of_fewer_swings(
    client, coach, player
):
    for week in range(4):
        session_of(player, week, (*TEE, 10.0), LIVE)
    session_of(player, 4, (*TEE, 10.0), [value + 1 for value in LIVE])
    answer = client.get(reverse("dashboard:athlete", args=[player.pk]))
    told = [finding.text for finding in answer.context["page"].findings]
    assert "live BP" in told[0]
    assert "faster" in told[0]
    # The numbers stay those of the setup with most swings.
    assert answer.context["page"].newest_point.basis.condition == "tee"


def test_no_mean_over_two_setups_stands_anywhere(client, coach, mixed):
    earlier = Session.objects.exclude(pk=mixed.pk).first()
    known = {
        "player": mixed.player_id,
        "session": mixed.pk,
        "earlier": earlier.pk,
        "swing": mixed.movements.first().pk,
    }
    for place in PLACES:
        response = client.get(place.format(**known))
        assert response.status_code == 200, place
        assert "9.0 m/s" not in text_of(response), place
    metrics = client.get(f"/sessions/{mixed.pk}/metrics").json()
    one = metrics["metrics"][METRIC]
    means = {one["mean"]: one["setup"]}
    means |= {other["mean"]: other["setup"] for other in one["other_rules"]}
    assert means == {10.0: "tee", 8.0: "live"}
    rows = client.get(f"/movements?session={mixed.pk}").json()
    setups = [row["setup"] for row in rows["movements"]]
    assert setups == ["tee"] * 4 + ["live"] * 4
    peer_numbers.refresh([mixed.player_id])
    values = {
        (number.group.condition, number.value)
        for number in PeerNumber.objects.filter(group__metric=METRIC)
    }
    assert {setup for setup, _ in values} == {"tee", "live", "any"}
    assert {round(value, 6) for _, value in values} <= {8.0, 10.0}
    table = list(csv.DictReader(io.StringIO("".join(metrics_csv([mixed])))))
    assert {
        (row["condition"], round(float(row["mean"]), 6))
        for row in table
        if row["metric"] == METRIC
    } == {("tee", 10.0), ("live", 8.0)}


def compared(user, *words):
    items, _ = load_items(user, parse_items(words)[0])
    return items


def test_comparison_joins_no_swings_of_two_setups(coach, mixed, player):
    """Items are narrowed, so that curves, figures and scatter are of one setup."""
    swing = mixed.movements.in_session_order().last()
    named = f"session-{mixed.pk}-live"
    items = compared(
        coach,
        *(f"session-{mixed.pk}", named, f"swing-{swing.pk}", f"athlete-{player.pk}"),
        *(f"athlete-{player.pk}-live", f"range-{player.pk}-20260101-20261231"),
    )
    shown = {str(item.key): item for item in items}
    told = {
        key: (item.condition, item.setup, len(item.swings), len(item.around))
        for key, item in shown.items()
    }
    assert told == {
        f"session-{mixed.pk}": ("live", "Live BP", 4, 4),
        named: ("live", "Live BP", 4, 4),
        f"swing-{swing.pk}": ("live", "Live BP", 1, 4),
        f"athlete-{player.pk}": ("tee", "Tee", 12, 12),
        f"athlete-{player.pk}-live": ("live", "Live BP", 4, 4),
        f"range-{player.pk}-20260101-20261231": ("tee", "Tee", 16, 16),
    }
    for item in items:
        assert {one.setup for one in (*item.swings, *item.around)} == {item.condition}
    assert "4 swings with a different setup not included" in shown[named].detail
    assert shown[named].label.endswith("live BP")
    assert shown[named].setup_choices == ("tee",)
    # Beside a session off the tee it is the part off the tee.
    earlier = Session.objects.exclude(pk=mixed.pk).first()
    alone, _ = compared(coach, f"session-{mixed.pk}", f"session-{earlier.pk}")
    assert (alone.condition, len(alone.swings)) == ("tee", 4)


def test_share_by_chance_counts_each_setup_as_a_list_of_its_own(player):
    for week in range(4):
        session_of(player, week, TEE, LIVE)
    session_of(player, 4, [value + 3.0 for value in TEE], LIVE)
    page = home_page(Player.objects.all(), Session.objects.all(), system="metric")
    assert [line.change.side for line in page.changes] == ["tee"]
    # Two lists of one number each, of which one changed: either may err.
    assert page.by_chance == pytest.approx(0.2)


def test_comparison_keeps_numbers_of_swings_whose_setup_is_stated(coach, mixed):
    earlier = Session.objects.exclude(pk=mixed.pk).first()
    items = compared(coach, f"session-{mixed.pk}-live", f"session-{earlier.pk}")
    (row,) = compare_numbers(coach, items, "metric")
    # By date, so the session off the tee stands first.
    assert [(cell.mean, cell.n) for cell in row.cells] == [
        (pytest.approx(10.0), 4),
        (pytest.approx(8.0), 4),
    ]


def test_sheet_names_the_setup_that_its_numbers_are_of(client, coach, player):
    session = session_of(player, 0, TEE[:2], LIVE)
    text = text_of(client.get(reverse("sharing:session", args=[session.pk])))
    assert "Live BP" in text
    assert "4 included swings" in text
    assert "2 swings with another setup not included" in text


def test_session_whose_swings_all_have_another_setup_is_of_that(player):
    session = session_of(player, 0, live=LIVE)
    assert session.summary["setups"] == {"live": 4}
    assert session.setup_words == "Live BP"
    tee = session_of(player, 1, TEE)
    assert "setups" not in tee.summary
    waiting = make_session(player=player, condition="tee")
    gone = session_of(player, 2, TEE, LIVE[:1])
    gone.movements.filter(condition="live").update(missing_since=timezone.now())

    def found(setup):
        wanted = SessionFilter(setup=setup)
        every = Session.objects.all()
        return set(filtered(every, Player.objects.all(), wanted, today=DAY))

    assert found("live") == {session}
    assert found("tee") == {tee, waiting, gone}


def test_setup_in_json_is_null_where_swings_have_none(client, coach, player):
    session = session_of(player, 0, live=LIVE)
    decisions.set_setups(movements=session.movements.all()[:2], setup="")
    one = client.get(f"/sessions/{session.pk}/metrics").json()["metrics"][METRIC]
    assert {one["setup"], one["other_rules"][0]["setup"]} == {"live", None}
    assert {side["setup"] for side in one["sides"]} == {"live", None}


def test_basis_names_its_setup_as_pages_do():
    of_live = with_setup("reference=hand_peak", "live")
    assert basis_in_words(of_live) == "setup: live BP · times from: peak hand speed"
    unknown = with_setup("reference=hand_peak", "")
    assert basis_in_words(unknown).startswith("setup: none recorded · ")


def test_undo_leaves_what_somebody_stated_since(client, coach, player):
    session = session_of(player, 0, TEE)
    address = reverse("dashboard:swing_setups", args=[session.pk])
    client.post(address, {"do": "setup", "swings": "1-2", "setup": "live"})
    first = session.movements.in_session_order()[0]
    decisions.set_setups(movements=[first], setup="machine")
    assert "Undone, except where the setup has been changed" in text_of(undo(client))
    found = session.movements.in_session_order().values_list("condition", flat=True)
    assert list(found) == ["machine", None, None, None]
    session = session_of(player, 1, TEE)
    listed = f"{reverse('dashboard:sessions')}?setup=tee&sort=athlete"
    kept = 'name="shown" value="setup=tee&amp;sort=athlete"'
    assert kept in client.get(listed).content.decode()
    answer = client.post(
        reverse("dashboard:sessions_setup"),
        {"sessions": [session.pk], "setup": "live", "shown": "setup=tee&sort=athlete"},
    )
    # Back to the list as it was filtered, also after the way back.
    assert answer.url == listed
    decisions.set_setups(sessions=[session], setup="front_toss")
    told = AuditEntry.objects.filter(subject_id=session.pk).count()
    page = undo(client)
    assert page.redirect_chain[-1][0] == listed
    assert "Not undone: the setups have been changed since." in text_of(page)
    session.refresh_from_db()
    assert session.condition == "front_toss"
    # Nothing was given back: nothing is noted.
    assert AuditEntry.objects.filter(subject_id=session.pk).count() == told


def test_undo_undoes_the_change_that_its_button_was_shown_for(client, coach, player):
    first, second = session_of(player, 0, TEE), session_of(player, 1, TEE)
    pages = []
    for session in (first, second):
        address = reverse("dashboard:swing_setups", args=[session.pk])
        client.post(address, {"swings": "1-2", "setup": "live", "do": "setup"})
        pages.append(client.get(reverse("dashboard:session", args=[session.pk])))
    old, new = (shown_key(page) for page in pages)
    assert "Not undone: you have changed other" in text_of(undo(client, old))
    live = Movement.objects.filter(condition="live")
    assert live.count() == 4
    assert "Undone. Averages" in text_of(undo(client, new))
    assert set(live.values_list("session", flat=True)) == {first.pk}


def test_keys_that_are_too_long_name_nothing(client, coach, player):
    session = session_of(player, 0, TEE)
    long = "9" * 5000
    for address, name in (
        (reverse("dashboard:swing_setups", args=[session.pk]), "chosen"),
        (reverse("dashboard:sessions_setup"), "sessions"),
    ):
        sent = {"do": "setup", name: long, "setup": "live"}
        answer = client.post(address, sent, follow=True)
        assert "Not saved" in text_of(answer)


def test_picker_marks_the_fastest_swing_of_each_setup(client, coach, mixed):
    address = "/athletes/compare/pick/"
    asked = {"pick": mixed.player_id, "swings": mixed.pk}
    text = text_of(client.get(address, asked))
    assert re.findall(r"(tee|live BP)(?:, typical)?, fastest", text) == [
        "tee",
        "live BP",
    ]


def test_swing_that_is_the_same_keeps_its_setup_unless_another_is_stated(player):
    tee = session_of(player, 0, TEE[:2], LIVE[:1])
    live = session_of(player, 1, LIVE[:3], condition="live")
    plain, _, stated = tee.movements.in_session_order()
    first, second, third = live.movements.in_session_order()
    decisions.set_setups(movements=[first], setup="machine")
    carry_setup(stated, first)
    decisions.set_setups(movements=[stated], setup="front_toss")
    stated.refresh_from_db()
    carry_setup(stated, second)
    # What was stated of a session stays with the session.
    carry_setup(plain, third)
    found = live.movements.in_session_order().values_list("condition", flat=True)
    assert list(found) == ["machine", "front_toss", None]


@pytest.mark.both
def test_setup_of_swings_is_stated_and_given_back(mixed):
    swings = list(mixed.movements.in_session_order())
    moved = {swing.pk: swing.updated_at for swing in swings}
    before = decisions.set_setups(movements=swings[:2], setup="machine")
    assert before["movements"] == {swings[0].pk: None, swings[1].pk: None}
    found = dict(mixed.movements.values_list("pk", "condition"))
    assert [found[swing.pk] for swing in swings] == [
        *["machine"] * 2,
        *[None] * 2,
        *["live"] * 4,
    ]
    first = Movement.objects.get(pk=swings[0].pk)
    assert first.updated_at > moved[first.pk]
    rows = SessionMetric.objects.filter(session=mixed, metric=METRIC)
    assert sorted(row.n for row in rows) == [2, 2, 4]
    decisions.restore_setups(before)
    assert sorted(rows.values_list("n", flat=True)) == [4, 4]
    # A whole session is of one setup again, and that can be undone as well.
    before = decisions.set_setups(sessions=[mixed], setup="live")
    assert sorted(rows.values_list("n", flat=True)) == [8]
    decisions.restore_setups(before)
    assert sorted(rows.values_list("n", flat=True)) == [4, 4]
    with pytest.raises(ValidationError):
        decisions.set_setups(movements=swings, setup="moon")


def test_setup_that_the_session_gets_too_is_its_own_no_longer(mixed):
    mixed.condition = "live"
    decisions.save_conditions(mixed)
    points = [p for p in points_of(mixed.player) if p.session_id == mixed.pk]
    assert [(p.basis.condition, p.n) for p in points] == [("live", 8)]


def test_range_of_swings_gets_a_setup_and_gives_it_back_on_the_page(
    client, coach, player
):
    session = session_of(player, 0, [*TEE, *LIVE])
    address = reverse("dashboard:swing_setups", args=[session.pk])
    client.post(address, {"do": "setup", "swings": "5-7, 8", "setup": "live"})
    rows = SessionMetric.objects.filter(session=session, metric=METRIC)
    assert sorted(rows.values_list("n", flat=True)) == [4, 4]
    page = client.get(reverse("dashboard:session", args=[session.pk]))
    assert "Undo" in text_of(page)
    undo(client)
    assert list(rows.values_list("n", flat=True)) == [8]
    for wrong in ("5-99", "0", "x", "7-5", ""):
        sent = {"do": "setup", "swings": wrong, "setup": "live"}
        answer = client.post(address, sent, follow=True)
        assert "Not saved" in text_of(answer), wrong
    assert list(rows.values_list("n", flat=True)) == [8]


def test_selected_swings_are_compared_or_get_a_setup(client, coach, player):
    session = session_of(player, 0, [*TEE, *LIVE])
    swings = list(session.movements.in_session_order())
    other = make_swing({METRIC: 9.0}, session=make_session())
    page = client.get(reverse("dashboard:session", args=[session.pk]))
    boxes = re.findall(
        r'form="chosen-swings" name="chosen" value="(\d+)"', page.content.decode()
    )
    assert [int(value) for value in boxes] == [swing.pk for swing in swings]
    address = reverse("dashboard:swing_setups", args=[session.pk])
    assert f'id="chosen-swings" class="filter-bar no-print" action="{address}"' in (
        page.content.decode()
    )
    chosen = [str(swing.pk) for swing in (swings[4], swings[1])]
    answer = client.post(address, {"chosen": chosen, "do": "compare"})
    items = f"swing-{swings[1].pk},swing-{swings[4].pk}"
    assert answer.url == f"{reverse('dashboard:compare')}?items={items}"
    none = client.post(address, {"do": "compare"}, follow=True)
    assert "Select two to six swings" in text_of(none)
    # Without the button or without a setup nothing is stated.
    for left in ({"setup": "tee"}, {"do": "setup"}, {"do": "setup", "setup": ""}):
        answer = client.post(address, {"chosen": chosen, **left}, follow=True)
        assert "Not saved. Choose" in text_of(answer)
    assert not session.movements.filter(condition__isnull=False).exists()
    # Another session's swing is none of these.
    sent = {"chosen": [*chosen, str(other.pk), "x"], "do": "setup", "setup": "live"}
    client.post(address, sent)
    found = session.movements.filter(condition="live").in_session_order()
    assert list(found) == [swings[1], swings[4]]
    other.refresh_from_db()
    assert other.condition is None
    sent = {"chosen": str(other.pk), "do": "setup", "setup": "live"}
    assert "no longer here" in text_of(client.post(address, sent, follow=True))
    undo(client)
    facts = reverse("dashboard:session_facts", args=[session.pk])
    for bat in ("34 inches", "33 inches"):
        client.post(facts, {"condition": "machine", "bat": bat})
    said = AuditEntry.objects.filter(subject_id=session.pk).order_by("pk")
    assert [(entry.user, entry.player_number, entry.detail) for entry in said] == [
        (coach, player.pk, detail)
        for detail in (
            {"what": "setup of swings", "swings": [2, 5], "setup": "live"},
            {"what": "change of setup undone"},
            {"what": "setup", "setup": "machine"},
        )
    ]


def test_setup_of_several_sessions_is_stated_at_once_by_who_may_see_them(client):
    mine, others = make_session(), make_session()
    user = make_user(limited_to_teams=True)
    make_team(players=[mine.player], members=[user])
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post(
        reverse("dashboard:sessions_setup"),
        {"sessions": [mine.pk, others.pk], "setup": "machine"},
    )
    assert answer.status_code == 302
    mine.refresh_from_db()
    others.refresh_from_db()
    assert (mine.condition, others.condition) == ("machine", "")
    assert "Undo" in text_of(client.get("/athletes/sessions/"))
    undo(client)
    mine.refresh_from_db()
    assert mine.condition == ""
    # Nobody states the setup of swings they may not see.
    hidden = reverse("dashboard:swing_setups", args=[others.pk])
    assert client.post(hidden, {"swings": "1", "setup": "tee"}).status_code == 404
