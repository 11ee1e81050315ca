#!/usr/bin/env bash
# InfluxDB 1.8.10 (built from its Go module): fill(0) and a field that is rare.
#
# Expected: "GROUP BY time(1h) fill(0)" gives 0 for every field where a window has
# no value, so that a + b is a number.
#
# Seen: 0 only if some shard in the range of the query has ever seen the field.
# Otherwise the column is null in every row in spite of fill(0), and an expression
# with it is null: a + b is null although a is 1. There is no error and no message.
# Which shards count is decided by the time range of the OUTER query: the same
# subquery gives 1 when the range reaches back to a week in which b was written.
# A sum over many sparse fields is therefore empty on quiet days only.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill $influxd 2>/dev/null || true; rm -rf "$dir"' EXIT
influxd=
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
[http]
bind-address = "127.0.0.1:$port"
CONF
./influxd -config influxdb.conf >log 2>&1 &
influxd=$!
for _ in $(seq 100); do curl -sf "http://127.0.0.1:$port/ping" && break; sleep 0.1; done
write() { curl -sf "http://127.0.0.1:$port/write?db=d&precision=s" --data-binary "$1"; }
curl -sf -o /dev/null -XPOST "http://127.0.0.1:$port/query" --data-urlencode "q=CREATE DATABASE d"
write "m,s=x a=1i,b=2i 1795168800" # 2026-11-20: both fields
write "m,s=x a=1i 1796988800"      # 2026-12-11, in another shard: a only
failed=0
answer() { # WORDS QUERY WANT
    local got
    got=$(curl -sf -G "http://127.0.0.1:$port/query" --data-urlencode db=d --data-urlencode epoch=s --data-urlencode "q=$2" | sed 's/.*"values":\(.*\)}\]}\]}$/\1/')
    if [[ $got == "$3" ]]; then echo "as described: $1: $got"; else echo "CHANGED: $1: $got, was $3"; failed=1; fi
}
day="time >= 1796986800s AND time < 1796990000s"
month="time >= 1795160000s AND time < 1796990000s"
sums="SELECT sum(a) AS a, sum(b) AS b FROM m"
answer "fill(0) leaves b null on a day whose shard never saw it" \
    "$sums WHERE $day GROUP BY time(1h) fill(0)" '[[1796986800,1,null]]'
answer "a + b is null there" \
    "SELECT a + b FROM ($sums GROUP BY time(1h) fill(0)) WHERE $day" '[[1796986800,null]]'
answer "with a range that reaches back to a shard that has b it is 3 and 1" \
    "SELECT a + b FROM ($sums GROUP BY time(30d) fill(0)) WHERE $month" '[[1793664000,3],[1796256000,1]]'
exit $failed
