#!/bin/sh
# The tests of the mirror against a real PostgreSQL server, installed from Debian where there is none.
# A server of another version can be used: put its programs on the path.
set -eu
cd "$(dirname "$0")/.."
if ! command -v initdb >/dev/null && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "no PostgreSQL server here; install one (Debian: apt-get install postgresql) and run this again" >&2
        exit 2
    fi
    # Without a cluster that starts by itself: the tests make their own.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends postgresql >/dev/null
fi
GONGKAI_REQUIRE_POSTGRES=1 exec .venv/bin/python -m pytest tests/loaders/test_mirror.py "$@"
