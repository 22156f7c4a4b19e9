"""Settings of the web server; PORT and WEB_CONCURRENCY come from the platform."""

import gc
import os
import sys
from typing import Any

from reboot_site import startup

# A reload reads this file again while this very process listens.
_is_start = "reboot_site.settings" not in sys.modules
# Then it is another address, or one that systemd or a former gunicorn hands over.
_is_elsewhere = bool(
    {"-b", "--bind", "--check-config", "--print-config"}
    & {word.partition("=")[0] for word in sys.argv}
    or {"GUNICORN_FD", "LISTEN_FDS"} & os.environ.keys()
)

# gunicorn reads this number before any line of ours, and stops at a wrong one in words
# of its own: so the Procfile hands it over under another name.
if _given := os.environ.pop("WEB_PROCESSES", ""):
    os.environ["WEB_CONCURRENCY"] = _given

# Whatever is wrong is told here, in one line, and not by each process in a traceback.
with startup.refusing_wrong_settings():
    from reboot_site import settings

    env = settings.env
    _host = env.text("BIND_HOST", "0.0.0.0").strip("[]")  # noqa: S104 - behind a proxy
    _port = env.integer("PORT", 8000, low=1, high=65535)
    workers = env.integer("WEB_CONCURRENCY", 2, low=1, high=1000)
    threads = env.integer("WEB_THREADS", 4, low=1, high=1000)
    env.integer("WEB_PATIENCE_SECONDS", 20, low=1, high=600)  # of each process
    if _is_start and not _is_elsewhere:
        startup.check_port(_host, _port)

bind = startup.address(_host, _port)
# gunicorn's threads, of which a slow client holds none.
worker_class = "reboot_site.webworker.PatientWorker"
# Each may have two open files besides, and 1 024 are usual for a process.
worker_connections = 400
umask = 0o077  # of its own files
preload_app = True
timeout = 60
graceful_timeout = 25
keepalive = 15
# The JSON paths take long lists of columns in the query.
limit_request_line = 8190
# Behind a platform's router the client's address is in a header it sets.
forwarded_allow_ips = ",".join(settings.FORWARDED_ALLOW_IPS)
accesslog = None  # reboot_site.requestlog writes the line of each request
# The server's own lines in the same form, and through the same redaction.
logconfig_dict = settings.LOGGING
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Load all of the application before the processes are forked from this one."""
    from django.urls import get_resolver

    from reboot_site import metrics

    # Counts of an earlier start are nobody's.
    metrics.clear()
    # Django imports the pages at the first request; then every process would do it
    # for itself, while somebody waits, and keep a copy of its own.
    get_resolver().url_patterns  # noqa: B018
    # A collection in a forked process writes into all it looks at, and so copies it.
    gc.collect()
    gc.freeze()
    # A page makes some 50 000 objects that refer to each other no longer than it
    # takes; looking through them at every 700th costs one part in fifteen.
    gc.set_threshold(50_000, 20, 20)


def post_worker_init(worker: Any) -> None:
    """Have each process look whether syncs go well; a dead worker cannot."""
    from reboot_site import watch

    watch.start()
