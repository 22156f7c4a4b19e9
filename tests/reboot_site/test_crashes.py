"""What a crash report holds when it leaves the house."""

import sentry_sdk

from reboot_site import crashes

SECRET = "abcdef0123456789"


def test_nothing_is_sent_without_a_dsn():
    assert crashes.start("") is False
    assert not sentry_sdk.get_client().is_active()


def test_scrubbed_event_keeps_the_error_and_drops_people_and_keys():
    event = {
        "request": {
            "method": "POST",
            "url": "https://site/accounts/reset/MQ/secret/",
            "query_string": "search=Aldertree",
            "cookies": {"sessionid": SECRET},
            "headers": {"Authorization": f"Bearer {SECRET}"},
            "data": {"first_name": "Aldertree"},
        },
        "user": {"id": "1", "email": "somebody@facility.invalid"},
        "extra": {"sys.argv": ["Aldertree"]},
        "exception": {
            "values": [
                {
                    "type": "OSError",
                    "value": f"GET https://a.b/c?X-Amz-Signature={SECRET}",
                }
            ]
        },
    }
    safe = crashes.scrubbed(event, {})
    assert safe["request"] == {"method": "POST"}
    assert safe["exception"]["values"][0]["type"] == "OSError"
    assert SECRET not in str(safe)
    assert "Aldertree" not in str(safe)
    assert "facility.invalid" not in str(safe)


def test_scrubbed_crumb_drops_queries_and_data():
    assert (
        crashes.scrubbed_crumb({"category": "query", "message": "SELECT"}, {}) is None
    )
    crumb = {"category": "httplib", "data": {"http.query": f"token={SECRET}"}}
    assert crashes.scrubbed_crumb(crumb, {}) == {"category": "httplib"}
