"""Health of the service, and what is answered when something breaks."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import sys
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import caches
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe
from django_q.brokers import get_broker

from accounts.api import JsonAnswer, problem
from reboot_site.cache import JsonDatabaseCache, redis_errors
from reboot_site.middleware import is_api_path
from reboot_site.static_files import uncollected_files
from syncing.outages import Outage, outage_of
from syncing.status import silent_hosts, worker_ages_s

logger = logging.getLogger(__name__)

#: Seconds after which a browser or a program may ask again.
_TRY_AGAIN_S = 30
#: Seconds for which a browser does not look whether the script for dead lines changed.
_KEEP_SCRIPT_S = 3600
_FILES = re.compile(f'(?:src|href)="({re.escape(settings.STATIC_URL)}[^"]+)"')


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a request that broke: 503 for disk, database, Redis, 500 for all else.

    Nothing here may need what has just failed: no login, no query, and where static
    files are missing too, a page without them.
    """
    error = sys.exception()
    outage = outage_of(error)
    if outage is None and isinstance(error, redis_errors()):
        outage = _REDIS_AWAY
    if outage is None:
        if is_api_path(request.path_info):
            return problem(500, None)
        return HttpResponse(_page("500.html", "Something went wrong."), status=500)
    logger.error("%s %s", outage.message, outage.hint, extra={"code": outage.code})
    if is_api_path(request.path_info):
        answer: HttpResponse = problem(503, outage.message)
    else:
        answer = HttpResponse(_page("503.html", _NOT_NOW), status=503)
    answer["Retry-After"] = str(_TRY_AGAIN_S)
    return answer


_REDIS_AWAY = Outage(
    "redis_away",
    "Redis isn't responding.",
    "Check that it is running, and REDIS_URL; nothing that was stored is lost.",
    is_passing=True,
)
_NOT_NOW = "The dashboard isn't available right now. Try again in a minute."


def _page(template: str, otherwise: str) -> str:
    """Return the page, or one sentence where it cannot be rendered."""
    try:
        return render_to_string(template)
    except Exception:
        logger.exception("The page %s cannot be rendered.", template)
        return f"<!doctype html><title>Swing dashboard</title><p>{otherwise}</p>"


@login_not_required
@require_safe
def no_connection(request: HttpRequest) -> HttpResponse:
    """The page that a browser keeps for a dead line; with ?sent for a form.

    It is the same for everybody, and has nothing of who is logged in.
    """
    return HttpResponse(_no_connection(was_sent="sent" in request.GET))


@login_not_required
@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The script that shows `no_connection` on a dead line, for all of the site.

    It begins with the files of those pages and their digest: browsers keep them anew
    when the script has changed.
    """
    pages = "".join(_no_connection(was_sent=sent) for sent in (False, True))
    digest = hashlib.sha256(pages.encode()).hexdigest()
    script = (settings.BASE_DIR / "static/js/service_worker.js").read_text("utf-8")
    # Addresses of our own static files, for which JSON is JavaScript, too.
    files = sorted({*_FILES.findall(pages)})
    answer = HttpResponse(
        f"self.FILES = {json.dumps(files)}; // {digest}\n{script}",
        content_type="text/javascript; charset=utf-8",
    )
    answer["Cache-Control"] = f"max-age={_KEEP_SCRIPT_S}"
    return answer


def _no_connection(*, was_sent: bool) -> str:
    return render_to_string("no_connection.html", {"was_sent": was_sent})


def health_answer() -> JsonAnswer:
    """200 when pages can be rendered here, else 503 with what to do.

    Pages need the database with all its tables, and collected static files. A silent
    worker is told but does not take the pages away from coaches.
    """
    missing: int | None = None
    detail: str | None
    worker: dict[str, Any] | None = None
    try:
        missing = len(_known_migrations() - _applied_migrations())
        if missing:
            are = "migration is" if missing == 1 else "migrations are"
            detail = f"{missing} {are} missing: run manage.py migrate."
        else:
            detail = _missing_tables() or _missing_files()
            worker = None if detail else _worker()
    except DatabaseError:
        detail = "The database isn't responding."
    return JsonAnswer(
        {
            "status": "unhealthy" if detail else "healthy",
            "detail": detail,
            "migrations_missing": missing,
            "worker": worker,
        },
        status=503 if detail else 200,
    )


def _missing_tables() -> str | None:
    """Return what to do about tables that are not there; None when all are."""
    existing = set(connection.introspection.table_names())
    needed = set(connection.introspection.django_table_names())
    if count := len(needed - existing):
        are = "table is" if count == 1 else "tables are"
        return f"{count} {are} missing, though all migrations ran: restore a backup."
    cache = caches["default"]
    if isinstance(cache, JsonDatabaseCache) and cache.table not in existing:
        return "The cache table is missing: run manage.py migrate."
    return None


def _missing_files() -> str | None:
    """Return what to do about static files that are not collected."""
    if count := uncollected_files():
        are = "file is" if count == 1 else "files are"
        return (
            f"{count} static {are} not collected: run manage.py collectstatic, then "
            "start the web process again."
        )
    return None


@lru_cache(maxsize=1)
def _known_migrations() -> frozenset[tuple[str, str]]:
    # Read from the disk once: the code of a process does not change.
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(loader.graph.nodes)


def _applied_migrations() -> set[tuple[str, str]]:
    return set(MigrationRecorder(connection).applied_migrations())


def _worker() -> dict[str, Any]:
    """Return the state of the queue's workers on all hosts.

    All hosts, because the one that answers may have no worker of its own. It tells how
    many are silent, not which: who asks here has no login. Names are under /syncing/
    and in the metrics.
    """
    ages_s = worker_ages_s()
    silent = silent_hosts(ages_s)
    queued: int | None = None
    state = "never_seen"
    if ages_s:
        state = "silent" if len(silent) == len(ages_s) else "running"
    try:
        queued = int(get_broker().queue_size())
    except redis_errors():
        state = "unknown"
    return {
        "state": state,
        "heartbeat_age_s": min(ages_s.values(), default=None),
        "hosts": len(ages_s),
        "silent_hosts": len(silent),
        "queue_length": queued,
    }
