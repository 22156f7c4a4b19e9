"""Which test files run where, and which begin first; read by scripts/test.py too."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parent

# What may differ between SQLite and PostgreSQL runs on both: order and search of
# texts, locks and races, constraints, transactions, raw and bulk SQL, limits of
# numbers and texts. All else runs once, on SQLite. A single test elsewhere has the
# marker `both` itself.
ON_BOTH = (
    "tests/test_gone_meanwhile.py",
    # Searching, sorting and paging of texts, and what administrations ask.
    "tests/accounts/test_admin.py",
    "tests/athletes/test_admin_lists.py",
    "tests/athletes/test_api.py",
    "tests/athletes/test_api_exports.py",
    "tests/athletes/test_api_lists.py",
    "tests/dashboard/test_list_page.py",
    "tests/dashboard/test_selectors.py",
    # Raw and bulk SQL, and the columns that hold frames.
    "tests/athletes/test_bulk_sql.py",
    "tests/athletes/feed/",
    "tests/athletes/frames/",
    *(
        f"tests/athletes/analysis/test_{name}.py"
        for name in (
            *("marked_swings", "old_numbers", "percentiles", "recompute"),
            *("same_frames", "session_summary", "totals", "usual_scatter"),
        )
    ),
    "tests/privacy/",
    # Rows that move under constraints.
    "tests/athletes/identity/test_duplicates.py",
    "tests/athletes/identity/test_merging.py",
    "tests/syncing/test_corrections.py",
    "tests/syncing/test_duplicates.py",
    "tests/syncing/test_erased.py",
    # Locks, claims, races.
    "tests/accounts/test_locks.py",
    "tests/accounts/test_tokens.py",
    "tests/acceptance/test_two_hosts.py",
    "tests/syncing/test_changed_frames.py",
    "tests/syncing/test_claims.py",
    "tests/syncing/test_clusters.py",
    "tests/syncing/test_dead_helpers.py",
    "tests/syncing/test_engine_parts.py",
    "tests/syncing/test_heartbeat.py",
    "tests/syncing/test_admin.py",
    "tests/syncing/test_views.py",
    "tests/syncing/model/",
    "tests/webhooks/test_delivery.py",
    # Its own ways of starting, copying and failing.
    "tests/reboot_site/test_backups.py",
    "tests/reboot_site/test_database.py",
    "tests/reboot_site/test_postgresql.py",
)


# Most seconds first: begun last, one process would work on them alone.
LONGEST = (
    "test_two_hosts.py",
    "test_clusters.py",
    "test_hostile_values.py",
    "test_all_pages.py",
    "test_hostile_names.py",
    "test_permission_matrix.py",
    "test_make_run.py",
    "test_runs.py",
    "test_machine.py",
    "test_dead_helpers.py",
    "test_run.py",
    "test_limits.py",
    "test_coach_flows.py",
    "test_failures.py",
    "test_design.py",
    "test_failing_files.py",
    "test_percentiles.py",
    "test_coach_pages.py",
    "test_sheets.py",
    "test_staff_pages.py",
    "test_api_docs.py",
    "test_nothing_in_clear.py",
    "test_audit_dependencies.py",
    "test_api_fuzz.py",
    "test_backups.py",
    "test_schedules.py",
    "test_memory.py",
    "test_other_teams.py",
)

# All that `make test-fast` leaves out; scripts/test.py has the whole expression.
NOT_FAST = ("browser", "processes", "slow", "nightly")
_NOT_FAST_FOLDERS = ("tests/browser/", "tests/acceptance/")
_WHOLE_FILE = re.compile(r"^pytestmark = (\[.*?\]|[^\n]*)", re.MULTILINE | re.DOTALL)

#: A vendor on a real port: who asks for it runs a whole sync or import.
WHOLE_SYNC = "start_vendor"

_MARKED = re.compile(r"mark\.(?:both|mainly|postgres)\b")


def files_on_both() -> list[str]:
    """Files that hold a test for PostgreSQL, from the root; all others stay unread.

    Reading a test file imports what it tests, which takes longer than most tests.
    """
    found = []
    for path in sorted(TESTS.rglob("test_*.py")):
        name = path.relative_to(TESTS.parent).as_posix()
        if name.startswith(ON_BOTH) or _MARKED.search(path.read_text("utf-8")):
            found.append(name)
    return found


def is_never_fast(name: str, source: str) -> bool:
    """Whether a file, named from the root, holds no test of `make test-fast`."""
    if name.startswith(_NOT_FAST_FOLDERS):
        return True
    marks = _WHOLE_FILE.search(source)
    return marks is not None and any(f"mark.{one}" in marks[1] for one in NOT_FAST)


def slow_tests() -> frozenset[str]:
    """Names of test functions, each with its file, that tests/slow_tests.txt lists."""
    return frozenset(_listed("slow_tests.txt"))


def night_tests(vendor: str) -> frozenset[str]:
    """Names of tests and of single cases that are left to the night on a database.

    Parameters
    ----------
    vendor : str
        `"sqlite"` or `"postgresql"`. A line of tests/night_tests.txt that ends in the
        name of one of them holds there alone.
    """
    found = set()
    for line in _listed("night_tests.txt"):
        name, blank, end = line.rpartition(" ")
        if blank and end in ("sqlite", "postgresql"):
            if end == vendor:
                found.add(name)
        else:
            found.add(line)
    return frozenset(found)


def _listed(name: str) -> list[str]:
    lines = (TESTS / name).read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]
