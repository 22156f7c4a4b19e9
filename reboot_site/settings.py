"""All settings, each read once from the environment (docs/configuration.md)."""

import os
import sys
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from reboot_site import logs, permissions
from reboot_site.addresses import (
    check_exact_origins,
    check_hosts,
    check_mail_addresses,
    check_origins,
    check_proxies,
    check_url,
)
from reboot_site.database_url import database
from reboot_site.env import Env, load_dotenv
from reboot_site.single_sign_on import (
    check_domains,
    check_single_sign_on,
    teams_of_groups,
)
from reboot_site.startup import make_folder

# Before anything is made. All processes load the settings, children inherit it.
permissions.write_for_owner_alone()

BASE_DIR = Path(__file__).resolve().parent.parent
load_dotenv(BASE_DIR / ".env")
env = Env(os.environ)

VAR_DIR = env.folder("VAR_DIR", BASE_DIR / "var", base=BASE_DIR)
make_folder(VAR_DIR, setting="VAR_DIR")
TESTING = "pytest" in sys.modules

# --- Security ---------------------------------------------------------------

DEBUG = env.boolean("DEBUG")
# One switch for everything that only works behind TLS. Off for a trial on
# http://localhost, where browsers would drop secure cookies.
HTTPS = env.boolean("HTTPS", default=not DEBUG and not TESTING)

SECRET_KEY = env.text("SECRET_KEY")
if not SECRET_KEY:
    if not (DEBUG or TESTING):
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Create one with: python -c "
            '"import secrets; print(secrets.token_urlsafe(50))"'
        )
    SECRET_KEY = "insecure-key-for-development-and-tests-only-0123456789"  # noqa: S105

# Former keys, for what was made with them: logins, tombstones of erased athletes.
SECRET_KEY_FALLBACKS = env.items("SECRET_KEY_FALLBACKS")

ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
check_hosts("ALLOWED_HOSTS", ALLOWED_HOSTS)
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS")
check_origins("CSRF_TRUSTED_ORIGINS", CSRF_TRUSTED_ORIGINS)
# Pages of these origins may call the JSON paths with a token; none unless named.
CORS_ORIGINS = env.items("CORS_ORIGINS")
check_exact_origins("CORS_ORIGINS", CORS_ORIGINS)

SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
# A balancer asks for the health over plain http from inside.
SECURE_REDIRECT_EXEMPT = [r"^health$", r"^health/"]
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = int(
    timedelta(hours=env.integer("SESSION_HOURS", 24 * 7, low=1)).total_seconds()
)
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True  # htmx sends the token as a header from the page

# Nothing from elsewhere and nothing inline.
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    },
}

# --- Applications -----------------------------------------------------------

INSTALLED_APPS = [
    "reboot_site.adminapp.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_q",
    "reboot_site.adminapp.LoginsConfig",  # django-axes
    "accounts",
    "athletes",
    "dashboard",
    "syncing",
    "privacy",
    "sharing",
    "webhooks",
    "reboot_site",
]

