#!/usr/bin/env bash
# nginx 1.22.1 (Debian 1.22.1-9+deb12u11): a request with a body that nginx refuses without
# reading it: 403, 413, 401, a redirect.
#
# Expected: it is logged when it has been answered, with a $request_time of next to nothing.
#
# Seen: the client has the answer at once. The line comes when the client has sent the rest
# of the body, closed, or been silent for lingering_timeout (5 s), and all of that is
# $request_time. So whoever goes on sending what was refused (a slow upload, or a
# client that asked with "Expect: 100-continue" and keeps the connection) is logged as a
# request that took seconds, up to lingering_time, half a minute, and so much later; those
# are the slowest requests of a site that does nothing slowly. And $request_length has none
# of that body.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "$(cat "$dir/pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -qq download nginx=1.22.1-9+deb12u11 2>/dev/null
dpkg -x nginx_*.deb .
port=$((20000 + RANDOM % 10000))
cat >nginx.conf <<CONF
user nobody nogroup;
worker_processes 1;
pid pid;
error_log error.log;
events {}
http {
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    log_format short '\$status \$request_time \$request_length';
    server {
        listen 127.0.0.1:$port;
        access_log access.log short;
        location /forbidden { return 403; }
        location /moved { return 308 /elsewhere; }
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
ask() { # PATH HEADER...: on a connection of its own, 3
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    { printf 'POST /%s HTTP/1.1\r\nHost: a\r\n' "$1" && printf '%s\r\n' "${@:2}" ''; } >&3
    local begin=${EPOCHREALTIME/./} status
    read -r _ status _ <&3
    check "/$1 is answered within half a second" "$status $(((${EPOCHREALTIME/./} - begin) / 500000))" "[34]?? 0"
}
ask forbidden 'Content-Length: 1000000' 'Expect: 100-continue'
sleep 0.5
check "lines that are logged by then" "$(wc -l <access.log)" 0
sleep 6 # lingering_timeout, and one
exec 3>&-
check "the client sent nothing, and waited" "$(sed -n 1p access.log)" "403 5.??? ??"
ask moved 'Content-Length: 1000000'
for _ in 1 2 3; do
    sleep 1
    printf x >&3 # a millionth of it
done
exec 3>&-
sleep 0.5
check "the client sent some of it for three seconds" "$(sed -n 2p access.log)" "308 3.??? ??"
ask moved 'Content-Length: 0'
exec 3>&-
sleep 0.3
check "no body" "$(sed -n 3p access.log)" "308 0.??? ??"
exit $failed
