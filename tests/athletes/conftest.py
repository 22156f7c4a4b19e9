"""Fixtures of the tests of athletes: a client of the JSON API, and staff."""

import pytest

from tests import factories


@pytest.fixture
def get(client):
    """Request a JSON path with a token; check the status and return the answer."""
    headers = factories.make_token()

    def ask(path, status=200, **params):
        response = client.get(path, params, headers=headers)
        assert response.status_code == status, response.content
        return response

    return ask


@pytest.fixture
def staff(client):
    """A superuser who is logged in."""
    user = factories.make_superuser()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user