MIDDLEWARE = [
    "reboot_site.requestlog.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "reboot_site.middleware.CompressedPagesMiddleware",
    "reboot_site.middleware.ApiMiddleware",
    "csp.middleware.CSPMiddleware",
    "reboot_site.middleware.ReadableTextMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "reboot_site.middleware.HostMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Login is the rule and a public view the marked exception (@login_not_required).
    "reboot_site.middleware.LoginMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    # Knows the user, and comes before any body is read: the CSRF check above reads
    # it, but only when the view is found.
    "reboot_site.middleware.BodySizeMiddleware",
    "accounts.middleware.SecondFactorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "reboot_site.middleware.PersonalPagesMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "reboot_site.urls"
WSGI_APPLICATION = "reboot_site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

FORM_RENDERER = "reboot_site.form_renderer.FormRenderer"

# --- Database ---------------------------------------------------------------

DATABASE_URL = env.text("DATABASE_URL")
_database_setting = "DATABASE_URL" if DATABASE_URL else "VAR_DIR"
if not DATABASE_URL:
    DATABASE_URL = f"sqlite:///{quote(str(VAR_DIR / 'dashboard.sqlite3'))}"
DATABASES: dict[str, Any] = {
    "default": database(DATABASE_URL, base=BASE_DIR, setting=_database_setting)
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # A transaction that reads, then writes, otherwise fails with "locked"
        # beside a busy worker; WAL and a long wait alone do not help.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        " PRAGMA cache_size=-32000; PRAGMA mmap_size=268435456;"
        # What is deleted is overwritten: an erased athlete is not in free pages.
        " PRAGMA secure_delete=ON;",
    }
# Two test runs at once on one server need two names.
DATABASES["default"]["TEST"] = {"NAME": env.text("TEST_DATABASE_NAME") or None}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Cache and queue --------------------------------------------------------

REDIS_URL = env.text("REDIS_URL")
check_url(
    "REDIS_URL",
    REDIS_URL,
    like="redis://host:6379/0",
    schemes=("redis", "rediss", "unix"),
)
CACHES: dict[str, Any] = {
    "default": (
        {"BACKEND": "reboot_site.cache.JsonRedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        # Shared by all processes; Django's default, local memory, is not.
        else {
            "BACKEND": "reboot_site.cache.JsonDatabaseCache",
            "LOCATION": "django_cache",
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    )
}
# Entries of the first were pickles; they have other names and are never read.
CACHES["default"]["VERSION"] = 2

Q_CLUSTER: dict[str, Any] = {
    "name": "swing-dashboard",
    "label": "Queue",
    "workers": env.integer("QUEUE_WORKERS", 2, low=1, high=64),
    # A task is cut after `timeout`; only after `retry` is it given out again.
    # retry covers waiting in the local queue too, hence the small queue_limit.
    "timeout": 900,
    "retry": 1200,
    "queue_limit": 4,
    "max_attempts": 3,
    "ack_failures": True,
    "catch_up": False,  # a missed time is made up once, not many times
    "save_limit": 0,  # pruned by a schedule; pruning at each task costs 2/3
    "poll": 0.5,
}
Q_CLUSTER |= {"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}
# Either of the two, with a sign of life for each host.
Q_CLUSTER["broker_class"] = "reboot_site.broker.Broker"
# All that the queue may call (reboot_site/queuerules.py), whoever asks for it.
QUEUE_MAY_CALL = (
    "athletes.tasks.recompute_old_task",
    "athletes.tasks.recompute_player",
    "athletes.tasks.refresh_joined_task",
    "privacy.tasks.make_archive_task",
    "privacy.tasks.measure_storage_task",
    "privacy.tasks.prune_task",
    "privacy.tasks.sweep_erased_task",
    "reboot_site.tasks.check_backup_task",
    "syncing.tasks.heartbeat_task",
    "syncing.tasks.help_exports_task",
    "syncing.tasks.prune_task",
    "syncing.tasks.run_sync_task",
    "syncing.tasks.scheduled_sync_task",
    "syncing.tasks.sweep_task",
    "webhooks.tasks.deliver_due_task",
    "webhooks.tasks.deliver_task",
)

# --- Accounts ---------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "accounts.backends.LimitBackend",
    "django.contrib.auth.backends.ModelBackend",
    "accounts.backends.StaffBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTH_PASSWORD_VALIDATORS[1]["OPTIONS"] = {"min_length": 10}  # type: ignore[assignment]
PASSWORD_RESET_TIMEOUT = int(timedelta(hours=6).total_seconds())
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/accounts/login/"

# Staff see all athletes; coaches may have a second factor, staff then must.
STAFF_NEED_SECOND_FACTOR = env.boolean("STAFF_NEED_SECOND_FACTOR")

# Wrong passwords and wrong codes of the second factor, together, for one name in one
# network: an IPv4 address or an IPv6 /64. accounts/limits.py has those of one account.
AXES_HANDLER = "accounts.attempts.Handler"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "accounts.attempts.kept_name"
AXES_CLIENT_IP_CALLABLE = "accounts.addresses.network_or_none"
# Whoever goes on trying during a lock does not make it longer for the owner.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "accounts.locks.locked_page"
AXES_VERBOSE = False
# From one network with whatever names, in that time; a facility's coaches may share
# one. And from one IPv4 /24 or IPv6 /48, which one person can have.
LOGIN_FAILURES_PER_NETWORK = 60
LOGIN_FAILURES_PER_WIDER_NETWORK = 240

# Single sign-on (OpenID Connect). Without an issuer it has no addresses, and nothing of
# it is loaded.
OIDC_ISSUER = env.text("OIDC_ISSUER")
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = env.text("OIDC_CLIENT_SECRET")
# Passwords are then for superusers alone.
OIDC_ONLY = env.boolean("OIDC_ONLY")
check_single_sign_on(
    OIDC_ISSUER,
    {"OIDC_CLIENT_ID": OIDC_CLIENT_ID, "OIDC_CLIENT_SECRET": OIDC_CLIENT_SECRET},
    OIDC_ONLY,
)
OIDC_NAME = env.text("OIDC_NAME", "single sign-on")
OIDC_SCOPES = env.text("OIDC_SCOPES", "openid profile email")
# Who has not been here before: by a verified address an account that is here, or a new
# one; otherwise nobody.
OIDC_LINK_BY_EMAIL = env.boolean("OIDC_LINK_BY_EMAIL")
OIDC_CREATE_USERS = env.boolean("OIDC_CREATE_USERS")
OIDC_EMAIL_DOMAINS = [name.lower() for name in env.items("OIDC_EMAIL_DOMAINS")]
check_domains("OIDC_EMAIL_DOMAINS", OIDC_EMAIL_DOMAINS)
OIDC_EMAIL_VERIFIED_CLAIM = env.text("OIDC_EMAIL_VERIFIED_CLAIM", "email_verified")
# Roles and teams by groups of the provider, set anew at each login.
OIDC_GROUPS_CLAIM = env.text("OIDC_GROUPS_CLAIM", "groups")
OIDC_COACH_GROUPS = env.items("OIDC_COACH_GROUPS")
OIDC_STAFF_GROUPS = env.items("OIDC_STAFF_GROUPS")
OIDC_SUPERUSER_GROUPS = env.items("OIDC_SUPERUSER_GROUPS")
OIDC_TEAM_GROUPS = teams_of_groups("OIDC_TEAM_GROUPS", env.items("OIDC_TEAM_GROUPS"))
# Which of its own words for a login stand for a second factor; none: ours is asked for.
OIDC_SECOND_FACTOR_AMR = env.items("OIDC_SECOND_FACTOR_AMR")
OIDC_SECOND_FACTOR_ACR = env.items("OIDC_SECOND_FACTOR_ACR")
if OIDC_ISSUER:
    AUTHENTICATION_BACKENDS.append("accounts.backends.SingleSignOnBackend")

# Above it a token is answered 429 until the minute is over.
API_TOKEN_CALLS_PER_MINUTE = env.integer("API_TOKEN_CALLS_PER_MINUTE", 600, low=1)

# --- Mail -------------------------------------------------------------------

EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.integer("EMAIL_PORT", 587, low=1, high=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.boolean("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "dashboard@localhost")
# Who is told when a day passes without a successful sync.
ALERT_EMAILS = env.items("ALERT_EMAILS")
check_mail_addresses("ALERT_EMAILS", ALERT_EMAILS)
check_mail_addresses("DEFAULT_FROM_EMAIL", [DEFAULT_FROM_EMAIL])
if not EMAIL_HOST:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

# --- Language and time ------------------------------------------------------

LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = "reboot_site.formats"
# One language: with more of them, each number of a page would ask which it is.
USE_I18N = False
TIME_ZONE = env.time_zone("FACILITY_TIME_ZONE", "UTC")
USE_TZ = True

# --- Static files -----------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
make_folder(STATIC_ROOT, setting="VAR_DIR")  # WhiteNoise warns where there is none
# django-ninja is no installed app, since all it has for Django are the files of its
# page, and loading it costs every command a tenth of its start.
_NINJA = find_spec("ninja")
if _NINJA is None or _NINJA.origin is None:
    raise ImproperlyConfigured("django-ninja is not installed: see requirements.txt.")
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("ninja", Path(_NINJA.origin).parent / "static" / "ninja"),
]
STORAGES: dict[str, Any] = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(VAR_DIR / "files")},
    },
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG or TESTING
            else "reboot_site.static_files.ModuleStaticFilesStorage"
        )
    },
}
# The umask does it for files that are copied, and these for those that are moved.
FILE_UPLOAD_PERMISSIONS = permissions.FILE_MODE
FILE_UPLOAD_DIRECTORY_PERMISSIONS = permissions.FOLDER_MODE
# Pages name hashed files alone. Source maps of libraries are for debuggers, and
# squeezing them took half of the time that collecting takes.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [
    *("map", "jpg", "jpeg", "png", "gif", "webp", "ico"),
    *("zip", "gz", "tgz", "bz2", "br", "woff", "woff2"),
]
WHITENOISE_USE_FINDERS = DEBUG or TESTING
# Files are looked for when they are asked for. Otherwise every client of a test
# reads all of them first, which takes longer than most requests.
WHITENOISE_AUTOREFRESH = DEBUG or TESTING

