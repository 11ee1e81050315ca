#!/usr/bin/env bash
# builds.sh [-n ROUNDS] BASE NEW [CORPUS...]
# Two builds of tailflux on the same logs, taking turns, null sink, each from an empty state
# and with all else as by default: medians of the ratios of their CPU (user + system, from
# start to exit) and of their lines/s, with the range. Corpora, all of them by default:
#
#   timed      the kit's log                      combined   the generator's
#   tutorial   the tutorials' regexp              json       the generator's
#   rejected   every other line cut after 120 bytes
#   paths      300,000 paths, beyond tag_limit
#   long       lines of 4,096 bytes               limit      timed, BASE is the limit prototype
#   start      a thousand lines: start and stop
#
# BASE_FLAGS and NEW_FLAGS are flags of one build only [none, --rollups=none].
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rounds=9
[[ ${1-} != -n ]] || { rounds=${2:?}; shift 2; }
(($# >= 2)) || die "usage: [-n ROUNDS] BASE NEW [CORPUS...]"
base=$1 new=$2
shift 2
(($#)) || set -- timed combined tutorial json rejected paths long start limit
read -ra base_flags <<<"${BASE_FLAGS-}"
read -ra new_flags <<<"${NEW_FLAGS---rollups=none}"
build
(cd "$here/../.." && go build -o "$bin/mock" ./mock)
start_sink
free_port $((port + 1))
TIMEFORMAT='%U %S %R'

# corpus NAME : its log in $log, how many lines in $lines, and how to read it in $how
corpus() {
    lines=1000000 how=(--format timed)
    log=$BENCH_DIR/data/$1-$lines.log
    case $1 in
    timed | tutorial | limit) log=$BENCH_DIR/data/timed-$lines.log ;;
    long) lines=200000 log=$BENCH_DIR/data/$1-200000.log ;;
    paths) lines=300000 log=$BENCH_DIR/data/$1-300000.log ;;
    start) lines=1000 log=$BENCH_DIR/data/$1-1000.log ;;
    combined | json) how=(--format "$1") ;;
    esac
    [[ $1 != tutorial ]] || how=(--regexp "$(<"$here/../../docs/performance/lineage.txt")")
    [[ -s $log ]] || make_log "$1" >"$tmp/log"
    [[ -s $log ]] || mv "$tmp/log" "$log"
    cat "$log" >/dev/null
}

make_log() {
    local timed=$BENCH_DIR/data/timed-1000000.log
    case $1 in
    timed | tutorial | limit) "$bin/gen" -n "$lines" ;;
    combined | json) "$bin/mock" --rate 0 --lines "$lines" --start 2026-11-22T10:00:00Z --step 600us --format "$1" 2>/dev/null ;;
    rejected) awk 'NR % 2 { print; next } { print substr($0, 1, 120) }' "$timed" ;;
    paths) head -n "$lines" "$timed" | perl -pe 'my $n = $.; my $path = join "", map { my $c = chr(97 + $n % 26); $n = int($n / 26); $c } 1 .. 4; s{"[A-Z]+ [^ ?"]*}{"GET /$path/}' ;;
    long) head -n "$lines" "$timed" | awk 'BEGIN { pad = sprintf("%4096s", ""); gsub(/ /, "a b-", pad) } { n = 4096 - length($0); sub(/Mozilla/, substr(pad, 1, n) "Mozilla"); print }' ;;
    start) head -n "$lines" "$timed" ;;
    esac
}

# once NAME CMD... : one run, its user + sys in $took, its time in $real
once() {
    local name=$1
    shift
    rm -rf "$tmp/state"
    mkdir "$tmp/state"
    { time "$@" >/dev/null 2>"$BENCH_DIR/logs/$name.log"; } 2>"$tmp/time" || die "$1 failed: $BENCH_DIR/logs/$name.log"
    read -r took real < <(awk '{ print $1 + $2, $3 }' "$tmp/time")
}

tailflux() { # NAME BINARY FLAGS...
    once "$1" "$2" run --once --path "$log" --start beginning "${how[@]}" --name web --host web1 --state-dir "$tmp/state" \
        --listen "127.0.0.1:$((port + 1))" --influxdb-url "$url" "${@:3}"
}

one_base() {
    if [[ $1 == limit ]]; then
        once base "$bin/limit" -url "$url" -log "$log" -conc 1
    else
        tailflux base "$base" ${base_flags[@]+"${base_flags[@]}"}
    fi
    base_took=$took base_real=$real
}

one_new() { tailflux new "$new" ${new_flags[@]+"${new_flags[@]}"}; new_took=$took new_real=$real; }

# medians : of the ratios in two columns behind a colon
medians() {
    local column
    for column in 1 2; do
        awk -v n=$column -F': ' '{ split($NF, r, " "); print r[n] }' "$1" | sort -n |
            awk '{ r[NR] = $1 } END { printf "  %.3f (%.3f-%.3f)", r[int((NR + 1) / 2)], r[1], r[NR] }'
    done
}

printf '%-10s  %s\n' corpus "CPU, lines/s: new / base, median of $rounds (range); CPU-s per 1M lines: base, new"
for name; do
    corpus "$name"
    one_base "$name" # warms up
    one_new
    for ((round = 1; round <= rounds; round++)); do
        if ((round % 2)); then one_base "$name"; one_new; else one_new; one_base "$name"; fi
        echo "$base_took $new_took $base_real $new_real" | awk '{ printf "%s: %.4f %.4f\n", $0, $2 / $1, $3 / $4 }'
    done >"$tmp/rounds"
    printf '%-10s%s' "$name" "$(medians "$tmp/rounds")"
    awk -v n="$lines" '{ b += $1; w += $2 } END { printf "  %.3f %.3f\n", b / NR * 1e6 / n, w / NR * 1e6 / n }' "$tmp/rounds"
    cat "$tmp/rounds" >>"$BENCH_DIR/results/builds-$name.txt"
done
