"""The stored choices of runs and export jobs: states, kinds, triggers and phases.

The values are stored and read by other programs; the labels are what pages show.
"""

from __future__ import annotations

from django.db import models


class RunStatus(models.TextChoices):
    """The state of one run."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCESS = "success", "Success"
    PARTIAL = "partial", "Partly done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Canceled"
    ABANDONED = "abandoned", "Abandoned"


ACTIVE_RUNS = (RunStatus.QUEUED, RunStatus.RUNNING)


class RunKind(models.TextChoices):
    """What a run locks: one active run of each kind."""

    VENDOR = "vendor", "Sync with Reboot Motion"
    UPLOAD = "upload", "Manual upload"


class SyncType(models.TextChoices):
    """How much a sync run checks."""

    INCREMENTAL = "incremental", "What changed"
    FULL = "full", "Everything"
    SINCE = "since", "What changed since a date"
    EXPORTS = "exports", "Waiting exports only"
    UPLOAD = "upload", "Manual upload"


class Trigger(models.TextChoices):
    """Who started a run."""

    COMMAND = "command", "Command"
    BUTTON = "button", "Button"
    API = "api", "JSON API"
    SCHEDULE = "schedule", "Schedule"
    SWEEP = "sweep", "Cleanup of waiting work"
    UPLOAD = "upload", "Upload"


class Phase(models.TextChoices):
    """The steps of a run, in order."""

    STARTING = "starting", "Starting"
    MOVEMENT_TYPES = "movement_types", "Reading movement types"
    PLAYERS = "players", "Reading athletes"
    SESSIONS = "sessions", "Listing sessions"
    DETAILS = "details", "Reading sessions"
    EXPORTS = "exports", "Downloading swing data"
    SUMMARIES = "summaries", "Updating summaries"
    DONE = "done", "Done"


class ExportType(models.TextChoices):
    """The files that are asked of the vendor, by the vendor's names."""

    INVERSE_KINEMATICS = "inverse-kinematics", "Inverse kinematics"
    MOMENTUM_ENERGY = "momentum-energy", "Momentum and energy"
    METADATA = "metadata", "Movement list"
    HITTING_METRICS = "hitting-processed-metrics", "Reboot Motion's own metrics"


#: Files that nothing waits for: an organization's export may not offer them, and
#: where one does not come the job ends as "no data", never as failed.
OPTIONAL_EXPORTS = (ExportType.HITTING_METRICS,)


class JobState(models.TextChoices):
    """State of one export job (docs/sync.md has the table of transitions)."""

    WANTED = "wanted", "Waiting to be requested"
    REQUESTED = "requested", "Requested"
    PROCESSING = "processing", "Reboot Motion is preparing it"
    READY = "ready", "Ready to download"
    DOWNLOADING = "downloading", "Downloading"
    STORED = "stored", "Stored"
    NO_DATA = "no_data", "Reboot Motion has no data"
    FAILED = "failed", "Failed, will be retried"
    GIVEN_UP = "given_up", "Given up"


#: States in which a job is on its way; with a lease run out it is taken up again.
OPEN_STATES = (
    JobState.WANTED,
    JobState.REQUESTED,
    JobState.PROCESSING,
    JobState.READY,
    JobState.DOWNLOADING,
)
