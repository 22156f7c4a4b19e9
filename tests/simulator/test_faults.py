"""Seeded faults: what they look like, and that they can be repeated."""

import time

import pytest
import requests

from simulator.faults import KINDS, ROUTES, FaultPlan, Faults


def always(*kinds, **more):
    return FaultPlan(probability=1.0, kinds=kinds, max_in_a_row=1, **more)


def test_no_faults_unless_asked(vendor):
    for _ in range(30):
        assert vendor.get("/movement_types").status_code == 200
    assert vendor.log.summary()["faults"] == {}


@pytest.mark.parametrize(
    ("kind", "status", "content_type"),
    [
        ("429", 429, "application/json"),
        ("500", 500, "text/html; charset=utf-8"),
        ("502", 502, "text/html; charset=utf-8"),
        ("503", 503, "application/json"),
        ("html-200", 200, "text/html; charset=utf-8"),
        ("expired-token", 401, "application/json"),
    ],
)
def test_fault_of_an_api_call_and_success_when_asked_again(
    start, kind, status, content_type
):
    vendor = start(faults=always(kind, retry_after_s=7))
    answer = vendor.get("/players")
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == content_type
    if kind in ("429", "503"):
        assert answer.headers["Retry-After"] == "7"
    again = vendor.get("/players")
    assert again.status_code == 200
    assert len(again.json()) == 6
    assert vendor.log.summary()["faults"] == {kind: 1}


@pytest.mark.parametrize("kind", ["cut-before", "cut-body"])
def test_cut_connection_is_an_error_for_the_client(start, kind):
    vendor = start(faults=always(kind))
    with pytest.raises(
        (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
    ):
        vendor.get("/players")
    assert vendor.get("/players").status_code == 200


def test_cut_inside_the_headers_looks_like_an_empty_answer(start):
    # Python's HTTP library takes the end of the stream for the end of the headers,
    # so a client meets an empty 200 without a length.
    vendor = start(faults=always("cut-headers"))
    answer = vendor.get("/players")
    assert (answer.status_code, answer.content) == (200, b"")
    assert "Content-Length" not in answer.headers
    assert len(vendor.get("/players").json()) == 6


def test_cut_download_stops_halfway(start):
    vendor = start(faults=always("cut-body", routes=("download",)))
    (link,) = vendor.links()
    received = 0
    with vendor.session.get(link, stream=True, timeout=30) as answer:
        size = int(answer.headers["Content-Length"])
        pieces = answer.iter_content(4096)
        with pytest.raises(requests.exceptions.ChunkedEncodingError):  # noqa: PT012
            for piece in pieces:  # what arrives before the cut is counted
                received += len(piece)
    assert 0.4 * size < received < 0.6 * size
    assert len(vendor.download(link).content) == size


def test_truncated_download_looks_complete_but_is_not(start):
    vendor = start(faults=always("truncated"))
    (link,) = vendor.links()
    short, whole = vendor.download(link), vendor.download(link)
    assert (short.status_code, whole.status_code) == (200, 200)
    assert len(short.content) == len(whole.content) * 2 // 3
    assert whole.content.startswith(short.content)


def test_expired_link_is_the_storages_xml(start):
    vendor = start(faults=always("expired-link"))
    (link,) = vendor.links()
    answer = vendor.download(link)
    assert answer.status_code == 403
    assert answer.text.startswith("<?xml")
    # A new link to the same file gets through.
    assert vendor.download(vendor.links()[0]).status_code == 200


def test_slow_answer_is_right_but_late(start):
    vendor = start(faults=always("slow", slow_s=0.3))
    began = time.monotonic()
    assert vendor.get("/players").status_code == 200
    assert time.monotonic() - began > 0.3


def test_only_the_routes_asked_for_fail(start):
    vendor = start(faults=always("500", routes=("sessions",)))
    assert vendor.get("/players").status_code == 200
    assert vendor.get("/sessions").status_code == 500
    assert vendor.get("/sessions").status_code == 200


def draws(plan, count=40):
    faults = Faults(plan)
    return [
        faults.draw(route, f"GET /{route}/{number}")
        for number in range(count)
        for route in ROUTES
    ]


def test_faults_depend_on_the_seed_alone():
    plan = FaultPlan(probability=0.3, seed=5)
    assert draws(plan) == draws(plan)
    assert draws(plan) != draws(FaultPlan(probability=0.3, seed=6))
    share = sum(kind is not None for kind in draws(plan)) / len(draws(plan))
    assert share == pytest.approx(0.3, abs=0.08)


def test_faults_do_not_depend_on_the_order_of_other_requests():
    plan = FaultPlan(probability=0.5, seed=2)
    one, other = Faults(plan), Faults(plan)
    names = [f"GET /session/{number}" for number in range(50)]
    forward = {name: one.draw("session", name) for name in names}
    backward = {name: other.draw("session", name) for name in reversed(names)}
    assert forward == backward


def test_every_kind_occurs_and_no_request_fails_for_ever():
    faults = Faults(FaultPlan(probability=1.0, max_in_a_row=3))
    for number in range(200):
        route = ROUTES[number % len(ROUTES)]
        kinds = [faults.draw(route, str(number)) for _ in range(8)]
        assert kinds[3] is None
        assert kinds[7] is None
        for streak in (kinds[:3], kinds[4:7]):
            assert streak.count("expired-token") <= 1
            assert streak.count("expired-link") <= 1
    assert set(faults.done) == set(KINDS)


@pytest.mark.parametrize(
    "wrong", [{"kinds": ("404",)}, {"routes": ("home",)}, {"probability": 1.5}]
)
def test_senseless_plan_is_refused(wrong):
    with pytest.raises(ValueError, match=r"fault|route"):
        FaultPlan(**wrong)


def test_a_patient_client_gets_everything_through_faults(start):
    plan = FaultPlan(probability=0.3, seed=3, slow_s=0.01)
    vendor = start(players=120, faults=plan)
    found, tries = [], 0
    while len(found) < 120:
        tries += 1
        assert tries < 40
        try:
            answer = vendor.get("/players", limit=10, offset=len(found))
            answer.raise_for_status()
            found += answer.json()
        except requests.RequestException:
            continue
    assert len({player["id"] for player in found}) == 120
    assert sum(vendor.log.summary()["faults"].values()) == tries - 12
