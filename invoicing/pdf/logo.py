"""A tenant's logo as it goes onto a page."""

import io
import logging
from functools import lru_cache

from django.core.files.storage import Storage
from django.db.models.fields.files import FieldFile
from PIL import Image as Picture
from reportlab.platypus import Image

log = logging.getLogger(__name__)

_WIDTH, _HEIGHT = 130.0, 46.0
_PIXELS_PER_POINT = 4


def logo_image(logo: FieldFile) -> Image | None:
    """The stored logo in its proportions; None where there is none or it cannot be read.

    An unreadable logo is a warning in the log, never a document without its page.
    """
    if not logo.name:
        return None
    try:
        content, width, height = _reduced(logo.storage, logo.name)
    except (OSError, ValueError, SyntaxError, Picture.DecompressionBombError) as error:
        log.warning("The logo %s cannot be read: %s", logo.name, error)
        return None
    return Image(io.BytesIO(content), width, height, hAlign="LEFT")


@lru_cache(maxsize=64)
def _reduced(storage: Storage, name: str) -> tuple[bytes, float, float]:
    """A PNG no larger than print needs, and its size in points.

    Kept in memory, since a logo's content never changes under its name.
    """
    reduced = io.BytesIO()
    with storage.open(name) as content, Picture.open(content) as picture:
        picture.thumbnail((_WIDTH * _PIXELS_PER_POINT, _HEIGHT * _PIXELS_PER_POINT))
        picture.convert("RGBA").save(reduced, "PNG", compress_level=1)
        scale = min(_WIDTH / picture.width, _HEIGHT / picture.height)
        return reduced.getvalue(), picture.width * scale, picture.height * scale
