"""What is seen of the tables after every step, and what must hold of each change."""

import io
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import Exists, F, OuterRef

from athletes.models import BiomechanicsData, Movement, Player, Session
from syncing.engine.incoming import read_limits
from syncing.models import AnalysisJob, ExportJob, RequestSlot, SyncLog
from syncing.reader.packing import read_and_pack
from tests.syncing.model import spec

_JOB = (
    "pk", "session_id", "data_type", "state", "attempts", "polls", "requested_at",
    "no_data_answers", "given_up_at", "next_try_at", "claimed_by", "claimed_until",
    "last_error", "error_code", "sha256", "bytes", "fetched_for", "stored_at",
    "movements", "rows", "last_run_id", "repairs", "session__missing_since",
    "session__session_date", "session__session_id", "session__folded_into_id",
)  # fmt: skip
#: What a new revision of a session, or a person, resets.
_FRESH = {
    "state": "wanted", "attempts": 0, "polls": 0, "requested_at": None,
    "no_data_answers": 0, "given_up_at": None, "last_error": "", "error_code": "",
}  # fmt: skip
_REFERENCES = {}


class Broken(AssertionError):
    """A promise of the sync that was not kept."""


def reference(app, served):
    """{movement: hash of its frames} of an undamaged file, read once by content."""
    key = (served.content, served.data_type, served.data_format)
    if key not in _REFERENCES:
        found = read_and_pack(
            io.BytesIO(app.whole_file(served).read()),
            data_type=served.data_type,
            known_movement_id=None,
            limits=read_limits(),
        )
        if served.data_type not in spec.FRAMES:
            _REFERENCES[key] = {row.org_movement_id: "" for row in found.rows}
        else:
            _REFERENCES[key] = {
                movement.org_movement_id: movement.frames.sha256
                for movement in found.movements
            }
    return _REFERENCES[key]


class Actor:
    """Who did what was seen next."""

    def __init__(self, kind, process=None, job=None):
        self.kind, self.process, self.job = kind, process, job
        self.worker = process.ctx.worker if process is not None else None

    def __str__(self):
        who = f" of {self.process}" if self.process is not None else ""
        return f"{self.kind}{who}" + (f" job {self.job}" if self.job else "")


