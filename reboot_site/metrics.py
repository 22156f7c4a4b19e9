"""Metrics for Prometheus, at `/metrics` behind a token of their own.

Requests are counted by every web process in files of a directory that all of them
share; what the database knows is asked when somebody looks. Without METRICS_TOKEN
nothing is counted and the path does not exist.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from reboot_site.cache import redis_errors
from syncing import alerts, clock
from syncing.choices import JobState
from syncing.models import ExportJob, WorkerHeartbeat
from syncing.status import queue_length

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

# Set by the settings, for the library looks for it when it is imported.
_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def _directory() -> Path:
    given = os.environ.setdefault(_DIRECTORY, str(settings.VAR_DIR / "metrics"))
    path = Path(given)
    path.mkdir(parents=True, exist_ok=True)
    return path


def clear() -> None:
    """Forget what processes of an earlier start counted."""
    if settings.METRICS_TOKEN:
        shutil.rmtree(_directory())
        _directory()


@lru_cache(maxsize=1)
def _requests() -> tuple[Any, Any]:
    _directory()
    import prometheus_client

    counter = prometheus_client.Counter(
        "dashboard_requests",
        "Requests answered.",
        ["method", "route", "status"],
        registry=None,
    )
    seconds = prometheus_client.Histogram(
        "dashboard_request_seconds",
        "Time to the start of the response.",
        ["route"],
        buckets=_BUCKETS,
        registry=None,
    )
    return counter, seconds


def count_request(*, method: str, route: str, status: int, seconds: float) -> None:
    """Count one answer; nothing where metrics are off."""
    if not settings.METRICS_TOKEN:
        return
    counter, histogram = _requests()
    counter.labels(method, route, str(status)).inc()
    histogram.labels(route).observe(seconds)


class _Database:
    """Gauges whose values are read from the database."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        from prometheus_client.core import GaugeMetricFamily

        def gauge(name: str, help_text: str, value: float | None) -> GaugeMetricFamily:
            family = GaugeMetricFamily(f"dashboard_{name}", help_text)
            # What is not known is left out: a zero would look like all is well.
            if value is not None:
                family.add_metric([], value)
            return family

        yield gauge(
            "last_sync_success_age_seconds",
            "Seconds since the last complete sync without errors.",
            _age_s(alerts.last_success()),
        )
        yield gauge("queue_length", "Tasks waiting for a worker.", _queue_length())
        beats = GaugeMetricFamily(
            "dashboard_worker_heartbeat_age_seconds",
            "Seconds since a host's queue last responded.",
            labels=["host"],
        )
        for host, beat_at in WorkerHeartbeat.objects.values_list("host", "beat_at"):
            beats.add_metric([host], _age_s(beat_at) or 0.0)
        yield beats
        jobs = GaugeMetricFamily(
            "dashboard_export_jobs", "Export jobs by state.", labels=["state"]
        )
        counts = dict(
            ExportJob.objects.order_by()
            .values_list("state")
            .annotate(number=Count("pk"))
        )
        for state in JobState.values:
            jobs.add_metric([state], counts.get(state, 0))
        yield jobs


def _age_s(at: datetime | None) -> float | None:
    return None if at is None else max(0.0, (clock.now() - at).total_seconds())


def _queue_length() -> float | None:
    try:
        return float(queue_length())
    except redis_errors():
        return None


@login_not_required
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """The metrics as text, for whoever has the token."""
    token = settings.METRICS_TOKEN
    if not token:
        raise Http404("METRICS_TOKEN is not set.")
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    is_right = secrets.compare_digest(given.strip().encode(), token.encode())
    if scheme.lower() != "bearer" or not is_right:
        return HttpResponse(
            "Send Authorization: Bearer with the value of METRICS_TOKEN.\n",
            status=401,
            headers={"WWW-Authenticate": "Bearer"},
            content_type="text/plain; charset=utf-8",
        )
    _directory()
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry
    from prometheus_client.exposition import generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(_Database())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
