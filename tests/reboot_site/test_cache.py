"""The cache holds JSON, never a pickle, whichever of the two it is."""

import base64
import math
import os
import pickle
import threading
import uuid
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.redis import RedisCache
from django.db import connection, connections
from django.utils import timezone

from accounts.throttle import Throttle
from reboot_site import overview
from reboot_site.cache import JsonDatabaseCache, JsonRedisCache
from syncing.client.tokens import PasswordLogin, Token
from syncing.engine import request_slots, tokens
from tests import factories

pytestmark = pytest.mark.django_db


class Hostile:
    """Its pickle makes a folder when it is read."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (os.mkdir, (self.path,))


@pytest.fixture(params=["database", pytest.param("redis", marks=pytest.mark.redis)])
def store(request, settings):
    """The product's cache, of each kind, empty."""
    if request.param == "database":
        given = {
            "BACKEND": "reboot_site.cache.JsonDatabaseCache",
            "LOCATION": "django_cache",
        }
    else:
        given = {
            "BACKEND": "reboot_site.cache.JsonRedisCache",
            "LOCATION": os.environ.get("TEST_REDIS_URL", ""),
            "KEY_PREFIX": f"test-cache-{uuid.uuid4().hex}",
        }
        if not given["LOCATION"]:
            pytest.skip("no Redis; set TEST_REDIS_URL")
    settings.CACHES = {"default": given | {"VERSION": 2}}
    store = caches["default"]
    yield store
    store.delete_many(["n", "value", "hostile"])


def pickling(settings):
    """Django's own cache of the same kind, in the same place."""
    given = settings.CACHES["default"]
    kind = RedisCache if "Redis" in given["BACKEND"] else DatabaseCache
    return kind(given["LOCATION"], given)


def test_the_product_uses_them(settings):
    assert isinstance(caches["default"], JsonDatabaseCache | JsonRedisCache)
    assert settings.SESSION_SERIALIZER.endswith("JSONSerializer")


def test_a_hostile_pickle_is_not_run(store, settings, tmp_path):
    """Written by Django's own cache, so that it stands where ours looks."""
    target = tmp_path / "executed"
    djangos = pickling(settings)
    djangos.set("hostile", Hostile(target), 60)
    assert store.get("hostile", "missing") == "missing"
    assert store.get_many(["hostile"]) == {}
    with pytest.raises(Exception):  # noqa: B017, - Redis names it otherwise
        store.incr("hostile")
    assert not target.exists()
    # The bait was real.
    djangos.get("hostile")
    assert target.exists()
    # And it does not stand in the way.
    store.set("hostile", 5)
    assert store.get("hostile") == 5


def test_a_pickle_in_the_table_is_not_run(tmp_path):
    """As somebody who may write into the database would put it there."""
    target = tmp_path / "executed"
    cache = caches["default"]
    if not isinstance(cache, JsonDatabaseCache):
        pytest.skip("Redis is the cache")
    text = base64.b64encode(pickle.dumps(Hostile(target))).decode()
    cache.set("admin-totals", {})
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_cache SET value = %s", [text])
    factories.make_player()
    assert [tile.value for tile in overview._totals()] == ["1", "0", "0"]
    assert not target.exists()


@pytest.mark.parametrize(
    "value",
    [
        *(0, -7, 2**70, True, False, None, 1.5, 1e300, math.inf, "", "5", "ä\x00°"),
        [1, 1.0, "1", None, [True]],
        {"a": {"b": [1, 2.5]}, "": None},
    ],
    ids=repr,
)
def test_values_come_back_as_they_were(store, value):
    store.set("value", value, 60)
    back = store.get("value", "missing")
    assert (back, repr(back)) == (value, repr(value))


@pytest.mark.parametrize(
    "value",
    [(1, 2), {1: 2}, {1}, b"x", timezone.now(), timedelta(1), [(1,)]],
    # A time among the names would part the processes that share the tests.
    ids=lambda value: type(value).__name__,
)
def test_values_that_would_change_are_refused(store, value):
    with pytest.raises(TypeError):
        store.set("value", value)
    assert store.get("value") is None


def test_add_set_count_and_end_as_djangos(store):
    assert store.add("n", 1, 60) is True
    assert store.add("n", 2, 60) is False
    assert store.incr("n") == 2
    assert store.incr("n", 5) == 7
    assert store.decr("n") == 6
    assert store.get("n") == 6
    assert store.touch("n", 90) is True
    store.set("n", "text", None)
    assert store.get("n") == "text"
    store.set("n", 1, 0)
    assert store.get("n") is None
    assert store.has_key("n") is False
    with pytest.raises(ValueError, match="n"):
        store.incr("n")
    # What has ended can be added anew.
    assert store.add("n", 3, 60) is True
    assert store.get("n") == 3


def test_what_the_product_keeps_comes_back(store):
    """Every caller of the cache that keeps more than a count, on both kinds."""
    login = PasswordLogin("user", "secret")
    moment = timezone.now().timestamp()
    token = Token("abc", moment + 10.5, moment + 60)
    held = tokens.CacheTokenStore(login)
    held.put("vendor", token)
    assert tokens.CacheTokenStore(login).get("vendor") == token
    store.delete(held._name("vendor"))
    request_slots.RequestSlots(2).pause(30)
    assert request_slots.paused_until() > timezone.now()
    store.delete(request_slots._PAUSE_KEY)
    factories.make_player()
    first = overview._totals()
    factories.make_player()
    assert overview._totals() == first
    assert [tile.value for tile in first] == ["1", "0", "0"]
    store.delete("admin-totals")
    throttle = Throttle(1, store=store, clock=lambda: 180.0)
    assert throttle.wait_s("7") is None
    assert throttle.wait_s("7") == 60
    store.delete("token-calls:7:3")


@pytest.mark.django_db(transaction=True)
def test_no_count_is_lost_when_many_count_at_once():
    cache = caches["default"]
    cache.set("n", 0)

    def count():
        try:
            for _ in range(10):
                caches["default"].incr("n")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.get("n") == 40


def test_a_program_is_told_to_come_back_while_redis_is_away(client, settings):
    headers = factories.make_token()
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    settings.CACHES = {
        "default": {
            "BACKEND": "reboot_site.cache.JsonRedisCache",
            "LOCATION": settings.REDIS_URL,
        }
    }
    client.raise_request_exception = False
    answer = client.get("/players", headers=headers)
    assert answer.status_code == 503
    assert answer.json() == {"detail": "Redis isn't responding."}
    assert answer["Retry-After"] == "30"
    # The process lives all the same.
    assert client.get("/health/live").status_code == 200
