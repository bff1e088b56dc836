from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminFileFieldWidget


class FileWidget(UnfoldAdminFileFieldWidget):
    """A file to choose, in Spanish.

    The script of unfold's pages writes the name of a chosen file into the first text input around
    it: the template has one for that, or it would be some field of the form.
    """

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        return render_to_string("admin/tenants/file.html", self.get_context(name, value, attrs))
