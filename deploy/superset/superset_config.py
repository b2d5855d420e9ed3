"""Superset for a Gongkai release: read by Superset itself, which `python -m tools.superset` starts.

In: two variables. ``GONGKAI_SUPERSET_STATE`` is a folder with ``secret_key`` and Superset's own database;
``GONGKAI_SUPERSET_RELEASE`` is the DuckDB file of the current release. Nothing secret stands here.
"""

import os
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

STATE = Path(os.environ["GONGKAI_SUPERSET_STATE"])
RELEASE = os.environ["GONGKAI_SUPERSET_RELEASE"]

SECRET_KEY = (STATE / "secret_key").read_text("utf-8")
SQLALCHEMY_DATABASE_URI = f"sqlite:///{STATE / 'superset.db'}"

BABEL_DEFAULT_LOCALE = "zh"
LANGUAGES = {"zh": {"flag": "cn", "name": "简体中文"}, "en": {"flag": "us", "name": "English"}}

# A release is read, never written; SQL may reach nothing else and may not unlock itself.
LOCK = {
    "read_only": True,
    "config": {
        "threads": 2,
        "memory_limit": "1GB",
        "enable_external_access": False,
        # A question too large for the memory fails: what it put aside would be written beside the release, and SQL
        # may read and write wherever that is. DuckDB refuses this setting when it stands before the one above.
        "temp_directory": "",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
        "lock_configuration": True,
    },
}


def lock_connection(uri, params, username, security_manager, source):
    """Every DuckDB connection is locked, whatever the form of the database says."""
    if uri.get_backend_name() == "duckdb":
        params = {**params, "connect_args": LOCK}
    return uri, params


def admit_only_the_release(uri: URL) -> None:
    """No DuckDB file but the release: another could hold anything, and one that is missing would be created."""
    if uri.get_backend_name() == "duckdb" and (uri.database != RELEASE or uri.query):
        raise ArgumentError(f"only duckdb:///{RELEASE} may be connected to")


DB_CONNECTION_MUTATOR = lock_connection
DB_SQLA_URI_VALIDATOR = admit_only_the_release

# The pages ask this server only. SCARF_ANALYTICS=false does not reach the published pages, whose telemetry
# was compiled in; this policy stops it, and the fonts and maps of other sites.
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    # Behind a proxy with TLS, set GONGKAI_SUPERSET_TLS=1.
    "session_cookie_secure": os.environ.get("GONGKAI_SUPERSET_TLS") == "1",
}
WTF_CSRF_ENABLED = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = os.environ.get("GONGKAI_SUPERSET_TLS") == "1"

# Seconds after which the pages give a question up; gunicorn waits as long.
SUPERSET_WEBSERVER_TIMEOUT = 180

# What is shown is the release that is current now, so nothing is kept from an earlier one.
CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
# Logins of one address are counted in memory; several servers would need a store of their own.
RATELIMIT_STORAGE_URI = "memory://"
