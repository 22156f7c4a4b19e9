"""Ask whether a pinned dependency has a known vulnerability: ``make check`` calls this.

Exit status 0: clean, or not audited because nobody could be asked, which is then said
in so many words. 1: a known vulnerability that `audit-waivers.toml` does not waive, or
no longer. 2: pip-audit said something that this script does not know.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements.txt"
WAIVERS = ROOT / "audit-waivers.toml"
TIMEOUT_S = 120

#: What pip-audit and the libraries below it say when the service cannot be reached.
_UNREACHABLE = re.compile(
    r"ConnectionError|ConnectTimeout|ReadTimeout|Max retries exceeded|timed out"
    r"|ServiceError|Failed to resolve|NameResolutionError|Network is unreachable"
    r"|Connection refused|ProxyError|SSLError|HTTPError|Could not connect",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Waiver:
    """A vulnerability that is known not to matter here, until a date."""

    id: str
    reason: str
    until: dt.date


@dataclass(frozen=True, slots=True)
class Report:
    """What pip-audit found, package by package."""

    audited: int
    skipped: dict[str, str]
    found: list[tuple[str, dict[str, Any]]]


class UnknownAnswerError(Exception):
    """pip-audit's output is not what this script was written for."""


def read_waivers(path: Path) -> list[Waiver]:
    """Waivers of the file; each needs an id, a reason and a last day."""
    if not path.exists():
        return []
    waivers = []
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("waiver", []):
        waiver = Waiver(entry["id"], str(entry["reason"]).strip(), entry["until"])
        if not waiver.reason:
            raise SystemExit(f"{path.name}: {waiver.id} has no reason.")
        waivers.append(waiver)
    return waivers


def read_report(text: str) -> Report:
    """pip-audit's JSON: packages with versions and vulnerabilities, or skipped."""
    try:
        packages = json.loads(text)["dependencies"]
        skipped = {p["name"]: p["skip_reason"] for p in packages if "skip_reason" in p}
        audited = [p for p in packages if "skip_reason" not in p]
        found = [
            (f"{p['name']} {p['version']}", v) for p in audited for v in p["vulns"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise UnknownAnswerError(str(error)) from error
    return Report(len(audited), skipped, found)


def judge(
    report: Report, waivers: Sequence[Waiver], today: dt.date
) -> tuple[int, list[str]]:
    """Exit status, and what to say."""
    lines: list[str] = []
    by_id = {waiver.id: waiver for waiver in waivers}
    status = 0
    for package, vulnerability in report.found:
        ids = [vulnerability["id"], *vulnerability.get("aliases", [])]
        waiver = next((by_id[i] for i in ids if i in by_id), None)
        if waiver is not None and waiver.until >= today:
            lines.append(
                f"waived until {waiver.until}: {package} {waiver.id}: {waiver.reason}"
            )
            continue
        status = 1
        fixed = ", ".join(vulnerability.get("fix_versions", [])) or "no version yet"
        lines.append(f"VULNERABLE: {package}: {', '.join(ids)}; fixed in {fixed}.")
        if waiver is not None:
            lines.append(f"  Its waiver ran out on {waiver.until}: {waiver.reason}")
    if status:
        lines += [
            "What to do: raise the version (requirements.in, make lock, make test); "
            "or, if it",
            "cannot be reached here, waive it with a reason and a last day in "
            f"{WAIVERS.name}.",
        ]
    if report.skipped:
        lines.append(
            f"not audited: {len(report.skipped)} of "
            f"{len(report.skipped) + report.audited} packages"
        )
        by_reason: dict[str, list[str]] = {}
        for name, reason in report.skipped.items():
            # pip-audit ends the reason with the package.
            by_reason.setdefault(reason.partition(f": {name}")[0], []).append(name)
        for reason, names in by_reason.items():
            few = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
            lines.append(f"  {reason}: {few}")
    if report.audited and not status:
        lines.append(
            f"{report.audited} packages audited, no vulnerability that is not waived."
        )
    return status, lines


def outcome(
    code: int,
    stdout: str,
    stderr: str,
    *,
    waivers: Sequence[Waiver],
    today: dt.date,
) -> tuple[int, list[str]]:
    """Exit status and what to say of one run of pip-audit.

    pip-audit answers 0 when clean and 1 both for vulnerabilities and for its own
    failures; only its output tells them apart.
    """
    if stdout.strip():
        try:
            return judge(read_report(stdout), waivers, today)
        except UnknownAnswerError as error:
            return 2, [f"pip-audit's answer cannot be read: {error}", stderr[-2000:]]
    if _UNREACHABLE.search(stderr):
        last = stderr.strip().splitlines()[-1][:300]
        return 0, [f"not audited: the service cannot be reached. {last}"]
    return 2, [
        f"pip-audit ended with {code} and said nothing that is known:",
        stderr[-2000:],
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requirements", type=Path, default=REQUIREMENTS)
    parser.add_argument("--waivers", type=Path, default=WAIVERS)
    parser.add_argument("--pip-audit", nargs="+", help="how pip-audit is called")
    options = parser.parse_args(arguments)
    command = options.pip_audit or [sys.executable, "-m", "pip_audit"]
    waivers = read_waivers(options.waivers)
    try:
        run = subprocess.run(
            [
                *command,
                # Versions and hashes are all there: nothing is resolved or built.
                *("--disable-pip", "--require-hashes", "--progress-spinner", "off"),
                *("--format", "json", "--requirement", str(options.requirements)),
            ],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"not audited: no answer within {TIMEOUT_S} s.")
        return 0
    status, lines = outcome(
        run.returncode,
        run.stdout,
        run.stderr,
        waivers=waivers,
        today=dt.datetime.now(dt.UTC).date(),
    )
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main())
