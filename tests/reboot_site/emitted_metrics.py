"""What /metrics emits, held against it by `test_metrics.py`."""

#: The labels of each metric, by the name under which Prometheus stores it.
OF_REQUESTS = {
    "dashboard_requests_total": {"method", "route", "status"},
    "dashboard_request_seconds_bucket": {"route", "le"},
    "dashboard_request_seconds_count": {"route"},
    "dashboard_request_seconds_sum": {"route"},
}
OF_DATABASE: dict[str, set[str]] = {
    "dashboard_last_sync_success_age_seconds": set(),
    "dashboard_queue_length": set(),
    "dashboard_worker_heartbeat_age_seconds": {"host"},
    "dashboard_export_jobs": {"state"},
}
EMITTED = OF_REQUESTS | OF_DATABASE
