#!/usr/bin/env bash
# wrk.sh [ROUNDS]
# What it costs bin/tailflux to be asked as often as wrk -t2 -c200 can: runs over the log
# alone, with wrk on its own /monitor, and with the same wrk on an nginx that gives the
# same answer from a file. Null sink; rounds take turns. Wants wrk and nginx; BENCH_LINES
# of three million, or a run ends before wrk has begun.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rounds=${1:-9}
for tool in wrk nginx; do command -v "$tool" >/dev/null || die "no $tool here"; done
build
start_sink
monitor=$((port + 1)) web=$((port + 2))
free_port $monitor
free_port $web
TIMEFORMAT='%R'
chmod 755 "$tmp" # for nginx's workers, which are nobody
mkdir "$tmp/www" "$tmp/state"
cat >"$tmp/nginx.conf" <<CONF
pid $tmp/nginx.pid;
daemon off;
worker_processes auto;
error_log $tmp/nginx.err;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path $tmp/body; proxy_temp_path $tmp/proxy; fastcgi_temp_path $tmp/fastcgi;
    uwsgi_temp_path $tmp/uwsgi; scgi_temp_path $tmp/scgi;
    server { listen 127.0.0.1:$web; location / { root $tmp/www; default_type application/json; } }
}
CONF

# once ASKED : one run, its time in $real; wrk asks ASKED meanwhile, when there is one
once() {
    local wrk= url_of=${1:-}
    rm -rf "$tmp/state"
    mkdir "$tmp/state"
    if [[ $url_of ]]; then
        # wrk gives up when nobody listens yet.
        (
            while ! curl -fs --noproxy '*' "$url_of" >/dev/null; do sleep 0.02; done
            exec wrk -t2 -c200 -d60s "$url_of" >"$tmp/wrk" 2>&1
        ) & wrk=$!
        pids+=("$wrk")
    fi
    { time "$here/../../bin/tailflux" run --once --path "$log" --start beginning --format timed --state-dir "$tmp/state" \
        --listen "127.0.0.1:$monitor" --influxdb-url "$url" 2>"$BENCH_DIR/logs/wrk.log"; } 2>"$tmp/time" || die "tailflux failed: $BENCH_DIR/logs/wrk.log"
    real=$(<"$tmp/time")
    [[ -z $wrk ]] || { kill -INT "$wrk"; wait "$wrk" || true; forget "$wrk"; asked=$(awk '/requests in/ { print $1 }' "$tmp/wrk"); }
}

once ''
"$here/../../bin/tailflux" run --path "$log" --start end --format timed --state-dir "$tmp/state" --listen "127.0.0.1:$monitor" --influxdb-url "$url" 2>/dev/null & daemon=$!
pids+=("$daemon")
for ((i = 0; i < 50; i++)); do curl -fs --noproxy '*' "http://127.0.0.1:$monitor/monitor" >"$tmp/www/monitor" && break; sleep 0.1; done
stop "$daemon"
[[ -s $tmp/www/monitor ]] || die "no /monitor to copy"
nginx -c "$tmp/nginx.conf" -p "$tmp" 2>/dev/null & pids+=("$!")
for ((i = 0; i < 50; i++)); do curl -fs --noproxy '*' "http://127.0.0.1:$web/monitor" >/dev/null && break; sleep 0.1; done
((i < 50)) || die "nginx does not answer"

for ((round = 1; round <= rounds; round++)); do
    once ''; alone=$real
    if ((round % 2)); then
        once "http://127.0.0.1:$monitor/monitor"; own=$real own_asked=$asked
        once "http://127.0.0.1:$web/monitor"; nginx=$real nginx_asked=$asked
    else
        once "http://127.0.0.1:$web/monitor"; nginx=$real nginx_asked=$asked
        once "http://127.0.0.1:$monitor/monitor"; own=$real own_asked=$asked
    fi
    echo "$alone $own $nginx $own_asked $nginx_asked" | awk '{ printf "%.2f s alone, %.2f s asked itself (%d answers), %.2f s beside nginx (%d answers): %.3f %.3f %.3f\n", $1, $2, $4, $3, $5, $2 / $1, $3 / $1, $2 / $3 }'
done | tee "$tmp/rounds"
for of in '1 asked itself / alone' '2 beside nginx / alone' '3 asked itself / beside nginx'; do
    awk -v n="${of%% *}" -F': ' '{ split($NF, r, " "); print r[n] }' "$tmp/rounds" | sort -n |
        awk -v what="${of#* }" '{ r[NR] = $1 } END { printf "median of %s: %.3f (%.3f-%.3f)\n", what, r[int((NR + 1) / 2)], r[1], r[NR] }'
done
