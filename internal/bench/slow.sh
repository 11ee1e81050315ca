#!/usr/bin/env bash
# slow.sh [ROUNDS] [CLIENTS]
# What CLIENTS (1000) that begin a request to /monitor and never end it cost
# bin/tailflux: runs over the log with and without them, taking turns, null sink.
# Prints each round's ratio of lines/s, and the median.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rounds=${1:-7} clients=${2:-1000}
ulimit -n $((clients + 100))
build
start_sink
monitor=$((port + 1))
free_port "$monitor"
now() { date +%s%N; }

# once CLIENTS : one run, its time in $took in ns
once() {
    local i fd fds=() begin
    rm -rf "$tmp/state"
    mkdir "$tmp/state"
    begin=$(now)
    spawn "$here/../../bin/tailflux" run --once --path "$log" --start beginning --format timed --state-dir "$tmp/state" \
        --listen "127.0.0.1:$monitor" --influxdb-url "$url" 2>"$BENCH_DIR/logs/slow.log"
    for ((i = 0; i < $1; i++)); do
        while ! { exec {fd}<>"/dev/tcp/127.0.0.1/$monitor"; } 2>/dev/null; do
            kill -0 "$spawned" 2>/dev/null || break 2
        done
        fds+=("$fd")
        printf 'GET /monitor HT' >&"$fd" 2>/dev/null || true
    done
    wait "$spawned" || die "tailflux failed: $BENCH_DIR/logs/slow.log"
    forget "$spawned"
    took=$(($(now) - begin))
    for fd in ${fds[@]+"${fds[@]}"}; do exec {fd}>&-; done
    connected=${#fds[@]}
}

for ((round = 1; round <= rounds; round++)); do
    once 0
    without=$took
    once "$clients"
    awk -v a="$without" -v b="$took" -v n="$connected" \
        'BEGIN { printf "%.2f s without, %.2f s with %d of them: %.2f\n", a / 1e9, b / 1e9, n, a / b }'
done | tee "$tmp/rounds"
sed 's/.*: //' "$tmp/rounds" | sort -n | awk '{ r[NR] = $1 } END { printf "median of the ratios of lines/s: %.2f\n", r[int((NR + 1) / 2)] }'
