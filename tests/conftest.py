"""Fixtures that every test may use."""

import os

import pytest
from django.db import connections

import tests.database_reset  # noqa: F401 - after tests that commit
from tests.browsing import chromium, chromium_path, login_cookie, pages

__all__ = ["chromium", "login_cookie", "pages"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix, tmp_path_factory
):
    """SQLite on disk: threads and child processes of a test share the database.

    Django's own choice, shared memory, answers "table is locked" at once when two
    threads meet, where a file waits.
    """
    database = connections["default"].settings_dict
    if (
        database["ENGINE"] == "django.db.backends.sqlite3"
        and not (database["TEST"]["NAME"])
    ):
        folder = tmp_path_factory.mktemp("database")
        database["TEST"]["NAME"] = str(folder / "test.sqlite3")


# Nothing here depends on the database; a run on a second one leaves it out.
ONLY_ONCE = (
    "/tests/simulator/",
    "/tests/biomechanics/",
    "/tests/syncing/client/",
    "/tests/syncing/reader/",
    "/tests/browser/",
)


# A minute and more each: begun last, one process would work on them alone.
LONGEST = (
    "test_two_hosts.py",
    "test_clusters.py",
    "test_all_pages.py",
    "test_make_run.py",
    "test_failures.py",
    "test_hostile_names.py",
    "test_coach_flows.py",
    "test_run.py",
    "test_permission_matrix.py",
    "test_hostile_values.py",
    "test_design.py",
    "test_runs.py",
    "test_coach_pages.py",
    "test_sheets.py",
    "test_dead_helpers.py",
    "test_schedules.py",
    "test_staff_pages.py",
    "test_api_docs.py",
)


def pytest_collection_modifyitems(config, items):
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))
    chromium = chromium_path()
    for item in items:
        path = item.path.as_posix()
        if any(folder in path for folder in ONLY_ONCE):
            item.add_marker(pytest.mark.no_database)
        if "/browser/" in path:
            item.add_marker(pytest.mark.browser)
        if item.get_closest_marker("browser") is None:
            continue
        if chromium is None and os.environ.get("CI") != "true":
            item.add_marker(pytest.mark.skip(reason="no Chromium; set CHROMIUM"))
