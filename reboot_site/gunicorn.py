"""Settings of the web server; PORT and WEB_CONCURRENCY come from the platform."""

import gc
import os
from pathlib import Path
from typing import Any

from reboot_site import logs
from reboot_site.env import Env, load_dotenv
from reboot_site.permissions import write_for_owner_alone

write_for_owner_alone()
load_dotenv(Path(__file__).resolve().parent.parent / ".env")
env = Env(os.environ)

_host = env.text("BIND_HOST", "0.0.0.0")  # noqa: S104 - behind a proxy, by design
_port = env.integer("PORT", 8000, low=1, high=65535)
bind = f"{_host}:{_port}"
workers = env.integer("WEB_CONCURRENCY", 2, low=1)
# gunicorn's threads, of which a slow client holds none.
worker_class = "reboot_site.webworker.PatientWorker"
# Each may have two open files besides, and 1 024 are usual for a process.
worker_connections = 400
threads = env.integer("WEB_THREADS", 4, low=1)
umask = 0o077  # of its own files
preload_app = True
timeout = 60
graceful_timeout = 25
keepalive = 15
# The JSON paths take long lists of columns in the query.
limit_request_line = 8190
# Behind a platform's router the client's address is in a header it sets.
forwarded_allow_ips = env.text("FORWARDED_ALLOW_IPS", "127.0.0.1")
accesslog = None  # reboot_site.requestlog writes the line of each request
# The server's own lines in the same form, and through the same redaction.
logconfig_dict = logs.configuration(
    form=env.text("LOG_FORMAT", "line"), level=env.text("LOG_LEVEL", "INFO")
)
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
