"""Undoing an upload by hand as a whole.

Undoing takes away what the upload began and puts back what it replaced, and nothing
else. What a later upload or the sync has brought as well stays, and is theirs from then
on. What people added meanwhile to rows that go is named, and goes only when somebody
says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.audit import record
from accounts.models import Action, User
from athletes.analysis import peer_numbers
from athletes.analysis.run import analyze_session
from athletes.analysis.summaries import refresh_player_summaries
from athletes.decisions import choose_recording
from athletes.display import number_of
from athletes.frames import carrying, presence
from athletes.models import (
    BiomechanicsData,
    DataType,
    EventCorrection,
    HandUpload,
    Movement,
    Player,
    ReplacedFrames,
    SameRecording,
    Session,
    UploadState,
)
from syncing import clock
from syncing.choices import ExportType, JobState, RunKind
from syncing.engine.runs import abandon_dead_runs
from syncing.engine.session_state import refresh_session_state
from syncing.journal import FRAME_FIELDS, JOB_FIELDS, ROW_FIELDS, hash_of
from syncing.listeners import tell_stored
from syncing.models import ExportJob, SyncLog, VendorSession
from syncing.people_added import UndoRefusedError, named, people_of, setups_of


@dataclass
class UndoPlan:
    """What undoing an upload does, by our keys; nothing has been done yet.

    ``added`` names what people added to rows that go; ``kept`` says in words what stays
    although the upload brought it.
    """

    frames: list[list[Any]] = field(default_factory=list)
    restored: list[ReplacedFrames] = field(default_factory=list)
    movements: list[int] = field(default_factory=list)
    session: Session | None = None
    player: Player | None = None
    added: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """What goes and what is put back, in words."""
        said = []
        if self.movements:
            said.append(f"{number_of(len(self.movements), 'movement')} removed")
        frames = [row for row in self.frames if row[0] not in set(self.movements)]
        if frames:
            said.append(
                f"{number_of(len(frames), 'file part')} of other movements removed"
            )
        if self.restored:
            said.append(f"{number_of(len(self.restored), 'former recording')} put back")
        if self.session is not None:
            said.append("the session removed")
        if self.player is not None:
            said.append("the athlete created by this upload removed")
        return said or ["nothing: all of it now comes from a different source"]


class _Planner:
    """Finds out what undoing one upload does, and does it."""

    def __init__(self, upload: HandUpload) -> None:
        self.upload = upload
        session = upload.session
        if session is None or upload.player is None:
            raise UndoRefusedError("This upload's session is already gone.")
        self.session = session
        self.hashes = {(pk, kind): sha for pk, kind, sha in upload.contents}
        self.plan = UndoPlan()

    # --- Who else has brought the same ----------------------------------------------

    @cached_property
    def later(self) -> list[HandUpload]:
        """Later uploads of the same session that hold, oldest first."""
        return list(
            HandUpload.objects.filter(
                session=self.session,
                pk__gt=self.upload.pk,
                state__in=[UploadState.STORING, UploadState.STORED],
            ).order_by("pk")
        )

    @cached_property
    def by_vendor(self) -> set[str]:
        """The data types of which a sync has stored files since."""
        return set(
            ExportJob.objects.filter(
                session=self.session,
                state=JobState.STORED,
                stored_at__gt=self.upload.stored_at,
                last_run__kind=RunKind.VENDOR,
            ).values_list("data_type", flat=True)
        )

    def heir(self, movement: int, kind: str | None = None) -> HandUpload | None:
        """The first later upload whose files say something of a movement too."""
        for upload in self.later:
            if any(
                pk == movement and kind in {None, each}
                for pk, each, _ in upload.contents
            ):
                return upload
        return None

    # --- The plan --------------------------------------------------------------------

    def find(self) -> UndoPlan:
        """Return what undoing would do."""
        self._refuse_merged()
        stored = {
            (row.movement_id, row.data_type): row
            for row in BiomechanicsData.objects.filter(
                movement__in={pk for pk, _, _ in self.upload.contents}
            ).defer("frames")
        }
        shared = 0
        for pk, kind, sha in self.upload.created.get("frames", []):
            row = stored.get((pk, kind))
            if row is None:
                continue
            if self._is_anothers(row, sha):
                shared += 1
            else:
                self.plan.frames.append([pk, kind, sha])
        replaced = self.upload.replaced.defer("frames")
        for former in replaced:
            row = stored.get((former.movement_id, former.data_type))
            sha = self.hashes.get((former.movement_id, former.data_type), "")
            if row is not None and not self._is_anothers(row, sha):
                self.plan.restored.append(former)
        if shared:
            self.plan.kept.append(
                f"{number_of(shared, 'recording')} that a later upload or sync also "
                "brought"
            )
        gone = {(pk, kind) for pk, kind, _ in self.plan.frames}
        for pk in self.upload.created.get("movements", []):
            left = {key for key in stored if key[0] == pk} - gone
            if not left and self.heir(pk) is None and not self._vendor_lists(pk):
                self.plan.movements.append(pk)
        self._find_session()
        self._find_player()
        self.plan.added = self._added()
        return self.plan

    def _is_anothers(self, row: BiomechanicsData, sha: str) -> bool:
        if row.content_sha256 != sha or self.heir(row.movement_id, row.data_type):
            return True
        return row.data_type in self.by_vendor and row.missing_since is None

    def _vendor_lists(self, movement: int) -> bool:
        """Whether the sync has brought a list of movements since, with this one."""
        if ExportType.METADATA not in self.by_vendor:
            return False
        return Movement.objects.filter(pk=movement).exclude(metadata={}).exists()

    def _find_session(self) -> None:
        session = self.session
        if self.upload.created.get("session") != session.pk:
            return
        others = session.movements.exclude(pk__in=self.plan.movements)
        if not others.exists() and not self.later and not known_to_vendor(session):
            self.plan.session = session

    def _find_player(self) -> None:
        player = Player.everyone.filter(pk=self.upload.created.get("player")).first()
        if player is None or player.reboot_player_id or player.vendor_updated_at:
            return
        sessions = player.sessions.all()
        if self.plan.session is not None:
            sessions = sessions.exclude(pk=self.plan.session.pk)
        others = HandUpload.objects.filter(player=player).exclude(pk=self.upload.pk)
        if (
            not sessions.exists()
            and not others.exclude(state__in=["undone", "staged"]).exists()
        ):
            self.plan.player = player

    def _refuse_merged(self) -> None:
        session = self.session
        is_merged = (
            session.folded_into_id
            or session.recorded_as_id
            or session.folded.exists()
            or (
                self.upload.created.get("player")
                and Player.everyone.filter(
                    Q(pk=self.upload.created["player"], merged_into__isnull=False)
                    | Q(merged_into=self.upload.created["player"])
                ).exists()
            )
        )
        if is_merged:
            raise UndoRefusedError(
                "The athlete was merged with another record since. Undo the merge "
                "first."
            )

    def _added(self) -> list[str]:
        """What people added to rows that go, in words with their names."""
        found = list(people_of(Movement, self.plan.movements))
        found += setups_of(self.plan.movements)
        changed = {former.movement_id for former in self.plan.restored}
        found += named(
            EventCorrection.objects.filter(
                movement__in=changed,
                created_at__gt=self.upload.stored_at,
                undone_at__isnull=True,
            ),
            "moved event",
        )
        session = self.plan.session
        if session is not None:
            found += people_of(Session, [session.pk])
            found += [f"setup: {session.get_condition_display()}"] * bool(
                session.condition
            )
            found += [f"bat: {session.bat}"] * bool(session.bat)
        if self.plan.player is not None:
            found += people_of(Player, [self.plan.player.pk])
        # A note on a swing hangs on its session too.
        return list(dict.fromkeys(found))

    # --- Doing it --------------------------------------------------------------------

    def do(self, by: User | None) -> None:
        """Do what `find` has found; inside a transaction that holds the session."""
        plan, upload = self.plan, self.upload
        if plan.session is not None:
            # The twin of a session that goes counts again.
            for pair in SameRecording.objects.filter(
                Q(session=plan.session) | Q(other=plan.session)
            ).exclude(counts=""):
                choose_recording(pair=pair, counts="both", user=by)
        self._put_frames_back(by)
        self._mark_missing_again()
        for kind, name in ROW_FIELDS.items():
            self._put_rows_back(kind, name)
        self._put_jobs_back()
        for pk in upload.created.get("movements", []):
            if pk not in plan.movements and (heir := self.heir(pk)) is not None:
                heir.created.setdefault("movements", []).append(pk)
        outdated = {pk for pk, _, _ in plan.frames}
        outdated |= {former.movement_id for former in plan.restored}
        Movement.objects.filter(pk__in=outdated).update(
            method_version="", updated_at=clock.now()
        )
        self._delete_movements()
        presence.settle([self.session.pk])
        if plan.session is None:
            self._keep_session()
        for heir in self.later:
            heir.save(update_fields=["created", "before"])
        self._close(by)
        if plan.session is not None:
            plan.session.delete()
        if plan.player is not None:
            peer_numbers.withdraw([plan.player.pk])
            plan.player.delete()

    def _put_frames_back(self, by: User | None) -> None:
        """Take away the frames that came, and put back those that stood there."""
        plan, upload = self.plan, self.upload
        for pk, kind, sha in upload.created.get("frames", []):
            if [pk, kind, sha] in plan.frames:
                BiomechanicsData.objects.filter(movement=pk, data_type=kind).delete()
            elif (heir := self.heir(pk, kind)) is not None:
                self._bequeath_frames(heir, pk, kind)
        restored = {former.pk for former in plan.restored}
        angles = [
            former.movement_id
            for former in plan.restored
            if former.data_type == DataType.INVERSE_KINEMATICS
        ]
        offers = carrying.withdraw(angles, since=upload.stored_at, by=by)
        # First, so that nothing of them is offered: they were said to go.
        EventCorrection.objects.filter(
            movement__in={former.movement_id for former in plan.restored},
            created_at__gt=upload.stored_at,
            undone_at__isnull=True,
        ).update(undone_by=by, undone_at=clock.now())
        held = carrying.hold(angles)
        for former in upload.replaced.order_by("pk"):
            heir = self.heir(former.movement_id, former.data_type)
            if former.pk in restored:
                self._put_back(former)
            elif heir is not None:
                self._bequeath_former(heir, former)
        carrying.carry(held)
        carrying.give_back(offers)
        upload.replaced.all().delete()

    def _mark_missing_again(self) -> None:
        for pk, kind, since in self.upload.before.get("missing", []):
            rows = BiomechanicsData.objects.filter(movement=pk, data_type=kind)
            row = rows.defer("frames").first()
            if (heir := self.heir(pk, kind)) is not None:
                heir.before.setdefault("missing", []).append([pk, kind, since])
            elif row and not self._is_anothers(row, self.hashes.get((pk, kind), "")):
                rows.update(missing_since=since)

    def _delete_movements(self) -> None:
        Movement.objects.filter(pk__in=self.plan.movements).delete()

    def _keep_session(self) -> None:
        """Let the first later upload answer for session and athlete."""
        upload, session = self.upload, self.session
        if self.later:
            for name in ("session", "player"):
                if upload.created.get(name) and not self.later[0].created.get(name):
                    self.later[0].created[name] = upload.created[name]
            if "session_date" in upload.before:
                self.later[0].before.setdefault(
                    "session_date", upload.before["session_date"]
                )
            return
        date = upload.before.get("session_date")
        if date and str(session.session_date) == date and not known_to_vendor(session):
            Session.objects.filter(pk=session.pk).update(session_date=None)

    def _bequeath_frames(self, heir: HandUpload, pk: int, kind: str) -> None:
        """Let a later upload answer for frames that this one brought first."""
        ReplacedFrames.objects.filter(upload=heir, movement=pk, data_type=kind).delete()
        theirs = next(row for row in heir.contents if row[:2] == [pk, kind])
        heir.created.setdefault("frames", []).append(theirs)

    def _bequeath_former(self, heir: HandUpload, former: ReplacedFrames) -> None:
        """Let a later upload put back what stood there before this one."""
        ReplacedFrames.objects.filter(
            upload=heir, movement=former.movement_id, data_type=former.data_type
        ).delete()
        ReplacedFrames.objects.filter(pk=former.pk).update(upload=heir)

    def _put_back(self, former: ReplacedFrames) -> None:
        values = {name: getattr(former, name) for name in FRAME_FIELDS}
        BiomechanicsData.objects.filter(
            movement=former.movement_id, data_type=former.data_type
        ).update(**values, updated_at=clock.now())

    def _put_rows_back(self, kind: str, name: str) -> None:
        before = self.upload.before.get(name, {})
        movements = Movement.objects.in_bulk([int(pk) for pk in before])
        for text, value in before.items():
            movement = movements.get(int(text))
            if movement is None:
                continue
            heir = self.heir(movement.pk, kind)
            if heir is not None:
                heir.before.setdefault(name, {})[text] = value
            elif kind not in self.by_vendor and (
                hash_of(getattr(movement, name)) == self.hashes.get((movement.pk, kind))
            ):
                setattr(movement, name, value)
                movement.method_version = ""
                movement.save(update_fields=[name, "method_version", "updated_at"])

    def _put_jobs_back(self) -> None:
        for kind, values in self.upload.before.get("jobs", {}).items():
            heir = next(
                (
                    upload
                    for upload in self.later
                    if kind in upload.before.get("jobs", {})
                ),
                None,
            )
            if heir is not None:
                heir.before["jobs"][kind] = values
                continue
            jobs = ExportJob.objects.filter(session=self.session, data_type=kind)
            if kind in self.by_vendor:
                continue
            if values is None:
                jobs.delete()
            else:
                run = values.get("last_run_id")
                known = run and SyncLog.objects.filter(pk=run).exists()
                kept = {name: values[name] for name in JOB_FIELDS}
                jobs.update(**kept | {"last_run_id": run if known else None})

    def _close(self, by: User | None) -> None:
        upload = self.upload
        upload.state = UploadState.UNDONE
        upload.undone_by, upload.undone_at = by, clock.now()
        upload.contents, upload.created, upload.before = [], {}, {}
        if self.plan.player is not None:
            # Nothing of an athlete who should never have been here stays.
            upload.player, upload.choice, upload.files = None, {}, []
            others = HandUpload.objects.filter(player=self.plan.player)
            # What waits to be stored waits on, for somebody else.
            waiting = Q(state=UploadState.STAGED)
            others.exclude(waiting | Q(pk=upload.pk)).update(
                player=None, choice={}, files=[]
            )
            others.filter(waiting).update(player=None, choice={})
        upload.save()


def plan_undo(upload: HandUpload) -> UndoPlan:
    """Return what undoing an upload would do, without doing it.

    Raises
    ------
    UndoRefusedError
        It cannot be undone; the text says why.
    """
    _refuse_others(upload)
    return _Planner(upload).find()


def undo(*, upload: HandUpload, by: User | None, with_added: bool = False) -> UndoPlan:
    """Undo an upload as a whole, and return what was done.

    What people added to rows that go is taken away only `with_added`.

    Raises
    ------
    UndoRefusedError
        Nothing was changed; the text says why.
    """
    with transaction.atomic():
        upload = HandUpload.objects.select_for_update(no_key=True).get(pk=upload.pk)
        _refuse_others(upload)
        list(
            Player.everyone.select_for_update(no_key=True).filter(
                pk__in=[upload.player_id or 0, upload.created.get("player") or 0]
            )
        )
        list(
            Session.objects.select_for_update(no_key=True).filter(
                pk=upload.session_id or 0
            )
        )
        # Once more: files may have begun to be stored while we waited for the locks.
        _refuse_others(upload)
        planner = _Planner(upload)
        plan = planner.find()
        if plan.added and not with_added:
            raise UndoRefusedError(
                "Coaches have added to what would be removed: "
                + "; ".join(plan.added)
                + ".",
                is_about_additions=True,
            )
        player_id = planner.session.player_id
        record(
            Action.RECORD_DELETED,
            by=by,
            subject=upload,
            player_id=player_id,
            what="upload undone",
            movements=len(plan.movements),
        )
        session_pk = None if plan.session else planner.session.pk
        planner.do(by)
    conclude(session_pk, [player_id])
    return plan


def _refuse_others(upload: HandUpload) -> None:
    if upload.state == UploadState.UNDONE:
        raise UndoRefusedError("This upload was already undone.")
    if upload.state == UploadState.STAGED:
        raise UndoRefusedError("These files haven't been stored yet.")
    storing = SyncLog.objects.active().filter(kind=RunKind.UPLOAD)
    if storing.exists():
        # One whose process is gone stores nothing more.
        abandon_dead_runs()
    if storing.exists():
        raise UndoRefusedError("Files are being stored. Wait until that's done.")


def conclude(session_pk: int | None, player_ids: Iterable[int]) -> None:
    """Bring numbers and lists up to date after rows went."""
    if session_pk is not None and Session.objects.filter(pk=session_pk).exists():
        refresh_session_state(session_pk)
        analyze_session(session_pk)
        with transaction.atomic():
            refresh_session_state(session_pk)
            tell_stored(session_pk)
    refresh_player_summaries(player_ids)


def known_to_vendor(session: Session) -> bool:
    """Whether a sync has seen this session of the athlete: then its word holds."""
    if session.vendor_updated_at is not None or session.vendor_status:
        return True
    listed = VendorSession.objects.filter(session_id=session.session_id).first()
    return listed is not None and session.vendor_player_id in listed.participants
