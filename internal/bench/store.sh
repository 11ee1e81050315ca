#!/usr/bin/env bash
# store.sh OLD NEW [ROUNDS]
# What months cost: 1,000,000 lines at 1,000 lines/s of log time, once through OLD, which
# writes a point for each, and through NEW, which adds them up, into a fresh influxd each
# time ($INFLUXD or on PATH). Prints medians, and their ratios to the first row:
#
#     daemon     CPU-s of tailflux
#     influxd    CPU-s of influxd, until it has compacted all of it
#     data       kB that it keeps
#     series
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

old=$(realpath "${1:?}") new=$(realpath "${2:?}") rounds=${3:-3}
log=$BENCH_DIR/data/timed-$lines-1000.log
site='rollups: [{measurement: nginx_site, interval: 10s, tags: [method, status]}]'
(cd "$here" && go build -o "$bin/" ./cmd/gen)
[[ -s $log ]] || { "$bin/gen" -n "$lines" -secs $((lines / 1000)) >"$tmp/log" && mv "$tmp/log" "$log"; }

# What is cold is compacted after a second, not after hours.
INFLUXD_DATA='  cache-snapshot-write-cold-duration = "1s"
  compact-full-write-cold-duration = "1s"'

ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; } # of 10 ms
ask() { curl -sG --noproxy '*' "$url/query" --data-urlencode db=bench --data-urlencode "q=$1"; }
kept() { du -sb "$tmp/influxd/data/bench/autogen" | cut -f1; }

# compacted : waits until each shard is one file and nothing is in a cache
compacted() {
    local -i still=0
    local shard before='' now
    while ((still < 8)); do
        sleep 0.5
        now=$(find "$tmp/influxd/data/bench/autogen" "$tmp/influxd/wal/bench/autogen" -type f -printf '%p %s\n' | sort)
        if [[ $now == "$before" ]]; then still+=1; else still=0; fi
        before=$now
    done
    for shard in "$tmp"/influxd/data/bench/autogen/*/; do
        [[ $(find "$shard" -name '*.tsm' | wc -l) == 1 ]] || die "$shard is not compacted"
    done
}

# one NAME BINARY CONFIGURATION [FLAGS...]
one() {
    local name=$1 binary=$2 configuration=$3 before cpu
    shift 3
    start_influxd
    until curl -s --noproxy '*' "$url/query" -d 'q=CREATE DATABASE bench' >/dev/null; do sleep 0.1; done
    rm -rf "$tmp/state"
    printf '%s\n' "$configuration" >"$tmp/tailflux.yaml"
    cat "$log" >/dev/null # warm page cache
    before=$(ticks "$store")
    TIMEFORMAT='%U %S'
    { time "$binary" run --config "$tmp/tailflux.yaml" --once --path "$log" --format timed --start beginning --name web --host web1 \
        --influxdb-url "$url" --influxdb-database bench --state-dir "$tmp/state" --listen '' "$@" \
        2>"$BENCH_DIR/logs/$name.log" || die "$name failed: $BENCH_DIR/logs/$name.log"; } 2>"$tmp/time"
    compacted
    cpu=$(tail -n 1 "$tmp/time" | awk '{print $1 + $2}')
    printf '%s %s %s %s %s\n' "$name" "$cpu" "$((($(ticks "$store") - before) * 10))" "$(kept)" \
        "$(ask 'SHOW SERIES EXACT CARDINALITY' | grep -o '\[[0-9]*\]' | tr -d '[]' | awk '{n += $1} END {print n + 0}')" >>"$tmp/results"
    stop "$store"
}

for ((round = 1; round <= rounds; round++)); do
    echo "round $round of $rounds" >&2
    one points "$old" ''
    one rollups "$new" '' --raw=false --rollups=default
    one site "$new" $'raw: false\n'"$site"
    one both "$new" '' --rollups=default
    one none "$new" '' --rollups=none
done
echo "$lines lines, $(nproc) CPUs, medians of $rounds"
awk '
function median(name, column,    n, i, j, v, t) {
    for (i = 1; i <= count[name]; i++) v[++n] = value[name, column, i]
    for (i = 2; i <= n; i++) for (j = i; j > 1 && v[j] < v[j - 1]; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
    return v[int((n + 1) / 2)]
}
{
    if (!count[$1]++) names[++rows] = $1
    i = count[$1]
    value[$1, 1, i] = $2; value[$1, 2, i] = $3 / 1000; value[$1, 3, i] = $2 + $3 / 1000; value[$1, 4, i] = $4 / 1000; value[$1, 5, i] = $5
}
END {
    printf "%-10s %9s %9s %9s %9s %9s   %s\n", "", "daemon", "influxd", "together", "data", "series", "together, data, of the first"
    for (r = 1; r <= rows; r++) {
        n = names[r]
        printf "%-10s %9.2f %9.2f %9.2f %9.0f %9d   1/%.1f, 1/%.1f\n", n, median(n, 1), median(n, 2), median(n, 3), median(n, 4), median(n, 5),
            median(names[1], 3) / median(n, 3), median(names[1], 4) / median(n, 4)
    }
}' "$tmp/results"
