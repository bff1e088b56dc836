"""`manage.py reset_second_factor`: lets in again who lost phone and recovery codes."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.models import User
from tenants.services import second_factor


class Command(BaseCommand):
    """What a superuser does in the admin, for when there is no other superuser."""

    help = "Takes the second factor of USERNAME away: a new one is set up at the next sign-in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = User.objects.get(username=options["username"])
        except User.DoesNotExist:
            raise CommandError(f"There is no user {options['username']!r}.") from None
        if second_factor.reset(user):
            self.stdout.write(f"{user} sets up a new second factor at the next sign-in.")
        else:
            self.stdout.write(f"{user} has no second factor: nothing to do.")
