#!/usr/bin/env bash
# InfluxDB 1.8.10 (built from its Go module): ORDER BY time DESC, and functions that look at
# the row before, such as the growth of a counter.
#
# Expected: the same rows with the same values, newest first, as it is with mean().
#
# Seen: the values are others. "The row before" is the one that is printed before, which is
# the later one: fill(previous) fills a gap with what was only measured after it,
# difference() has the opposite sign, elapsed() is below zero, cumulative_sum() adds up from
# the end. Worst are non_negative_difference() and non_negative_derivative(), as panels of
# counters have them: of a counter that grows nothing is left, and the answer is empty without
# an error; if the counter once began anew at 0, that fall is the only row, as if it had grown.
set -euo pipefail
dir=$(mktemp -d)
influxd=
trap 'kill $influxd 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
GOBIN=$dir CGO_ENABLED=0 GOFLAGS=-buildvcs=false go install github.com/influxdata/influxdb/cmd/influxd@v1.8.10 2>/dev/null
port=$((20000 + RANDOM % 10000))
cat >influxdb.conf <<CONF
reporting-disabled = true
bind-address = "127.0.0.1:$((port + 1))"
[meta]
dir = "$dir/meta"
[data]
dir = "$dir/data"
wal-dir = "$dir/wal"
[http]
bind-address = "127.0.0.1:$port"
CONF
./influxd -config influxdb.conf >log 2>&1 &
influxd=$!
for _ in $(seq 100); do curl -sf "http://127.0.0.1:$port/ping" && break; sleep 0.1; done
curl -sf -o /dev/null -XPOST "http://127.0.0.1:$port/query" --data-urlencode "q=CREATE DATABASE d"
begin=1796000040
minute() { echo $((begin + 60 * $1)); }
curl -sf "http://127.0.0.1:$port/write?db=d&precision=s" --data-binary "grows v=10i $(minute 0)
grows v=30i $(minute 1)
grows v=80i $(minute 3)
anew v=10i $(minute 0)
anew v=30i $(minute 1)
anew v=5i $(minute 2)
anew v=9i $(minute 3)"
failed=0
values() { # COLUMN MEASUREMENT ORDER: of three minutes and one, without their times
    curl -sf -G "http://127.0.0.1:$port/query" --data-urlencode db=d --data-urlencode epoch=s \
        --data-urlencode "q=SELECT $1 FROM $2 WHERE time >= $(minute 0)s AND time < $(minute 4)s $3" |
        { grep -o '\[[0-9]*,[^]]*\]' || true; } | sed 's/.*,\(.*\)\]/\1/' | paste -sd ' '
}
check() { # COLUMN MEASUREMENT GROUP OLDEST-FIRST NEWEST-FIRST
    local old new
    old=$(values "$1" "$2" "$3")
    new=$(values "$1" "$2" "$3 ORDER BY time DESC")
    if [[ $old == "$4" && $new == "$5" ]]; then
        echo "as described: $1 of $2${3:+, $3}: ${old:-nothing}; newest first: ${new:-nothing}"
    else
        echo "CHANGED: $1 of $2${3:+, $3}: $old, was $4; newest first: $new, was $5"
        failed=1
    fi
}
minutes='GROUP BY time(1m)'
check 'mean(v)' grows "$minutes fill(0)" '10 30 0 80' '80 0 30 10'
check 'mean(v)' grows "$minutes fill(previous)" '10 30 30 80' '80 80 30 10'
check 'difference(v)' grows '' '20 50' '-50 -20'
check 'elapsed(v, 1s)' grows '' '60 120' '-120 -60'
check 'cumulative_sum(v)' grows '' '10 40 120' '80 110 120'
check 'non_negative_difference(v)' grows '' '20 50' ''
check 'non_negative_derivative(mean(v), 1m)' grows "$minutes fill(none)" '20 25' ''
check 'non_negative_difference(v)' anew '' '20 4' '25'
exit $failed
