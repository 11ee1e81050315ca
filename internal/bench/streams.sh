#!/usr/bin/env bash
# streams.sh [ROUNDS] [CLIENTS] [LINES_A_SECOND]
# What it costs bin/tailflux that CLIENTS (20) look at the live page while the generator
# writes LINES_A_SECOND (50,000): its CPU, the lines that were written and its memory in
# ten seconds with and without them, taking turns. Half of the clients read nothing.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rounds=${1:-9} clients=${2:-20} rate=${3:-50000}
(cd "$here" && go build -o "$bin/" ./cmd/sink)
(cd "$here/../.." && go build -o "$bin/mock" ./mock)
start_sink
monitor=$((port + 1))
free_port $monitor
mkdir "$tmp/state"
: >"$tmp/access.log"
spawn "$here/../../bin/tailflux" run --path "$tmp/access.log" --format timed --influxdb-url "$url" --state-dir "$tmp/state" \
    --listen "127.0.0.1:$monitor" 2>"$BENCH_DIR/logs/streams.log"
pid=$spawned
spawn "$bin/mock" --rate "$rate" --format timed --output "$tmp/access.log" --rotate-every 60s --rotate-keep 1 2>/dev/null
figure() { curl -fs --noproxy '*' "http://127.0.0.1:$monitor/monitor" | awk -F'[:,]' -v key="\"$1\"" '$1 ~ key { print $2 + 0; exit }'; }
ticks() { awk '{ print $14 + $15 }' "/proc/$pid/stat"; } # of 10 ms
memory() { awk '/VmRSS/ { print $2 }' "/proc/$pid/status"; }

# look : ten seconds; sets $cpu (ms), $written (lines) and $rss (kB)
look() {
    local t w
    sleep 2
    t=$(ticks) w=$(figure written)
    sleep 10
    cpu=$((10 * ($(ticks) - t))) written=$(($(figure written) - w)) rss=$(memory)
}

# watched : look, with the clients
watched() {
    local i watching=()
    for ((i = 0; i < clients; i++)); do
        if ((i % 2)); then
            curl -fsN --noproxy '*' "http://127.0.0.1:$monitor/live/stream" >/dev/null &
        else
            # Asks, and never reads.
            (exec 3<>"/dev/tcp/127.0.0.1/$monitor"; printf 'GET /live/stream HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n\r\n' "$monitor" >&3; exec sleep 60) &
        fi
        watching+=("$!") pids+=("$!")
    done
    look
    for i in "${watching[@]}"; do kill "$i" 2>/dev/null || true; wait "$i" 2>/dev/null || true; forget "$i"; done
}

for ((i = 0; i < 50; i++)); do [[ $(figure written || true) -gt 0 ]] && break; sleep 0.2; done
((i < 50)) || die "nothing is written: $BENCH_DIR/logs/streams.log"
for ((round = 1; round <= rounds; round++)); do
    look; alone_cpu=$cpu alone_written=$written alone_rss=$rss
    watched
    echo "$alone_cpu $cpu $alone_written $written $alone_rss $rss" | awk \
        '{ printf "CPU %d ms, watched %d; lines %d, watched %d; RSS %d kB, watched %d: %.3f %.3f %.3f\n", $1, $2, $3, $4, $5, $6, $2 / $1, $4 / $3, $6 / $5 }'
done | tee "$tmp/rounds"
for of in '1 CPU' '2 lines' '3 RSS'; do
    awk -v n="${of%% *}" -F': ' '{ split($NF, r, " "); print r[n] }' "$tmp/rounds" | sort -n |
        awk -v what="${of#* }" '{ r[NR] = $1 } END { printf "median of %s, watched / alone: %.3f (%.3f-%.3f)\n", what, r[int((NR + 1) / 2)], r[1], r[NR] }'
done
