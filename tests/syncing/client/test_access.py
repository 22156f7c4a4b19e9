import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from syncing.client.connections import new_session
from syncing.client.errors import (
    AuthenticationError,
    ConfigurationError,
    ForbiddenError,
    UnexpectedShapeError,
)
from syncing.client.login import RENEWAL_AFTER_403_S
from syncing.client.tokens import (
    ApiKey,
    MemoryTokenStore,
    PasswordLogin,
    Token,
    credentials_from,
    token_key,
)
from tests.syncing.client.conftest import KEY, LOGIN
from tests.syncing.client.scripted import TOKEN, ScriptedServer, answer


def test_login_is_asked_for_once_and_sent_as_bearer(start_vendor, make_client):
    vendor = start_vendor()
    client = make_client(vendor.url)
    client.movement_types()
    client.movement_types()
    assert vendor.log.routes["token"] == 1
    assert {e.authorization for e in vendor.log.find("lookups")} == {"Bearer"}
    assert not any(e.api_key for e in vendor.log.entries)


def test_key_travels_in_its_own_header(start_vendor, make_client):
    vendor = start_vendor()
    assert make_client(vendor.url, KEY).movement_types()
    (entry,) = vendor.log.entries
    assert (entry.authorization, entry.api_key) == (None, True)


def test_netrc_of_the_machine_is_not_used(
    start_vendor, make_client, tmp_path, monkeypatch
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    vendor = start_vendor()
    assert make_client(vendor.url).movement_types()
    assert make_client(vendor.url, KEY).movement_types()
    assert {e.authorization for e in vendor.log.entries} == {"Bearer", None}


def test_token_is_renewed_before_it_expires(start_vendor, make_client, clock):
    vendor = start_vendor()
    client = make_client(vendor.url)
    client.movement_types()
    clock.advance(86_400 - 301)
    client.movement_types()
    assert vendor.log.routes["token"] == 1
    clock.advance(2)
    client.movement_types()
    assert vendor.log.routes["token"] == 2
    assert 401 not in vendor.log.statuses


def test_short_lives_shrink_the_margin(start_vendor, make_client, clock):
    vendor = start_vendor(scenario="token-life=2")
    client = make_client(vendor.url)
    client.movement_types()
    clock.advance(1.7)
    client.movement_types()
    assert vendor.log.routes["token"] == 1


def test_refused_token_is_replaced_once_and_the_call_repeated(
    start_vendor, make_client
):
    vendor = start_vendor()
    client = make_client(vendor.url)
    client.movement_types()
    vendor.app.revoke_tokens()
    assert client.movement_types()
    assert vendor.log.routes["token"] == 2
    assert vendor.log.statuses[401] == 1


def test_token_that_is_refused_again_is_an_error(make_client):
    refused = answer({"detail": "no"}, "401 Unauthorized")
    with ScriptedServer(TOKEN, refused, TOKEN, refused) as server:
        with pytest.raises(AuthenticationError) as caught:
            make_client(server.url).movement_types()
        assert len(server.requests) == 4
    assert caught.value.status == 401


def test_token_that_a_gateway_refuses_with_403_is_replaced(start_vendor, make_client):
    vendor = start_vendor(scenario="bad-token-403")
    client = make_client(vendor.url)
    client.movement_types()
    vendor.app.revoke_tokens()
    assert client.movement_types()
    assert vendor.log.routes["token"] == 2
    assert (vendor.log.statuses[403], vendor.log.statuses[401]) == (1, 0)


def test_what_a_new_token_is_refused_is_forbidden_and_buys_no_more_tokens(
    start_vendor, make_client, clock
):
    vendor = start_vendor(sessions=2, scenario="plain")
    client = make_client(vendor.url)
    ids = [session.id for session in vendor.world.listed_sessions()]
    vendor.world.damage_session(ids[0], "refused")
    with pytest.raises(ForbiddenError) as caught:
        client.session(ids[0])
    assert "with a new token too" in caught.value.message
    assert vendor.log.routes["token"] == 2
    for _ in range(3):
        with pytest.raises(ForbiddenError):
            client.session(ids[0])
    assert client.session(ids[1]).id == ids[1]
    assert vendor.log.routes["token"] == 2

    clock.advance(RENEWAL_AFTER_403_S)
    with pytest.raises(ForbiddenError):
        client.session(ids[0])
    assert vendor.log.routes["token"] == 3


def test_many_threads_whose_token_a_gateway_refuses_buy_one(start_vendor, make_client):
    vendor = start_vendor(scenario="bad-token-403")
    client = make_client(vendor.url)
    client.movement_types()
    vendor.app.revoke_tokens()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: client.movement_types(), range(8)))
    assert all(found)
    assert vendor.log.routes["token"] == 2


@pytest.mark.parametrize("status", ["400 Bad Request", "401 No", "403 No", "422 No"])
def test_wrong_password_is_said_in_one_sentence(make_client, status, clock):
    with (
        ScriptedServer(answer({"detail": "nope"}, status)) as server,
        pytest.raises(AuthenticationError) as caught,
    ):
        make_client(server.url).movement_types()
    assert len(server.requests) == 1
    assert clock.slept == []
    assert str(caught.value) == (
        "POST /oauth/token: Reboot Motion refuses the login. Check REBOOT_USERNAME and "
        "REBOOT_PASSWORD."
    )