class Watch:
    """The history of one example: jobs, frames, sessions and runs after each step."""

    #: What happened in all examples, to see that nothing is left out.
    seen = Counter()

    def __init__(self, clock):
        self.clock = clock
        self.jobs = {}
        self.logs = {}
        self.history = []
        self.is_broken = False
        self.actor = Actor("nobody")
        #: worker -> process, for all that ever were
        self.processes = {}
        #: (part, data type) -> {movement: hash}, as the model expects them
        self.frames = {}
        self.errors = Counter()

    def say(self, text):
        self.history.append(f"{self.clock.passed:12.3f}  {self.actor}: {text}")

    def need(self, condition, text):
        if not condition:
            self.is_broken = True
            self.say(f"BROKEN {text}")
            raise Broken(text + "\n\n" + "\n".join(self.history[-60:]))

    @contextmanager
    def acting(self, actor):
        """Lay what is seen next at the door of this actor."""
        # Outside of all actors nothing happens that was not seen.
        if self.actor.kind != "nobody":
            self.look()
        before, self.actor = self.actor, actor
        try:
            yield
            self.look()
        finally:
            self.actor = before

    # Looking

    def look(self):
        """Compare the tables with those of the last look."""
        rows = {
            row["pk"]: row for row in ExportJob.objects.order_by("pk").values(*_JOB)
        }
        before, self.jobs = self.jobs, rows
        changes = [
            (before.get(pk), row) for pk, row in rows.items() if before.get(pk) != row
        ]
        for old, new in changes:
            self._tell(old, new)
        now = self.clock._epoch + timedelta(seconds=self.clock.passed)
        for old, new in changes:
            self._ownership(old, new, now)
        if self.actor.kind == "claim":
            self._claim(before, changes, now)
        for old, new in changes:
            if old is not None and self.actor.kind in {"fetch", "handle"}:
                self._work(old, new, now)
            if self.actor.kind in {"details", "whole"} and (
                old is None or old["fetched_for"] != new["fetched_for"]
            ):
                self._renewed(old, new, now)
        self._shapes(now)
        self._states(
            {
                new["session__folded_into_id"] or new["session_id"]
                for old, new in changes
                if old and old["claimed_by"] and not new["claimed_by"]
                if new["state"] != old["state"] and new["data_type"] in spec.FRAMES
            }
        )
        if self.actor.kind not in {"beat", "claim", "open", "cancel", "fetch"}:
            self._frames()
        if self.actor.kind not in {"claim", "fetch", "handle"}:
            self._runs(now)

    def _tell(self, old, new):
        names = [
            name
            for name in _JOB
            if old is None or old[name] != new[name]
            if "session__" not in name
        ]
        text = ", ".join(
            f"{name}={_short(new[name])}" for name in names if name != "pk"
        )
        self.say(f"job {new['pk']} {text}")
        self.seen[self.actor.kind, new["state"], new["error_code"]] += 1

    # What must hold of every change

    def _ownership(self, old, new, now):
        """Nobody touches a job that another process holds."""
        if old is None:
            return
        pk, holder = old["pk"], old["claimed_by"]
        held = holder and old["claimed_until"] and old["claimed_until"] >= now
        mine = holder == self.actor.worker
        changed = {name for name in _JOB if old[name] != new[name]}
        if not held or mine or self.actor.kind in {"whole", "erase"}:
            if (
                holder
                and not mine
                and not held
                and self.actor.kind in {"fetch", "handle"}
            ):
                self.need(
                    not changed - {"session__missing_since"},
                    f"job {pk} is not held by who wrote {changed}",
                )
            if not holder and self.actor.kind in {"fetch", "handle"}:
                self.need(
                    not changed - {"session__missing_since"},
                    f"job {pk} was written by a process without a claim: {changed}",
                )
            return
        if new["claimed_by"] and new["claimed_by"] != holder:
            self.need(False, f"job {pk} is worked by two at once")
        if not new["claimed_by"]:
            process = self.processes.get(holder)
            self.need(
                process is not None and process.may_be_taken_for_dead(),
                f"job {pk} was taken from a process that lives",
            )
            changed -= {"claimed_by", "claimed_until"}
        if self.actor.kind in {"details", "listing"}:
            return
        changed -= {
            "session__missing_since", "session__session_date",
            "session__folded_into_id",
        }  # fmt: skip
        self.need(not changed, f"job {pk} of another process was changed: {changed}")

    def _claim(self, before, changes, now):
        """Claimed is what is due, newest sessions first, and counted as a try."""
        due = [job for job in before.values() if spec.is_due(job, before.values(), now)]
        day = self.clock._epoch.date()
        due.sort(
            key=lambda job: (
                -(job["session__session_date"] or day.replace(1, 1, 1)).toordinal(),
                job["session_id"],
                job["pk"],
            )
        )
        claimed = [new["pk"] for _, new in changes if new["claimed_by"]]
        if not self.actor.process.had_some:
            most = 2 * self.actor.process.limit
            expected = [job["pk"] for job in due][:most]
            self.need(
                sorted(claimed) == sorted(expected),
                f"claimed {sorted(claimed)} where {expected} were due",
            )
        for old, new in changes:
            pk = new["pk"]
            self.need(new["claimed_by"] == self.actor.worker, f"job {pk} unclaimed")
            self.need(
                new["claimed_until"] == spec.after(now, spec.LEASE_S),
                f"job {pk} is claimed until {new['claimed_until']}",
            )
            self.need(
                new["attempts"] == min(old["attempts"] + 1, spec.TRIES),
                f"job {pk} counts {new['attempts']} tries after {old['attempts']}",
            )
            self.need(new["state"] == old["state"], f"job {pk} changed its state")
            self.need(
                new["last_run_id"] == self.actor.process.log_pk,
                f"job {pk} tells another run",
            )

    def _renewed(self, old, new, now):
        """A new or changed session has all its files fetched, at once."""
        for name, value in _FRESH.items():
            if self.actor.kind == "whole":
                break
            self.need(new[name] == value, f"job {new['pk']}: {name} is {new[name]}")
        if self.actor.kind != "whole":
            self.need(
                new["next_try_at"] is not None and new["next_try_at"] <= now,
                f"job {new['pk']} is not due",
            )

    def _work(self, old, new, now):
        """One try of one job ends as docs/sync.md says."""
        pk = new["pk"]
        if pk != self.actor.job:
            changed = {n for n in _JOB if old[n] != new[n] and "session__" not in n}
            self.need(not changed, f"job {pk} changed beside job {self.actor.job}")
            return
        if new["claimed_by"]:
            self.need(
                self.actor.kind == "fetch"
                and new["state"] in {"requested", "downloading"},
                f"job {pk} is still held in state {new['state']}",
            )
            return
        self.need(new["claimed_until"] is None, f"job {pk} has a lease and no holder")
        getattr(self, f"_ended_{new['state']}", self._ended_otherwise)(old, new, now)
        self.actor.process.note_end(old, new)

    def _same(self, new, **expected):
        for name, value in expected.items():
            self.need(
                new[name] == value,
                f"job {new['pk']} ({new['state']}): {name} is {_short(new[name])} and "
                f"not {_short(value)}",
            )

    def _ended_otherwise(self, old, new, now):
        self.need(False, f"job {new['pk']} ended as {new['state']}")

    def _ended_wanted(self, old, new, now):
        self.need(self.actor.kind == "handle", "wanted again, and nothing was read")
        self._same(new, next_try_at=now, attempts=old["attempts"])

    def _ended_processing(self, old, new, now):
        wait_s = max(
            spec.POLL_S[min(old["polls"], len(spec.POLL_S) - 1)],
            self.actor.process.asked_to_wait_s,
        )
        since = old["requested_at"]
        if since is not None:
            deadline_s = spec.poll_deadline_s(new["data_type"])
            overdue = (now - since).total_seconds() > deadline_s
            self.need(not overdue, f"job {new['pk']} is polled for too long")
        self._same(
            new,
            requested_at=since or now,
            polls=old["polls"] + 1,
            attempts=max(0, old["attempts"] - 1),
            next_try_at=spec.after(now, wait_s),
        )

    def _left(self, old, new, now):
        """An optional file that did not come is asked for later, and no failure."""
        self._same(new, attempts=0, polls=0, requested_at=None, given_up_at=None)
        self.need(new["last_error"], f"job {new['pk']} does not say why")
        if new["error_code"] == "not_offered":
            at = new["next_try_at"]
            self.need(
                at is not None and now < at <= spec.after(now, spec.REFUSED_S),
                f"job {new['pk']} is refused until {at}",
            )
            self._same(new, no_data_answers=old["no_data_answers"])
            return
        answers = old["no_data_answers"] + 1
        next_try_at = None
        if answers <= len(spec.NO_DATA_S):
            next_try_at = spec.after(now, spec.NO_DATA_S[answers - 1])
        self._same(new, no_data_answers=answers, next_try_at=next_try_at)

    def _ended_no_data(self, old, new, now):
        if new["data_type"] in spec.OPTIONAL and new["error_code"]:
            self._left(old, new, now)
            return
        answers = old["no_data_answers"] + 1
        next_try_at = None
        if answers <= len(spec.NO_DATA_S):
            next_try_at = spec.after(now, spec.NO_DATA_S[answers - 1])
        self._same(
            new, no_data_answers=answers, next_try_at=next_try_at, attempts=0, polls=0,
            requested_at=None, given_up_at=None, error_code="", last_error="",
            stored_at=None,
        )  # fmt: skip

    def _ended_stored(self, old, new, now):
        self._same(
            new, attempts=0, polls=0, requested_at=None, given_up_at=None,
            error_code="", next_try_at=None,
        )  # fmt: skip
        if self.actor.kind == "fetch":
            self._same(
                new,
                no_data_answers=old["no_data_answers"] + 1,
                stored_at=old["stored_at"],
                last_error="Reboot Motion no longer has this file; what was stored is "
                "kept.",
            )
            return
        self._same(new, stored_at=now, last_error="", no_data_answers=0)
        self.need(
            len(new["sha256"]) == 64 and new["bytes"], f"job {new['pk']}: no hash"
        )

    def _ended_failed(self, old, new, now):
        code = new["error_code"]
        self.need(
            new["data_type"] not in spec.OPTIONAL,
            f"job {new['pk']} of an optional file is {new['state']}",
        )
        if code == "not_ready":
            since = old["requested_at"]
            self.need(
                since is not None
                and (now - since).total_seconds() > spec.POLL_DEADLINE_S,
                f"job {new['pk']} is said to be late since {since}",
            )
        expected = spec.failure(
            attempts=old["attempts"],
            code=code,
            was_given_up=old["given_up_at"] is not None,
            vendor_answers=self.actor.process.vendor_answered,
        )
        self._same(
            new,
            state=expected.state,
            attempts=expected.attempts,
            next_try_at=spec.after(now, expected.wait_s),
            given_up_at=old["given_up_at"]
            or (now if expected.state == "given_up" else None),
            polls=0,
            requested_at=None,
        )
        self.need(code and new["last_error"], f"job {new['pk']} does not say why")
        begins = f"Given up after {old['attempts']} tries: "
        self.need(
            new["last_error"].startswith(begins) == (expected.state == "given_up"),
            f"job {new['pk']} says: {new['last_error']}",
        )
        self.actor.process.note_failure(new, expected)

    _ended_given_up = _ended_failed

    # What must hold at any time

    def _shapes(self, now):
        for job in self.jobs.values():
            pk = job["pk"]
            self.need(
                bool(job["claimed_by"]) == (job["claimed_until"] is not None),
                f"job {pk}: holder and lease disagree",
            )
            self.need(job["attempts"] <= spec.TRIES, f"job {pk}: too many tries")
            if job["state"] == "failed":
                self.need(job["next_try_at"] is not None, f"job {pk} never tried again")
                self.need(job["error_code"], f"job {pk} failed and does not say why")
            if job["state"] in spec.OPEN:
                self.need(job["next_try_at"] is not None, f"job {pk} is forgotten")
            if job["state"] == "given_up":
                self.need(job["given_up_at"] is not None, f"job {pk} given up never")
            if job["state"] == "processing":
                self.need(job["requested_at"] is not None, f"job {pk} never requested")
            if job["state"] == "stored" and job["data_type"] in spec.FRAMES:
                self.need(
                    (job["session_id"], job["data_type"]) in self.frames
                    or self.actor.kind == "whole",
                    f"job {pk} is stored without frames",
                )

    def _states(self, settled):
        """A session tells how complete its data are, as its jobs say.

        Written when a file ends: files on their way change nothing yet.
        """
        parts, gone = {}, set()
        for job in self.jobs.values():
            if job["data_type"] in spec.FRAMES:
                shown = job["session__folded_into_id"] or job["session_id"]
                for row in {shown, job["session_id"]}:
                    by_part = parts.setdefault(row, {})
                    by_part.setdefault(job["session_id"], []).append(job["state"])
                if job["session__missing_since"] is not None:
                    gone.add(job["session_id"])
        uncomputed = set(
            Movement.objects.filter(method_version="").values_list("session", flat=True)
        ) | set(AnalysisJob.objects.outdated().values_list("pk", flat=True))
        for pk, state, synced, folded in Session.objects.values_list(
            "pk", "data_state", "data_synced", "folded_into_id"
        ):
            if folded is not None:
                continue
            own = dict(parts.get(pk, {}))
            states = {state for part in own.values() for state in part}
            if pk not in settled and states & set(spec.OPEN):
                continue
            own.setdefault(pk, [])
            # Parts that are gone count where nothing else is left.
            expected = spec.data_state(
                [own[part] for part in own.keys() - gone or own.keys()]
            )
            self.need(
                state == expected,
                f"session {pk} says {state}, its files say {expected}",
            )
            is_here = expected in {"complete", "partial"}
            self.need(
                synced == is_here or (is_here and pk in uncomputed),
                f"session {pk} says {synced} with {expected} files",
            )

    def _frames(self):
        """There are the frames of the files that were stored, and no others."""
        found = {}
        rows = BiomechanicsData.objects.filter(missing_since__isnull=True).annotate(
            part=F("movement__folded_from_id"),
            shown=F("movement__session_id"),
            name=F("movement__org_movement_id"),
            vendor=F("movement__name_at_vendor"),
        )
        for part, shown, data_type, name, vendor, sha in rows.values_list(
            "part", "shown", "data_type", "name", "vendor", "content_sha256"
        ):
            found.setdefault((part or shown, data_type), {})[vendor or name] = sha
        if self.actor.kind == "whole":
            self.frames = found
            return
        self.need(
            found == self.frames,
            f"frames {_differences(found, self.frames)}",
        )

    def _runs(self, now):
        """A run ends once, in one of the end states."""
        rows = {
            row["pk"]: row
            for row in SyncLog.objects.values(
                "pk", "status", "owner", "completed_at", "started_at", "errors",
                "error_count", "counts", "requests", "phase", "cancel_requested_at",
                "progress", "heartbeat_at", "cursor_after",
                "error_class",
            )
        }  # fmt: skip
        for pk, row in rows.items():
            old = self.logs.get(pk)
            ended = row["status"] in spec.ENDS
            if old is None or old["status"] != row["status"]:
                self.say(f"run {pk} {row['status']}")
                self.seen["run", row["status"], row["error_class"]] += 1
            if old is not None and old["status"] in spec.ENDS:
                self.need(
                    (row["status"], row["completed_at"])
                    == (old["status"], old["completed_at"]),
                    f"run {pk} ended twice: {old['status']}, {row['status']}",
                )
            if old is not None:
                self.need(
                    row["error_count"] >= old["error_count"]
                    and row["requests"] >= old["requests"],
                    f"run {pk} forgets what it counted",
                )
            self.need(
                ended == (row["completed_at"] is not None),
                f"run {pk} is {row['status']} and ended at {row['completed_at']}",
            )
            self.need(
                len(row["errors"]) == min(row["error_count"], spec.MOST_ERRORS),
                f"run {pk} lists {len(row['errors'])} of {row['error_count']} errors",
            )
            self.need(
                row["status"] not in {"success", "partial"} or row["started_at"],
                f"run {pk} never began",
            )
            if row["status"] == "success":
                self.need(not row["error_count"], f"run {pk}: success with errors")
            for kind, counts in row["counts"].items():
                self.need(
                    all(count >= 0 for count in counts.values()),
                    f"run {pk} counts {kind}: {counts}",
                )
        self.logs = rows

    # What must hold when all has come to rest

    def slots_are_free(self):
        held = list(
            RequestSlot.objects.exclude(holder="").values_list("number", "holder")
        )
        self.need(not held, f"slots are held: {held}")

    def nobody_holds_anything(self):
        for model in (ExportJob, AnalysisJob):
            held = list(model.objects.exclude(claimed_by="").values_list("pk"))
            self.need(not held, f"{model.__name__} held: {held}")
        self.slots_are_free()

    def numbers_are_of_the_frames(self):
        """What was stored was computed, session by session."""
        for job in AnalysisJob.objects.all():
            self.need(
                job.done == job.wanted and not job.last_error,
                f"numbers of session {job.pk}: {job.done} of {job.wanted} "
                f"{job.last_error}",
            )
        frames = BiomechanicsData.objects.filter(
            data_type="inverse-kinematics", missing_since__isnull=True
        )
        stale = frames.filter(
            movement__method_version="", movement__missing_since__isnull=True
        )
        # A swing under both ids of a merged athlete is shown once, with its numbers;
        # its twin in the hidden row waits for the day on which they are parted.
        shown = frames.filter(
            movement__session=OuterRef("movement__session__folded_into"),
            content_sha256=OuterRef("content_sha256"),
        )
        stale = stale.exclude(Exists(shown)).values_list("movement_id")
        self.need(not stale, f"no numbers of {list(stale)}")

    def is_erased(self, org_player_id):
        """Nothing is left of an erased athlete."""
        self.need(
            not Player.everyone.filter(org_player_id=org_player_id).exists(),
            f"erased athlete {org_player_id} is back",
        )


def _differences(found, expected):
    lines = []
    for key in sorted(found.keys() | expected.keys(), key=str):
        if found.get(key) != expected.get(key):
            lines.append(
                f"{key}: {_few(found.get(key))} and not {_few(expected.get(key))}"
            )
    return "; ".join(lines)


def _few(frames):
    return frames and {name: sha[:6] for name, sha in frames.items()}


def _short(value):
    if hasattr(value, "isoformat"):
        return value.isoformat()[5:23]
    return str(value)[:60] if not isinstance(value, str) else value[:60]
