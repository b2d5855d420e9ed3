#!/bin/sh
# `gongkai refresh` for cron: everything goes to a log, and to standard output only when it failed, so cron mails then.
# Settings come from the file named by GONGKAI_ENV (/etc/gongkai/gongkai.env).
# Words of the settings are words, not patterns of file names.
set -euf
env_file=${GONGKAI_ENV:-/etc/gongkai/gongkai.env}
[ -r "$env_file" ] || { echo "no settings: $env_file cannot be read; name another in GONGKAI_ENV"; exit 2; }
# Lines NAME=VALUE, as systemd reads them: not a shell script, so nothing in it is run.
while IFS='=' read -r name value; do
    case $name in GONGKAI_*) export "$name=$value" ;; esac
done <"$env_file"
project=$(cd "$(dirname "$0")/../.." && pwd)
cd "${GONGKAI_WAREHOUSE:?is not set in $env_file}/.."
log=${GONGKAI_LOG:-$GONGKAI_WAREHOUSE/../refresh.log}
said=$(mktemp)
trap 'rm -f "$said"' EXIT
code=0
# The words of GONGKAI_SOURCES are separate arguments.
# shellcheck disable=SC2086
DO_NOT_TRACK=1 GX_ANALYTICS_ENABLED=false \
    "$project/.venv/bin/gongkai" refresh ${GONGKAI_SOURCES-} >"$said" 2>&1 || code=$?
{
    echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) exit code $code"
    cat "$said"
} >>"$log"
[ "$code" = 0 ] && exit 0
echo "gongkai refresh ended with exit code $code on $(uname -n); what the codes mean: docs/operation.md"
cat "$said"
exit "$code"
