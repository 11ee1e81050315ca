#!/usr/bin/env bash
# nginx 1.22.1 (Debian 1.22.1-9+deb12u11): slice with proxy_cache, as its documentation shows it.
#
# Expected: the line of a download says how it was served: HIT if all of it came from the
# cache, and in $upstream_bytes_received and $upstream_response_time all that was fetched,
# as the entries of a list, as when a request asked several servers.
#
# Seen: it says what became of the first slice alone. A download of 4 MiB in slices of
# 1 MiB has 1 MiB of $upstream_response_length. One of which only the first slice was in
# the cache is a HIT, with "-" in each upstream variable, although 3 MiB were fetched for
# it; one of which only the first slice was missing is a MISS. Slices after the first are
# subrequests, which are not logged. So where the answers are large, the share of hits is
# that of first slices, which are asked for most, and nothing in the log has what the
# servers behind it sent or how long they took.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "$(cat "$dir/pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -qq download nginx=1.22.1-9+deb12u11 2>/dev/null
dpkg -x nginx_*.deb .
port=$((20000 + RANDOM % 10000))
mkdir www cache && chmod 777 cache
head -c $((4 << 20)) /dev/zero >www/large
cat >nginx.conf <<CONF
user nobody nogroup;
worker_processes 1;
pid pid;
error_log error.log;
events {}
http {
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    proxy_cache_path $dir/cache keys_zone=z:1m use_temp_path=off;
    log_format cache '\$bytes_sent \$upstream_cache_status \$upstream_status \$upstream_response_length';
    log_format range '\$http_range';
    server {
        listen 127.0.0.1:$((port + 1));
        access_log behind.log range;
        root $dir/www;
    }
    server {
        listen 127.0.0.1:$port;
        access_log access.log cache;
        location / {
            slice 1m;
            proxy_cache z;
            proxy_cache_key \$uri\$is_args\$args\$slice_range;
            proxy_set_header Range \$slice_range;
            proxy_cache_valid 200 206 1h;
            proxy_pass http://127.0.0.1:$((port + 1));
        }
    }
}
CONF
./usr/sbin/nginx -p "$dir" -c nginx.conf -e error.log
sleep 0.5
failed=0
check() { # WORDS GOT WANT (a pattern)
    # shellcheck disable=SC2053 # the third one is a pattern
    if [[ $2 == $3 ]]; then echo "as described: $1: $2"; else echo "CHANGED: $1: $2, was $3"; failed=1; fi
}
get() { # FILE OPTION...: the line of it
    curl -sf --noproxy '*' -o /dev/null "${@:2}" "http://127.0.0.1:$port/$1"
    sleep 0.3
    tail -n 1 access.log
}
fetched() { grep -c . behind.log || true; }
check "nothing is in the cache" "$(get large)" "4194??? MISS 206 1048576"
check "slices that were fetched for it" "$(fetched)" 4
check "all is in the cache" "$(get large)" "4194??? HIT - -"
check "the first MiB of another one" "$(get 'large?2' -r 0-1048575)" "1048??? MISS 206 1048576"
: >behind.log
check "then all of it" "$(get 'large?2')" "4194??? HIT - -"
check "slices that were fetched for this HIT" "$(fetched)" 3
check "all of a third one but the first MiB" "$(get 'large?3' -r 1048576-4194303)" "3146??? MISS 206 1048576"
: >behind.log
check "then all of it" "$(get 'large?3')" "4194??? MISS 206 1048576"
check "slices that were fetched for this MISS" "$(fetched)" 1
exit $failed
