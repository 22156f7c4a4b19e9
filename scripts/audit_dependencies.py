"""Ask whether a pinned dependency has a known vulnerability: ``make check`` calls this.

pip-audit asks PyPI's JSON API, and OSV about what PyPI did not answer: a mirror of
packages that stands in PyPI's place often has no JSON API.

Exit status 0: clean, or not audited because nobody could be asked, which is then said
in so many words. 1: a known vulnerability that `audit-waivers.toml` does not waive, or
no longer. 2: pip-audit said something that this script does not know. 3: with --strict
or AUDIT_STRICT=1, something was not audited.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# What is delivered, and the tools that developers and CI run besides.
REQUIREMENTS = ROOT / "requirements-dev.txt"
WAIVERS = ROOT / "audit-waivers.toml"
TIMEOUT_S = 180
SOURCES = {"pypi": "PyPI", "osv": "OSV"}

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
    """What is known of the packages, whoever was asked."""

    audited: frozenset[str]
    skipped: dict[str, str]
    found: list[tuple[str, dict[str, Any]]]

    def completed(self, other: Report) -> Report:
        """With what `other` knows of packages that are not audited here."""
        more = other.audited - self.audited
        skipped = {
            name: "; ".join(filter(None, (reason, other.skipped.get(name))))
            for name, reason in self.skipped.items()
            if name not in more
        }
        found = [item for item in other.found if item[0].partition(" ")[0] in more]
        return Report(self.audited | more, skipped, self.found + found)


class UnknownAnswerError(Exception):
    """pip-audit's output is not what this script was written for."""


class UnreachableError(Exception):
    """The service could not be asked; the text says why."""


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
        names = frozenset(p["name"] for p in audited)
        found = [
            (f"{p['name']} {p['version']}", v) for p in audited for v in p["vulns"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise UnknownAnswerError(str(error)) from error
    return Report(names, skipped, found)


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
    count = len(report.audited)
    if report.skipped:
        lines.append(
            f"NOT AUDITED: {len(report.skipped)} of {len(report.skipped) + count} "
            "packages. Whether they are vulnerable is not known."
        )
        by_reason: dict[str, list[str]] = {}
        for name, reason in report.skipped.items():
            by_reason.setdefault(reason, []).append(name)
        for reason, names in by_reason.items():
            few = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
            lines.append(f"  {few}")
            lines += [f"    {part}" for part in reason.split("; ")]
    if count and not status:
        lines.append(f"{count} packages audited, no vulnerability that is not waived.")
    return status, lines


def read_run(source: str, code: int, stdout: str, stderr: str) -> Report:
    """What one run of pip-audit found. UnreachableError, UnknownAnswerError.

    pip-audit answers 0 when clean and 1 both for vulnerabilities and for its own
    failures; only its output tells them apart.
    """
    if stdout.strip():
        report = read_report(stdout)
        return Report(
            report.audited,
            {name: _why(source, why) for name, why in report.skipped.items()},
            report.found,
        )
    if _UNREACHABLE.search(stderr):
        last = stderr.strip().splitlines()[-1][:200]
        raise UnreachableError(f"{SOURCES[source]} cannot be reached: {last}")
    raise UnknownAnswerError(
        f"pip-audit ended with {code} and said nothing that is known:\n{stderr[-2000:]}"
    )


def _why(source: str, reason: str) -> str:
    """A reason for the reader; pip-audit's ends with the package."""
    if reason.startswith("Dependency not found on PyPI"):
        return "pypi.org has no answer about it (404), as a mirror without the JSON API"
    return f"{SOURCES[source]}: {reason}"


def ask(source: str, command: Sequence[str], requirements: Path) -> Report:
    """One run of pip-audit. UnreachableError, UnknownAnswerError."""
    try:
        run = subprocess.run(
            [
                *command,
                # Versions and hashes are all there: nothing is resolved or built.
                *("--disable-pip", "--require-hashes", "--progress-spinner", "off"),
                *("--vulnerability-service", source),
                *("--format", "json", "--requirement", str(requirements)),
            ],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        why = f"{SOURCES[source]} gave no answer within {TIMEOUT_S} s"
        raise UnreachableError(why) from None
    return read_run(source, run.returncode, run.stdout, run.stderr)


def audit(command: Sequence[str], requirements: Path) -> Report:
    """PyPI's answers, and OSV's about what PyPI did not answer."""
    unknown = _pinned(requirements)
    report = Report(frozenset(), dict.fromkeys(unknown, ""), [])
    for source in SOURCES:
        try:
            answer = ask(source, command, requirements)
        except UnreachableError as error:
            names = report.skipped
            answer = Report(frozenset(), dict.fromkeys(names, str(error)), [])
        else:
            # Packages for other systems are not asked about at all.
            told = answer.audited | answer.skipped.keys()
            kept = {n: why for n, why in report.skipped.items() if n in told}
            report = Report(report.audited, kept, report.found)
        report = report.completed(answer)
        if not report.skipped:
            break
    return report


def _pinned(requirements: Path) -> list[str]:
    """Names of the packages, by which what nobody could be asked about is called."""
    lines = requirements.read_text(encoding="utf-8").splitlines()
    pinned = (re.match(r"([A-Za-z0-9._-]+)(\[.*\])?==", line) for line in lines)
    return [match[1] for match in pinned if match]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requirements", type=Path, default=REQUIREMENTS)
    parser.add_argument("--waivers", type=Path, default=WAIVERS)
    parser.add_argument("--pip-audit", nargs="+", help="how pip-audit is called")
    parser.add_argument(
        "--strict",
        action="store_true",
        default=os.environ.get("AUDIT_STRICT") == "1",
        help="fail when something was not audited (also AUDIT_STRICT=1)",
    )
    options = parser.parse_args(arguments)
    command = options.pip_audit or [sys.executable, "-m", "pip_audit"]
    waivers = read_waivers(options.waivers)
    try:
        report = audit(command, options.requirements)
    except UnknownAnswerError as error:
        print(f"pip-audit's answer cannot be read: {error}")
        return 2
    status, lines = judge(report, waivers, dt.datetime.now(dt.UTC).date())
    print("\n".join(lines))
    return 3 if options.strict and report.skipped and not status else status


if __name__ == "__main__":
    sys.exit(main())
