"""How connections to PostgreSQL are set up."""

import pytest
from django.db import connection

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def test_transaction_of_a_host_that_is_gone_does_not_hold_its_locks_for_hours():
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL alone keeps locks of hosts that are gone")
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1min",)
