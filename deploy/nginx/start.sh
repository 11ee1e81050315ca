#!/bin/sh
# Runs nginx, and rotates its log as logrotate would: renamed when it has grown,
# then nginx is told to open a new one. The predecessor is kept, so the volume
# holds twice LOG_BYTES and little more.
set -eu
log=${LOG:-/var/log/site/access.log}
limit=${LOG_BYTES:-16777216}
every=${LOG_SECONDS:-10}

rotate() {
    while sleep "$every"; do
        if [ "$(wc -c <"$log")" -gt "$limit" ]; then
            mv "$log" "$log.1" && nginx -s reopen || :
        fi
    done
}

rotate &
exec nginx -g 'daemon off;'
