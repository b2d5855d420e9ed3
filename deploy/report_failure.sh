#!/bin/sh
# What a failed refresh said, kept in /var/log/gongkai and mailed to GONGKAI_MAILTO where that is set.
# systemd names the failed unit and its run in MONITOR_UNIT, MONITOR_INVOCATION_ID and MONITOR_EXIT_STATUS.
set -eu
unit=${MONITOR_UNIT:?started by systemd as OnFailure= of another unit}
report=${LOGS_DIRECTORY:?}/failure-$(date -u +%Y%m%dT%H%M%SZ).txt
{
    echo "$unit on $(uname -n) failed: ${MONITOR_SERVICE_RESULT:-unknown}, exit code ${MONITOR_EXIT_STATUS:-unknown}"
    echo "What the codes mean: docs/operation.md"
    echo
    # What it wrote, and what systemd wrote of it.
    journalctl --no-pager --quiet --output=cat "_SYSTEMD_INVOCATION_ID=${MONITOR_INVOCATION_ID:?}" \
        + "INVOCATION_ID=$MONITOR_INVOCATION_ID"
} >"$report"
echo "$(head -n 1 "$report"); see $report"
[ -n "${GONGKAI_MAILTO:-}" ] || exit 0
{
    printf 'To: %s\nSubject: %s\nContent-Type: text/plain; charset=UTF-8\n\n' "$GONGKAI_MAILTO" "$(head -n 1 "$report")"
    cat "$report"
} | "${SENDMAIL:-/usr/sbin/sendmail}" -t
