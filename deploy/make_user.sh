#!/bin/sh
# The user of unattended refreshes, its folder, and the settings, which are kept when they are there.
set -eu
cd "$(dirname "$0")"
getent passwd gongkai >/dev/null ||
    useradd --system --user-group --home-dir /var/lib/gongkai --shell /usr/sbin/nologin gongkai
install -d -m 755 -o gongkai -g gongkai /var/lib/gongkai
install -d /etc/gongkai
[ -e /etc/gongkai/gongkai.env ] || install -m 640 -g gongkai gongkai.env /etc/gongkai/gongkai.env
