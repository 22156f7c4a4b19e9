"""What a coach does on each page, step by step, in a real browser.

Simulated swings of both hands; athletes of one swing, of none and of two hundred
sessions. Every wait is for a state of the page.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from athletes.analysis import summaries
from athletes.models import DataState, Note, Session, SessionMetric, Tag
from syncing.models import SyncLog, WorkerHeartbeat
from tests.browser.looks import SETTLED, go, show
from tests.browser.site_pages import hit
from tests.factories import (
    make_player,
    make_session,
    make_session_metric,
    make_synced_session,
)

pytestmark = pytest.mark.django_db(transaction=True)

FIGURE = "document.getElementById('figure').swingFigure"


def traces(page, selector):
    """Names of the curves that are drawn, with the dash of each."""
    return dict(
        page.evaluate(
            f"""() => document.querySelector('{selector} [data-chart-plot]')._fullData
            .filter((t) => t.visible === true && t.name && t.fill !== 'toself')
            .map((t) => [t.name, t.line.dash])"""
        )
    )


def swings_of(session):
    return list(session.movements.filter(is_swing=True).in_session_order())


# --- Home and list --------------------------------------------------------------------


def test_search_from_anywhere_finds_by_any_part_of_the_name(visit):
    make_player(first_name="Ash", last_name="Alder")
    make_player(first_name="Bay", last_name="Birch")
    page = visit("/athletes/definitions/")
    page.keyboard.press("/")
    page.keyboard.type("lde")
    page.keyboard.press("Enter")
    page.wait_for_url("**/athletes/?q=lde")
    expect(page.locator("#athlete-table tbody th")).to_have_text(["Alder, Ash"])


def test_search_shows_similar_names_while_typing_and_keys_open_one(visit):
    larch = make_player(first_name="Larch", last_name="Ceres")
    make_player(first_name="Bay", last_name="Birch")
    page = visit("/athletes/definitions/")
    page.keyboard.press("/")
    page.keyboard.type("ceers")
    found = page.locator("#site-found a")
    expect(found).to_have_text(["Larch Ceres"])
    assert found.bounding_box()["height"] >= 44
    page.keyboard.press("ArrowDown")
    expect(found).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#site-search")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/athletes/{larch.pk}/")


def test_a_coach_starts_a_sync_and_hears_of_its_end_on_another_page(visit):
    WorkerHeartbeat.objects.create(host="here", beat_at=timezone.now())
    page = visit("/syncing/")
    page.get_by_role("button", name="Sync now").click()
    expect(page.locator("#sync-panel")).to_have_attribute("data-sync-state", "active")
    go(page, "/athletes/")
    expect(page.locator(".site-freshness")).to_contain_text("Sync waiting")
    began = timezone.now() - dt.timedelta(minutes=5)
    make_session()
    SyncLog.objects.update(
        status="success", started_at=began, completed_at=timezone.now()
    )
    expect(page.locator("#toasts")).to_contain_text("1 new session.")
    expect(page.locator(".site-freshness")).to_contain_text("Synced")
    page.get_by_role("button", name="Close this message").click()
    expect(page.locator("#toasts .alert")).to_have_count(0)


def test_home_names_changes_failures_and_the_sync_that_is_missing(visit):
    player = make_player(first_name="Ash", last_name="Maple")
    for week, mean in enumerate((900.0, 902.0, 898.0, 936.0)):
        session = make_synced_session(
            player=player, session_date=dt.date(2026, 3, 1) + dt.timedelta(weeks=week)
        )
        make_session_metric(
            session=session, metric="peak_torso_omega", mean=mean, sd=10.0, n=6
        )
    make_session(player=make_player(last_name="Fern"), data_state=DataState.FAILED)
    page = visit("/", width=390)
    change = page.locator(".changes-table tbody tr").first
    expect(change).to_contain_text("Torso speed")
    expect(change).to_contain_text("+36")
    # What changed stands on the screen of a phone, not beside it.
    box = page.locator(".newest-table .change--real").first.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    expect(page.get_by_text("swings could not be downloaded")).to_be_visible()
    expect(page.locator(".site-freshness")).to_contain_text("Never synced")


def test_filters_are_in_the_address_and_come_off_again(visit):
    varsity = Tag.objects.create(name="varsity")
    left = make_player(
        first_name="Ash",
        last_name="Alder",
        dominant_hand_hitting="left",
        last_session_on=dt.date(2026, 3, 5),
        data_state=DataState.PARTIAL,
    )
    left.tags.add(varsity)
    make_player(
        first_name="Bay", last_name="Birch", last_session_on=dt.date(2026, 2, 1)
    )
    page = visit("/athletes/")
    names = page.locator("#athlete-table tbody th")
    for field, value in (
        ("bats", "left"),
        ("state", "partial"),
        ("tag", "varsity"),
    ):
        expect(names).to_have_count(2)
        page.select_option(f"#id_{field}", value)
        expect(names).to_have_text(["Alder, Ash"])
        assert f"{field}={value}" in page.url
        page.wait_for_function(SETTLED)
        page.get_by_role("link", name="Clear").click()
        page.wait_for_url("**/athletes/")
        page.wait_for_function(SETTLED)
    for field, value in (("start", "2026-03-01"), ("end", "2026-03-31")):
        page.fill(f"#id_{field}", value)
        page.wait_for_url(f"**{field}={value}**")
        # One that is asked for while another is under way ends that one.
        page.wait_for_function(SETTLED)
    expect(names).to_have_text(["Alder, Ash"])
    page.reload()
    expect(names).to_have_text(["Alder, Ash"])
    assert page.locator("#id_start").input_value() == "2026-03-01"


def test_list_on_a_phone_has_every_column_and_is_ordered_by_a_list(visit):
    for name, swings in (("Alder", 3), ("Birch", 9)):
        make_player(
            first_name="Ash",
            last_name=name,
            swing_count=swings,
            latest_hand_speed_m_per_s=10.0,
        )
    page = visit("/athletes/?q=ash", width=390)
    names = page.locator("#athlete-table tbody th")
    expect(names).to_have_text(["Alder, Ash", "Birch, Ash"])
    page.select_option("#athlete-sort", "-swings")
    expect(names).to_have_text(["Birch, Ash", "Alder, Ash"])
    assert "sort=-swings" in page.url
    assert "q=ash" in page.url
    expect(page.locator("#athlete-sort")).to_have_value("-swings")
    # The last number of a row is on the screen, not beside it.
    box = page.locator("#athlete-table tbody td").last.bounding_box()
    assert box["x"] + box["width"] <= 390
    page.go_back()
    expect(names).to_have_text(["Alder, Ash", "Birch, Ash"])


def test_list_is_paged_in_the_order_that_was_chosen(visit):
    for number in range(52):
        make_player(first_name="Elm", last_name=f"No {number:02d}", swing_count=number)
    page = visit("/athletes/?sort=-swings")
    names = page.locator("#athlete-table tbody th")
    expect(names).to_have_count(50)
    expect(names.first).to_have_text("No 51, Elm")
    page.get_by_role("link", name="Next").click()
    expect(names).to_have_text(["No 01, Elm", "No 00, Elm"])
    assert "sort=-swings" in page.url
    page.get_by_role("link", name="Previous").click()
    expect(names.first).to_have_text("No 51, Elm")


# --- Athlete --------------------------------------------------------------------------


def test_athlete_says_findings_and_joins_conditions_only_when_asked(visit):
    player = make_player()
    for week, mean in enumerate((900.0, 910.0, 905.0, 940.0)):
        session = make_synced_session(
            player=player,
            session_date=dt.date(2026, 3, 1) + dt.timedelta(weeks=week),
            condition="" if week else "machine",
        )
        make_session_metric(
            session=session, metric="peak_torso_omega", mean=mean, sd=10.0, n=6
        )
    page = visit(f"/athletes/{player.pk}/?metric=peak_torso_omega")
    expect(page.locator(".findings li").first).to_contain_text(
        "more than their usual variation"
    )
    show(page, "#trend-chart")
    assert len(traces(page, "#trend-chart")) == 1
    page.get_by_role("link", name="Show all setups").click()
    page.wait_for_url("**mixed=1**")
    expect(page.locator("#trend")).to_contain_text("can't be compared")
    show(page, "#trend-chart")
    # The join is marked: another line of another dash, named in the legend.
    lines = traces(page, "#trend-chart")
    assert len(lines) == 2
    assert len(set(lines.values())) == 2
    expect(page.locator("#trend .legend__item")).to_have_count(2)


def test_athlete_of_two_hundred_sessions_goes_back_page_by_page(visit):
    player = make_player()
    sessions = Session.objects.bulk_create(
        Session(
            player=player,
            session_id=f"00000000-0000-4000-9000-{day:012d}",
            session_date=dt.date(2025, 1, 1) + dt.timedelta(days=day),
            movement_type_id=1,
            movement_type_name="baseball-hitting",
            data_state=DataState.COMPLETE,
            swing_count=5,
        )
        for day in range(200)
    )
    SessionMetric.objects.bulk_create(
        SessionMetric(
            session=session,
            metric="peak_torso_omega",
            n=5,
            mean=900.0 + place % 7,
            sd=12.0,
            minimum=880.0,
            maximum=930.0,
            median=900.0,
            robust_spread=11.0,
            method_version="test",
        )
        for place, session in enumerate(sessions)
    )
    summaries.refresh_player_summaries([player.pk])
    page = visit(f"/athletes/{player.pk}/?metric=peak_torso_omega")
    show(page, "#trend-chart")
    assert (
        page.evaluate(
            "() => document.querySelector('#trend-chart [data-chart-plot]')"
            "._fullData.find((t) => t.mode === 'lines+markers').x.length"
        )
        == 200
    )
    rows = page.locator("#sessions tbody tr")
    expect(rows).to_have_count(20)
    expect(rows.first).to_contain_text("Jul 19, 2025")
    page.locator("#sessions").get_by_role("link", name="Next").click()
    page.wait_for_url("**page=2**")
    expect(rows.first).to_contain_text("Jun 29, 2025")
    assert "metric=peak_torso_omega" in page.url


@pytest.mark.nightly
def test_athlete_of_one_swing_and_of_none(visit):
    session = hit(swings=slice(0, 1))
    page = visit(f"/athletes/{session.player_id}/")
    expect(page.locator(".metric-tile").first).to_contain_text(
        "First session of this kind"
    )
    show(page, "#trend-chart")
    go(page, f"/athletes/sessions/{session.pk}/")
    expect(
        page.get_by_text("a spread is shown with three swings or more")
    ).to_be_visible()
    go(page, f"/athletes/{make_player().pk}/")
    expect(page.get_by_text("No sessions yet")).to_be_visible()


def test_tag_is_put_on_and_taken_off_in_place(visit):
    player = make_player()
    page = visit(f"/athletes/{player.pk}/")
    page.get_by_text("Add a tag").click()
    page.fill("#tag-name", "varsity")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#tags .tag")).to_contain_text("varsity")
    assert [tag.name for tag in player.tags.all()] == ["varsity"]
    page.get_by_role("button", name="Remove the tag varsity off").click()
    expect(page.locator("#tags .tag")).to_have_count(0)
    assert not player.tags.exists()


# --- Session --------------------------------------------------------------------------


def table_order(page):
    return page.locator(".swing-table tbody th a").evaluate_all(
        "(links) => links.map((link) => Number(link.innerText.replace(/\\D/g, '')))"
    )


def by_bat_speed(session):
    """Numbers of the swings, fastest bat first, those without a bat last."""
    known = []
    missing = []
    for swing in swings_of(session):
        value = swing.metrics["bat_speed_max"]["value"]
        if value is None:
            missing.append(swing.position)
        else:
            known.append((-value, swing.position))
    return [position for _, position in sorted(known)] + missing


def test_swings_are_ordered_by_a_head_and_the_address_keeps_it_beside_the_curves(visit):
    session = hit()
    page = visit(f"/athletes/sessions/{session.pk}/?numbers=all")
    page.select_option("#id_series", "x_factor")
    page.wait_for_url("**series=x_factor**")
    page.locator(".swing-table thead").get_by_role(
        "link", name="Bat speed", exact=True
    ).click()
    page.wait_for_url("**sort=-bat_speed_max**")
    head = page.locator(".swing-table th[aria-sort=descending]")
    expect(head).to_contain_text("Bat speed")
    assert table_order(page) == by_bat_speed(session)
    assert "series=x_factor" in page.url
    page.select_option("#id_align", "foot_down")
    page.wait_for_url("**align=foot_down**")
    assert "sort=-bat_speed_max" in page.url
    # A step back fetches the page again: the next one waits until that stands.
    page.go_back()
    expect(page.locator("#id_align")).not_to_have_value("foot_down")
    page.wait_for_load_state("load")
    page.wait_for_function(SETTLED)
    assert "align=foot_down" not in page.url
    page.go_back()
    expect(page.locator(".swing-table th[aria-sort=ascending]")).to_contain_text(
        "Swing"
    )


def test_swings_are_ordered_on_a_phone_by_a_list(visit):
    session = hit()
    page = visit(f"/athletes/sessions/{session.pk}/?numbers=all", width=390)
    page.select_option("#swing-sort", "-bat_speed_max")
    page.wait_for_url("**sort=-bat_speed_max**")
    expect(page.locator("#swing-sort")).to_have_value("-bat_speed_max")
    assert table_order(page) == by_bat_speed(session)
    card = page.locator(".swing-table tbody tr").first
    expect(card.get_by_text("Bat speed", exact=True)).to_be_visible()


@pytest.mark.nightly
def test_swing_is_left_out_with_a_reason_and_counted_again(visit):
    session = hit()
    swing = swings_of(session)[0]
    page = visit(f"/athletes/sessions/{session.pk}/?sort=-bat_speed_max")
    row = page.locator(".swing-table tbody tr", has=page.locator(f"#about-{swing.pk}"))
    row.locator(".about-button").click()
    about = page.locator(f"#about-{swing.pk}")
    expect(about).to_contain_text("Included in averages and trends")
    about.get_by_label("Another reason").fill("A bunt")
    about.get_by_role("button", name="Exclude", exact=True).click()
    expect(page.get_by_text("excluded from averages; averages are")).to_be_visible()
    assert "sort=-bat_speed_max" in page.url
    expect(row).to_have_class("left-out")
    swing.refresh_from_db()
    assert (swing.inclusion, swing.inclusion_reason) == ("excluded", "A bunt")
    row.locator(".about-button").click()
    about.get_by_role("button", name="Undo").click()
    expect(row).not_to_have_class("left-out")
    swing.refresh_from_db()
    assert swing.inclusion == "auto"


def test_swing_is_excluded_on_its_tile_with_two_taps_and_undone_in_place(visit):
    session = hit()
    swing = swings_of(session)[1]
    page = visit(f"/athletes/sessions/{session.pk}/", width=820, has_touch=True)
    tile = page.locator(f"#tile-{swing.pk}")
    tile.scroll_into_view_if_needed()
    page.evaluate("window.stayed = true")
    before = page.evaluate("scrollY")
    tile.get_by_role("button", name="Exclude").tap()
    tile.get_by_role("button", name="Check swing").tap()
    expect(tile).to_contain_text("Check swing")
    expect(page.locator("#session-means")).to_contain_text("averages are updated")
    swing.refresh_from_db()
    assert (swing.inclusion, swing.inclusion_reason) == ("excluded", "Check swing")
    assert page.evaluate("scrollY") == pytest.approx(before, abs=40)
    undo = tile.get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    undo.tap()
    expect(tile.get_by_role("button", name="Exclude")).to_be_visible()
    swing.refresh_from_db()
    assert swing.inclusion == "auto"
    # Everything else on the tile opens the swing.
    assert page.evaluate("window.stayed") is True
    tile.tap(position={"x": 60, "y": 70})
    page.wait_for_url(f"**/athletes/swings/{swing.pk}/")


def test_opened_tables_stay_open_when_their_part_is_sent_anew(visit):
    player = make_player()
    few = slice(0, 3)
    hit(player=player, date=dt.date(2026, 2, 1), swings=few)
    session = hit(player=player, swings=few)
    swing = swings_of(session)[1]
    page = visit(f"/athletes/sessions/{session.pk}/", width=820, has_touch=True)
    changed = page.locator("#session-changed")
    changed.get_by_text("Every number compared").tap()
    expect(changed.get_by_role("table")).to_be_visible()
    tile = page.locator(f"#tile-{swing.pk}")
    tile.get_by_role("button", name="Exclude").tap()
    tile.get_by_role("button", name="Check swing").tap()
    expect(page.locator("#session-means")).to_contain_text("averages are updated")
    expect(changed.get_by_role("table")).to_be_visible()
    # Closed by hand, it stays closed.
    changed.get_by_text("Every number compared").tap()
    expect(changed.get_by_role("table")).to_be_hidden()
    tile.get_by_role("button", name="Undo").tap()
    expect(tile.get_by_role("button", name="Exclude")).to_be_visible(timeout=15_000)
    expect(changed.get_by_role("table")).to_be_hidden()


@pytest.mark.nightly
def test_opened_table_of_a_chart_stays_open_from_tab_to_tab(visit):
    session = hit(swings=slice(0, 1))
    swing = swings_of(session)[0]
    page = visit(f"/athletes/swings/{swing.pk}/?tab=angles", width=820)
    detail = page.locator("#swing-detail")
    detail.get_by_text("Table of this chart").click()
    expect(detail.get_by_role("table").first).to_be_visible()
    detail.get_by_role("link", name="Energy").click()
    page.wait_for_url("**tab=energy**")
    expect(detail.get_by_role("table").first).to_be_visible()
    expect(detail).to_contain_text("Kinetic energy at even steps")


def test_row_at_home_opens_the_latest_session_wherever_it_is_tapped(visit):
    session = hit()
    page = visit("/", width=820, has_touch=True)
    row = page.locator(".row-of-link").first
    row.tap(position={"x": row.bounding_box()["width"] / 2, "y": 12})
    page.wait_for_url(f"**/athletes/sessions/{session.pk}/")


def test_session_draws_its_band_and_tells_orders_and_the_typical_swing(visit):
    session = hit(bats="L")
    page = visit(f"/athletes/sessions/{session.pk}/?series=pelvis_omega")
    show(page, "#session-curves-chart")
    filled = page.evaluate(
        "() => document.querySelector('#session-curves-chart [data-chart-plot]')"
        "._fullData.filter((t) => t.fill === 'toself').length"
    )
    assert filled == 1
    assert "Average" in traces(page, "#session-curves-chart")
    page.get_by_role("checkbox", name="Each swing").uncheck()
    assert list(traces(page, "#session-curves-chart")) == ["Average"]
    marks = page.locator(".swing-strip__marks").all_text_contents()
    assert sorted(", ".join(marks).split(", ")) == ["fastest", "typical"]
    expect(page.locator("table.bars")).to_contain_text("of 4")


def test_note_is_deleted_by_who_wrote_it(visit, coach):
    session = make_session()
    Note.objects.create(session=session, text="Tired legs", created_by=coach)
    page = visit(f"/athletes/sessions/{session.pk}/")
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator(".note").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No notes yet.")).to_be_visible()
    assert not Note.objects.exists()


# --- Swing ----------------------------------------------------------------------------


@pytest.mark.parametrize("bats", ["L", pytest.param("R", marks=pytest.mark.nightly)])
def test_swing_of_either_hand_is_played_stepped_and_turned(visit, bats):
    session = hit(bats=bats, swings=slice(0, 1))
    page = visit(f"/athletes/swings/{swings_of(session)[0].pk}/")
    show(page, "#sequence")
    page.wait_for_function(f"() => {FIGURE} !== undefined")
    frame = f"() => {FIGURE}.frame"
    page.locator("#content").press("ArrowRight")
    stepped = page.evaluate(frame)
    page.locator("#content").press("ArrowLeft")
    assert page.evaluate(frame) == stepped - 1
    speed = page.locator("[data-figure3d-speed]")
    before = speed.inner_text()
    speed.click()
    assert speed.inner_text() != before
    scrub = page.locator("[data-figure3d-scrub]")
    scrub.fill("3")
    assert page.evaluate(frame) == 3
    page.locator("#content").press(" ")
    page.wait_for_function(f"() => {FIGURE}.frame > 3")
    page.locator("#content").press(" ")
    page.wait_for_selector("[data-figure3d-play][aria-label=Play]")
    angles = []
    for view in ("Behind", "Open side", "Pitcher", "Closed side", "Top"):
        page.get_by_role("button", name=view, exact=True).click()
        angles.append(page.evaluate(f"() => [{FIGURE}.azimuth, {FIGURE}.elevation]"))
    assert len({tuple(angle) for angle in angles}) == 5
    # From the open side one looks at the chest: a left-hander is seen from across.
    assert (angles[1][0] > 0) == (bats == "L")
    # The chart's cursor is where the figure is, and the figure where the pointer is.
    box = page.locator("#sequence .nsewdrag").first.bounding_box()
    here = page.evaluate(frame)
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    page.wait_for_function(f"() => {FIGURE}.frame !== {here}")


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(slice(2, None, 3), id="two"),
        pytest.param(slice(None), id="all", marks=pytest.mark.nightly),
    ],
)
def test_tabs_of_a_swing_are_in_the_address_and_the_vendor_is_asked_by_choice(
    visit, shown
):
    session = hit(swings=slice(0, 1))
    page = visit(f"/athletes/swings/{swings_of(session)[0].pk}/")
    title = page.locator("#detail-title")
    for label, tab, heading in (
        ("Separation", "separation", "Hip-shoulder separation"),
        ("Hands and bat", "hands", "Speed of hands and bat"),
        ("Path", "path", "Path of hands and bat, seen from the side"),
        ("Energy", "energy", "Kinetic energy"),
        ("Momentum", "momentum", "Angular momentum"),
        ("Angles", "angles", "Angles"),
    )[shown]:
        page.locator(".tabs").get_by_role("link", name=label, exact=True).click()
        expect(title).to_have_text(heading)
        assert f"tab={tab}" in page.url
        show(page, "#detail")
        assert traces(page, "#detail")
    page.select_option("#id_vendor", "left_leg")
    expect(title).to_have_text("Reboot Motion's angles: left leg")
    assert "vendor=left_leg" in page.url
    show(page, "#detail")
    assert "Knee" in traces(page, "#detail")
    page.get_by_text("left_knee", exact=True).wait_for()
    page.reload()
    expect(title).to_have_text("Reboot Motion's angles: left leg")


# --- Compare --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "aligns",
    [
        pytest.param(("percent",), id="percent"),
        pytest.param(
            ("load", "first_move", "foot_down", "peak_hand_speed", "percent"),
            id="all",
            marks=pytest.mark.nightly,
        ),
    ],
)
def test_left_and_right_hander_are_laid_over_each_other_on_any_event(visit, aligns):
    right = hit(swings=slice(0, 3))
    left = hit(bats="L", swings=slice(0, 3))
    page = visit(
        f"/athletes/compare/?items=athlete-{right.player_id},athlete-{left.player_id}"
        "&series=pelvis_rotation"
    )
    for align in aligns:
        page.select_option("#id_align", align)
        page.wait_for_url(f"**align={align}**")
        show(page, "#overlay")
        lines = traces(page, "#overlay")
        assert len(set(lines.values())) == 2
    show(page, "#delta")
    # Mirrored, both pelvises open the same way.
    ends = page.evaluate(
        """() => document.querySelector('#overlay [data-chart-plot]')._fullData
        .filter((t) => t.name && t.fill !== 'toself')
        .map((t) => { const y = Array.from(t.y).filter(Number.isFinite);
                      return y[y.length - 1] - y[0]; })"""
    )
    assert all(end > 30 for end in ends)
    state = page.url
    go(page, "/")
    go(page, state)
    assert page.locator("#id_align").input_value() == "percent"
    assert page.locator("#id_series").input_value() == "pelvis_rotation"


def test_difference_stands_beside_its_number_on_a_phone(visit):
    items = ",".join(f"session-{hit(bats=side).pk}" for side in "RL")
    page = visit(f"/athletes/compare/?items={items}", width=390)
    row = page.locator(".compare-table tbody tr").first
    number, change = row.locator("td").nth(1), row.locator("td").nth(2)
    expect(number).to_contain_text("B ")
    assert number.bounding_box()["y"] == pytest.approx(
        change.bounding_box()["y"], abs=4
    )
    box = change.bounding_box()
    assert box["x"] + box["width"] <= 390


@pytest.mark.nightly
def test_ticked_swings_are_compared_and_taken_out_again(visit):
    session = hit()
    page = visit(f"/athletes/sessions/{session.pk}/?numbers=all")
    # A swing's boxes on its tile and in the table are one.
    boxes = page.locator(".swing-table tbody input[type=checkbox]")
    page.locator(".swing-strip input[type=checkbox]").first.check()
    expect(boxes.first).to_be_checked()
    for place in (1, 2):
        boxes.nth(place).check()
    page.get_by_role("button", name="Compare selected swings").click()
    items = page.locator("#comparison .compared > li")
    expect(items).to_have_count(3)
    show(page, "#overlay")
    page.get_by_role("link", name="Set as baseline B").click()
    expect(items.first).to_contain_text("swing 2")
    page.get_by_role("link", name="Remove C", exact=True).click()
    expect(items).to_have_count(2)


# --- Everywhere -----------------------------------------------------------------------


def test_units_are_changed_for_the_reader_alone(visit, coach):
    session = hit(swings=slice(0, 1))
    path = f"/athletes/swings/{swings_of(session)[0].pk}/"
    page = visit(path)
    tile = page.locator(".metric-tile", has_text="Peak bat speed")
    expect(tile).to_contain_text("mph")
    page.locator(".menu summary").click()
    page.get_by_role("button", name="m/s, cm").click()
    expect(tile).to_contain_text("m/s")
    coach.refresh_from_db()
    assert coach.units == "metric"
    assert page.url.endswith(path)


@pytest.mark.nightly
def test_session_is_ordered_and_a_swing_left_out_without_scripts(visit):
    session = hit()
    page = visit(
        f"/athletes/sessions/{session.pk}/?numbers=all", java_script_enabled=False
    )
    page.locator(".swing-table thead").get_by_role(
        "link", name="Bat speed", exact=True
    ).click()
    assert "sort=-bat_speed_max" in page.url
    names = page.locator(".swing-table tbody th a").all_inner_texts()
    assert [int(name) for name in names] == by_bat_speed(session)
    page.locator(".about-button").first.click()
    about = page.locator("#swing-table [popover]").first
    about.get_by_label("Another reason").fill("A bunt")
    about.get_by_role("button", name="Exclude", exact=True).click()
    assert session.movements.filter(inclusion="excluded").count() == 1
    for place in (0, 2):
        page.locator(".swing-strip input[type=checkbox]").nth(place).check()
    page.locator("#chosen_setup").select_option("live")
    page.get_by_role("button", name="Set setup").click()
    found = session.movements.filter(condition="live").in_session_order()
    assert list(found) == [swings_of(session)[place] for place in (0, 2)]


MAIN = (
    "/",
    "/athletes/",
    "/athletes/{athlete}/",
    "/athletes/sessions/{session}/",
    "/athletes/swings/{swing}/",
    "/athletes/compare/?items={items}",
)

OBSERVE = """
window.__shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    if (!entry.hadRecentInput) window.__shift += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""

