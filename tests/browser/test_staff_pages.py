"""The second factor and the administration in a real browser."""

from __future__ import annotations

import os
import re
from base64 import b32decode
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django_otp.oath import hotp, totp

from accounts.models import Authenticator
from accounts.services import find_token
from syncing.choices import JobState
from syncing.models import ExportJob
from tests import factories
from tests.browser.looks import OVERFLOW, PAINTED, THEMES, at_width_by_day

pytestmark = pytest.mark.django_db(transaction=True)

#: Where pictures go when somebody wants to look at the pages.
PICTURES = os.environ.get("PICTURES")


def in_each_theme(page):
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        page.evaluate(PAINTED)
        yield theme


def picture(page, name):
    if not PICTURES:
        return
    width = page.viewport_size["width"]
    for theme in in_each_theme(page):
        path = Path(PICTURES) / f"{name}-{width}-{theme}.png"
        page.screenshot(path=path, full_page=True)


def code_now(key: bytes) -> str:
    return f"{totp(key):06d}"


def next_code(key: bytes) -> str:
    """The one after the last that was used, by however much the clock is off."""
    return f"{hotp(key, Authenticator.objects.get().last_step + 1):06d}"


def does_not_scroll_sideways(page):
    return all(page.evaluate(OVERFLOW) <= 0 for _ in in_each_theme(page))


def log_in(page, user):
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(factories.PASSWORD)
    press(page, "Log in")


def press(page, button):
    """Press a button and wait for the page it leads to.

    A form is sent once the server is known to be there, so not within the click.
    """
    with page.expect_navigation():
        page.get_by_role("button", name=button).click()


@at_width_by_day(390)
def test_a_second_factor_from_turning_on_to_logging_in(pages, width):
    user = factories.make_user(first_name="Robin")
    page = pages.open(width=width)
    log_in(page, user)
    page.goto("/accounts/second-factor/")
    picture(page, "second-factor-off")
    page.get_by_role("link", name="Turn it on").click()
    qr = page.get_by_alt_text("QR code of the key below")
    assert qr.evaluate("image => image.naturalWidth") > 100
    page.get_by_text("Or type the key").click()
    key = page.locator(".key").inner_text().replace(" ", "")
    picture(page, "second-factor-on")
    assert does_not_scroll_sideways(page)
    plain = b32decode(key)
    page.get_by_label("Your password").fill(factories.PASSWORD)
    page.get_by_label("Code").fill(code_now(plain))
    press(page, "Turn it on")
    codes = page.locator(".recovery-codes code").all_inner_texts()
    assert len(codes) == 10
    picture(page, "recovery-codes")
    assert does_not_scroll_sideways(page)
    page.get_by_role("link", name="I have saved them").click()
    page.get_by_role("heading", name="It is on").wait_for()
    picture(page, "second-factor-is-on")

    other = pages.open(width=width)
    log_in(other, user)
    other.get_by_role("heading", name="Enter the code").wait_for()
    assert other.get_by_label("Code").evaluate("e => e === document.activeElement")
    picture(other, "login-code")
    # The present one was used to turn it on.
    other.get_by_label("Code").fill(next_code(plain))
    press(other, "Log in")
    assert urlsplit(other.url).path == "/"
    assert Authenticator.objects.get().last_used_at is not None


def test_a_wrong_code_is_said_beside_the_field(pages):
    user = factories.make_user()
    Authenticator.objects.create(user=user, sealed_key=Authenticator.sealed(b"k" * 20))
    page = pages.open(width=390)
    log_in(page, user)
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Log in").click()
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text().startswith("The code is wrong")
    picture(page, "login-code-wrong")
    pages.problems.clear()  # the browser notes the status 422 in its console


@at_width_by_day(1440)
def test_the_start_page_leads_to_what_needs_somebody(pages, login_cookie, width):
    session = factories.make_synced_session(swings=3)
    session.movements.filter(position=1).update(quality_grade="poor")
    ExportJob.objects.create(
        session=session,
        data_type="metadata",
        state=JobState.GIVEN_UP,
        last_error="The file cannot be read.",
    )
    staff = factories.make_superuser()
    page = pages.open(width=width, session_cookie=login_cookie(staff))
    page.goto("/admin/")
    picture(page, "admin-start")
    for theme in in_each_theme(page):
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        lightness = sum(map(int, re.findall(r"\d+", background)[:3])) / 3
        assert (lightness < 128) is (theme == "dark"), theme
    assert does_not_scroll_sideways(page)
    tile = page.locator(".overview__tile", has_text="Failed files")
    assert tile.get_by_text("needs attention").is_visible()
    tile.get_by_role("link").click()
    page.get_by_text("The file cannot be read.").wait_for()
    picture(page, "admin-failed")


@at_width_by_day(390)
def test_swings_are_counted_out_together(pages, login_cookie, width):
    session = factories.make_synced_session(swings=3)
    staff = factories.make_staff()
    page = pages.open(width=width, session_cookie=login_cookie(staff))
    page.goto(f"/admin/athletes/movement/?session__id__exact={session.pk}")
    page.get_by_label("Select all objects on this page").check()
    page.get_by_label("Action:").select_option("count_out")
    picture(page, "admin-movements")
    page.get_by_role("button", name="Go").click()
    page.get_by_label("Reason").fill("Markers were lost")
    picture(page, "admin-count-out")
    page.get_by_role("button", name="Exclude them").click()
    page.get_by_text("3 swings: saved").wait_for()
    assert set(session.movements.values_list("inclusion_reason", flat=True)) == {
        "Markers were lost"
    }
    page.goto(f"/admin/athletes/movement/{session.movements.first().pk}/change/")
    page.get_by_role("cell", name="Swing included or excluded").wait_for()
    picture(page, "admin-movement")
    assert does_not_scroll_sideways(page)
    page.goto(f"/admin/athletes/player/{session.player_id}/change/")
    picture(page, "admin-player")
    assert does_not_scroll_sideways(page)
    page.goto("/admin/accounts/user/")
    picture(page, "admin-users")


@at_width_by_day(1440)
def test_a_new_token_is_copied(pages, login_cookie, width):
    staff = factories.make_staff()
    page = pages.open(
        width=width,
        session_cookie=login_cookie(staff),
        permissions=["clipboard-read", "clipboard-write"],
    )
    page.goto("/admin/accounts/apitoken/add/")
    page.get_by_label("Name").fill("importer")
    page.get_by_role("button", name="Save", exact=True).click()
    shown = page.locator("#shown-once")
    secret = shown.inner_text()
    assert find_token(secret).name == "importer"
    size = shown.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert size >= 20
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    assert does_not_scroll_sideways(page)
    picture(page, "admin-token")
