"""How errors become answers: every one in the shape of drf-standardized-errors, none a 500."""

import logging

from django.db import InterfaceError, OperationalError
from drf_standardized_errors.handler import ExceptionHandler as StandardHandler
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from tenants.errors import Busy, Conflict

log = logging.getLogger(__name__)


class ConflictAnswer(APIException):
    status_code = status.HTTP_409_CONFLICT


class Unavailable(APIException):
    """503: nothing was decided, the same request may be sent again."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The service is busy or away for a moment. Send the same request again."
    default_code = "unavailable"
    wait = 1


class ExceptionHandler(StandardHandler):
    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, Conflict):
            return ConflictAnswer(exc.message, code=exc.code)
        if isinstance(exc, Busy):
            return Unavailable(exc.message, code=exc.code)
        if isinstance(exc, (OperationalError, InterfaceError)):
            return Unavailable()
        return super().convert_known_exceptions(exc)

    def report_exception(self, exc: APIException, response: Response) -> None:
        """A 503 that we foresee is no defect: it is noted, and no error tracker is woken."""
        if isinstance(exc, Unavailable):
            log.warning("503: %s", exc.detail, exc_info=self.exc)
            return
        super().report_exception(exc, response)
