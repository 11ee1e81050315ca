#!/usr/bin/env bash
# InfluxDB 1.8.10 (built from its Go module): a sum of many fields, as adding up buckets
# of a histogram is.
#
# Expected: a + a + … of 600 terms takes twice as long as of 300, and parentheses that do
# not change what it is do not matter, as addition is associative and there is one point.
#
# Seen: the time goes with the square of the length or more, although there is one point,
# or none: it is spent before any is read. What counts is how deep the expression is, and
# a + b + c is (a + b) + c to the parser. The same 600 terms in pairs of pairs,
# ((a + a) + (a + a)) + …, which are ten deep, take a twentieth of it, and give the same
# sum. (2 busy CPUs: 300 terms 0.21 s, 600 terms 0.87 s, in pairs 0.04 s.)
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
curl -sf -o /dev/null -XPOST "http://127.0.0.1:$port/query" --data-urlencode "q=CREATE DATABASE d"
curl -sf "http://127.0.0.1:$port/write?db=d&precision=s" --data-binary "m a=1i 1795168800"

flat() { printf 'a'; for ((i = 1; i < $1; i++)); do printf '+a'; done; }
pairs() { if (($1 == 1)); then printf 'a'; else printf '(%s+%s)' "$(pairs $(($1 / 2)))" "$(pairs $(($1 - $1 / 2)))"; fi; }

ask() { # EXPRESSION : the sum in $sum, and the shortest of five times in milliseconds in $took
    local began ms
    took=999999
    for _ in 1 2 3 4 5; do
        began=$(date +%s%N)
        sum=$(curl -sf -G "http://127.0.0.1:$port/query" --data-urlencode db=d --data-urlencode epoch=s --data-urlencode "q=SELECT $1 AS n FROM m" | sed 's/.*"values":\[\[1795168800,\(.*\)\]\]}\]}\]}$/\1/')
        ms=$((($(date +%s%N) - began) / 1000000))
        if ((ms < took)); then took=$ms; fi
    done
}

failed=0
say() { if (($1)); then echo "as described: $2"; else echo "CHANGED: $2"; failed=1; fi; }
ask "$(flat 300)"
half=$took
ask "$(flat 600)"
whole=$took said=$sum
ask "$(pairs 600)"
say $((said == 600 && sum == 600)) "600 terms are $said as they are, and $sum in pairs"
say $((whole > 3 * half)) "300 terms take $half ms, 600 take $whole ms"
say $((whole > 5 * took)) "in pairs 600 terms take $took ms"
exit $failed
