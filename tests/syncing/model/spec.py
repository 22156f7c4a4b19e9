"""What docs/sync.md promises, as numbers and small functions of their own.

Nothing here is read from the engine: a wait that is changed there is wrong here.
"""

from dataclasses import dataclass
from datetime import timedelta

MINUTE, HOUR, DAY = 60.0, 3600.0, 24 * 3600.0

POLL_S = (2, 4, 8, 15, 30, 60)
POLL_DEADLINE_S = 30 * MINUTE
OPTIONAL_DEADLINE_S = 2 * MINUTE
REFUSED_S = 28 * DAY
FAILURE_S = (3, 20, 10 * MINUTE, HOUR, 6 * HOUR, DAY)
BAD_FILE_S = (1, 3, 6, 6 * HOUR, DAY)
DETAIL_S = (10 * MINUTE, HOUR, 6 * HOUR, DAY)
NO_DATA_S = (2 * HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY, 28 * DAY)
GIVEN_UP_S = (7 * DAY, 28 * DAY)
PATIENCE_S = 60.0
TRIES = 10
LEASE_S = 90.0
SILENCE_S = 45.0
STALL_S = 30.0
SLOT_LEASE_S = 60.0
MOST_ERRORS = 100

FRAMES = ("inverse-kinematics", "momentum-energy")
#: Nothing waits for these, and their lack is no failure.
OPTIONAL = ("hitting-processed-metrics",)
TYPES = (*FRAMES, "metadata", *OPTIONAL)
#: What has to be settled before a file of this type is asked for.
BEFORE = {
    "metadata": (),
    "inverse-kinematics": ("metadata",),
    "momentum-energy": ("metadata", "inverse-kinematics"),
    "hitting-processed-metrics": ("metadata", "inverse-kinematics"),
}
ON_THE_WAY = ("wanted", "requested", "ready", "downloading")
OPEN = (*ON_THE_WAY, "processing")
ENDS = ("success", "partial", "failed", "cancelled", "abandoned")

#: Errors of asking and downloading; all others are of the file itself.
FETCHING = {
    "authentication", "forbidden", "not_found", "rate_limited", "unavailable",
    "unexpected_status", "unexpected_shape", "expired_link", "too_large", "not_ready",
    "forbidden_host", "configuration", "disk",
}  # fmt: skip
#: Errors that another try soon does not mend.
LONG = {"too_large", "not_ready", "forbidden_host"}
#: What may become of an export whose last answers were these.
CODES = {
    "500": {"unavailable"},
    "502": {"unavailable"},
    "503": {"unavailable"},
    "429": {"rate_limited"},
    "cut-before": {"unavailable"},
    "cut-headers": {"unavailable"},
    "cut-body": {"unavailable"},
    "broken-off": {"unavailable"},
    "400": {"unexpected_status"},
    "403": {"forbidden"},
    "404": {"not_found"},
    "nothing": {"unexpected_shape"},
    "html": {"unexpected_shape"},
    "html-200": {"unexpected_shape", "html_instead_of_data"},
    "other-host": {"forbidden_host"},
    "expired-link": {"expired_link"},
}


@dataclass(frozen=True)
class Expected:
    """How a failed job has to look."""

    state: str
    wait_s: float
    attempts: int
    is_told: bool
    is_over: bool


def failure(*, attempts, code, was_given_up, vendor_answers):
    """What becomes of a job that fails at this try."""
    waits = FAILURE_S if code in FETCHING else BAD_FILE_S
    place = min(attempts, len(waits)) - 1
    if code in LONG:
        place = len(waits) - 1
    if code == "unavailable" and not vendor_answers:
        attempts = max(0, attempts - 1)
        place = max(place, len(waits) - 3)
    wait_s = waits[max(0, place)]
    is_last = attempts >= TRIES
    if is_last:
        wait_s = GIVEN_UP_S[1 if was_given_up else 0]
    is_over = wait_s > PATIENCE_S
    return Expected(
        "given_up" if is_last else "failed",
        wait_s,
        attempts,
        is_told=is_over and not was_given_up,
        is_over=is_over,
    )


def most_in_vain(requests_at_once):
    """After so many requests in a row without an answer the run ends."""
    return max(6, 2 * requests_at_once)


def data_state(parts):
    """The state of a session's data, from the states of the jobs of each part."""
    found = [_part_state(states) for states in parts]
    return _joint(found)


def _part_state(states):
    found = set(states)
    if not found:
        return "waiting"
    if found & set(OPEN):
        return "partial" if "stored" in found else "waiting"
    if "stored" in found:
        return "complete" if found == {"stored"} else "partial"
    return "failed" if found & {"failed", "given_up"} else "no_data"


def _joint(states):
    found = set(states)
    if len(found) > 1:
        # A part without data takes nothing away.
        found.discard("no_data")
    if len(found) == 1:
        return found.pop()
    return "waiting" if "waiting" in found else "partial"


def is_due(job, jobs, now):
    """Whether a worker may claim a job (rows as dictionaries)."""
    if job["state"] == "stored" or job["session__missing_since"] is not None:
        return False
    if job["next_try_at"] is None or job["next_try_at"] > now:
        return False
    if job["claimed_until"] is not None and job["claimed_until"] >= now:
        return False
    if job["attempts"] >= TRIES and job["state"] != "given_up":
        return False
    soon = now + timedelta(seconds=PATIENCE_S)
    return not any(
        other["session_id"] == job["session_id"]
        and other["data_type"] in BEFORE[job["data_type"]]
        and (
            other["state"] in ON_THE_WAY
            or (
                other["state"] == "failed"
                and other["next_try_at"] is not None
                and other["next_try_at"] <= soon
            )
        )
        for other in jobs
    )


def poll_deadline_s(data_type):
    """How long the vendor may prepare a file."""
    return OPTIONAL_DEADLINE_S if data_type in OPTIONAL else POLL_DEADLINE_S


def after(now, seconds):
    return now + timedelta(seconds=seconds)
