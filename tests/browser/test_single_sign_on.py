"""Single sign-on as people click through it, with the provider in its own process."""

import pytest
from django.core.cache import cache

from accounts.models import User
from tests.oidc_provider import running_provider, switch_on

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture(scope="module")
def provider():
    with running_provider() as found:
        yield found


def test_a_coach_signs_in_at_the_provider_and_comes_back(pages, provider, settings):
    switch_on(settings, provider)
    cache.clear()
    provider.knows("kim", email="kim@facility.invalid", email_verified=True)
    page = pages.open(width=820, alone=True)
    page.goto("/athletes/")
    page.get_by_role("link", name="Sign in with Facility ID").click()
    page.wait_for_url(f"{provider.issuer}/**")
    page.locator("input[name=sub]").fill("kim")
    page.get_by_role("button", name="Authorize").click()
    page.wait_for_url("**/athletes/")
    page.get_by_role("heading", name="Athletes").wait_for()
    assert User.objects.get().username == "kim@facility.invalid"
    # Nothing but the visit to the provider left the site or met the content policy.
    others = [text for text in pages.problems if provider.issuer not in text]
    assert others == []
    pages.problems.clear()
    # Out again: the provider is asked to ask, and who says no there is told so here.
    page.get_by_label("Your settings").click()
    page.get_by_role("button", name="Log out", exact=True).click()
    page.get_by_role("link", name="Sign in with Facility ID").click()
    page.wait_for_url("**prompt=login**")
    pages.problems.clear()
    page.goto("/accounts/sign-on/back/?state=x")
    page.get_by_role("heading", name="Not signed in").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 820
    pages.problems.clear()
