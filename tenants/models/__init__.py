from tenants.models.keys import ApiKey
from tenants.models.offices import NumberSeries, Office
from tenants.models.rucs import RucVerification
from tenants.models.tenant import OnboardingStatus, Tenant
from tenants.models.user import User

__all__ = [
    "ApiKey",
    "NumberSeries",
    "Office",
    "OnboardingStatus",
    "RucVerification",
    "Tenant",
    "User",
]
