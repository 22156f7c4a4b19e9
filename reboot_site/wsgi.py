"""WSGI entry point for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from reboot_site.permissions import write_for_owner_alone

write_for_owner_alone()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reboot_site.settings")

application = get_wsgi_application()
