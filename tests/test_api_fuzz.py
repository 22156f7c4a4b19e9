"""Generated requests against the running server: the short run of `make fuzz`."""

import pytest

from benchmarks.fuzz_api import run_schemathesis
from tests import factories

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_no_generated_request_breaks_the_contract(live_server, settings, tmp_path):
    settings.API_TOKEN_CALLS_PER_MINUTE = 1_000_000
    session = factories.make_synced_session(swings=1)
    factories.make_frames(movement=session.movements.get())
    factories.make_session_metric(session=session)
    status, sent, printed = run_schemathesis(
        live_server.url,
        headers=factories.make_token("sync"),
        examples=3,
        folder=tmp_path,
        phases="coverage,fuzzing",
    )
    assert status == 0, "\n".join(line[:300] for line in printed.splitlines())
    assert sent > 300
