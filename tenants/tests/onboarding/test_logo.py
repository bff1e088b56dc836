"""The logo: fetched once, from a public https address or the PAC, and never a reason to fail."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pac.download import Downloader
from pac.errors import Unavailable
from tenants.models import OnboardingStatus
from tenants.services.onboarding import Progress
from tenants.tests.onboarding.material import COMPANY, only_tenant, run

pytestmark = pytest.mark.django_db(transaction=True)

URL = "https://cdn.ejemplo.test/logo.png"


def image(form: str = "PNG", size: tuple[int, int] = (40, 20)) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size).save(buffer, form)
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], list[str]]:
    """Have the web answer with bytes or an error; the list tells which links were followed."""

    def answer(result: Any) -> list[str]:
        followed: list[str] = []

        def fetch(self: Downloader, url: str, expect: bytes) -> bytes:
            followed.append(url)
            if isinstance(result, Exception):
                raise result
            return bytes(result)

        monkeypatch.setattr(Downloader, "fetch", fetch)
        return followed

    return answer


def warnings_of(**changes: Any) -> list[str]:
    heard: list[Progress] = []
    run(company=replace(COMPANY, **({"logo_url": URL} | changes)), tell=heard.append)
    assert only_tenant().onboarding_status == OnboardingStatus.READY
    return [progress.message for progress in heard if progress.is_warning]


@pytest.mark.parametrize(("form", "extension"), [("PNG", ".png"), ("JPEG", ".jpg")])
def test_the_logo_is_fetched_once_and_stored(box, serve, form, extension):
    followed = serve(image(form))
    assert warnings_of() == warnings_of() == []
    assert followed == [URL]
    logo = only_tenant().logo
    assert logo.name.startswith("logos/")
    assert logo.name.endswith(extension)
    with logo.open() as file:
        assert file.read() == image(form)


def test_a_kill_between_file_and_row_leaves_no_second_file(box, serve, media):
    serve(image())
    warnings_of()
    type(only_tenant()).objects.update(logo="")
    warnings_of()
    assert len(list(media.rglob("*.png"))) == 1


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (Unavailable("The file's host answered 503."), "answered 503"),
        (b"<svg onload='alert(1)'/>", "no PNG or JPEG"),
        (b"%PDF-1.7", "no PNG or JPEG"),
        (image("GIF"), "no PNG or JPEG"),
        (image()[:60], "no PNG or JPEG"),
        (image() + b"0" * 1024 * 1024, "larger than 1 MiB"),
        (image(size=(2001, 2000)), "too many"),
    ],
)
def test_what_is_no_logo_is_a_warning(box, serve, result, words):
    serve(result)
    [warning] = warnings_of()
    assert words in warning
    assert not only_tenant().logo


@pytest.mark.parametrize(
    "url", ["http://ejemplo.test/logo.png", "https://127.0.0.1/logo.png", "https://10.0.0.1/x.png"]
)
def test_a_logo_that_is_not_at_a_public_https_address_is_not_fetched(box, url):
    assert len(warnings_of(logo_url=url)) == 1
