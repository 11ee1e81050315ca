#!/usr/bin/env bash
# equal.sh BASE NEW [LINES]
# Do two builds of tailflux make the same of the same logs? LINES (400,000) generated ones of
# each preset, with garbage and torn lines, also with a tag_limit that is reached, a regexp,
# the kit's log cut and whole, and lines of 4 KB: their points, sorted, and their rejected
# lines, byte by byte. Prints what was compared, and fails at a difference.
#
# BASE_FLAGS and NEW_FLAGS are flags of one build only [none, --rollups=none].
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

(($# >= 2)) || die "usage: BASE NEW [LINES]"
base=$1 new=$2 each=${3:-400000} failed=
read -ra base_flags <<<"${BASE_FLAGS-}"
read -ra new_flags <<<"${NEW_FLAGS---rollups=none}"
build
(cd "$here/../.." && go build -o "$bin/mock" ./mock)
free_port "$port"

# made BINARY OUT FLAGS... : the points of $tmp/log in OUT.points, what was rejected in OUT.rejects
made() {
    local binary=$1 out=$2 sink
    shift 2
    rm -rf "$tmp/state"
    mkdir "$tmp/state"
    spawn "$bin/sink" -addr "127.0.0.1:$port" -keep "$tmp/kept" 2>/dev/null
    sink=$spawned
    "$binary" run --once --path "$tmp/log" --start beginning --name web --host web1 --state-dir "$tmp/state" --listen "" \
        --influxdb-url "http://127.0.0.1:$port" "$@" 2>"$BENCH_DIR/logs/equal.log" || die "$binary failed: $BENCH_DIR/logs/equal.log"
    stop "$sink"
    # What it says of itself is no point of a line.
    { grep -v '^tailflux,' "$tmp/kept" || true; } | LC_ALL=C sort >"$out.points"
    # Not when it was read, nor what old builds did not write.
    sed -E 's/"time":"[^"]*",?//; s/,"line_base64":"[^"]*"//' "$tmp/state/rejects.jsonl" >"$out.rejects" 2>/dev/null || : >"$out.rejects"
}

# same NAME FLAGS... : compares what they make of $tmp/log
same() {
    local what name=$1
    shift
    made "$base" "$tmp/base" "$@" ${base_flags[@]+"${base_flags[@]}"}
    made "$new" "$tmp/new" "$@" ${new_flags[@]+"${new_flags[@]}"}
    printf '%-28s %9d lines %9d points %8d rejected' "$name" "$(wc -l <"$tmp/log")" "$(wc -l <"$tmp/base.points")" "$(wc -l <"$tmp/base.rejects")"
    for what in points rejects; do
        if ! cmp -s "$tmp/base.$what" "$tmp/new.$what"; then
            printf '  %s DIFFER' "$what"
            failed+=" $name"
            { diff "$tmp/base.$what" "$tmp/new.$what" || true; } | head -n 20 >"$BENCH_DIR/logs/equal-$what-${name//[^a-z0-9]/_}.diff"
        fi
    done
    [[ $failed == *" $name"* ]] || printf '  equal'
    echo
}

# Old builds took NULs for a part of a line.
generate() { "$bin/mock" --rate 0 --lines "$each" --start 2026-11-22T10:00:00Z --step 600us --garbage 0.02 --torn 0.005 --format "$1" 2>/dev/null | tr -d '\000' >"$tmp/log"; }

for format in timed combined common vhost_combined json; do
    generate "$format"
    same "$format" --format "$format"
    same "$format, few values" --format "$format" --tag-limit 20
done
generate timed
same tutorial --regexp "$(<"$here/../../docs/performance/lineage.txt")"
same 'standard regexp' --regexp "$(<"$here/../../docs/performance/regexp.txt")"
cp "$log" "$tmp/log"
same 'the kit' --format timed
head -n 60000 "$log" | awk 'NR % 2 { print; next } { print substr($0, 1, NR % 257) }' >"$tmp/log"
same 'cut anywhere' --format timed
head -n 50000 "$log" | awk 'BEGIN { pad = sprintf("%4096s", ""); gsub(/ /, "a b-", pad) } { n = 4096 - length($0); sub(/Mozilla/, substr(pad, 1, n) "Mozilla"); print }' >"$tmp/log"
same 'long lines' --format timed
[[ -z $failed ]] || die "differ:$failed ($BENCH_DIR/logs/equal-*.diff)"
