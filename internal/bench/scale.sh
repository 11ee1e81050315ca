#!/bin/bash
# Many logs: two builds of tailflux beside each other, into the null sink.
#
#     internal/bench/scale.sh OLD NEW [ROUNDS]
#
# OLD and NEW are binaries. For each it prints, as medians:
#
#     rotated    s until the first line is stored, of 1,000 logs that were all rotated while it was stopped
#     quiet      s until the first line is stored, of 5,000 quiet logs
#     backlog    s for a million lines in 5,000 logs
#     idle       % of a core for 1,000 quiet logs
#     rss        MB for 5,000 logs
set -euo pipefail
cd "$(dirname "$0")/../.."
old=$(realpath "$1") new=$(realpath "$2") rounds=${3:-3}
work=$(mktemp -d)
go build -o "$work/sink" ./internal/bench/cmd/sink
"$work/sink" -addr 127.0.0.1:29401 2>/dev/null &
sink=$!
daemon=
trap 'kill $sink $daemon 2>/dev/null || true; rm -rf "$work"' EXIT
line='192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 8073 "-" "curl/8.5.0"'

logs() { # how many, lines in each
	rm -rf "$work/logs" "$work/state"
	mkdir "$work/logs"
	local text=
	for ((i = 0; i < $2; i++)); do text+="$line"$'\n'; done
	for ((i = 0; i < $1; i++)); do printf %s "$text" >"$work/logs/site$i.log"; done
	sleep 3 # the directory is not being changed any more
}
points() { curl -s 127.0.0.1:29401/stats | sed 's/.*"Points":\([0-9]*\).*/\1/'; }
now() { date +%s.%N; }
begin() { # binary, further flags
	local binary=$1
	shift
	curl -s -X POST 127.0.0.1:29401/reset?target=1 >/dev/null
	began=$(now)
	"$binary" run --path "$work/logs/site*.log" --format combined --state-dir "$work/state" --listen 127.0.0.1:29402 \
		--influxdb-url http://127.0.0.1:29401 --tag-limit 100 --influxdb-flush-interval 100ms "$@" 2>"$work/log" &
	daemon=$!
}
until_points() { # how many
	while [ "$(points)" -lt "$1" ]; do sleep 0.02; done
	awk -v end="$(now)" -v begin="$began" 'BEGIN { print end - begin }'
}
end() {
	kill "$daemon"
	wait "$daemon" || true
	daemon=
}
rotated() {
	logs 1000 1
	begin "$1" --start beginning
	until_points 1000 >/dev/null
	sleep 2
	end
	for ((i = 0; i < 1000; i++)); do
		mv "$work/logs/site$i.log" "$work/logs/site$i.log.1"
		echo "$line" >"$work/logs/site$i.log"
	done
	sleep 3
	begin "$1" --start beginning
	until_points 1
	end
}
quiet() {
	logs 5000 1
	begin "$1" --start end
	while [ "$(points)" -lt 1 ]; do
		echo "$line" >>"$work/logs/site4999.log"
		sleep 0.1
	done
	until_points 1
	awk '/VmRSS/ {print $2 / 1024}' /proc/$daemon/status >"$work/rss"
	end
}
rss() { cat "$work/rss"; }
backlog() {
	logs 5000 200
	begin "$1" --start beginning
	until_points 1000000
	end
}
idle() {
	logs 1000 1
	begin "$1" --start beginning
	until_points 1000 >/dev/null
	sleep 15
	local ticks
	ticks=$(awk '{print $14 + $15}' /proc/$daemon/stat)
	sleep 20
	awk -v before="$ticks" '{ print ($14 + $15 - before) / 20 }' "/proc/$daemon/stat"
	end
}
for what in rotated quiet rss backlog idle; do
	: >"$work/old" && : >"$work/new"
	for ((n = 0; n < rounds; n++)); do
		for build in old new; do
			[ $what != rss ] || quiet "${!build}" >/dev/null
			$what "${!build}" >>"$work/$build"
		done
	done
	median() { sort -n "$1" | sed -n "$(((rounds + 1) / 2))p"; }
	a=$(median "$work/old") b=$(median "$work/new")
	printf '%-8s old %8.2f   new %8.2f   %5.2f x\n' "$what" "$a" "$b" "$(awk -v a="$a" -v b="$b" 'BEGIN { print b / a }')"
done