def test_wrong_password_and_wrong_key_at_the_vendor(start_vendor, make_client):
    vendor = start_vendor()
    with pytest.raises(AuthenticationError):
        make_client(vendor.url, PasswordLogin("demo-user", "wrong")).movement_types()
    with pytest.raises(AuthenticationError) as caught:
        make_client(vendor.url, ApiKey("wrong")).movement_types()
    assert caught.value.status == 403


def test_faults_of_the_token_request_are_retried(make_client):
    cut = b"HTTP/1.1 200 OK\r\nContent-Ty"
    lookups = answer([{"id": 1, "slug": "baseball-hitting", "name": "Hitting"}])
    with ScriptedServer(b"", cut, answer({}, "502 Bad"), TOKEN, lookups) as server:
        assert make_client(server.url).movement_types()[0].id == 1
        assert len(server.requests) == 5


@pytest.mark.parametrize(
    "token",
    [{}, [], {"access_token": ""}, {"access_token": "a\nb"}, {"access_token": 7}],
)
def test_useless_token_is_an_unexpected_shape(make_client, token):
    with (
        ScriptedServer(answer(token)) as server,
        pytest.raises(UnexpectedShapeError) as caught,
    ):
        make_client(server.url).movement_types()
    assert caught.value.fields == ("access_token",)


def test_many_threads_fetch_one_token(start_vendor, make_client):
    vendor = start_vendor(latency_ms=20)
    client = make_client(vendor.url)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.movement_types(), range(16)))
    assert vendor.log.routes["token"] == 1
    vendor.app.revoke_tokens()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.movement_types(), range(16)))
    assert vendor.log.routes["token"] == 2


def test_clients_with_one_store_share_the_token(start_vendor, make_client, clock):
    vendor = start_vendor()
    store = MemoryTokenStore()
    for _ in range(3):
        make_client(vendor.url, token_store=store).movement_types()
    assert vendor.log.routes["token"] == 1
    token = store.get(token_key(vendor.url, LOGIN))
    assert token.expires_at == clock.time() + 86_400


def test_token_is_fetched_outside_the_gate(start_vendor, make_client):
    """With room for one request, a token fetched inside would wait for itself."""
    room = threading.Semaphore(1)
    routes = []

    @contextmanager
    def gate(route):
        assert room.acquire(timeout=5)
        routes.append(route)
        try:
            yield
        finally:
            room.release()

    vendor = start_vendor()
    client = make_client(vendor.url, gate=gate)
    client.movement_types()
    vendor.app.revoke_tokens()
    client.movement_types()
    assert routes == [
        "POST /oauth/token",
        "GET /movement_types",
        "GET /movement_types",
        "POST /oauth/token",
        "GET /movement_types",
    ]


def test_secrets_are_in_no_repr():
    for secret in (
        PasswordLogin("some-user", "s3cret"),
        ApiKey("s3cret"),
        Token("s3cret", 1.0, 2.0),
    ):
        assert "s3cret" not in repr(secret)
        assert "some-user" not in repr(secret)


def test_credentials_prefer_the_key_and_miss_with_a_sentence():
    assert credentials_from(username="u", password="p") == PasswordLogin("u", "p")
    assert credentials_from(username="u", password="p", api_key=" k\n") == ApiKey("k")
    with pytest.raises(ConfigurationError, match="REBOOT_API_KEY"):
        credentials_from(username="u")
    with pytest.raises(ConfigurationError, match="REBOOT_API_KEY"):
        ApiKey("two words")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "api.example.com",
        "",
        "https://",
        "https://user:secret@api.example.com",
        "https://api.example.com:port",
        "https://api.example.com/?key=1",
        "ftp://127.0.0.1",
    ],
)
def test_unsafe_addresses_are_refused(make_client, url):
    with pytest.raises(ConfigurationError) as caught:
        make_client(url)
    assert "REBOOT_BASE_URL" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_proxy_of_the_environment_is_used(make_client, monkeypatch):
    with ScriptedServer(answer([{"id": 1, "slug": "baseball-hitting"}])) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        client = make_client(
            "http://vendor.invalid", KEY, plain_http_hosts=["vendor.invalid"]
        )
        assert client.movement_types()
        (asked,) = [lines[0] for lines, _ in proxy.requests]
    assert asked == "GET http://vendor.invalid/movement_types HTTP/1.1"


def test_hosts_without_a_proxy_are_spoken_to_directly(
    start_vendor, make_client, monkeypatch
):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert make_client(start_vendor().url).movement_types()


def test_proxies_of_the_environment_are_those_of_each_host(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "files.example")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/certificates.pem")
    session = new_session()

    def found(url, **given):
        settings = {"proxies": {}, "stream": True, "verify": None, "cert": None}
        return session.merge_environment_settings(url, **(settings | given))

    for _ in range(2):
        api = found("https://api.example/sessions?a=1")
        files = found("https://files.example/one.parquet")
        plain = found("http://api.example/sessions")
        assert api["proxies"]["https"] == "http://proxy.example:3128"
        assert files["proxies"] == {}
        assert plain["proxies"].get("http") is None
        assert (api["verify"], api["stream"]) == ("/certificates.pem", True)
    assert found("https://api.example/", verify=False)["verify"] is False
