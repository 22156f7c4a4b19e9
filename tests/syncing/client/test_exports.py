import hashlib
import io
import ssl
import tempfile
import time
from urllib.parse import urlsplit

import pytest

from syncing.client.addresses import Addresses
from syncing.client.connections import Timeouts, new_session
from syncing.client.errors import (
    ExpiredLinkError,
    ForbiddenHostError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
    UnexpectedShapeError,
    UnexpectedStatusError,
)
from syncing.client.http import RetryPolicy
from syncing.reader.export import read_export
from tests.certificates import make_certificate
from tests.syncing.client.conftest import KEY
from tests.syncing.client.scripted import TOKEN, ScriptedServer, answer

ASKED = {
    "session_id": "s",
    "org_player_id": "p",
    "movement_type_id": 1,
    "data_type": "inverse-kinematics",
}


def hitting(vendor):
    """What to ask for: the first session with data."""
    for session in vendor.world.listed_sessions():
        for athlete in session.athletes:
            if vendor.world.has_data(session, athlete, "baseball-hitting"):
                return {**ASKED, "session_id": session.id, "org_player_id": athlete}
    raise AssertionError("no session with data")


@pytest.fixture
def vendor(start_vendor):
    return start_vendor(scenario="plain")


# --- Asking for an export -----------------------------------------------------


def test_export_is_ready_with_one_link(vendor, make_client):
    reply = make_client(vendor.url).request_export(**hitting(vendor))
    assert reply.state == "ready"
    assert len(reply.download_urls) == 1
    assert "X-Amz" not in repr(reply)


def test_unaggregated_export_has_a_link_for_each_movement(vendor, make_client):
    reply = make_client(vendor.url).request_export(**hitting(vendor), aggregate=False)
    assert len(set(reply.download_urls)) == 2


@pytest.mark.parametrize(
    "scenario", ["export-single-key", "export-one-url", "parquet-gz"]
)
def test_other_spellings_of_a_reply_are_ready_too(start_vendor, make_client, scenario):
    vendor = start_vendor(scenario=f"plain,{scenario}")
    reply = make_client(vendor.url).request_export(**hitting(vendor), aggregate=False)
    assert reply.state == "ready"


def test_nothing_found_is_an_answer(vendor, make_client):
    client = make_client(vendor.url)
    asked = {**hitting(vendor), "org_player_id": "nobody"}
    reply = client.request_export(**asked)
    assert (reply.state, reply.reason) == ("no_data", "nothing_found")
    assert client.requests_sent.by_route()["POST /data_export"] == {"404": 1}


def test_data_type_that_is_not_offered_is_an_answer(vendor, make_client):
    reply = make_client(vendor.url).request_export(
        **{**hitting(vendor), "data_type": "joint-angles"}
    )
    assert (reply.state, reply.reason) == ("no_data", "not_offered")


def test_empty_list_is_an_answer(start_vendor, make_client):
    vendor = start_vendor(scenario="plain,export-empty")
    reply = make_client(vendor.url).request_export(**hitting(vendor))
    assert (reply.state, reply.reason) == ("no_data", "empty_list")


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        ("404 Not Found", "No data found matching query: …"),
        ("422 Unprocessable", [{"loc": ["body", "data_type"], "msg": "…"}]),
    ],
)
def test_answer_that_broke_off_is_asked_for_again(make_client, status, detail):
    """What it says of the file stands in the part that is missing."""
    whole = answer({"detail": detail}, status)
    cut = whole[:-20]
    with ScriptedServer(TOKEN, cut, whole) as server:
        reply = make_client(server.url).request_export(**ASKED)
        assert len(server.requests) == 3
    assert reply.state == "no_data"
    with (
        ScriptedServer(TOKEN, cut) as server,
        pytest.raises(UnavailableError, match="cut off") as raised,
    ):
        make_client(server.url).request_export(**ASKED)
    assert raised.value.temporary


@pytest.mark.parametrize("scenario", ["export-polled=2", "export-status=2"])
def test_pending_export_is_asked_for_again(start_vendor, make_client, scenario):
    vendor = start_vendor(scenario=f"plain,{scenario}")
    client = make_client(vendor.url)
    states = [client.request_export(**hitting(vendor)).state for _ in range(3)]
    assert states == ["pending", "pending", "ready"]


