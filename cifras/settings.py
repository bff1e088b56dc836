"""Settings of Cifras: everything comes from the environment, `.env` is honoured.

`.env.example` lists every variable with its default and its meaning.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from cifras.local import local_secret

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = BASE_DIR / "var"

env = environ.Env()
environ.Env.read_env(os.environ.get("ENV_FILE", BASE_DIR / ".env"))

DEBUG = env.bool("DEBUG", default=False)
HTTPS = env.bool("HTTPS", default=not DEBUG)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Outside DEBUG an empty key makes Django refuse to start, which is what we want.
SECRET_KEY = env.str("SECRET_KEY", default=local_secret(DATA_DIR) if DEBUG else "")
FIELD_ENCRYPTION_KEYS = env.list("FIELD_ENCRYPTION_KEY", default=[SECRET_KEY] if DEBUG else [])

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # its templates and widgets; the site is ours
    "unfold.contrib.filters",
    "tenants.apps.StaffAdminConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_api_key",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "django_q",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "cifras",
    "webhooks",
    "invoicing",
    "tenants",
    "pac",
]

MIDDLEWARE = [
    "cifras.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "cifras.middleware.BodyLimit",
    "cifras.middleware.Language",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tenants.staff.middleware.StaffPages",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "cifras.urls"
WSGI_APPLICATION = "cifras.wsgi.application"
AUTH_USER_MODEL = "tenants.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database -------------------------------------------------------------------------------

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'cifras.sqlite3'}")}
_database = DATABASES["default"]
_options = _database.setdefault("OPTIONS", {})
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE takes the write lock at BEGIN: a reader that upgrades later would fail at once
    # instead of waiting. FULL keeps a committed invoice through a power cut.
    _options |= {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    # No psycopg pool: one inherited by django-q2's fork breaks. A twin of a running request
    # waits at most two seconds for its lock.
    _database["CONN_MAX_AGE"] = 60
    _database["CONN_HEALTH_CHECKS"] = True
    _options.setdefault("options", "-c lock_timeout=2000")
    _options.setdefault("connect_timeout", 5)  # seconds

# --- Queue and cache ------------------------------------------------------------------------

REDIS_URL = env.str("REDIS_URL", default="")
CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}
# Seconds: of a call to the PAC (to connect, to read), and of a step with the mail server.
PAC_CONNECT_TIMEOUT, PAC_READ_TIMEOUT = env.list("PAC_TIMEOUT", cast=float, default=[5.0, 30.0])
EMAIL_TIMEOUT = env.float("EMAIL_TIMEOUT", default=20.0)
Q_WORKERS = 4
# More than a run of the pump takes at the slowest: a system check knows how long that is.
Q_TIMEOUT = int(160 + max(4 * (PAC_CONNECT_TIMEOUT + PAC_READ_TIMEOUT), 6 * EMAIL_TIMEOUT))
Q_CLUSTER = {
    "name": "cifras",
    "label": _("Cola"),
    "workers": Q_WORKERS,
    "queue_limit": Q_WORKERS,
    "bulk": 1,
    "timeout": Q_TIMEOUT,
    "retry": Q_TIMEOUT + 60,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": -1,
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

# --- PAC ------------------------------------------------------------------------------------

PAC_BASE_URL = env.str("PAC_BASE_URL", default="http://127.0.0.1:8010").rstrip("/")
PAC_API_KEY = env.str("PAC_API_KEY", default="sandbox")
PAC_BILLING_POINT = env.str("PAC_BILLING_POINT", default="001")
PAC_ENVIRONMENT = env.int("PAC_ENVIRONMENT", default=2)
PAC_WEBHOOK_URL = env.str("PAC_WEBHOOK_URL", default="").rstrip("/")
PAC_WEBHOOK_SECRET = env.str("PAC_WEBHOOK_SECRET", default="")
PAC_DUPLICATE_CODES = frozenset(env.list("PAC_DUPLICATE_CODES", default=["1002", "1513"]))
PAC_VOID_WINDOW_HOURS = env.int("PAC_VOID_WINDOW_HOURS", default=182)
PAC_NOTE_WINDOW_DAYS = env.int("PAC_NOTE_WINDOW_DAYS", default=180)
PAC_CONCURRENCY = env.int("PAC_CONCURRENCY", default=16)
RUC_VERIFICATION_DAYS = env.int("RUC_VERIFICATION_DAYS", default=30)

# --- REST -----------------------------------------------------------------------------------

API_RATE = env.str("API_RATE", default="600/min")
WEB_THREADS = env.int("WEB_THREADS", default=8)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tenants.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["tenants.api.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["tenants.api.throttling.ApiKeyRate"],
    "DEFAULT_THROTTLE_RATES": {"api_key": API_RATE, "email": "60/hour"},
    "DEFAULT_PARSER_CLASSES": ["tenants.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "tenants.api.negotiation.AlwaysJson",
    "DEFAULT_PAGINATION_CLASS": "tenants.api.pagination.CursorPage",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_standardized_errors.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "tenants.api.errors.ExceptionHandler",
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
    "ALLOWED_ERROR_STATUS_CODES": ["400", "401", "403", "404", "409", "413", "429"],
    "ERROR_SCHEMAS": {
        "409": "tenants.api.schemas.ErrorAnswerSchema",
        "413": "tenants.api.schemas.ErrorAnswerSchema",
    },
}
_ERROR_ENUMS = "drf_standardized_errors.openapi_serializers"
SPECTACULAR_SETTINGS = {
    "TITLE": "Cifras",
    "DESCRIPTION": "Electronic invoices that Panama's DGI accepts.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    # The documentation's own pages come from here: it works without the Internet.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "DEFAULT_QUERY_MANAGER": "unscoped",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "POSTPROCESSING_HOOKS": ["drf_standardized_errors.openapi_hooks.postprocess_schema_enums"],
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "ENUM_NAME_OVERRIDES": {
        "RucTypeEnum": "pac.dgi.ruc.RucType",
        "TenantRucTypeEnum": "tenants.models.tenant.RUC_TYPES",
        "OfficeTypeEnum": "tenants.models.offices.OFFICE_TYPES",
        "GenerationModeEnum": "invoicing.models.GenerationMode",
        "GenerationModeToIssueEnum": "invoicing.api.inputs.MODES_TO_ISSUE",
        "GenerationModeToImportEnum": "invoicing.api.imports.MODES_TO_IMPORT",
        "SubmissionStateEnum": "invoicing.models.SubmissionState",
        "ValidationErrorEnum": f"{_ERROR_ENUMS}.ValidationErrorEnum.choices",
        "ClientErrorEnum": f"{_ERROR_ENUMS}.ClientErrorEnum.choices",
    },
}

# --- Files and e-mail -----------------------------------------------------------------------

MEDIA_ROOT = env.str("MEDIA_ROOT", default=str(DATA_DIR / "files"))
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
if MEDIA_ROOT.startswith("s3://"):
    _bucket, _, _prefix = MEDIA_ROOT.removeprefix("s3://").partition("/")
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {"bucket_name": _bucket, "location": _prefix, "default_acl": "private"},
    }
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG

# Certificates pass through on their way to the PAC: they stay in memory, never in a file.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

vars().update(env.email_url("EMAIL_URL", default=f"filemail:///{DATA_DIR / 'mail'}"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Cifras <facturas@localhost>")

# --- Language and time ----------------------------------------------------------------------

# Staff choose in the admin, and the browser keeps it; who never chose reads Spanish. The msgids of
# our own texts are the Spanish ones; `locale/es` has what libraries say in English alone.
LANGUAGE_CODE = "es"
LANGUAGES = [("es", "Español"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
TIME_ZONE = "America/Panama"
USE_I18N = True
FORMAT_MODULE_PATH = ["cifras.formats"]
USE_TZ = True

# --- Doors ----------------------------------------------------------------------------------

# Proxies of ours before the web server: so many entries of X-Forwarded-For are to be believed.
PROXIES = env.int("PROXIES", default=0)

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_HANDLER = "tenants.staff.lockout.Handler"
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]  # either
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ACCESS_FAILURE_LOG = True
AXES_CLIENT_IP_CALLABLE = "tenants.staff.lockout.client_address"
AXES_LOCKOUT_CALLABLE = "tenants.staff.lockout.locked_out"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "code", "csrfmiddlewaretoken"]
AXES_VERBOSE = False
OTP_TOTP_ISSUER = "Cifras"
OTP_TOTP_SYNC = False  # a phone has the right time; what a code may deviate does not creep

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# A session of the staff ends half an hour after its last page, eight hours after its first, and
# with the browser.
SESSION_COOKIE_AGE = 30 * 60
SESSION_LONGEST = 8 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
if HTTPS:
    # A browser takes these from this very host alone, and over https.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True

UNFOLD = {
    "SITE_TITLE": "Cifras",
    "SITE_HEADER": "Cifras",
    "SITE_SUBHEADER": _("Facturación electrónica"),
    "SITE_SYMBOL": "receipt_long",
    "SITE_FAVICONS": [{"rel": "icon", "href": lambda _: static("cifras/favicon.svg")}],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "SITE_URL": None,
    "DASHBOARD_CALLBACK": "invoicing.admin.dashboard.dashboard",
    "SIDEBAR": {"navigation": "cifras.sidebar.navigation"},
}

# --- What it tells about itself ---------------------------------------------------------------

METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
LOG_FORMAT = env.str("LOG_FORMAT", default="line" if DEBUG else "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "cifras.logs.JsonLines"},
        "line": {"()": "cifras.logs.PlainLines"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            # Another value is told by a system check, which has to be able to speak.
            "formatter": "line" if LOG_FORMAT == "line" else "json",
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # Handlers of their own would write past the masking. What the access line tells already
        # (4xx, one line a request) is not told twice.
        "django": {"handlers": [], "level": "INFO"},
        "django.request": {"level": "ERROR"},
        "django.server": {"handlers": [], "level": "ERROR", "propagate": True},
        "gunicorn.error": {"handlers": [], "level": "INFO", "propagate": True},
        "django-q": {"level": "WARNING"},
    },
}
