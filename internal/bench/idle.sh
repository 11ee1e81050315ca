#!/usr/bin/env bash
# idle.sh [SECONDS] [FLAGS...]
# What bin/tailflux costs while nothing happens: one quiet file, the null sink.
# Prints its share of a core.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

seconds=${1:-30}
shift || true
(cd "$here" && go build -o "$bin/" ./cmd/sink)
start_sink
mkdir "$tmp/state"
: >"$tmp/quiet.log"
spawn "$here/../../bin/tailflux" run --path "$tmp/quiet.log" --influxdb-url "$url" --state-dir "$tmp/state" \
    --listen "" "$@" 2>"$BENCH_DIR/logs/idle.log"
pid=$spawned
ticks() { awk '{print $14 + $15}' "/proc/$pid/stat"; } # of 10 ms
sleep 2
before=$(ticks)
sleep "$seconds"
after=$(ticks)
awk -v ticks=$((after - before)) -v seconds="$seconds" \
    'BEGIN { printf "%d ms of CPU in %d s: %.3f %% of a core\n", 10 * ticks, seconds, ticks / seconds }'
