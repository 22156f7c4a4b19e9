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


def test_json_is_compressed_for_a_program_that_asks(client):
    for _ in range(20):
        factories.make_player()
    headers = factories.make_token()
    answer = client.get("/players", headers=headers | ASKS)
    plain = client.get("/players", headers=headers)
    assert answer["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.content) == plain.content
    assert len(answer.content) < 0.4 * len(plain.content)
    assert not plain.has_header("Content-Encoding")
    # Not the same bytes, so another tag, which costs a 304 all the same.
    assert answer["ETag"] == f"W/{plain['ETag']}"
    for etag in (answer["ETag"], plain["ETag"]):
        again = client.get("/players", headers=headers | ASKS | {"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")


def test_frames_as_json_are_compressed_while_they_are_sent(client):
    movement = factories.make_frames().movement
    path = f"/movements/{movement.pk}/data"
    headers = factories.make_token()
    answer = client.get(path, headers=headers | ASKS)
    plain = client.get(path, headers=headers)
    assert answer["Content-Encoding"] == "gzip"
    sent = gzip.decompress(b"".join(answer.streaming_content))
    assert sent == b"".join(plain.streaming_content)


@pytest.mark.parametrize(
    "path", ["/exports/metrics?metrics=bat_speed_max", "/movements/{}/data?format=csv"]
)
def test_a_streamed_table_is_compressed_while_it_is_sent(client, path):
    movement = factories.make_frames(movement=factories.make_swing()).movement
    path, headers = path.format(movement.pk), factories.make_token()
    answer = client.get(path, headers=headers | ASKS)
    plain = client.get(path, headers=headers)
    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer["Vary"]
    sent = gzip.decompress(b"".join(answer.streaming_content))
    assert sent == b"".join(plain.streaming_content)
    assert answer["ETag"] == f"W/{plain['ETag']}"
    again = client.get(path, headers=headers | {"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


def test_files_are_not(client, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    session = factories.make_frames().movement.session
    path = f"/sessions/{session.pk}/data?format=csv"
    answer = client.get(path, headers=factories.make_token() | ASKS)
    assert not answer.has_header("Content-Encoding")
    assert int(answer["Content-Length"]) == len(b"".join(answer.streaming_content))