def test_pending_export_is_followed_at_its_own_address(start_vendor, make_client):
    vendor = start_vendor(scenario="plain,export-location=2")
    client = make_client(vendor.url)
    reply = client.request_export(**hitting(vendor))
    assert reply.state == "pending"
    assert client.export_status(reply.status_url).state == "pending"
    assert client.export_status(reply.status_url).state == "ready"
    with pytest.raises(NotFoundError):
        client.export_status("/data_export/unknown")


def test_status_address_elsewhere_does_not_get_our_credentials(vendor, make_client):
    client = make_client(vendor.url)
    for url in ("https://example.com/x", "//example.com/x", "http://127.0.0.1:1/x"):
        with pytest.raises(ForbiddenHostError):
            client.export_status(url)
    assert vendor.log.total == 0


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (answer({"url": "https://h/x"}), "ready"),
        (answer({"urls": ["https://h/x", "https://h/x"]}), "ready"),
        (answer({"download_urls": [], "export_id": "e"}), "pending"),
        (answer({"status": "QUEUED"}, Retry_After="7"), "pending"),
        (answer({}, "202 Accepted"), "pending"),
        (answer(b"", "303 See Other", Location="/data_export/1"), "pending"),
        (answer({"download_urls": None}), "no_data"),
    ],
)
def test_replies_are_understood_either_way(make_client, reply, state):
    with ScriptedServer(TOKEN, reply) as server:
        found = make_client(server.url).request_export(**ASKED)
    assert found.state == state
    assert len(found.download_urls) == (state == "ready")
    if found.retry_after_s is not None:
        assert found.retry_after_s == 7.0


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (answer({"session_id": "s"}), UnexpectedShapeError),
        (answer([1]), UnexpectedShapeError),
        (answer({"status": "failed"}), UnavailableError),
        (answer({"detail": "Not Found"}, "404 Not Found"), NotFoundError),
        (answer({"message": "no route"}, "404 Not Found"), NotFoundError),
        (answer(b"<html>gone</html>", "404 Not Found"), NotFoundError),
        (answer({"detail": "Method Not Allowed"}, "405 No"), UnexpectedStatusError),
        (
            answer({"detail": [{"loc": ["body", "session_id"]}]}, "422 No"),
            UnexpectedStatusError,
        ),
    ],
)
def test_faulty_replies_are_not_taken_for_no_data(make_client, reply, error):
    with ScriptedServer(TOKEN, reply) as server, pytest.raises(error) as caught:
        make_client(server.url).request_export(**ASKED)
    if error is UnexpectedShapeError and b"session_id" in reply:
        assert "It has: session_id." in str(caught.value)


# --- Downloading --------------------------------------------------------------


def link(client, vendor, **options):
    return client.request_export(**{**hitting(vendor), **options}).download_urls[0]


@pytest.mark.parametrize("data_format", ["parquet", "csv"])
@pytest.mark.parametrize("scenario", ["", "content-encoding", "plain-csv,parquet-gz"])
def test_download_is_what_the_vendor_holds(
    start_vendor, make_client, data_format, scenario
):
    vendor = start_vendor(scenario=f"plain,{scenario}")
    client = make_client(vendor.url)
    with tempfile.TemporaryFile() as sink:
        url = link(client, vendor, data_format=data_format)
        found = client.download(url, sink)
        sink.seek(0)
        data = sink.read()
        assert found.size == len(data) > 1000
        assert found.sha256 == hashlib.sha256(data).hexdigest()
        movements = read_export(sink, data_type_hint=ASKED["data_type"]).movements
    assert len(movements) == 2


@pytest.mark.parametrize("credentials", [None, KEY])
def test_download_sends_no_credentials(vendor, make_client, credentials):
    options = {} if credentials is None else {"credentials": credentials}
    client = make_client(vendor.url, **options)
    client.download(link(client, vendor), io.BytesIO())
    (entry,) = vendor.log.find("download")
    assert (entry.authorization, entry.api_key, entry.status) == (None, False, 200)


def test_download_sends_no_credentials_of_the_session_either(vendor, make_client):
    with new_session() as session:
        session.headers["Authorization"] = "Bearer other"
        session.headers["x-api-key"] = "other"
        client = make_client(vendor.url, session=session)
        client.download(link(make_client(vendor.url), vendor), io.BytesIO())
    (entry,) = vendor.log.find("download")
    assert (entry.authorization, entry.api_key) == (None, False)


