#!/bin/sh
# Installs the cron job for this copy of the project, and Debian's cron where there is none.
set -eu
cd "$(dirname "$0")"
project=$(cd ../.. && pwd)
[ "$(id -u)" = 0 ] || { echo "needs root; or put the line of deploy/cron/gongkai into a crontab of your own" >&2; exit 2; }
if ! command -v cron >/dev/null && ! command -v crond >/dev/null; then
    command -v apt-get >/dev/null || { echo "no cron here; install one and run this again" >&2; exit 2; }
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends cron >/dev/null
fi
../make_user.sh
sed "s|@PROJECT@|$project|g" gongkai >/etc/cron.d/gongkai
chmod 644 /etc/cron.d/gongkai
grep -v '^#' /etc/cron.d/gongkai
echo "settings: /etc/gongkai/gongkai.env   log: /var/lib/gongkai/refresh.log   mail: MAILTO in /etc/cron.d/gongkai"
