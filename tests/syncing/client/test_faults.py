"""Faults of the network and the vendor: what is tried again, how long, what is said."""

import email.utils
import io
import json
import pickle

import pytest

from simulator.faults import FaultPlan
from syncing.client.errors import (
    ConfigurationError,
    RateLimitedError,
    RebootError,
    UnavailableError,
    UnexpectedShapeError,
    UnexpectedStatusError,
)
from syncing.client.http import RetryPolicy
from tests.syncing.client.conftest import KEY
from tests.syncing.client.scripted import ScriptedServer, answer
from tests.syncing.clocks import ManualClock

GOOD = answer([{"id": 1, "slug": "baseball-hitting", "name": "Hitting"}])
HTML = b"<!DOCTYPE html><html><body>Sorry</body></html>"


@pytest.mark.parametrize(
    "fault",
    [
        answer({"message": "slow down"}, "429 Too Many Requests"),
        answer(HTML, "500 Internal Server Error", Content_Type="text/html"),
        answer({}, "502 Bad Gateway"),
        answer({}, "503 Service Unavailable"),
        answer({}, "504 Gateway Timeout"),
        answer(HTML, Content_Type="text/html"),
        answer(b'[{"id": 1, "slug"', length=None),
        answer(b'[{"id": 1, "slug"', length=500),
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Ty",
        b"nonsense\r\n\r\n",
        answer(b"\x1f\x8b broken", Content_Encoding="gzip"),
    ],
    ids=range(12),
)
def test_passing_fault_is_tried_again(make_client, clock, fault):
    with ScriptedServer(fault, fault, GOOD) as server:
        assert make_client(server.url, KEY).movement_types()[0].slug == (
            "baseball-hitting"
        )
        assert len(server.requests) == 3
    assert clock.slept == [0.25, 0.5]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (answer({}, "400 Bad Request"), UnexpectedStatusError),
        (answer({}, "409 Conflict"), UnexpectedStatusError),
        (answer({}, "418 Teapot"), UnexpectedStatusError),
        (answer(b"", "301 Moved", Location="https://x.example"), UnexpectedStatusError),
        (answer([{"id": "x", "slug": "y"}]), UnexpectedShapeError),
        (answer(7), UnexpectedShapeError),
    ],
)
def test_lasting_fault_is_not_tried_again(make_client, clock, fault, error):
    with ScriptedServer(fault) as server:
        with pytest.raises(error):
            make_client(server.url, KEY).movement_types()
        assert len(server.requests) == 1
    assert clock.slept == []


def test_attempts_are_capped_and_the_message_counts_them(make_client, clock):
    with ScriptedServer(answer({}, "503 Unavailable")) as server:
        with pytest.raises(UnavailableError) as caught:
            make_client(server.url, KEY).movement_types()
        assert len(server.requests) == 5
    assert clock.slept == [0.25, 0.5, 1.0, 2.0]
    assert "HTTP 503" in str(caught.value)
    assert "Tried 5 times" in str(caught.value)


def test_total_time_is_capped(make_client, clock):
    policy = RetryPolicy(max_attempts=100, total_s=3.0)
    with (
        ScriptedServer(answer({}, "503 Unavailable")) as server,
        pytest.raises(UnavailableError),
    ):
        make_client(server.url, KEY, retry=policy).movement_types()
    assert sum(clock.slept) < 3.0
    assert len(clock.slept) == 3


def test_retry_after_is_obeyed_in_both_spellings(make_client, clock):
    date = email.utils.formatdate(clock.time() + 9 + 0.25, usegmt=True)
    with ScriptedServer(
        answer({}, "429 No", Retry_After="4"),
        answer({}, "503 No", Retry_After=date),
        answer({}, "503 No", Retry_After="soon"),
        GOOD,
    ) as server:
        make_client(server.url, KEY).movement_types()
    first, second, third = clock.slept
    assert (first, third) == (4.0, 1.0)
    assert 4.5 <= second <= 5.5  # four of the nine seconds had passed


def test_long_retry_after_is_handed_to_the_caller(make_client, clock):
    with ScriptedServer(answer({}, "429 No", Retry_After="600")) as server:
        with pytest.raises(RateLimitedError) as caught:
            make_client(server.url, KEY).movement_types()
        assert len(server.requests) == 1
    assert caught.value.retry_after_s == 600.0
    assert caught.value.temporary
    assert "600 s" in str(caught.value)
    assert clock.slept == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("-5", None), ("1e9", None), ("0", 0.0), ("99999999", 86_400.0)],
)
def test_absurd_retry_after_is_bounded(make_client, text, seconds):
    policy = RetryPolicy(max_attempts=1)
    with (
        ScriptedServer(answer({}, "429 No", Retry_After=text)) as server,
        pytest.raises(RateLimitedError) as caught,
    ):
        make_client(server.url, KEY, retry=policy).movement_types()
    assert caught.value.retry_after_s == seconds


def test_jitter_spreads_the_waits():
    policy = RetryPolicy()
    assert policy.wait_s(1, None, 0.0) == 0.25
    assert policy.wait_s(1, None, 1.0) == 0.5
    assert policy.wait_s(20, None, 1.0) == 30.0
    assert policy.wait_s(1, 2.0, 0.0) == 2.0
    assert 2.0 < policy.wait_s(1, 2.0, 1.0) <= 3.0


