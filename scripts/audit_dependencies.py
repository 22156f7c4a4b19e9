"""Ask whether a pinned dependency has a known vulnerability: ``make check`` calls this.

Runs plain pip-audit, with PyPI as its service and, when PyPI did not answer about all
packages, with OSV: a mirror in PyPI's place often knows packages but no advisories, and
pip-audit then says "No known vulnerabilities found" about what it could not look up.

Exit status 0: clean, or not audited because nobody could be asked, which is then said
in so many words. 1: a known vulnerability that `audit-waivers.toml` does not waive, or
no longer. 2: pip-audit failed in another way. 3: with --strict or AUDIT_STRICT=1,
something was not audited.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What is delivered, and the tools that developers and CI run besides.
REQUIREMENTS = ROOT / "requirements-dev.txt"
WAIVERS = ROOT / "audit-waivers.toml"
TIMEOUT_S = 180

_FOUND = re.compile(r"Found \d+ known vulnerabilit")
_SKIPPED = re.compile(r"(?m)^\S+ .*could not be audited")
#: What pip-audit and the libraries below it say when a service cannot be reached.
_UNREACHABLE = re.compile(
    r"ConnectionError|ConnectTimeout|ReadTimeout|Max retries exceeded|timed out"
    r"|ServiceError|NameResolutionError|Connection refused|ProxyError|SSLError"
    r"|HTTPError|Could not connect",
    re.IGNORECASE,
)


def waived(path: Path, today: dt.date) -> list[str]:
    """Ids that are known not to matter here; each has a reason and a last day."""
    if not path.exists():
        return []
    ids = []
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("waiver", []):
        reason = str(entry["reason"]).strip()
        if not reason:
            raise SystemExit(f"{path.name}: {entry['id']} has no reason.")
        if entry["until"] >= today:
            print(f"waived until {entry['until']}: {entry['id']}: {reason}")
            ids.append(entry["id"])
        else:
            print(f"the waiver of {entry['id']} ran out on {entry['until']}: {reason}")
    return ids


def main(arguments: Sequence[str] | None = None) -> int:
    """Audit the pinned packages and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requirements", type=Path, default=REQUIREMENTS)
    parser.add_argument("--waivers", type=Path, default=WAIVERS)
    parser.add_argument(
        "--strict",
        action="store_true",
        default=os.environ.get("AUDIT_STRICT") == "1",
        help="fail when something was not audited (also AUDIT_STRICT=1)",
    )
    options = parser.parse_args(arguments)
    ids = waived(options.waivers, dt.datetime.now(dt.UTC).date())
    command = [
        *(sys.executable, "-m", "pip_audit", "--requirement", options.requirements),
        # Versions and hashes are all there: nothing is resolved or built.
        *("--disable-pip", "--require-hashes", "--progress-spinner", "off"),
        *(word for name in ids for word in ("--ignore-vuln", name)),
    ]
    reasons = []
    for service in ("pypi", "osv"):
        try:
            run = subprocess.run(
                [*command, "--vulnerability-service", service],
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            reasons.append(f"{service} gave no answer within {TIMEOUT_S} s")
            continue
        skipped = len(_SKIPPED.findall(run.stdout))
        if run.returncode == 0 and not skipped:
            print(f"{run.stderr.strip().splitlines()[-1]} ({service}).")
            return 0
        if _FOUND.search(run.stderr):
            print(run.stdout, run.stderr, sep="\n")
            print(
                "What to do: raise the version (requirements.in, make lock, make test)"
                "; or, if it\ncannot be reached here, waive it with a reason and a "
                f"last day in {WAIVERS.name}."
            )
            return 1
        if run.returncode == 0:
            reasons.append(f"{service} does not know {skipped} of the packages")
        elif _UNREACHABLE.search(run.stderr):
            last = run.stderr.strip().splitlines()[-1][:160]
            reasons.append(f"{service} cannot be reached: {last}")
        else:
            print(f"pip-audit failed with {service}:\n{run.stderr[-2000:]}")
            return 2
    print("NOT AUDITED: whether a dependency is vulnerable is not known.")
    print("\n".join(f"  {reason}" for reason in reasons))
    return 3 if options.strict else 0


if __name__ == "__main__":
    sys.exit(main())
