#!/usr/bin/env bash
# nginx 1.22.1 (Debian 1.22.1-9+deb12u11) with `error_page 502 /50x.html`, as in the nginx.conf
# that it comes with, and a log_format that has $request_method and $uri in place of $request,
# as many that are JSON have.
#
# Expected: the line of a POST that failed says POST, and what was asked for: that nginx
# changes the method of its internal redirect is its own business.
#
# Seen: it says GET /50x.html. Of every method but HEAD, so in such a log whatever changes something
# never fails; requests that succeed have the right method. $request and $request_uri stay as
# they were sent. With `error_page 502 @named` the path stays, and the method, too.
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
    log_format parts '\$status \$request_method \$uri | \$request';
    access_log access.log parts;
    server {
        listen 127.0.0.1:$port;
        location /up { return 204; }
        location /down { proxy_pass http://127.0.0.1:1; error_page 502 /50x.html; }
        location /named { proxy_pass http://127.0.0.1:1; error_page 502 @named; }
        location = /50x.html { internal; return 502; }
        location @named { return 502; }
    }
}
CONF
failed=0
check() { # WORDS GOT WANT
    if [[ $2 == "$3" ]]; then echo "as described: $1: $2"; else echo "CHANGED: $1: $2, was $3"; failed=1; fi
}
./usr/sbin/nginx -p "$dir" -c nginx.conf -e error.log
sleep 0.5
for request in 'POST up' 'POST down' 'DELETE down' 'HEAD down' 'POST named'; do
    read -r method path <<<"$request"
    options=(-X "$method")
    [[ $method != HEAD ]] || options=(-I)
    curl -s --noproxy '*' -o /dev/null "${options[@]}" "http://127.0.0.1:$port/$path"
done
sleep 0.3
check "that succeeds" "$(sed -n 1p access.log)" "204 POST /up | POST /up HTTP/1.1"
check "that fails" "$(sed -n 2p access.log)" "502 GET /50x.html | POST /down HTTP/1.1"
check "another that fails" "$(sed -n 3p access.log)" "502 GET /50x.html | DELETE /down HTTP/1.1"
check "HEAD" "$(sed -n 4p access.log)" "502 HEAD /50x.html | HEAD /down HTTP/1.1"
check "to a named location" "$(sed -n 5p access.log)" "502 POST /named | POST /named HTTP/1.1"
exit $failed