def test_page_of_html_is_named(make_client):
    with (
        ScriptedServer(answer(HTML, Content_Type="text/html")) as server,
        pytest.raises(UnexpectedShapeError) as caught,
    ):
        make_client(server.url, KEY).movement_types()
    text = str(caught.value)
    assert text.startswith("GET /movement_types: an HTML page arrived where JSON")
    assert "Check the address" in text
    assert "\n" not in text


def test_unreachable_vendor_is_named(make_client, clock):
    with ScriptedServer(b"") as server:
        url = server.url
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1 could not be reached"):
        make_client(url, KEY).movement_types()
    assert len(clock.slept) == 4


def test_every_exchange_is_told_and_counted(make_client):
    told = []
    with ScriptedServer(b"", answer({}, "429 No", Retry_After="2"), GOOD) as server:
        client = make_client(server.url, KEY, on_exchange=told.append)
        client.movement_types()
    assert [(e.route, e.status, e.retry_after_s) for e in told] == [
        ("GET /movement_types", None, None),
        ("GET /movement_types", 429, 2.0),
        ("GET /movement_types", 200, None),
    ]
    assert client.requests_sent.total == 3
    assert client.requests_sent.by_route() == {
        "GET /movement_types": {"200": 1, "429": 1, "fault": 1}
    }


def test_gate_holds_requests_and_not_waits(make_client):
    events = []

    class Gate:
        def __init__(self, route):
            self.route = route

        def __enter__(self):
            events.append("in")

        def __exit__(self, *_):
            events.append("out")

    class Told(ManualClock):
        def sleep(self, seconds):
            events.append("sleep")

    with ScriptedServer(answer({}, "502 No"), GOOD) as server:
        make_client(server.url, KEY, gate=Gate, clock=Told()).movement_types()
    assert events == ["in", "out", "sleep", "in", "out"]


def test_error_of_the_gate_reaches_the_caller(make_client):
    def gate(route):
        raise InterruptedError("cancelled")

    with ScriptedServer(GOOD) as server:
        with pytest.raises(InterruptedError):
            make_client(server.url, KEY, gate=gate).movement_types()
        assert server.requests == []


def test_errors_survive_pickling():
    error = RateLimitedError("Slow.", status=429, retry_after_s=3.0, fields=("a",))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (str(again), again.status, again.retry_after_s, again.fields) == (
        "Slow.",
        429,
        3.0,
        ("a",),
    )
    assert issubclass(type(again), RebootError)


def test_header_that_cannot_be_sent_does_not_show_itself(make_client):
    client = make_client("https://api.example.com", user_agent="bad\nagent")
    with pytest.raises(ConfigurationError) as caught:
        client.movement_types()
    assert "bad" not in str(caught.value)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everything_arrives_through_a_third_of_faults(start_vendor, make_client, seed):
    plan = FaultPlan(
        probability=0.33,
        seed=seed,
        kinds=("429", "500", "502", "503", "cut-headers", "cut-body", "html-200"),
        slow_s=0.0,
        routes=("token", "players", "sessions", "session", "lookups", "data_export"),
    )
    vendor = start_vendor(players=237, sessions=40, faults=plan, scenario="plain")
    client = make_client(vendor.url, page_limit=20)
    assert len(list(client.players())) == 237
    sessions = list(client.sessions())
    assert len(sessions) == 40
    for session in sessions[:15]:
        (player,) = client.session(session.id).players
        reply = client.request_export(
            session_id=session.id,
            org_player_id=player.org_player_id,
            movement_type_id=1,
            data_type="metadata",
        )
        assert reply.state == "ready"
        assert client.download(reply.download_urls[0], io.BytesIO()).size > 0
    assert sum(vendor.app.faults.done.values()) > 10


def test_no_secret_and_no_name_in_any_log(start_vendor, make_client, all_logs):
    plan = FaultPlan(
        probability=0.3,
        seed=5,
        kinds=("500", "cut-headers", "cut-body", "expired-token"),
    )
    vendor = start_vendor(players=30, sessions=8, faults=plan, scenario="plain")
    client = make_client(vendor.url)
    links = []
    for session in client.sessions():
        (player,) = client.session(session.id).players
        reply = client.request_export(
            session_id=session.id,
            org_player_id=player.org_player_id,
            movement_type_id=1,
            data_type="metadata",
        )
        links += reply.download_urls
        client.download(reply.download_urls[0], io.BytesIO())
    people = list(client.players())
    text = all_logs.text + json.dumps([str(r.__dict__) for r in all_logs.records])
    assert "connectionpool" in text  # the library did log
    secrets = ["demo-password", "demo-user", "Signature=", "X-Amz"]
    secrets += list(vendor.app._tokens)
    secrets += [person.last_name for person in people]
    secrets += [url.partition("?")[2] for url in links]
    assert [secret for secret in secrets if secret in text] == []


def test_traceback_of_a_fault_does_not_show_the_link(make_client):
    import traceback

    with ScriptedServer(b"") as server:
        link = f"{server.url}/f.csv?X-Amz-Signature=" + "secret" * 2
    client = make_client(server.url, KEY)
    with pytest.raises(UnavailableError) as caught:
        client.download(link, io.BytesIO())
    assert "secretsecret" not in "".join(traceback.format_exception(caught.value))
