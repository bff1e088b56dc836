from tenants.admin.keys import ApiKeyAdmin
from tenants.admin.log import LogAdmin
from tenants.admin.offices import NumberSeriesAdmin, OfficeAdmin
from tenants.admin.queue import FailureAdmin, QueueAdmin, ScheduleAdmin
from tenants.admin.signins import FailureLogAdmin, LockoutAdmin, SignInLogAdmin
from tenants.admin.tenants import TenantAdmin
from tenants.admin.users import GroupAdmin, UserAdmin

__all__ = [
    "ApiKeyAdmin",
    "FailureAdmin",
    "FailureLogAdmin",
    "GroupAdmin",
    "LockoutAdmin",
    "LogAdmin",
    "NumberSeriesAdmin",
    "OfficeAdmin",
    "QueueAdmin",
    "ScheduleAdmin",
    "SignInLogAdmin",
    "TenantAdmin",
    "UserAdmin",
]
