"""WSGI entry point for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from reboot_site.permissions import write_for_owner_alone
from reboot_site.startup import refusing_wrong_settings

write_for_owner_alone()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reboot_site.settings")

# gunicorn.py has told what is wrong before. Without that file gunicorn gives up at this
# status, and at others starts its processes again and again.
with refusing_wrong_settings(status=4):
    application = get_wsgi_application()
