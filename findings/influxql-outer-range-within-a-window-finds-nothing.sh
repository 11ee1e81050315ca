#!/usr/bin/env bash
# InfluxDB 1.8.10 (built from its Go module): the busiest minute of a range, with the range
# outside of the subquery, where its documentation says that it belongs:
#   SELECT max(n) FROM (SELECT count(v) AS n FROM m GROUP BY time(1m)) WHERE time >= ...
#
# Expected: a range that begins in the middle of a minute, as each that ends now does,
# gives at most one minute that counts less than it should.
#
# Seen: the answer is empty, without an error. The first minute has the time of its begin,
# which is before the range, and one such row is enough for max, sum, mean, last and the
# others to have no row at all. When the range begins with a minute, or nothing happened
# between its begin and the next minute, the answer is right; so such a panel works at
# night and not by day. With the range in the subquery, and not outside, the answer is
# there, and so it is if the outer query groups by time, too. Without a function outside,
# all rows are there, also the one before the range.
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
begin=1796000040 # a whole minute; then ten minutes with a point every 20 s
for second in $(seq $begin 20 $((begin + 599))); do echo "m v=1i $second"; done |
    curl -sf "http://127.0.0.1:$port/write?db=d&precision=s" --data-binary @-
echo "quiet v=1i $((begin + 300))" | curl -sf "http://127.0.0.1:$port/write?db=d&precision=s" --data-binary @-
failed=0
answer() { # WORDS QUERY WANT
    local got
    got=$(curl -sf -G "http://127.0.0.1:$port/query" --data-urlencode db=d --data-urlencode epoch=s --data-urlencode "q=$2" |
        sed 's/.*"values":\(.*\)}\]}\]}$/\1/')
    if [[ $got == "$3" ]]; then echo "as described: $1: $got"; else echo "CHANGED: $1: $got, was $3"; failed=1; fi
}
range() { echo "time >= $((begin + $1))s AND time < $((begin + 600))s"; }
nothing='{"results":[{"statement_id":0}]}'
minutes="SELECT count(v) AS n FROM m GROUP BY time(1m)"
answer "from the begin of a minute" "SELECT max(n) FROM ($minutes) WHERE $(range 0)" "[[$begin,3]]"
for function in max sum mean count last; do
    answer "$function, from ten seconds later" "SELECT $function(n) FROM ($minutes) WHERE $(range 10)" "$nothing"
done
answer "a measurement that was quiet in the first minute" \
    "SELECT max(n) FROM (SELECT count(v) AS n FROM quiet GROUP BY time(1m)) WHERE $(range 10)" "[[$((begin + 300)),1]]"
answer "with the range inside" \
    "SELECT max(n) FROM (SELECT count(v) AS n FROM m WHERE $(range 10) GROUP BY time(1m))" "[[$((begin + 60)),3]]"
answer "with the range in both" \
    "SELECT max(n) FROM (SELECT count(v) AS n FROM m WHERE $(range 10) GROUP BY time(1m)) WHERE $(range 10)" "$nothing"
answer "with the range outside, grouped by time there" "SELECT max(n) FROM ($minutes) WHERE $(range 10) GROUP BY time(10m)" \
    "[[1795999800,3],[1796000400,3]]"
answer "the rows that max has nothing of" "SELECT n FROM ($minutes) WHERE $(range 490)" \
    "[[$((begin + 480)),2],[$((begin + 540)),3]]"
exit $failed
