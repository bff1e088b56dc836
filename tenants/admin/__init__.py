from tenants.admin.keys import ApiKeyAdmin
from tenants.admin.offices import NumberSeriesAdmin, OfficeAdmin
from tenants.admin.tenants import TenantAdmin
from tenants.admin.unregistered import unregister_foreign_admins
from tenants.admin.users import GroupAdmin, UserAdmin

__all__ = [
    "ApiKeyAdmin",
    "GroupAdmin",
    "NumberSeriesAdmin",
    "OfficeAdmin",
    "TenantAdmin",
    "UserAdmin",
]

unregister_foreign_admins()
