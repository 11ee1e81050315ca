#!/usr/bin/env bash
# live.sh [ROUNDS] [FLAGS...]
# What it costs bin/tailflux to keep the last 15 minutes in memory for the live page
# (http.live): runs over the log with and without, taking turns, null sink. Prints each
# round's CPU-s and lines/s, and the medians of their ratios.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rounds=${1:-9}
shift || true
build
start_sink
free_port $((port + 1))
TIMEFORMAT='%U %S %R'

# once FLAGS... : one run, its user + sys in $took, its time in $real
once() {
    rm -rf "$tmp/state"
    mkdir "$tmp/state"
    { time "$here/../../bin/tailflux" run --once --path "$log" --start beginning --format timed --state-dir "$tmp/state" \
        --listen "127.0.0.1:$((port + 1))" --influxdb-url "$url" "$@" 2>"$BENCH_DIR/logs/live.log"; } 2>"$tmp/time" || die "tailflux failed: $BENCH_DIR/logs/live.log"
    read -r took real < <(awk '{ print $1 + $2, $3 }' "$tmp/time")
}

once --http-live=false "$@" # warms the page cache
for ((round = 1; round <= rounds; round++)); do
    if ((round % 2)); then
        once --http-live=false "$@"; without=$took without_real=$real
        once --http-live=true "$@"
    else
        once --http-live=true "$@"; with=$took with_real=$real
        once --http-live=false "$@"; without=$took without_real=$real
        took=$with real=$with_real
    fi
    echo "$without $took $without_real $real" | awk -v n="$lines" \
        '{ printf "%.3f s CPU without, %.3f s with, %.0f lines/s without, %.0f with: %.3f %.3f\n", $1, $2, n / $3, n / $4, $2 / $1, $3 / $4 }'
done | tee "$tmp/rounds"
for of in '1 CPU' '2 lines/s'; do
    awk -v n="${of% *}" -F': ' '{ split($NF, r, " "); print r[n] }' "$tmp/rounds" | sort -n |
        awk -v what="${of#* }" '{ r[NR] = $1 } END { printf "median of the ratios of %s: %.3f (%.3f-%.3f)\n", what, r[int((NR + 1) / 2)], r[1], r[NR] }'
done
