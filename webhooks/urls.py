from django.urls import path

from webhooks.views import pac_webhook

urlpatterns = [path("pac/<str:company_id>", pac_webhook, name="pac-webhook")]
