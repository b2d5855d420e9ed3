#!/bin/sh
# Installs the timer for this copy of the project: a user, a settings file that is kept when it is there, three units.
# With --check it installs nothing and lets systemd judge the units.
set -eu
cd "$(dirname "$0")"
project=$(cd ../.. && pwd)
units=/etc/systemd/system
[ "${1:-}" != --check ] || units=$(mktemp -d)
if [ "${1:-}" != --check ] && { [ "$(id -u)" != 0 ] || ! [ -d /run/systemd/system ]; }; then
    echo "needs root on a machine that systemd started; 'make timer-check' judges the units anywhere" >&2
    exit 2
fi
for unit in gongkai-refresh.service gongkai-refresh.timer gongkai-failed.service; do
    sed "s|@PROJECT@|$project|g" "$unit" >"$units/$unit"
done
if [ "${1:-}" = --check ]; then
    trap 'rm -rf "$units"' EXIT
    systemd-analyze verify "$units"/gongkai-*
    systemd-analyze calendar "$(sed -n 's/^OnCalendar=//p' gongkai-refresh.timer)"
    systemd-analyze security --offline=yes "$units/gongkai-refresh.service" | tail -n 1
    exit 0
fi
../make_user.sh
systemctl daemon-reload
systemctl enable --now gongkai-refresh.timer
systemctl list-timers --no-pager gongkai-refresh.timer
echo "settings: /etc/gongkai/gongkai.env   run now: systemctl start gongkai-refresh   log: journalctl -u gongkai-refresh"
