#!/usr/bin/env bash
# report.sh [ROUNDS]
# bin/tailflux report beside GoAccess (apt-get install goaccess time), in turns, on one log of BENCH_LINES
# lines of combined from the generator, of which one in a hundred is a scanner's. Prints the
# time, the CPU-s and the peak memory of each run, their ratios, and the counts that differ.
# The logs are deleted at the end.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rounds=${1:-1} log=$tmp/access.log torn=$tmp/torn.log
for tool in goaccess time; do type -P "$tool" >/dev/null || die "no $tool here: apt-get install $tool"; done
(cd "$here" && go build -o "$bin/" ./cmd/beside)
(cd "$here/../.." && go build -o "$bin/mock" ./mock)
mock() { "$bin/mock" --format combined --rate 0 --start 2026-11-22T10:00:00Z --garbage 0.01 "$@" 2>/dev/null; }
mock --lines "$lines" --step 25ms >"$log"

# GoAccess reads its settings, and the geography of addresses, from nowhere.
goaccess() { env -i PATH="$PATH" HOME="$tmp" LC_ALL=C goaccess "$1" --no-global-config --no-progress --log-format=COMBINED "${@:2}" </dev/null; }

# once NAME COMMAND... : one run; its seconds, CPU-s and KB in $tmp/NAME
once() {
    cat "$log" >/dev/null # warm page cache
    $(type -P time) -f '%e %U %S %M' -o "$tmp/$1" "${@:2}" >"$tmp/$1.out" 2>"$BENCH_DIR/logs/$1.log" || die "$1 failed: $BENCH_DIR/logs/$1.log"
    awk -v what="$1" -v lines="$lines" '{ printf "%-9s %7.2f s  %6.2f CPU-s  %5.0f MB  %8.0f lines/s\n", what, $1, $2 + $3, $4 / 1024, lines / $1 }' "$tmp/$1"
}

for ((round = 1; round <= rounds; round++)); do
    once tailflux "$here/../../bin/tailflux" report "$log"
    once goaccess env -i PATH="$PATH" HOME="$tmp" LC_ALL=C goaccess "$log" --no-global-config --log-format=COMBINED -o "$tmp/goaccess.html"
    paste -d' ' "$tmp/tailflux" "$tmp/goaccess" | awk '{ printf "round: 1/%.1f of the time, 1/%.1f of the CPU, 1/%.1f of the memory\n", $5 / $1, ($6 + $7) / ($2 + $3), $8 / $4 }'
done

# compare LOG : counts, with paths as they stand in the log
compare() {
    "$here/../../bin/tailflux" report --json --fold=false "$1" >"$tmp/tailflux.json"
    goaccess "$1" --no-query-string --http-method=no --http-protocol=no --max-items=20000 -o "$tmp/goaccess.json" "${@:2}" >/dev/null
    "$bin/beside" "$tmp/tailflux.json" "$tmp/goaccess.json"
}

echo "counts:"
compare "$log"

# Torn lines: those that are not as nginx writes them, what GoAccess makes of them, and whether
# these are all that the two count differently.
mock --lines 1000000 --step 25ms --torn 0.001 >"$torn"
compare "$torn" --invalid-requests="$tmp/invalid" >"$tmp/differ"
export LC_ALL=C
value='"([^"\\]|\\.)*"'
{ grep -avE '^[^ "]+ - [^"]+ \[[^]"]+\] '"$value"' [0-9]{3} [0-9]+ '"$value $value"'$' "$torn" || true; } | sort >"$tmp/odd"
comm -23 "$tmp/odd" <(sort "$tmp/invalid") >"$tmp/taken"
end='^[^"]*"[^"]*" [0-9]{3} [0-9]+ "([^"]*|[^"]*" "[^"]*)$'
echo "another log, of 1,000,000 lines: $(wc -l <"$tmp/odd") are torn, of which GoAccess refuses $(wc -l <"$tmp/invalid"), leaves out" \
    "$(grep -acP '^[\s\0]*$' "$tmp/taken") that are blank or nothing but NULs, and counts $(grep -acE "$end" "$tmp/taken") that end within the referrer or the agent"
grep -E '^  (lines|requests|not matched):' "$tmp/differ"
