"""Pages of a logged-in coach."""

import pytest

from tests.browser.looks import go
from tests.factories import make_user


@pytest.fixture
def coach():
    return make_user()


@pytest.fixture
def visit(pages, login_cookie, coach):
    """Function: path -> a page of the logged-in coach, with what it fetches."""
    cookie = login_cookie(coach)

    def open_page(path, **options):
        page = pages.open(session_cookie=cookie, **options)
        go(page, path)
        return page

    return open_page
