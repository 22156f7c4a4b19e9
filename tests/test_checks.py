import pytest

from reboot_site.checks import check_database, check_queue, check_vendor, check_webhooks


def ids(messages):
    return [message.id for message in messages]


def test_vendor_over_https_is_fine(settings):
    settings.REBOOT_BASE_URL = "https://api.example.com"
    settings.HTTPS = True
    assert check_vendor(None) == []


def test_vendor_in_the_clear_is_an_error(settings):
    settings.REBOOT_BASE_URL = "http://api.example.com"
    assert ids(check_vendor(None)) == ["reboot_site.E001"]


@pytest.mark.parametrize(
    ("https", "expected"), [(True, ["reboot_site.W001"]), (False, [])]
)
def test_simulator_is_warned_of_only_in_production(settings, https, expected):
    settings.REBOOT_BASE_URL = "http://127.0.0.1:8100"
    settings.HTTPS = https
    assert ids(check_vendor(None)) == expected


def test_user_without_password_is_an_error(settings):
    settings.REBOOT_BASE_URL = "https://api.example.com"
    settings.REBOOT_USERNAME = "someone"
    settings.REBOOT_PASSWORD = settings.REBOOT_API_KEY = ""
    assert ids(check_vendor(None)) == ["reboot_site.E002"]


def test_queue_must_cut_a_task_before_giving_it_out_again(settings):
    assert check_queue(None) == []
    settings.Q_CLUSTER = settings.Q_CLUSTER | {"timeout": 1200}
    assert ids(check_queue(None)) == ["reboot_site.E003"]


def test_webhooks_to_this_machine_are_warned_of(settings):
    assert check_webhooks(None) == []
    settings.WEBHOOKS_ALLOW_LOOPBACK = True
    assert ids(check_webhooks(None)) == ["reboot_site.W003"]


def test_sqlite_with_redis_asks_for_postgresql(settings):
    settings.DATABASE_URL = "sqlite:///somewhere"
    settings.REDIS_URL = "redis://cache:6379"
    assert ids(check_database(None)) == ["reboot_site.W002"]
    settings.REDIS_URL = ""
    assert check_database(None) == []
