"""Record every answer of the product, or compare two such recordings.

    scripts/snapshot_answers.py make-database FOLDER
    scripts/snapshot_answers.py record FOLDER OUT
    scripts/snapshot_answers.py compare OUT1 OUT2 [--ignore FILE] [--lines N]

The first makes a database with something of everything; the second asks every address
for it as every kind of caller and writes each answer into a file; the third shows what
two recordings do not have in common, and ends with 1 where that is anything.
docs/testing.md says how they are used.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.snapshots.comparing import Ignored, compare  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    make = verbs.add_parser("make-database", help="a database with all kinds of rows")
    make.add_argument("folder", type=Path, help="is made; must not hold anything")
    record = verbs.add_parser("record", help="ask every address and keep the answers")
    record.add_argument("folder", type=Path, help="from make-database; stays as it is")
    record.add_argument("out", type=Path, help="is made; must not hold anything")
    both = verbs.add_parser("compare", help="show what differs in two recordings")
    both.add_argument("before", type=Path)
    both.add_argument("after", type=Path)
    both.add_argument("--ignore", type=Path, help="regular expressions, one a line")
    both.add_argument("--lines", type=int, default=20, help="of each diff (20)")
    given = parser.parse_args(arguments)
    if given.verb == "compare":
        try:
            ignored = Ignored.read(given.ignore) if given.ignore else Ignored()
        except (OSError, ValueError) as error:
            parser.error(str(error))
        return compare(given.before, given.after, ignored, most_lines=given.lines)
    folder = given.folder.resolve()
    if given.verb == "make-database":
        from scripts.snapshots.database import make_database

        make_database(folder)
        return 0
    from scripts.snapshots.recording import record_answers

    return record_answers(folder, given.out.resolve())


if __name__ == "__main__":
    sys.exit(main())
