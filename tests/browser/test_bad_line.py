"""On a dead line: nothing typed is lost, and no page is left for the browser's own."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import User
from athletes.models import Goal, Note
from tests.browser.looks import SETTLED, STILL, go, violations
from tests.browser.site_pages import hit

pytestmark = pytest.mark.django_db(transaction=True)

KEPT = """() => Object.keys(sessionStorage)
  .filter((key) => key.startsWith('unsaved:')).length"""
# Scripts of a new page run when it is there.
NONE_KEPT = f"() => ({KEPT})() === 0"
LEFT = "sessionStorage.setItem(`unsaved:${document.body.dataset.user}:left`, '{}')"


def offline(page, is_dead=True):
    page.context.set_offline(is_dead)


def test_a_note_an_exclusion_and_a_setup_wait_for_the_line(visit, pages):
    session = hit()
    swing = session.movements.filter(is_swing=True).in_session_order()[1]
    page = visit(f"/athletes/sessions/{session.pk}/", width=820, **STILL)
    page.get_by_text("Add a note").first.click()
    note = page.locator("form", has=page.get_by_role("button", name="Save the note"))
    note.get_by_role("textbox").fill("Tired legs today")
    offline(page)
    note.get_by_role("button", name="Save the note").click()
    expect(note.get_by_role("alert")).to_contain_text("Not saved: no connection.")
    expect(note.get_by_role("textbox")).to_have_value("Tired legs today")
    setup = page.locator("#session-facts form")
    page.select_option("#id_condition", "machine")
    expect(setup.get_by_role("alert")).to_contain_text("Not saved: no connection.")
    assert violations(page, within=".unsaved") == []

    # Left and come back to: it is still there, until it is saved.
    offline(page, is_dead=False)
    page.reload()
    page.wait_for_function(SETTLED)
    expect(note.get_by_role("textbox")).to_have_value("Tired legs today")
    expect(note.get_by_role("alert")).to_contain_text("This was not saved")
    note.get_by_role("button", name="Save the note").click()
    expect(page.locator(".note__text")).to_have_text("Tired legs today")
    expect(page.locator(".add-note textarea").first).to_have_value("")
    expect(page.locator("#id_condition")).to_have_value("machine")
    setup.get_by_role("button", name="Save").click()
    expect(setup.get_by_text("Saved.")).to_be_visible()
    page.wait_for_function(NONE_KEPT)
    assert Note.objects.get().text == "Tired legs today"

    tile = page.locator(f"#tile-{swing.pk}")
    tile.get_by_role("button", name="Exclude").click()
    offline(page)
    tile.get_by_role("button", name="Check swing").click()
    alert = tile.get_by_role("alert")
    expect(alert).to_contain_text("Not saved: no connection.")
    offline(page, is_dead=False)
    alert.get_by_role("button", name="Try again").click()
    expect(tile.get_by_role("button", name="Undo")).to_be_visible()
    swing.refresh_from_db()
    assert (swing.inclusion, swing.inclusion_reason) == ("excluded", "Check swing")
    page.wait_for_function(SETTLED)

    # A button outside its form is sent with it: this compares and states nothing.
    go(page, f"/athletes/sessions/{session.pk}/?numbers=all")
    for box in page.locator("#swing-table input[name=chosen]").all()[:2]:
        box.check()
    offline(page)
    page.get_by_role("button", name="Compare selected", exact=True).click()
    alert = page.locator("#chosen-swings").get_by_role("alert")
    expect(alert).to_contain_text("Not saved: no connection.")
    offline(page, is_dead=False)
    alert.get_by_role("button", name="Try again").click()
    expect(page).to_have_url(re.compile("/compare/"))
    assert not session.movements.filter(condition__isnull=False).exists()
    page.wait_for_function(SETTLED)

    # Where the login has ended, what was typed waits for the next one.
    go(page, f"/athletes/sessions/{session.pk}/")
    page.get_by_text("Add a note").first.click()
    note.get_by_role("textbox").fill("Second note")
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    note.get_by_role("button", name="Save the note").click()
    expect(page.get_by_label("Username")).to_be_visible()
    assert page.evaluate(KEPT) == 1
    pages.problems.clear()  # these errors were wanted


def test_a_form_that_the_browser_sends_is_kept_until_a_page_answers(visit, pages):
    session = hit()
    page = visit(f"/athletes/sessions/{session.pk}/", width=820)
    form = page.locator("details form", has=page.locator("[name=swings]"))

    def save():
        form.get_by_role("button", name="Save").click()

    page.get_by_text("Setup of individual swings").click()
    form.get_by_label("Swings").fill("1-2")
    form.get_by_label("Setup").select_option("machine")
    # The line dies after it was tried.
    page.route("**/setups/", lambda route: route.abort())
    save()
    expect(page).to_have_url(re.compile("^chrome-error:"))
    page.unroute("**/setups/")
    page.go_back()
    expect(form.get_by_role("alert")).to_contain_text("this may not be saved")
    expect(form.get_by_label("Swings")).to_have_value("1-2")
    save()
    expect(page.get_by_text("Averages are updated")).to_be_visible()
    page.wait_for_function(NONE_KEPT)
    assert session.movements.filter(condition="machine").count() == 2

    # The note arrives and its answer is lost: sent again, it is stored once.
    page.get_by_text("Add a note").first.click()
    note = page.locator("form", has=page.get_by_role("button", name="Save the note"))
    note.get_by_role("textbox").fill("Tired legs today")
    page.route("**/notes/", lambda route: (route.fetch(), route.abort()), times=1)
    note.get_by_role("button", name="Save the note").click()
    alert = note.get_by_role("alert")
    expect(alert).to_contain_text("We don't know whether it was saved.")
    assert Note.objects.count() == 1
    alert.get_by_role("button", name="Try again").click()
    expect(page.locator(".note__text")).to_have_text("Tired legs today")
    assert Note.objects.count() == 1

    page.evaluate(LEFT)
    User.objects.update(is_staff=True)
    go(page, "/admin/")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Username")).to_be_visible()
    page.wait_for_function(NONE_KEPT)
    pages.problems.clear()  # these errors were wanted


def test_a_goal_whose_answer_is_lost_is_stored_once_and_said_so(visit, pages):
    player = hit().player
    path = f"/athletes/{player.pk}/goals/"
    page = visit(path, width=820)
    page.get_by_label("Number").select_option("peak_hand_speed")
    page.get_by_label("Goal or lower end").fill("25")
    by = timezone.localdate() + dt.timedelta(days=30)
    page.get_by_label("By", exact=True).fill(by.isoformat())
    # The goal arrives, and its answer is lost.
    page.route(f"**{path}", lambda route: (route.fetch(max_redirects=0), route.abort()))
    page.get_by_role("button", name="Set goal").click()
    expect(page).to_have_url(re.compile("^chrome-error:"))
    assert Goal.objects.count() == 1
    page.unroute(f"**{path}")
    go(page, path)
    expect(page.get_by_role("alert")).to_contain_text("this may not be saved")
    page.get_by_role("button", name="Set goal").click()
    expect(page.get_by_text("Goal set.")).to_be_visible()
    page.wait_for_function(NONE_KEPT)
    assert Goal.objects.count() == 1
    pages.problems.clear()  # these errors were wanted


def test_links_and_filters_wait_on_a_line_that_the_browser_takes_for_alive(
    visit, pages
):
    session = hit()
    path = f"/athletes/sessions/{session.pk}/"
    page = visit(path, width=820)
    page.get_by_text("Add a note").first.click()
    page.get_by_role("textbox", name="Note").fill("Tired legs today")
    assert page.evaluate("navigator.onLine")
    page.route("**/*", lambda route: route.abort())
    home = page.locator(".site-nav").get_by_role("link", name="Home")
    search = page.locator("[data-search]")
    for leave in (
        home.click,
        lambda: home.press("Enter"),
        lambda: search.press("Enter"),
    ):
        leave()
        said = page.locator("#toasts .alert")
        expect(said).to_contain_text("This page stays open")
        said.get_by_role("button").click()
        expect(said).to_have_count(0)
        assert page.url.endswith(path)
    note = page.get_by_role("textbox", name="Note")
    expect(note).to_have_value("Tired legs today")
    page.unroute("**/*")
    home.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_url(lambda url: not url.endswith(path))
    pages.problems.clear()  # these errors were wanted


def test_a_moved_event_and_a_link_wait_and_nothing_stays_after_logout(visit, pages):
    session = hit()
    swing = session.movements.filter(is_swing=True).in_session_order()[0]
    path = f"/athletes/swings/{swing.pk}/"
    page = visit(path, width=820)
    page.locator(".edit-events > summary").click()
    field = page.locator("[data-event-form] input[name=foot_down]")
    moved = str(int(float(field.input_value())) - 12)
    field.fill(moved)
    field.dispatch_event("change")
    save = page.locator("form.preview").get_by_role("button", name="Save")
    save.wait_for()
    offline(page)
    save.click()
    alert = page.locator("form.preview").get_by_role("alert")
    expect(alert).to_contain_text("Not saved: no connection.")
    expect(field).to_have_value(moved)
    page.locator(".site-nav").get_by_role("link", name="Home").click()
    expect(page.locator("#toasts")).to_contain_text("This page stays open")
    assert page.url.endswith(path)
    offline(page, is_dead=False)
    alert.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Saved: ")).to_be_visible()
    swing.refresh_from_db()
    assert swing.events["foot_down"]["rule"] == "manual"

    page.evaluate(LEFT)
    page.wait_for_function(SETTLED)
    page.locator(".menu summary").last.click()
    log_out = page.get_by_role("button", name="Log out", exact=True)
    offline(page)
    log_out.click()
    expect(page.locator("#toasts")).to_contain_text("No connection")
    assert page.evaluate(KEPT) == 1  # still logged in
    offline(page, is_dead=False)
    if not log_out.is_visible():
        page.locator(".menu summary").last.click()
    log_out.click()
    expect(page.get_by_label("Username")).to_be_visible()
    page.wait_for_function(NONE_KEPT)
    page.go_back()
    expect(page.get_by_label("Username")).to_be_visible()
    pages.problems.clear()  # these errors were wanted


# What a line that dies between the question and the page looks like to a page.
ALIVE_TO_THE_PAGE = """
Object.defineProperty(navigator, "onLine", {get: () => true});
"""
GUARDED = "() => navigator.serviceWorker.controller !== null"


def test_a_line_that_dies_under_a_page_on_its_way_ends_on_a_page_of_ours(visit, pages):
    session = hit()
    path = f"/athletes/sessions/{session.pk}/"
    page = visit("/", width=820, alone=True, service_workers="allow")
    page.wait_for_function(GUARDED)
    page.context.add_init_script(ALIVE_TO_THE_PAGE)
    go(page, path)
    title = page.get_by_role("heading", level=1)

    def line_dies():
        page.route("**/health/live", lambda route: route.fulfill(body="{}"))
        offline(page)

    def line_is_back():
        page.unroute("**/health/live")
        offline(page, is_dead=False)

    line_dies()
    page.locator(".site-nav").get_by_role("link", name="Athletes").click()
    expect(title).to_have_text("No connection")
    assert page.url.endswith("/athletes/")
    line_is_back()
    expect(title).to_have_text("Athletes")  # by itself

    go(page, path)
    page.get_by_text("Setup of individual swings").click()
    form = page.locator("details form", has=page.locator("[name=swings]"))
    form.get_by_label("Swings").fill("1-2")
    form.get_by_label("Setup").select_option("machine")
    line_dies()
    form.get_by_role("button", name="Save").click()
    expect(title).to_have_text("No connection")
    expect(page.locator("main")).to_contain_text("it may not be saved")
    line_is_back()
    expect(page.get_by_text("The connection is back.")).to_be_visible()
    page.get_by_role("button", name="Go back").click()
    expect(form.get_by_role("alert")).to_contain_text("this may not be saved")
    expect(form.get_by_label("Swings")).to_have_value("1-2")
    assert not session.movements.filter(condition="machine").exists()

    # Nothing but the two pages and their files stays on the device.
    kept = page.evaluate("""async () => {
      const found = [];
      for (const name of await caches.keys())
        for (const one of await (await caches.open(name)).keys())
          found.push(one.url.replace(location.origin, ""));
      return found.sort();
    }""")
    assert [url for url in kept if not url.startswith("/static/")] == [
        "/no-connection/",
        "/no-connection/?sent",
    ]
    pages.problems.clear()  # these errors were wanted


def test_the_page_for_a_dead_line_does_not_load_itself_at_its_own_address(visit):
    page = visit("/no-connection/", alone=True)
    page.clock.install()
    page.reload()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(10_000)
    expect(page.get_by_role("heading", level=1)).to_have_text("No connection")
    assert asked == []
