"""The archive and the end of an athlete, in a real browser."""

import pytest

from athletes.models import Player
from privacy.archives import make_archive
from privacy.models import Archive
from tests import factories
from tests.browser.looks import at_width_by_day
from tests.privacy.conftest import files, full_athlete

__all__ = ["files"]

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_archive_becomes_ready_under_the_eyes_of_who_asked(
    pages, login_cookie, tmp_path, files
):
    player = full_athlete()
    page = pages.open(session_cookie=login_cookie(factories.make_user()))
    page.goto(f"/privacy/athletes/{player.pk}/")
    page.get_by_role("button", name="Create a new archive").click()
    page.get_by_text("is being prepared").wait_for()
    make_archive(Archive.objects.get().pk)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.startswith(f"athlete-{player.pk}-archive")
    assert page.get_by_text("is being prepared").count() == 0


@at_width_by_day(390, others=(390, 1280))
def test_erasing_needs_the_word(pages, login_cookie, files, width):
    player = full_athlete()
    page = pages.open(session_cookie=login_cookie(factories.make_staff()), width=width)
    page.goto(f"/privacy/athletes/{player.pk}/")
    page.get_by_role("link", name="Erase this athlete").click()
    page.get_by_label("Type ERASE").wait_for()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    page.get_by_label("Type ERASE").fill("erase")
    page.get_by_role("button", name="Erase permanently").click()
    page.get_by_text("permanently erased").wait_for()
    assert not Player.objects.exists()
