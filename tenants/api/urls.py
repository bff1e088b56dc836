from django.urls import path

from tenants.api.views import MeView, OfficeList, RucView

urlpatterns = [
    path("me", MeView.as_view(), name="me"),
    path("offices", OfficeList.as_view(), name="offices"),
    path("ruc/<str:text>", RucView.as_view(), name="ruc"),
]
