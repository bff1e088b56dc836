"""A tenant's logo: fetched once from where its owner keeps it, then our own copy is used."""

import hashlib
import warnings
from io import BytesIO

from django.core.files.base import ContentFile
from PIL import Image

from pac.client import refuse_inside_transaction
from pac.download import Downloader
from pac.errors import PacError
from tenants.models import Tenant
from tenants.pac import pac_address, pac_timeouts

MAX_FILE = 1024 * 1024  # bytes
MAX_PIXELS = 4_000_000  # what a small file may unpack to
EXTENSIONS = {"PNG": "png", "JPEG": "jpg"}


class BadLogo(Exception):
    """What was fetched is no logo that a PDF can carry."""


def store_logo(tenant: Tenant, deadline: float | None = None) -> str:
    """Fetch `tenant.logo_url` into `tenant.logo` where that is still empty.

    Returns "" or a sentence that says why there is no logo: a missing logo stops nobody from
    issuing. The address is https to a public host, or at the PAC itself; the file is PNG or JPEG,
    1 MiB and 4 megapixels at most. Fetching ends after `deadline` seconds, or after `PAC_TIMEOUT`.

    A kill between file and row leaves a file that the next fetch finds by its name and uses.
    """
    if not tenant.logo_url or tenant.logo:
        return ""
    try:
        content = _fetch(tenant, deadline)
        extension = _checked(content)
    except (PacError, BadLogo) as error:
        return f"The logo could not be fetched and is left out: {error}"
    digest = hashlib.sha256(content).hexdigest()[:16]
    name = f"logos/{tenant.pk}-{digest}.{extension}"
    storage = tenant.logo.storage
    if not storage.exists(name):
        name = storage.save(name, ContentFile(content))
    # Only where the address is still the one that was fetched.
    Tenant.objects.filter(pk=tenant.pk, logo_url=tenant.logo_url).update(logo=name)
    tenant.logo.name = name
    return ""


def _fetch(tenant: Tenant, deadline: float | None) -> bytes:
    refuse_inside_transaction()
    base_url, _ = pac_address(tenant)
    connect, read = pac_timeouts(deadline)
    downloader = Downloader(base_url, connect_timeout=connect, read_timeout=read)
    try:
        return downloader.fetch(tenant.logo_url, expect=b"")
    finally:
        downloader.close()


def _checked(content: bytes) -> str:
    """The extension of an image that opens as a whole. Raises `BadLogo`."""
    if len(content) > MAX_FILE:
        raise BadLogo("the file is larger than 1 MiB.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a bomb: its size is checked before it unpacks
            with Image.open(BytesIO(content), formats=list(EXTENSIONS)) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise BadLogo(f"it has {image.width} x {image.height} pixels, too many.")
                image.load()
                return EXTENSIONS[str(image.format)]
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadLogo("the file is no PNG or JPEG image.") from error