# Charts near the screen draw themselves; those further down wait.
DRAWN_NEAR = """() => [...document.querySelectorAll('[data-chart]')].every((chart) =>
  chart.dataset.drawn || chart.getBoundingClientRect().top > innerHeight)"""


@pytest.mark.parametrize(
    "visits",
    [
        # Each page by day in one of the widths.
        pytest.param({390: MAIN[::2], 1440: MAIN[1::2]}, id="in turn"),
        pytest.param(
            dict.fromkeys((390, 1440), MAIN), id="all", marks=pytest.mark.nightly
        ),
    ],
)
def test_nothing_jumps_while_a_page_loads(visit, visits):
    player = make_player()
    one = hit(player=player, swings=slice(0, 3))
    two = hit(player=player, date=dt.date(2026, 3, 8), swings=slice(0, 3))
    names = {
        "athlete": player.pk,
        "session": two.pk,
        "swing": swings_of(two)[0].pk,
        "items": f"session-{one.pk},session-{two.pk}",
    }
    shifts = {}
    for width, paths in visits.items():
        page = visit("/athletes/definitions/", width=width, alone=True)
        page.add_init_script(OBSERVE)
        for path in paths:
            go(page, path.format(**names))
            # Plotly comes at the reader's first move, else after some seconds. What
            # moves then counts as well: a pointer excuses no shift, unlike a key.
            page.mouse.move(1, 1)
            page.wait_for_function(DRAWN_NEAR)
            shifts[width, path] = page.evaluate("() => window.__shift")
    assert {where: value for where, value in shifts.items() if value >= 0.02} == {}