# --- Vendor -----------------------------------------------------------------

REBOOT_BASE_URL = env.text("REBOOT_BASE_URL", "https://api.rebootmotion.com")
REBOOT_USERNAME = env.text("REBOOT_USERNAME")
REBOOT_PASSWORD = env.text("REBOOT_PASSWORD")
REBOOT_API_KEY = env.text("REBOOT_API_KEY")
# Export links lead to these hosts (a leading dot means any host below it) or to
# the API's own origin; anything else is refused.
REBOOT_DOWNLOAD_HOSTS = env.items("REBOOT_DOWNLOAD_HOSTS", ".amazonaws.com")
check_url("REBOOT_BASE_URL", REBOOT_BASE_URL, like="https://api.rebootmotion.com")

# --- Sync -------------------------------------------------------------------

SYNC_MAX_REQUESTS = env.integer("SYNC_MAX_REQUESTS", 6, low=1, high=64)
# Processes that read files during a large sync; with one processor threads do it.
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
SYNC_PROCESSES = env.integer(
    "SYNC_PROCESSES", min(4, _CORES) if _CORES > 1 else 0, low=0, high=32
)
EXPORT_MAX_BYTES = env.integer("EXPORT_MAX_MB", 600, low=1) * 1_000_000
# All files of one upload together.
UPLOAD_MAX_BYTES = 4 * EXPORT_MAX_BYTES
EXPORT_MAX_ROWS = env.integer("EXPORT_MAX_ROWS", 500_000, low=1)
EXPORT_MAX_COLUMNS = env.integer("EXPORT_MAX_COLUMNS", 2_000, low=1)

