"""`manage.py revoke_api_key`: a key stops working, for good."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.models import ApiKey


class Command(BaseCommand):
    help = "Revokes an API key for good. Revoking it twice does no harm."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prefix", metavar="PREFIX", help="what the key begins with, to the dot")

    def handle(self, *args: Any, **options: Any) -> None:
        # Whoever pastes the whole key means its prefix, and wants not to read it again.
        prefix = options["prefix"].partition(".")[0]
        key = ApiKey.objects.select_related("tenant").filter(prefix=prefix).first()
        if key is None:
            raise CommandError(f"No API key begins with {prefix}.")
        if ApiKey.objects.filter(pk=key.pk, revoked=False).update(revoked=True):
            self.stdout.write(f"The key {prefix} ({key.name}) of {key.tenant} is revoked.")
        else:
            self.stdout.write(f"The key {prefix} of {key.tenant} was revoked already.")
