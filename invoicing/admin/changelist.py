"""A list over a table of millions: no counting, no sorting, no deep pages."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList

DEEPEST = 100  # pages; who looks further back filters


class ForwardPaginator(Paginator):
    """Knows of one row more than the page shows, which is all that "next" asks for.

    `count` is how many rows are known of, not how many there are: nothing is counted.
    """

    template_name = "admin/invoicing/documents_pagination.html"
    page_number = 1

    @cached_property
    def rows(self) -> list[Any]:
        start = (self.page_number - 1) * self.per_page
        return list(self.object_list[start : start + self.per_page + 1])

    @cached_property
    def count(self) -> int:
        return (self.page_number - 1) * self.per_page + len(self.rows)

    @property
    def has_next(self) -> bool:
        return len(self.rows) > self.per_page and self.page_number < DEEPEST

    @property
    def is_at_its_end(self) -> bool:
        """There is more, and it is too deep to be shown."""
        return len(self.rows) > self.per_page and self.page_number >= DEEPEST


class DocumentChangeList(ChangeList):
    """Newest first whatever the address says, since any other order would sort the table."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        return ["-id"]

    def get_results(self, request: HttpRequest) -> None:
        if not 1 <= self.page_num <= DEEPEST:
            raise IncorrectLookupParameters
        paginator = ForwardPaginator(self.queryset, self.list_per_page)
        paginator.page_number = self.page_num
        self.paginator = paginator
        self.result_list = paginator.rows[: self.list_per_page]
        self.result_count = paginator.count
        self.full_result_count = self.result_count  # so that no page speaks of how many there are
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = False
        self.multi_page = paginator.has_next or self.page_num > 1
