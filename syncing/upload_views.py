"""Files by hand: choose, say whose they are, preview, store, undo, correct.

Every step is a page of its own and a plain form; between them the files wait in
`syncing.staging`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts.audit import record
from accounts.models import Action
from athletes.access import (
    may_administer,
    visible_players,
    visible_sessions,
)
from athletes.http import PageRequest
from athletes.identity.session_parts import find_part
from athletes.models import HandUpload, Player, Session, UploadState
from syncing import clock, undoing
from syncing.choices import ExportType, Trigger
from syncing.filenames import id_in_name, id_key
from syncing.forms import NewAthleteForm, SessionChoiceForm, UploadForm
from syncing.ids import id_text
from syncing.people_added import UndoRefusedError

#: Athletes that a search shows, and an athlete's sessions to choose from.
MOST_ATHLETES, MOST_SESSIONS, MOST_UPLOADS = 20, 30, 20


def require_staff(request: PageRequest) -> None:
    """Refuse (403) who is not staff."""
    if not may_administer(request.user):
        raise PermissionDenied("Only staff can upload files or undo uploads.")


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: PageRequest) -> HttpResponse:
    """Take files that a person downloaded from Reboot Motion, to be looked at."""
    # Here, because web processes do without the libraries that read files.
    from syncing import staging
    from syncing.imports import GivenFile, ImportRefusedError

    require_staff(request)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        given = [
            GivenFile(file.name or "file", file.file)
            for file in form.cleaned_data["exports"]
        ]
        try:
            staged = staging.stage(given, user=request.user)
        except ImportRefusedError as error:
            form.add_error(None, f"{error} Nothing was stored.")
        else:
            return redirect("syncing:upload_whose", staged.pk)
    context = {
        "form": form,
        "waiting": HandUpload.objects.filter(
            state=UploadState.STAGED, created_by=request.user
        ),
        "uploads": _recent(request),
    }
    return render(
        request, "syncing/upload.html", context, status=422 if form.errors else 200
    )


def _recent(request: PageRequest) -> list[HandUpload]:
    """The newest uploads of athletes whom the user may see."""
    uploads = HandUpload.objects.exclude(state=UploadState.STAGED)
    return list(
        uploads.filter(player__in=visible_players(request.user))
        .select_related("player", "session", "created_by")
        .defer("contents", "created", "before")[:MOST_UPLOADS]
    )


def _staged(request: PageRequest, pk: int) -> HandUpload:
    """The staged files of this user, or 404: nobody else sees them."""
    from syncing import staging

    found = HandUpload.objects.filter(
        pk=pk, created_by=request.user, state=UploadState.STAGED
    ).first()
    if found is None:
        raise Http404("Those files don't exist or are already stored.")
    if staging.is_expired(found):
        staging.discard(found)
        raise Http404(
            "These files were kept for 12 hours and then deleted. Choose them again."
        )
    return found


@dataclass(frozen=True)
class FileLine:
    """What one staged file holds, in words."""

    name: str
    kind: str
    movements: int


def _lines(staged: HandUpload) -> list[FileLine]:
    return [
        FileLine(one["name"], str(ExportType(one["kind"]).label), len(one["movements"]))
        for one in staged.files
    ]


@require_http_methods(["GET", "HEAD", "POST"])
def whose(request: PageRequest, pk: int) -> HttpResponse:
    """Say whose staged files are: an athlete and a session, stored or new."""
    require_staff(request)
    staged = _staged(request, pk)
    text = request.GET.get("q", "").strip()
    player = chosen_athlete(request)
    day, _ = _told(staged)
    initial = {"date": day}
    is_new = "new" in request.POST
    choice = SessionChoiceForm(
        request.POST if request.method == "POST" and not is_new else None,
        initial=initial,
    )
    new = NewAthleteForm(
        request.POST if request.method == "POST" and is_new else None,
        initial=initial | {"org_player_id": _told_id(staged)},
        prefix="new",
    )
    if request.method == "POST" and _choose(request, staged, player, choice, new):
        return redirect("syncing:upload_preview", staged.pk)
    players = visible_players(request.user)
    suggested = _suggested(request, staged)
    context = {
        "staged": staged,
        "files": _lines(staged),
        "player": player,
        "sessions": []
        if player is None
        else list(
            visible_sessions(request.user)
            .filter(player=player)
            .newest_first()[:MOST_SESSIONS]
        ),
        "q": text,
        "found": list(players.found_by_name(text).in_name_order()[:MOST_ATHLETES])
        if text
        else [],
        "most": MOST_ATHLETES,
        "suggested": None if player is not None else suggested,
        "choice": choice,
        "new": new,
        "is_new": is_new,
    }
    status = 422 if choice.errors or new.errors else 200
    return render(request, "syncing/upload_whose.html", context, status=status)


def chosen_athlete(request: PageRequest) -> Player | None:
    """The athlete whom the address names, if the user may see them."""
    number = request.GET.get("athlete", "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return visible_players(request.user).filter(pk=int(number)).first()


def _choose(
    request: PageRequest,
    staged: HandUpload,
    player: Player | None,
    choice: SessionChoiceForm,
    new: NewAthleteForm,
) -> bool:
    """Note what a form says of whose the files are; False where it is not clear."""
    from syncing import staging
    from syncing.imports import ImportRefusedError, NewAthlete, check_athlete

    form: SessionChoiceForm = new if new.is_bound else choice
    if not form.is_valid():
        return False
    values = form.cleaned_data
    said: dict[str, Any] = {
        "session_id": values["session_id"],
        "date": values["date"].isoformat() if values["date"] else "",
    }
    if new.is_bound:
        born = values["date_of_birth"]
        org_id = id_text(values["org_player_id"]) or ""
        try:
            check_athlete(
                org_id, NewAthlete(values["first_name"], values["last_name"], born)
            )
        except ImportRefusedError as error:
            new.add_error("org_player_id", str(error))
            return False
        said["new"] = {
            "org_player_id": org_id,
            "first_name": values["first_name"].strip(),
            "last_name": values["last_name"].strip(),
            "date_of_birth": born.isoformat() if born else "",
        }
        staging.choose(staged, player=None, session=None, choice=said)
        return True
    if player is None:
        choice.add_error(None, "Choose an athlete first.")
        return False
    session = None
    if part := values["part"]:
        session = (
            visible_sessions(request.user)
            .filter(player=player, pk=int(part) if part.isdecimal() else 0)
            .first()
        )
        if session is None:
            choice.add_error(None, "That session no longer exists. Choose another one.")
            return False
    staging.choose(staged, player=player, session=session, choice=said)
    return True


def _told(staged: HandUpload) -> tuple[dt.date | None, str]:
    """Day and number of the session that the names of the files tell of, if one."""
    from syncing.imports import ImportRefusedError, session_in_names

    try:
        return session_in_names([one["name"] for one in staged.files])
    except ImportRefusedError:
        return None, ""


def _told_id(staged: HandUpload) -> str:
    from syncing.filenames import read_file_name

    told = set()
    for name in (one["name"] for one in staged.files):
        if player := read_file_name(name).player:
            # As the file spells it: the next sync compares it so.
            at = name.casefold().find(player)
            told.add(name[at : at + len(player)] if at >= 0 else player)
    return told.pop() if len(told) == 1 else ""


def _suggested(request: PageRequest, staged: HandUpload) -> Player | None:
    """The athlete whose id stands in the names of the files."""
    heads: dict[str, int] = {}
    for org_id, reboot_id, pk, head in Player.everyone.values_list(
        "org_player_id", "reboot_player_id", "pk", "merged_into"
    ):
        for identifier in filter(None, (reboot_id, org_id)):
            heads[id_key(identifier)] = head or pk
    told = {heads.get(id_in_name(one["name"], heads) or "", 0) for one in staged.files}
    if len(told) != 1:
        return None
    return visible_players(request.user).filter(pk=told.pop()).first()


@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: PageRequest, pk: int) -> HttpResponse:
    """Show what staged files would change; by POST, store them."""
    from syncing.imports import ImportRefusedError

    require_staff(request)
    staged = _staged(request, pk)
    plan = _Plan.of(staged)
    if plan is None:
        return redirect("syncing:upload_whose", staged.pk)
    error = plan.refusal()
    shown = plan.preview(request)
    if request.method == "POST" and not error:
        if request.POST.get("shown", plan.token) != plan.token:
            error = "The choice changed since this page was shown. Check it again."
        elif shown.warnings and "looked" not in request.POST:
            error = "Check the box to confirm you have reviewed “Check this”."
        else:
            try:
                return _store(request, staged, plan)
            except ImportRefusedError as refusal:
                error = f"{refusal} Nothing was stored."
    context = {
        "staged": staged,
        "files": _lines(staged),
        "plan": plan,
        "preview": shown,
        "error": error,
    }
    return render(
        request, "syncing/upload_preview.html", context, status=422 if error else 200
    )


def _store(request: PageRequest, staged: HandUpload, plan: _Plan) -> HttpResponse:
    from syncing import staging
    from syncing.imports import ImportRefusedError, import_files

    with ExitStack() as stack:
        try:
            given = staging.opened(staged, stack)
        except FileNotFoundError as error:
            raise ImportRefusedError(
                "The files are no longer available. Choose them again."
            ) from error
        result = import_files(
            given,
            org_player_id=plan.org_player_id,
            session_id=plan.session_id,
            session_date=plan.date,
            new_athlete=plan.new_athlete,
            upload=staged,
            trigger=Trigger.UPLOAD,
            user=request.user,
        )
    staging.drop_files(staged)
    record(
        Action.RECORD_CHANGED,
        by=request.user,
        subject=result.session,
        player_id=result.session.player_id,
        what="uploaded files",
        upload=staged.pk,
    )
    messages.success(
        request,
        f"{result.movements} movements: {result.created} new, "
        f"{result.updated} changed, {result.unchanged} as before. The upload can be "
        "undone below.",
    )
    return redirect("syncing:upload_record", staged.pk)


@dataclass(frozen=True)
class _Plan:
    """Whose staged files are, as it was chosen."""

    names: tuple[str, ...]
    files: list[dict[str, Any]]
    player: Player | None
    new_athlete: Any
    org_player_id: str
    session: Session | None
    session_id: str
    chosen_date: dt.date | None
    told_date: dt.date | None
    told_number: str

    @classmethod
    def of(cls, staged: HandUpload) -> _Plan | None:
        """Read what was chosen; None where nothing was, or it is gone since."""
        from syncing.imports import NewAthlete

        choice = staged.choice
        new, player, session = choice.get("new"), staged.player, staged.session
        if player is None and not new:
            return None
        if session is None and not choice.get("session_id"):
            return None
        if session is None and player is not None:
            session = find_part(choice["session_id"], player)
        told_date, told_number = _told(staged)
        if session is not None:
            org_id, session_id = session.vendor_player_id, session.session_id
        else:
            org_id = new["org_player_id"] if new else player.org_player_id  # type: ignore[union-attr]
            session_id = choice["session_id"]
        return cls(
            names=tuple(one["name"] for one in staged.files),
            files=staged.files,
            player=player,
            new_athlete=NewAthlete(
                new["first_name"], new["last_name"], _day(new["date_of_birth"])
            )
            if new
            else None,
            org_player_id=org_id,
            session=session,
            session_id=session_id,
            chosen_date=_day(choice.get("date", "")),
            told_date=told_date,
            told_number=told_number,
        )

    @property
    def date(self) -> dt.date | None:
        """The day that a session gets which has none."""
        return self.chosen_date or self.told_date

    @property
    def token(self) -> str:
        """What was chosen, to tell whether it is what a page has shown."""
        pks = (self.player and self.player.pk, self.session and self.session.pk)
        said = (*pks, self.org_player_id, self.session_id, self.date, self.new_athlete)
        return hashlib.sha256(repr(said).encode()).hexdigest()

    @property
    def shown_date(self) -> dt.date | None:
        """The day of the session once the files are stored."""
        stored = None if self.session is None else self.session.session_date
        return stored or self.date

    @property
    def shown_number(self) -> str:
        """The number of the session once the files are stored."""
        return self.told_number if self.session is None else self.session.session_num

    def refusal(self) -> str:
        """Return why the files cannot be stored there; empty where they can."""
        from syncing.imports import (
            ImportRefusedError,
            check_athlete,
            refuse_another_athlete,
            session_in_names,
        )

        try:
            check_athlete(self.org_player_id, self.new_athlete)
            refuse_another_athlete(self.names, self.org_player_id)
            session_in_names(self.names)
        except ImportRefusedError as error:
            return f"{error} Nothing was stored."
        return ""

    def preview(self, request: PageRequest) -> Any:
        """Return what storing would do, with all that is odd about it."""
        from syncing import preview
        from syncing.imports import alike

        today = timezone.localtime(clock.now()).date()
        found = preview.preview(
            self.files,
            session=self.session,
            date=self.shown_date,
            today=today,
            viewer=request.user,
        )
        if self.new_athlete is not None:
            found.warnings += preview.name_warnings(
                self.new_athlete.first_name,
                self.new_athlete.last_name,
                self.new_athlete.date_of_birth,
                today=today,
                among=alike(self.new_athlete, visible_players(request.user)),
            )
        return found


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


@require_POST
def drop(request: PageRequest, pk: int) -> HttpResponse:
    """Drop staged files without storing them."""
    from syncing import staging

    require_staff(request)
    staging.discard(_staged(request, pk))
    messages.success(request, "The files were discarded; nothing was stored.")
    return redirect("syncing:upload")


def _stored(request: PageRequest, pk: int) -> HandUpload:
    """A stored or undone upload of an athlete whom the user may see, or 404."""
    found = (
        HandUpload.objects.exclude(state=UploadState.STAGED)
        .select_related("player", "session", "created_by", "undone_by")
        .filter(pk=pk)
        .first()
    )
    if found is None or (
        found.player_id is not None
        and not visible_players(request.user)
        .filter(pk__in=[found.player_id, found.player and found.player.merged_into_id])
        .exists()
    ):
        raise Http404("That upload doesn't exist, or you can't see it.")
    return found


@require_safe
def upload_record(request: PageRequest, pk: int) -> HttpResponse:
    """What one upload stored, from whom, and what undoing it would do."""
    require_staff(request)
    return _record_page(request, _stored(request, pk))


def _record_page(
    request: PageRequest, found: HandUpload, error: str = ""
) -> HttpResponse:
    plan, refusal = None, ""
    if found.state != UploadState.UNDONE:
        try:
            plan = undoing.plan_undo(found)
        except UndoRefusedError as reason:
            refusal = str(reason)
    context = {
        "upload": found,
        "files": [
            (one["name"], ExportType(one["kind"]).label if "kind" in one else "")
            for one in found.files
        ],
        "movements": len({row[0] for row in found.contents}),
        "plan": plan,
        "refusal": refusal,
        "error": error,
    }
    return render(
        request, "syncing/upload_record.html", context, status=422 if error else 200
    )


@require_POST
def undo(request: PageRequest, pk: int) -> HttpResponse:
    """Undo an upload as a whole."""
    require_staff(request)
    found = _stored(request, pk)
    try:
        plan = undoing.undo(
            upload=found, by=request.user, with_added="added" in request.POST
        )
    except UndoRefusedError as error:
        found.refresh_from_db()
        return _record_page(request, found, f"{error} Nothing was undone.")
    messages.success(request, "Undone: " + ", ".join(plan.lines) + ".")
    return redirect("syncing:upload_record", found.pk)