def test_expired_link_is_its_own_error(start_vendor, make_client):
    vendor = start_vendor(scenario="plain,link-life=60")
    client = make_client(vendor.url)
    url = link(client, vendor)
    vendor.world.advance(120)
    with pytest.raises(ExpiredLinkError) as caught:
        client.download(url, io.BytesIO())
    assert vendor.log.routes["download"] == 1
    assert "Ask for the export again" in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (answer(b"<Error><Code>ExpiredToken</Code></Error>", "400 No"), "expired_link"),
        (answer(b"<Error><Code>Other</Code></Error>", "400 No"), "unexpected_status"),
        (answer(b"<Error/>", "404 No"), "expired_link"),
        (answer(b"", "206 Partial"), "unexpected_status"),
    ],
)
def test_other_refusals_of_a_link(make_client, reply, error):
    with ScriptedServer(reply) as server, pytest.raises(Exception) as caught:
        make_client(server.url).download(f"{server.url}/f?sig=1", io.BytesIO())
    assert caught.value.code == error


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/file.csv?sig=secret",
        "https://evil-reboot-motion-data-exports.s3.amazonaws.com/f",
        "https://reboot-motion-data-exports.s3.amazonaws.com.example.com/f",
        "https://u:p@reboot-motion-data-exports.s3.amazonaws.com/f",
        "https://reboot-motion-data-exports.s3.amazonaws.com:8443/f",
        "http://reboot-motion-data-exports.s3.amazonaws.com/f",
        "http://localhost/f",
        "file:///etc/passwd",
        "ftp://127.0.0.1/f",
        "//127.0.0.1/f",
        "nonsense",
        "https://[bad/f",
    ],
)
def test_links_to_other_hosts_are_not_followed(make_client, url):
    client = make_client("https://api.example.com")
    with pytest.raises(ForbiddenHostError) as caught:
        client.download(url, io.BytesIO())
    assert "secret" not in str(caught.value)
    assert client.requests_sent.total == 0


@pytest.mark.parametrize(
    "host",
    [
        "reboot-motion-data-exports.s3.amazonaws.com",
        "Reboot-Motion-Data-Exports.s3.us-west-2.amazonaws.com",
    ],
)
def test_the_vendors_own_hosts_are_allowed(host):
    Addresses("https://api.example.com").check_link(f"https://{host}/a/b?c=d")


def test_links_on_a_host_that_is_not_listed_are_refused(start_vendor, make_client):
    vendor = start_vendor(scenario="plain,links-other-host")
    client = make_client(vendor.url)
    url = link(client, vendor)
    with pytest.raises(ForbiddenHostError, match="localhost"):
        client.download(url, io.BytesIO())
    other = make_client(vendor.url, plain_http_hosts=("127.0.0.1", "localhost"))
    assert other.download(url, io.BytesIO()).size > 0


