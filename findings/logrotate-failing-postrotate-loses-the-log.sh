#!/usr/bin/env bash
# logrotate 3.21.0 (Debian): postrotate fails, and the log is compressed at once.
#
# Expected: whatever becomes of the script, each log that was rotated is kept, as
# rotate says; it is, uncompressed, with nocompress and with delaycompress.
#
# Seen: with compress and without delaycompress, a log whose postrotate script fails
# stays uncompressed, as a.log.1. The next rotation only moves names that end in .gz,
# and renames the log over a.log.1: all lines of the day before are gone, of each day,
# for as long as the script fails. The error that is printed does not speak of it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -qq download logrotate=3.21.0-1 2>/dev/null
dpkg -x logrotate_*.deb .
failed=0
kept() { # DIRECTIVES LINES: three days, whose postrotate fails; these of their lines are left
    rm -rf logs state && mkdir logs
    printf '%s {\n rotate 5\n create 0644\n %s\n postrotate\n false\n endscript\n}\n' "$dir/logs/a.log" "$1" >rotate.conf
    chmod 644 rotate.conf
    local said= day
    for day in 1 2 3; do
        echo "day $day" >>logs/a.log
        said+=$(./usr/sbin/logrotate -f -s state rotate.conf 2>&1) || true
    done
    local left
    left=$(cd logs && for file in *; do zcat -f "$file"; done | sort | tr '\n' ' ')
    if [[ $left == "$2 " && $said == *"error running"*postrotate* && $said != *overwr* ]]; then
        echo "as described: ${1/$'\n'/,} leaves $2"
    else
        echo "CHANGED: ${1/$'\n'/,} leaves $left; said: $said"
        failed=1
    fi
}
kept nocompress "day 1 day 2 day 3"
kept $'compress\ndelaycompress' "day 1 day 2 day 3"
kept compress "day 3"
exit $failed
