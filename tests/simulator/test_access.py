"""Login, keys and what is refused."""

import requests


def test_password_gives_a_day_long_bearer_token(vendor):
    answer = vendor.login()
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert body["token_type"].lower() == "bearer"
    assert body["expires_in"] == 86400


def test_grant_type_in_the_body_does_no_harm(vendor):
    assert vendor.login(grant_type="password").status_code == 200


def test_wrong_password_is_401_with_detail(vendor):
    answer = vendor.login(password="no")
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Incorrect username or password"}


def test_token_request_without_a_password_is_422(vendor):
    url = f"{vendor.url}/oauth/token"
    answer = requests.post(url, json={"username": "x"}, timeout=10)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "password"]


def get_players(vendor, **headers):
    return requests.get(f"{vendor.url}/players", headers=headers, timeout=10)


def test_bearer_token_and_api_key_both_open_the_lists(vendor):
    token = vendor.login().json()["access_token"]
    assert get_players(vendor, Authorization=f"Bearer {token}").status_code == 200
    assert get_players(vendor, **{"X-Api-Key": "demo-api-key"}).status_code == 200


def test_token_in_a_header_named_authentication_is_401(vendor):
    token = vendor.login().json()["access_token"]
    answer = get_players(vendor, Authentication=f"Bearer {token}")
    assert answer.status_code == 401
    assert "detail" in answer.json()


def test_api_key_as_a_bearer_token_is_403_from_the_gateway(vendor):
    answer = get_players(vendor, Authorization="Bearer demo-api-key")
    assert answer.status_code == 403
    assert answer.json() == {"message": "Forbidden"}


def test_wrong_api_key_is_403_and_garbage_token_401(vendor):
    wrong_key = get_players(vendor, **{"x-api-key": "nope"})
    assert (wrong_key.status_code, wrong_key.json()) == (403, {"message": "Forbidden"})
    assert get_players(vendor, Authorization="Bearer garbage").status_code == 401
    assert get_players(vendor).status_code == 401


def test_token_expires_by_the_vendors_clock(start):
    vendor = start(scenario="token-2s")
    body = vendor.login().json()
    assert body["expires_in"] == 2
    header = {"Authorization": f"Bearer {body['access_token']}"}
    assert get_players(vendor, **header).status_code == 200
    vendor.control("advance", {"seconds": 2})
    assert get_players(vendor, **header).status_code == 401


def test_refresh_token_gives_a_new_token(vendor):
    refresh = vendor.login().json()["refresh_token"]
    body = {"grant_type": "refresh_token", "refresh_token": refresh}
    answer = requests.post(f"{vendor.url}/oauth/token", json=body, timeout=10)
    assert answer.status_code == 200
    token = answer.json()["access_token"]
    assert get_players(vendor, Authorization=f"Bearer {token}").status_code == 200


def test_unknown_routes_and_prefixes(vendor):
    for path in ("/sessions/x/movements", "/movements", "/jobs/1", "/frames"):
        answer = vendor.get(path)
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
    answer = vendor.get("/v1/players")
    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


def test_credentials_are_configurable(start):
    vendor = start(username="u", password="p", api_key="k")
    assert vendor.login().status_code == 401
    assert vendor.login(username="u", password="p").status_code == 200
    assert get_players(vendor, **{"x-api-key": "k"}).status_code == 200