# --- Privacy ----------------------------------------------------------------

# Where backups are put, so that staff see what they take and how old the newest is.
BACKUP_DIR = str(env.folder("BACKUP_DIR", VAR_DIR / "backups", base=BASE_DIR))
ARCHIVE_HOURS = env.integer("ARCHIVE_HOURS", 72, low=1, high=24 * 90)
# 0 keeps for ever.
KEEP_SYNC_LOGS_DAYS = env.integer("KEEP_SYNC_LOGS_DAYS", 365)
KEEP_RAW_PAYLOADS_DAYS = env.integer("KEEP_RAW_PAYLOADS_DAYS", 730)
KEEP_LOGIN_RECORDS_DAYS = env.integer("KEEP_LOGIN_RECORDS_DAYS", 180)
KEEP_WEBHOOK_DELIVERIES_DAYS = env.integer("KEEP_WEBHOOK_DELIVERIES_DAYS", 90)

# --- Analysis ---------------------------------------------------------------

# The axis of the vendor's files that people have seen to point to the pitcher; empty
# where nobody has looked.
FIELD_AXIS = env.choice("FIELD_AXIS", "", ("", "+x", "-x", "+y", "-y"))

# --- Sheets and share links -------------------------------------------------

# Printed at the head of sheets; empty for none.
FACILITY_NAME = env.text("FACILITY_NAME")
# Days for which an athlete's latest session is fresh, and after which it is old.
FRESH_DAYS = env.integer("FRESH_DAYS", 14, low=1, high=3650)
OLD_DAYS = env.integer(
    "OLD_DAYS", max(45, 3 * FRESH_DAYS), low=FRESH_DAYS + 1, high=36500
)
# a4 or letter; empty: letter for whoever reads mph and feet, a4 for meters.
SHEET_PAPER = env.choice("SHEET_PAPER", "", ("", "a4", "letter"))
SHARE_DAYS_MAX = env.integer("SHARE_DAYS_MAX", 90, low=1, high=365)
# Proxies whose word on who asks is believed (reboot_site/gunicorn.py reads it too).
FORWARDED_ALLOW_IPS = env.items("FORWARDED_ALLOW_IPS", "127.0.0.1")
check_proxies("FORWARDED_ALLOW_IPS", FORWARDED_ALLOW_IPS)

# --- Webhooks ---------------------------------------------------------------

# What is called when something happened (athletes/listeners.py).
EVENT_LISTENERS = ["syncing.regrouped.on_event", "webhooks.services.on_event"]
# To try webhooks out: http to a receiver on this machine.
WEBHOOKS_ALLOW_LOOPBACK = env.boolean("WEBHOOKS_ALLOW_LOOPBACK")

# --- Logs, metrics, crash reports --------------------------------------------

LOG_FORMAT = env.choice("LOG_FORMAT", "line", ("line", "json"))
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", logs.LEVELS)
LOGGING = logs.configuration(form=LOG_FORMAT, level=LOG_LEVEL)
# Without it there is no /metrics.
METRICS_TOKEN = env.text("METRICS_TOKEN")
if METRICS_TOKEN:
    # Where all processes count together; read when django-q imports the library.
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(VAR_DIR / "metrics"))
# Without it manage.py mcp answers nobody.
MCP_TOKEN = env.text("MCP_TOKEN")
# Without it nothing is sent anywhere.
SENTRY_DSN = env.text("SENTRY_DSN")
check_url("SENTRY_DSN", SENTRY_DSN, like="https://key@host/1")
