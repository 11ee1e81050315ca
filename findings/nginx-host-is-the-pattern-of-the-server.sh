#!/usr/bin/env bash
# nginx 1.22.1 (Debian 1.22.1-9+deb12u11) whose first server_name is a regular expression, and
# a client that names no host, as health checks do that speak HTTP/1.0.
#
# Expected: $host is a host, or empty: the manual says that it is, in this order, that of the
# request line, that of the header Host, or the server name that matches the request.
#
# Seen: it is the regular expression itself, as it is written, with the ~ before it. So is
# $server_name, whichever of the hosts was matched. Bars, brackets and slashes stand where
# everybody expects a name: $scheme://$host$request_uri in a log can hardly be cut apart.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "$(cat "$dir/pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -qq download nginx=1.22.1-9+deb12u11 2>/dev/null
dpkg -x nginx_*.deb .
port=$((20000 + RANDOM % 20000))
cat >nginx.conf <<CONF
user nobody nogroup;
worker_processes 1;
pid pid;
error_log error.log;
events {}
http {
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    log_format hosts '\$host \$server_name \$scheme://\$host\$request_uri';
    server {
        listen 127.0.0.1:$port;
        server_name ~^(www|api)\.example\.com\$ example.org;
        access_log access.log hosts;
        location / { return 204; }
    }
}
CONF
failed=0
check() { # WORDS GOT WANT
    if [[ $2 == "$3" ]]; then echo "as described: $1: $2"; else echo "CHANGED: $1: $2, was $3"; failed=1; fi
}
./usr/sbin/nginx -p "$dir" -c nginx.conf -e error.log
sleep 0.5
curl -s --noproxy '*' -o /dev/null --http1.0 -H 'Host:' "http://127.0.0.1:$port/health"
curl -s --noproxy '*' -o /dev/null -H 'Host: api.example.com' "http://127.0.0.1:$port/a"
curl -s --noproxy '*' -o /dev/null -H 'Host: example.org' "http://127.0.0.1:$port/b"
sleep 0.3
pattern='~^(www|api)\x5C.example\x5C.com$' # a backslash is escaped as in any value
check "without a host" "$(sed -n 1p access.log)" "$pattern $pattern http://$pattern/health"
check "with one that the pattern matches" "$(sed -n 2p access.log)" "api.example.com $pattern http://api.example.com/a"
check "with the server's other name" "$(sed -n 3p access.log)" "example.org $pattern http://example.org/b"
exit $failed
