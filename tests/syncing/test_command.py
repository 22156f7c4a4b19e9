"""Exit status and last line of `manage.py sync` where no run can be begun."""

import json

import pytest

from syncing.models import SyncLog, empty_counts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.mark.parametrize(
    ("environment", "code", "told"),
    [
        ({"REBOOT_BASE_URL": "no-address"}, "configuration", "REBOOT_BASE_URL"),
        ({"SYNC_MAX_REQUESTS": "many"}, "configuration", "SYNC_MAX_REQUESTS"),
        ({"SECRET_KEY": "", "DEBUG": "0"}, "configuration", "SECRET_KEY"),
        (
            {"DATABASE_URL": "postgres://someone@127.0.0.1:1/nothing"},
            "database_away",
            "DATABASE_URL",
        ),
    ],
)
def test_what_cannot_begin_ends_with_2_and_says_why(
    vendor, sync_process, environment, code, told
):
    out, err = (process := sync_process("--json", **environment)).communicate(
        timeout=60
    )

    assert process.returncode == 2
    outcome = json.loads(out.splitlines()[-1])
    (error,) = outcome.pop("errors")
    assert outcome == {
        "status": "failed",
        "run": None,
        "requests": 0,
        **empty_counts(),
    }
    assert error["code"] == code
    assert told in f"{error['message']} {error['hint']}"
    assert len(err.strip().splitlines()) == 1
    assert not SyncLog.objects.exists()
    assert vendor.log.total == 0
