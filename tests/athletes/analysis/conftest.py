"""Fixtures of the tests of the analysis."""

import pytest

from tests.factories import (
    make_session,
    simulated_movements,
    store_simulated,
)


@pytest.fixture
def session(db):
    """A session as the sync leaves it: four swings, a walk, a swing without a bat."""
    session = make_session()
    store_simulated(session, simulated_movements())
    return session
