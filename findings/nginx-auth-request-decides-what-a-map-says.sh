#!/usr/bin/env bash
# nginx 1.22.1 (Debian 1.22.1-9+deb12u11): a map of $uri in the log_format, to log what kind
# of page it was, and auth_request in the same server.
#
# Expected: $kind in the log is what the map says of the $uri of the request, which is in
# the same line; the subrequest is a request with a $uri of its own.
#
# Seen: a subrequest has no variables of its own. A map is worked out once, by who asks
# first, and kept for all. As soon as the location that is asked uses $kind, say in a
# proxy_set_header that it has from the server around it, the lines of all requests that
# it was asked for have the kind of /auth, next to their own $uri, and so has the header
# that is sent on with them. Without that header, or with "volatile" in the map, each line
# has its own. So one header more changes what is in the log, and only where a password is
# asked for.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "$(cat "$dir/pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -qq download nginx=1.22.1-9+deb12u11 2>/dev/null
dpkg -x nginx_*.deb .
port=$((20000 + RANDOM % 10000))
configure() { # HEADER-OF-THE-SERVER IN-THE-MAP
    cat >nginx.conf <<CONF
user nobody nogroup;
worker_processes 1;
pid pid;
error_log error.log;
events {}
http {
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    map \$uri \$kind { $2 ~^/shop/ shop; ~^/auth internal; default page; }
    log_format kind '\$status \$uri \$kind';
    log_format header '\$uri \$http_x_kind';
    server {
        listen 127.0.0.1:$((port + 1));
        access_log behind.log header;
        location / { return 200 "ok\n"; }
    }
    server {
        listen 127.0.0.1:$port;
        access_log access.log kind;
        $1
        location /shop/ { auth_request /auth; proxy_pass http://127.0.0.1:$((port + 1)); }
        location /open/ { proxy_pass http://127.0.0.1:$((port + 1)); }
        location = /auth { internal; proxy_pass http://127.0.0.1:$((port + 1)); }
    }
}
CONF
}
failed=0
check() { # WORDS GOT WANT
    if [[ $2 == "$3" ]]; then echo "as described: $1: $2"; else echo "CHANGED: $1: $2, was $3"; failed=1; fi
}
line() { # PATH: what is logged of it
    curl -sf --noproxy '*' -o /dev/null "http://127.0.0.1:$port/$1"
    sleep 0.3
    tail -n 1 access.log
}
# shellcheck disable=SC2016 # nginx's variables
header='proxy_set_header X-Kind $kind;'
configure '' ''
./usr/sbin/nginx -p "$dir" -c nginx.conf -e error.log
sleep 0.5
check "no header" "$(line shop/1)" "200 /shop/1 shop"
configure "$header" ''
kill -HUP "$(cat pid)"
sleep 1
check "a header, and nobody is asked" "$(line open/2)" "200 /open/2 page"
check "a header, and auth_request" "$(line shop/2)" "200 /shop/2 internal"
check "the header that the server behind had" "$(tail -n 1 behind.log)" "/shop/2 internal"
configure "$header" 'volatile;'
kill -HUP "$(cat pid)"
sleep 1
check "a header, auth_request, and a volatile map" "$(line shop/3)" "200 /shop/3 shop"
exit $failed
