#!/usr/bin/env bash
# rollups.sh [ROUNDS] [FORMAT]
# What the default rollups cost bin/tailflux, in place of a point for each line and beside
# it: runs over the log, taking turns, null sink. Prints the CPU-s of each round, and the
# medians of its ratios to raw points.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rounds=${1:-20} format=${2:-timed}
build
start_sink
TIMEFORMAT='%U %S'

# once FLAGS... : one run, its user + sys in $took
once() {
    rm -rf "$tmp/state"
    mkdir "$tmp/state"
    { time "$here/../../bin/tailflux" run --once --path "$log" --start beginning --format "$format" --state-dir "$tmp/state" \
        --listen "" --influxdb-url "$url" "$@" 2>"$BENCH_DIR/logs/rollups.log"; } 2>"$tmp/time" || die "tailflux failed: $BENCH_DIR/logs/rollups.log"
    took=$(awk '{ print $1 + $2 }' "$tmp/time")
}

once --rollups=none # warms the page cache
for ((round = 1; round <= rounds; round++)); do
    once --rollups=none
    raw=$took
    once --raw=false --rollups=default
    only=$took
    once --rollups=default
    echo "$raw $only $took" | awk '{ printf "%.3f s raw, %.3f s raw: false, %.3f s both: %.3f %.3f\n", $1, $2, $3, $2 / $1, $3 / $1 }'
done | tee "$tmp/rounds"
for of in '1 raw:.false' '2 both'; do
    awk -v n="${of% *}" -F': ' '{ split($NF, r, " "); print r[n] }' "$tmp/rounds" | sort -n |
        awk -v what="${of#* }" '{ r[NR] = $1 } END { sub(/\./, " ", what); printf "median of the ratios to raw, %s: %.2f (%.2f-%.2f)\n", what, r[int((NR + 1) / 2)], r[1], r[NR] }'
done
