"""`manage.py create_api_key`: a key for a tenant's program, shown once."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pac.dgi.ruc import RucType
from tenants.management.tenant_argument import tenant_by_ruc
from tenants.models import ApiKey
from tenants.models.keys import Scope

MAX_NAME = 50


class Command(BaseCommand):
    help = "Makes an API key for a tenant and shows it: the only time that anyone sees it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant_ruc", metavar="TENANT_RUC")
        parser.add_argument("--ruc-type", choices=[each.value for each in RucType])
        parser.add_argument("--name", required=True, help="which program it is for")
        parser.add_argument(
            "--scopes", default=",".join(Scope.values), help="some of read,write (default: both)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object, no more")

    def handle(self, *args: Any, **options: Any) -> None:
        name, scopes = _name(options["name"]), _scopes(options["scopes"])
        tenant = tenant_by_ruc(options["tenant_ruc"], options["ruc_type"])
        key, text = ApiKey.objects.issue(tenant=tenant, name=name, scopes=scopes)
        if options["json"]:
            shown = {"api_key": text, "prefix": key.prefix, "scopes": key.scopes}
            self.stdout.write(json.dumps(shown))
            return
        self.stdout.write(text)
        self.stdout.write(
            f"This is the key {key.prefix} of {tenant}, for {name}, with the scopes "
            f"{', '.join(key.scopes)}. Keep it now: it is not shown again."
        )


def _name(text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise CommandError(f"--name takes 1 to {MAX_NAME} characters.")
    return name


def _scopes(text: str) -> list[str]:
    scopes = [scope.strip() for scope in text.split(",") if scope.strip()]
    unknown = sorted(set(scopes) - set(Scope.values))
    if unknown or not scopes:
        raise CommandError(
            f"--scopes takes some of {','.join(Scope.values)}, not {','.join(unknown) or 'none'}."
        )
    return scopes
