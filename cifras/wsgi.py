"""The web server's door: `gunicorn cifras.wsgi:application`."""

import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cifras.settings")

application = get_wsgi_application()
# gunicorn runs no system check of its own: a bad deployment stops here, with its sentence.
call_command("check", "--fail-level", "ERROR")