def test_links_to_the_apis_own_origin_are_followed(make_client, monkeypatch, tmp_path):
    """Its own port and no other, and with no credentials."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make_certificate(certificate, key, "localhost")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with ScriptedServer(answer(b"data"), tls=tls) as server:
        client = make_client(server.url)
        sink = io.BytesIO()
        client.download(f"{server.url}/f?sig=1", sink)
        assert sink.getvalue() == b"data"
        (lines, _), *_ = server.requests
        assert not any(line.lower().startswith("authorization") for line in lines)
        for other in (
            f"https://localhost:{int(server.url.rpartition(':')[2]) - 1}/f",
            server.url.replace("https:", "http:") + "/f",
            server.url.replace("localhost", "u:p@localhost") + "/f",
            "https://localhost/f",
        ):
            with pytest.raises(ForbiddenHostError):
                client.download(other, io.BytesIO())
        assert len(server.requests) == 1


def test_links_to_the_simulators_own_origin_need_no_setting(vendor, make_client):
    """Over http, on the port that REBOOT_BASE_URL names and on no other."""
    parts = urlsplit(vendor.url)
    client = make_client(
        vendor.url, plain_http_hosts=(parts.netloc,), download_hosts=()
    )
    sink = io.BytesIO()
    assert client.download(link(client, vendor), sink).size > 0
    with ScriptedServer(answer(b"data")) as other, pytest.raises(ForbiddenHostError):
        client.download(f"{other.url}/f", io.BytesIO())


def test_redirect_is_followed_to_allowed_hosts_only(make_client):
    with ScriptedServer(answer(b"data")) as target:
        moved = answer(b"", "307 Moved", Location=f"{target.url}/new?sig=2")
        with ScriptedServer(moved) as server:
            sink = io.BytesIO()
            make_client(server.url).download(f"{server.url}/f", sink)
            assert sink.getvalue() == b"data"
    away = answer(b"", "302 Found", Location="https://example.com/x")
    with ScriptedServer(away) as server, pytest.raises(ForbiddenHostError):
        make_client(server.url).download(f"{server.url}/f", io.BytesIO())
    loop = answer(b"", "302 Found", Location="/again")
    with ScriptedServer(loop) as server, pytest.raises(UnexpectedStatusError):
        make_client(server.url).download(f"{server.url}/f", io.BytesIO())


def test_size_is_limited_by_header_and_by_count(make_client):
    body = b"x" * 5_000
    chunked = answer(
        b"1388\r\n" + body + b"\r\n0\r\n\r\n", length=None, Transfer_Encoding="chunked"
    )
    for reply in (answer(body), chunked):
        sink = io.BytesIO()
        with ScriptedServer(reply) as server, pytest.raises(TooLargeError):
            make_client(server.url).download(f"{server.url}/f", sink, max_bytes=4_999)
        assert len(sink.getvalue()) < 5_000
    with ScriptedServer(answer(body)) as server:
        found = make_client(server.url).download(
            f"{server.url}/f", io.BytesIO(), max_bytes=5_000
        )
    assert found.size == 5_000


def test_cut_download_starts_anew(make_client):
    body = bytes(range(256)) * 40
    cut = answer(body[:6_000], length=len(body))
    with ScriptedServer(cut, cut, answer(body)) as server:
        sink = io.BytesIO()
        found = make_client(server.url).download(f"{server.url}/f", sink)
    assert sink.getvalue() == body
    assert found.size == len(body)
    assert found.sha256 == hashlib.sha256(body).hexdigest()


def test_file_of_untold_length_is_not_trusted(make_client):
    """An answer cut within its headers looks like this, with no byte of the file."""
    policy = RetryPolicy(max_attempts=2)
    for reply in (answer(b"abc", length=None), b"HTTP/1.1 200 OK\r\nContent-Ty"):
        with (
            ScriptedServer(reply) as server,
            pytest.raises(UnavailableError, match="length"),
        ):
            make_client(server.url, retry=policy).download(
                f"{server.url}/f", io.BytesIO()
            )


def test_cut_chunked_download_is_noticed(make_client):
    def cut(out):
        out.write(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        )

    policy = RetryPolicy(max_attempts=2)
    with ScriptedServer(cut) as server, pytest.raises(UnavailableError):
        make_client(server.url, retry=policy).download(f"{server.url}/f", io.BytesIO())


def test_trickle_is_given_up_at_the_deadline(make_client, clock):
    def trickle(out):
        out.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        for _ in range(200):
            out.write(b"x")
            out.flush()
            clock.advance(0.02)
            time.sleep(0.002)

    sink = io.BytesIO()
    with ScriptedServer(trickle) as server:
        client = make_client(server.url, retry=RetryPolicy(max_attempts=1))
        with pytest.raises(UnavailableError, match="still arriving"):
            client.download(f"{server.url}/f", sink, deadline_s=0.3)
    assert len(sink.getvalue()) <= 17  # 0.3 s of a byte each 0.02 s


def test_silence_is_given_up_at_the_timeout(make_client):
    def silent(out):
        out.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
        out.flush()
        time.sleep(1.0)

    with ScriptedServer(silent) as server:
        client = make_client(
            server.url,
            timeouts=Timeouts(read_s=0.2),
            retry=RetryPolicy(max_attempts=1),
        )
        with pytest.raises(UnavailableError):
            client.download(f"{server.url}/f", io.BytesIO())


def test_full_disk_is_not_taken_for_a_fault_of_the_vendor(vendor, make_client):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    client = make_client(vendor.url)
    url = link(client, vendor)
    with pytest.raises(OSError, match="No space left"):
        client.download(url, Full())
    assert vendor.log.routes["download"] == 1
