#!/usr/bin/env bash
# InfluxDB 1.8.10 (built from its Go module): the room that stamps take on the disk.
#
# Expected: points every 10 s take nearly no room for their stamps, and a point that is a
# nanosecond late costs what is special about it.
#
# Seen: stamps are packed by blocks of 1,000 points, each by the greatest power of ten that
# divides all of its steps. One point that is a nanosecond late leaves 1 for the block, and a
# step of 10 s in nanoseconds fits but once into eight bytes. So one such point in each
# thousand costs as much as if all of them were late by a number of their own: eight bytes a
# point. Late by a whole millisecond, the block takes a quarter of that.
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
cache-snapshot-write-cold-duration = "1s"
compact-full-write-cold-duration = "1s"
[http]
bind-address = "127.0.0.1:$port"
CONF
./influxd -config influxdb.conf >log 2>&1 &
influxd=$!
for _ in $(seq 100); do curl -sf "http://127.0.0.1:$port/ping" && break; sleep 0.1; done
# bytes DATABASE HOW-LATE: what a point of 50,000 takes, which are 10 s apart and late by so many nanoseconds
bytes() {
    curl -sf -o /dev/null -XPOST "http://127.0.0.1:$port/query" --data-urlencode "q=CREATE DATABASE $1 WITH DURATION INF SHARD DURATION 52w"
    awk "BEGIN { for (i = 0; i < 50000; i++) printf \"m v=1i %d%09d\\n\", 1795132800 + 10 * i, $2 }" |
        curl -sf "http://127.0.0.1:$port/write?db=$1" --data-binary @-
    sleep 6 # until it is compacted
    echo $((($(find "data/$1" -name '*.tsm' -printf '%s + ')0 + 25000) / 50000))
}
failed=0
check() { # WORDS GOT WANT
    if [[ $2 == "$3" ]]; then echo "as described: $1: $2"; else echo "CHANGED: $1: $2, was $3"; failed=1; fi
}
check "bytes a point, every 10 s" "$(bytes even 0)" 0
check "bytes a point, one in a thousand is a nanosecond late" "$(bytes one '(i % 1000 == 500)')" 8
check "bytes a point, each is late by nanoseconds of its own" "$(bytes each '(i * 7919 % 1000)')" 8
check "bytes a point, one in a thousand is a millisecond late" "$(bytes ms '(i % 1000 == 500) * 1000000')" 2
exit $failed
