"""`/catalogs/{name}`: the codes that a document may carry, to choose from."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import NotFound
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from invoicing.services.catalogs import Catalog, search


class CatalogEntryOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()


class CatalogPage(PageNumberPagination):
    """A page of a list that is in memory, in the shape of every other page."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 1000

    def get_paginated_response(self, data: Any) -> Response:
        links = {"next": self.get_next_link(), "previous": self.get_previous_link()}
        return Response({**links, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "nullable": True, "format": "uri"}
        properties = {"next": link, "previous": link, "results": schema}
        return {"type": "object", "required": ["results"], "properties": properties}


class CatalogView(generics.GenericAPIView[Any]):
    """The DGI's catalogues: the same for every tenant."""

    serializer_class = CatalogEntryOutput
    pagination_class = CatalogPage
    filter_backends = ()

    @extend_schema(
        summary="A catalogue of the DGI, in the order of its codes",
        parameters=[
            OpenApiParameter("name", location=OpenApiParameter.PATH, enum=list(Catalog)),
            OpenApiParameter(
                "q", description="Words that code and name have, whatever case and accents."
            ),
        ],
        responses=CatalogEntryOutput(many=True),
    )
    def get(self, request: Request, name: str) -> Response:
        try:
            catalog = Catalog(name)
        except ValueError as error:
            raise NotFound(f"There are the catalogues {', '.join(Catalog)}.") from error
        found: Any = search(catalog, request.query_params.get("q", ""))
        page: Any = self.paginate_queryset(found)
        return self.get_paginated_response(CatalogEntryOutput(page, many=True).data)
