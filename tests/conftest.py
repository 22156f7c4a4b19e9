"""Fixtures that every test may use, and which tests run where."""

import gc
import os
import sys
from pathlib import Path

import pytest
from django.db import connections

import tests.database_reset  # noqa: F401 - after tests that commit
from simulator.files import SHARED
from tests import migrated, shared_rows, simulated
from tests.browsing import chromium, chromium_path, kept_pages, login_cookie, pages
from tests.selection import (
    LONGEST,
    NOT_FAST,
    ON_BOTH,
    WHOLE_SYNC,
    files_on_both,
    is_never_fast,
    night_tests,
    slow_tests,
)

__all__ = ["chromium", "kept_pages", "login_cookie", "pages"]


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


@pytest.fixture(scope="session")
def migrated_copy(django_db_modify_db_settings):
    """Where a migrated SQLite file is kept (tests/migrated.py); None for others."""
    database = connections["default"].settings_dict
    if not str(database["TEST"]["NAME"]).endswith("/test.sqlite3"):
        return None
    copy = migrated.kept_copy()
    migrated.wait_for_others(copy)
    return copy


@pytest.fixture(scope="session")
def made_from_kept(django_db_modify_db_settings):
    """The test database, if it is made on PostgreSQL from a kept one; else None."""
    if connections["default"].vendor != "postgresql":
        return None
    name = connections["default"].creation._get_test_db_name()
    return name if migrated.begin_from_kept(name) else None


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb, migrated_copy, made_from_kept):
    """Take what is kept as a database that is there already."""
    if made_from_kept:
        return True
    if migrated_copy is None or not migrated_copy.exists():
        return django_db_keepdb
    name = connections["default"].settings_dict["TEST"]["NAME"]
    migrated.begin_with(migrated_copy, Path(name))
    return True


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, migrated_copy, made_from_kept):
    """Keep what was migrated before any test writes there."""
    database = connections["default"]
    if migrated_copy is not None and not migrated_copy.exists():
        migrated.keep(Path(database.settings_dict["TEST"]["NAME"]), migrated_copy)
    if database.vendor == "postgresql" and not made_from_kept:
        with django_db_blocker.unblock():
            database.close()
        migrated.keep_database(database.settings_dict["NAME"])
    migrated.give_way()
    yield
    with django_db_blocker.unblock():
        shared_rows.close()
        connections.close_all()
    if made_from_kept:
        migrated.drop(made_from_kept)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef, request):
    """Before the transaction of a test: rows that several tests share."""
    if fixturedef.argname == shared_rows.HELPER:
        # This hook may come before the fixtures that the helper itself asks for.
        request.getfixturevalue("django_db_setup")
        blocker = request.getfixturevalue("django_db_blocker")
        with blocker.unblock():
            shared_rows.before_the_database_of(request.node)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Leave what is read for all tests out of every search for garbage.

    Modules, tests and fixtures are 340 000 objects that stay to the end. To search
    them again and again is a sixth of the time that reading them takes.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_ignore_collect(collection_path, config):
    """In a quick run, leave files unread of which it runs nothing."""
    if not collection_path.match("test_*.py") or not is_quick(config):
        return None
    name = collection_path.relative_to(config.rootpath).as_posix()
    return is_never_fast(name, collection_path.read_text("utf-8")) or None


def is_quick(config):
    """Whether this is the run of `make test-fast`."""
    left_out = config.option.markexpr or ""
    return all(f"not {mark}" in left_out for mark in NOT_FAST)


def pytest_collection_modifyitems(config, items):
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))
    shared_rows.wanting_first(items)
    chromium = chromium_path()
    read_on_both = set(files_on_both())
    slow = slow_tests()
    vendor = connections["default"].vendor
    at_night = night_tests(vendor)
    if not any("::" in argument for argument in config.args):
        refuse_unknown_cases(items, at_night, config.rootpath)
    for item in items:
        path = item.path.relative_to(config.rootpath).as_posix()
        if {f"{path}::{item.name}", f"{path}::{item.originalname}"} & at_night:
            item.add_marker(pytest.mark.nightly)
        if WHOLE_SYNC in item.fixturenames or f"{path}::{item.originalname}" in slow:
            item.add_marker(pytest.mark.slow)
        mainly = place_of(item)
        if mainly or path.startswith(ON_BOTH) or item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.both)
        if mainly and mainly != vendor and runs_there(mainly):
            item.add_marker(pytest.mark.nightly)
        if item.get_closest_marker("both") and path not in read_on_both:
            raise pytest.UsageError(
                f"{path}: write `mark.both` there, or the run on PostgreSQL misses it."
            )
        if path.startswith("tests/browser/"):
            item.add_marker(pytest.mark.browser)
        if path.startswith("tests/acceptance/"):
            item.add_marker(pytest.mark.processes)
        if item.get_closest_marker("browser") is None:
            continue
        if chromium is None and os.environ.get("CI") != "true":
            item.add_marker(pytest.mark.skip(reason="no Chromium; set CHROMIUM"))


def refuse_unknown_cases(items, listed, root):
    """A case that is renamed would come back by day, and nobody would see it."""
    cases = {}
    for item in items:
        path = item.path.relative_to(root).as_posix()
        cases.setdefault(f"{path}::{item.originalname}", set()).add(
            f"{path}::{item.name}"
        )
    for name in sorted(listed):
        function = name.partition("[")[0]
        if "[" in name and name not in cases.get(function, {name}):
            raise pytest.UsageError(
                f"tests/night_tests.txt lists {name}, which is no case of that test."
            )


def place_of(item):
    """The database that `mainly` names, unless the test says `both` after that."""
    for mark in item.iter_markers():
        if mark.name == "both":
            return None
        if mark.name == "mainly":
            return mark.args[0]
    return None


def runs_there(vendor):
    """Whether a run on that database goes beside this one (scripts/test.py)."""
    return vendor == "sqlite" or "TEST_POSTGRES_URL" in os.environ


def pytest_configure(config):
    """Refuse new processes where tests with the marker `processes` are left out.

    A quick run that starts some unseen is soon no quick run any more. And refuse
    libraries that are not made as shared rows need it.
    """
    shared_rows.check_parts()
    SHARED.folder = simulated.kept_folder()
    if "not processes" not in (config.option.markexpr or ""):
        return

    def refuse(event, arguments):
        if event in {
            "subprocess.Popen",
            "os.fork",
            "os.posix_spawn",
        } and os.environ.get("PYTEST_CURRENT_TEST"):
            raise RuntimeError(
                f"This test starts a process ({arguments[:2]}); mark it `processes`."
            )

    sys.addaudithook(refuse)
