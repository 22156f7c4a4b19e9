"""Who looks, and at what, in most tests of pages."""

from __future__ import annotations

import pytest

from athletes.analysis import run, summaries
from athletes.models import (
    DataState,
)
from tests.factories import (
    make_session,
    make_user,
    simulated_movements,
    store_simulated,
)
from tests.shared_rows import rows_shared


@pytest.fixture
def coach(client):
    user = make_user()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


@rows_shared
def four_swings():
    """Four swings, a walk-through and a swing without a bat, analyzed."""
    session = make_session(data_state=DataState.COMPLETE, data_synced=True)
    store_simulated(session, simulated_movements())
    run.analyze_session(session.pk)
    summaries.refresh_player_summaries([session.player_id])
    session.refresh_from_db()
    return session


@pytest.fixture
def session(four_swings):
    """Four swings, a walk-through and a swing without a bat, analyzed."""
    return four_swings
