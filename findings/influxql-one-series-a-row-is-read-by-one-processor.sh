#!/usr/bin/env bash
# InfluxDB 1.8.10 (built from its Go module), two processors or more: the sum of each series,
# grouped by all tags or by the one that tells the series apart.
#
# Expected: the same work takes the same time: there are as many series in both, and as many
# points.
#
# Seen: series that fall into one row are shared out among the processors, rows are not. With
# 200 series of two tags, of which "kind" has one value for 100 of them, GROUP BY kind
# has two rows of 100 series and keeps all processors busy. GROUP BY * has 200 rows of one
# series, and is read by one processor alone, so it takes as long as it takes CPU. Who adds
# rows of many series up again himself should ask InfluxDB for fewer of them.
# (2 CPUs, 4 million points: by kind 0.31 s with 0.55 s of CPU, by all tags 0.81 s with 0.78 s.)
set -euo pipefail
(($(nproc) > 1)) || { echo "wants two processors or more" >&2; exit 2; }
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
series=200 points=20000
echo "writing $((series * points)) points" >&2
for ((s = 0; s < series; s++)); do
    awk -v s=$s -v n=$points 'BEGIN { for (i = 0; i < n; i++) printf "m,kind=k%d,name=n%d a=%di %d\n", s % 2, s, i % 97, 1795168800 + 10 * i }' >lines
    curl -sf "http://127.0.0.1:$port/write?db=d&precision=s" --data-binary @lines
done

ticks() { awk '{ print $14 + $15 }' "/proc/$influxd/stat"; }

ask() { # GROUP : rows in $rows, and of the quickest of five times milliseconds in $took and influxd's CPU in $cpu
    local began before ms used
    took=999999
    for _ in 1 2 3 4 5; do
        before=$(ticks) began=$(date +%s%N)
        rows=$(curl -sf -G "http://127.0.0.1:$port/query" --data-urlencode db=d --data-urlencode "q=SELECT sum(a) FROM m GROUP BY $1" | grep -o '"columns"' | wc -l)
        ms=$((($(date +%s%N) - began) / 1000000))
        used=$((($(ticks) - before) * 1000 / $(getconf CLK_TCK)))
        if ((ms < took)); then took=$ms cpu=$used; fi
    done
}

failed=0
say() { if (($1)); then echo "as described: $2"; else echo "CHANGED: $2"; failed=1; fi; }
ask kind
say $((rows == 2 && cpu * 10 > took * 14)) "GROUP BY kind: $rows rows in $took ms, with $cpu ms of CPU"
few=$took
ask '*'
say $((rows == series && cpu * 10 < took * 13)) "GROUP BY *: $rows rows in $took ms, with $cpu ms of CPU"
say $((took * 10 > few * 13)) "GROUP BY * takes $took ms, GROUP BY kind $few ms"
exit $failed
