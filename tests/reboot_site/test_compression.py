"""What travels compressed and what does not."""

import gzip

import pytest

from tests import factories

pytestmark = pytest.mark.django_db
ASKS = {"Accept-Encoding": "gzip, br"}


@pytest.fixture
def staff(client):
    client.force_login(factories.make_superuser())
    return client


def test_a_page_is_compressed_for_a_browser_that_asks(staff):
    answer = staff.get("/athletes/", headers=ASKS)
    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer["Vary"]
    assert b'<main id="content"' in gzip.decompress(answer.content)
    assert int(answer["Content-Length"]) == len(answer.content)
    plain = staff.get("/athletes/")
    assert not plain.has_header("Content-Encoding")
    assert len(answer.content) < 0.5 * len(plain.content)


def test_a_page_has_no_fixed_length(staff):
    """Else its length would tell whether a guess stands in it."""
    lengths = {
        len(staff.get("/athletes/definitions/", headers=ASKS).content)
        for _ in range(20)
    }
    assert len(lengths) > 1


@pytest.mark.parametrize("path", ["/players", "/openapi.json"])
def test_json_is_not(staff, path):
    answer = staff.get(path, headers=ASKS)
    assert answer.status_code == 200
    assert not answer.has_header("Content-Encoding")
