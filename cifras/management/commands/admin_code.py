"""`manage.py admin_code`: the second factor of a machine that has no phone beside it."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django_otp.oath import hotp
from django_otp.plugins.otp_totp.models import TOTPDevice

from tenants.models import User


class Command(BaseCommand):
    """It knows what only the user's phone should know: for DEBUG alone."""

    help = (
        "Prints a code with which USERNAME signs in to the admin within a minute. With DEBUG only."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("This is for a developer's machine: DEBUG has to be on.")
        try:
            user = User.objects.get(username=options["username"])
        except User.DoesNotExist:
            raise CommandError(f"There is no user {options['username']!r}.") from None
        device = TOTPDevice.objects.devices_for_user(user, confirmed=True).first()
        if device is None:
            device = TOTPDevice.objects.create(user=user, name="admin_code")
        now = int(time.time()) // device.step
        # The next one is accepted already, and lives the longest. Each is good once.
        if device.last_t > now:
            raise CommandError("The last code was used just now: ask again in half a minute.")
        self.stdout.write(f"{hotp(device.bin_key, now + 1, digits=device.digits):06d}")
