from rest_framework.pagination import CursorPagination


class CursorPage(CursorPagination):
    """A page whose cost does not grow with the table: newest first, by the time-ordered id."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = "-id"


class OldestFirstPage(CursorPage):
    """The same, as things happened."""

    ordering = "id"
