#!/usr/bin/env bash
# nginx 1.22.1 (Debian 1.22.1-9+deb12u11) with an access_log whose path comes from a
# variable: `access_log $file`, where a map gives an absolute path.
#
# Expected: an absolute path is an absolute path, as it is where access_log names it in
# so many words, and as it is in `root $dir`.
#
# Seen: whether a path is absolute is decided when the configuration is read, by its
# first character. That is a $, so the prefix is put before it for good: the map's
# /DIR/logs/a.log becomes PREFIX//DIR/logs/a.log. Where no such directory exists, the
# lines go nowhere, and only the error log says so, once a request. `nginx -t` is content.
# With a / before the variable (`access_log /$file`) the map's own path is meant.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "$(cat "$dir/pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -qq download nginx=1.22.1-9+deb12u11 2>/dev/null
dpkg -x nginx_*.deb .
mkdir html logs
chmod 777 logs
port=$((20000 + RANDOM % 20000))
cat >nginx.conf <<CONF
user nobody nogroup;
pid pid;
error_log error.log;
events {}
http {
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    map \$uri \$file { default $dir/logs/a.log; }
    server {
        listen 127.0.0.1:$port;
        location /variable { access_log \$file; return 204; }
        location /slash { access_log /\$file; return 204; }
        location /words { access_log $dir/logs/words.log; return 204; }
    }
}
CONF
failed=0
check() { # WORDS GOT WANT
    if [[ $2 == "$3" ]]; then echo "as described: $1: $2"; else echo "CHANGED: $1: $2, was $3"; failed=1; fi
}
lines() { cat "$@" 2>/dev/null | wc -l; }
request() {
    curl -s --noproxy '*' -o /dev/null "http://127.0.0.1:$port/$1"
    sleep 0.3
}
check "nginx -t" "$(./usr/sbin/nginx -t -p "$dir" -c nginx.conf -e error.log 2>&1 | grep -c 'test is successful')" 1
./usr/sbin/nginx -p "$dir" -c nginx.conf -e error.log
sleep 0.5
request variable
check "lines in the map's file" "$(lines logs/a.log)" 0
check "the error log names the prefix twice" "$(grep -c "open() \"$dir//*$dir/logs/a.log\" failed (2: No such file or directory)" error.log)" 1
mkdir -p "$dir/$dir/logs"
chmod -R 777 "$dir/${dir#/}/logs"
request variable
check "lines under the prefix, where the directory exists" "$(lines "$dir/$dir/logs/a.log")" 1
request slash
check "lines in the map's file, with a / before the variable" "$(lines logs/a.log)" 1
request words
check "lines of a path in so many words" "$(lines logs/words.log)" 1
exit $failed
