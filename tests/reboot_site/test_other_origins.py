"""Pages of other origins call the JSON paths only where a setting names them."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from reboot_site.addresses import check_exact_origins
from tests import factories

pytestmark = pytest.mark.django_db

ORIGIN = "https://reports.example.com"
ASKS = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "authorization",
}


def cors_headers(response):
    return {
        name for name in response.headers if name.startswith("Access-Control-Allow")
    }


@pytest.fixture
def known(settings):
    settings.CORS_ORIGINS = [ORIGIN]


@pytest.mark.parametrize(
    ("value", "right"),
    [
        (f"{ORIGIN}/", ORIGIN),
        (f"{ORIGIN}/reports", ORIGIN),
        (f"{ORIGIN}?a=1", ORIGIN),
        ("https://Reports.Example.com", ORIGIN),
        (f"{ORIGIN}:443", ORIGIN),
        ("http://localhost:80", "http://localhost"),
        ("https://*.example.com", "https://name.example.com"),
        ("https://ash@reports.example.com", ORIGIN),
        ("https://reports.example.com:x", "https://dashboard.example.com"),
    ],
)
def test_an_origin_that_no_browser_sends_is_told_when_the_product_starts(value, right):
    with pytest.raises(ImproperlyConfigured, match="CORS_ORIGINS holds") as told:
        check_exact_origins("CORS_ORIGINS", [ORIGIN, value])
    assert str(told.value).endswith(f": {right}.")


def test_origins_as_browsers_send_them_are_right():
    found = [ORIGIN, "http://localhost:5173", "http://[::1]:8080"]
    check_exact_origins("CORS_ORIGINS", found)


def test_nobody_is_let_in_unless_named(client):
    headers = factories.make_token() | {"Origin": ORIGIN}
    answer = client.get("/stats", headers=headers)
    assert answer.status_code == 200
    assert cors_headers(answer) == set()
    assert "Origin" not in answer["Vary"]
    assert cors_headers(client.options("/stats", headers=ASKS)) == set()


def test_a_named_origin_may_ask_and_read(client, known):
    asked = client.options("/players/1", headers=ASKS)
    assert asked.status_code == 204
    assert asked["Access-Control-Allow-Origin"] == ORIGIN
    assert "Authorization" in asked["Access-Control-Allow-Headers"]
    headers = factories.make_token() | {"Origin": ORIGIN}
    answer = client.get("/stats", headers=headers)
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert "ETag" in answer["Access-Control-Expose-Headers"]
    assert "Origin" in answer["Vary"]
    refused = client.get("/stats", headers={"Origin": ORIGIN})
    assert refused.status_code == 401
    assert refused["Access-Control-Allow-Origin"] == ORIGIN


def test_cookies_are_never_let_through(client, known):
    client.force_login(factories.make_staff())
    answer = client.get("/stats", headers={"Origin": ORIGIN})
    assert not answer.has_header("Access-Control-Allow-Credentials")


@pytest.mark.parametrize(
    "origin",
    ["https://reports.example.com.evil.example", "http://reports.example.com", "null"],
)
def test_others_are_not(client, known, origin):
    headers = factories.make_token() | {"Origin": origin}
    answer = client.get("/stats", headers=headers)
    assert cors_headers(answer) == set()
    assert "Origin" in answer["Vary"]
    assert cors_headers(
        client.options("/stats", headers=ASKS | {"Origin": origin})
    ) == (set())


def test_pages_are_of_this_origin_alone(client, known):
    client.force_login(factories.make_staff())
    assert cors_headers(client.get("/athletes/", headers={"Origin": ORIGIN})) == set()
