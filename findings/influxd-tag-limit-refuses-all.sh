#!/usr/bin/env bash
# InfluxDB 1.8.10 (built from its Go module), index inmem: max-values-per-tag.
#
# Expected: a request that goes beyond the limit is written in part, as the answer
# says ("partial write: ... dropped=N"): the N points with new values are dropped, and
# the others are stored. And no tag ever has more values than the limit.
#
# Seen: N is the number of points with new values, and nothing of the request is
# stored, not even its points of series that exist. And within one request the limit
# does not hold: of a measurement that is new, one request adds any number of values,
# and is answered 204.
set -euo pipefail
dir=$(mktemp -d)
influxd=
trap 'kill $influxd 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
GOBIN=$dir CGO_ENABLED=0 GOFLAGS=-buildvcs=false go install github.com/influxdata/influxdb/cmd/influxd@v1.8.10 2>/dev/null
port=$((20000 + RANDOM % 20000))
cat >influxdb.conf <<CONF
reporting-disabled = true
bind-address = "127.0.0.1:$((port + 1))"
[meta]
dir = "$dir/meta"
[data]
dir = "$dir/data"
wal-dir = "$dir/wal"
max-values-per-tag = 5
[http]
bind-address = "127.0.0.1:$port"
CONF
./influxd -config influxdb.conf >log 2>&1 &
influxd=$!
for _ in $(seq 100); do curl -sf "http://127.0.0.1:$port/ping" && break; sleep 0.1; done
curl -sf -o /dev/null -XPOST "http://127.0.0.1:$port/query" --data-urlencode "q=CREATE DATABASE d"
write() { # MEASUREMENT SECOND VALUE...: one point for each value of the tag
    local measurement=$1 second=$2 value
    shift 2
    for value; do echo "$measurement,p=$value v=1 $second"; done |
        curl -s -w '%{http_code}' "http://127.0.0.1:$port/write?db=d&precision=s" --data-binary @- | tr -d '\n'
}
points() { # MEASUREMENT
    curl -sf -G "http://127.0.0.1:$port/query" --data-urlencode db=d --data-urlencode "q=SELECT count(v) FROM $1" |
        sed 's/.*Z",\([0-9]*\).*/\1/'
}
failed=0
check() { # WORDS GOT WANT
    if [[ $2 == "$3" ]]; then echo "as described: $1: $2"; else echo "CHANGED: $1: $2, was $3"; failed=1; fi
}
check "five values" "$(write m 1795168800 1 2 3 4 5)" 204
check "two known values and three new ones" "$(write m 1795168801 1 6 7 2 8)" \
    '{"error":"partial write: max-values-per-tag limit exceeded (5/5): measurement=\"m\" tag=\"p\" value=\"6\" dropped=3"}400'
check "points: the two are not stored either" "$(points m)" 5
check "seven values of a new measurement" "$(write n 1795168800 1 2 3 4 5 6 7)" 204
check "points of it, beyond the limit of five" "$(points n)" 7
exit $failed
