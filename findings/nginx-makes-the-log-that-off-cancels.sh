#!/usr/bin/env bash
# nginx 1.22.1 (Debian 1.22.1-9+deb12u11) with `access_log FILE` and `access_log off` in
# one block.
#
# Expected: off cancels the other one, as its manual says: there is no such log. Or the
# second is refused, as nginx refuses most directives that are given twice.
#
# Seen: both are accepted in either order. No line is ever written, but the file is made
# at the start and again at each reopening, and every worker keeps it open. So whoever
# looks which logs there are, on the disk or in /proc/PID/fd, finds one that is empty
# for ever, beside a site that is busy.
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
    server {
        listen 127.0.0.1:$port;
        location /before { access_log off; access_log before.log; return 204; }
        location /after { access_log after.log; access_log off; return 204; }
        location /alone { access_log alone.log; return 204; }
    }
}
CONF
failed=0
check() { # WORDS GOT WANT
    if [[ $2 == "$3" ]]; then echo "as described: $1: $2"; else echo "CHANGED: $1: $2, was $3"; failed=1; fi
}
./usr/sbin/nginx -p "$dir" -c nginx.conf -e error.log
sleep 0.5
for path in before after alone; do
    curl -s --noproxy '*' -o /dev/null "http://127.0.0.1:$port/$path"
done
sleep 0.3
check "bytes, with off before the file" "$(stat -c %s before.log)" 0
check "bytes, with off after the file" "$(stat -c %s after.log)" 0
check "lines, without off" "$(wc -l <alone.log)" 1
worker=$(pgrep -P "$(cat pid)")
check "of these two a worker has open" "$(find "/proc/$worker/fd" -lname '*/before.log' -o -lname '*/after.log' | wc -l)" 2
rm before.log
kill -USR1 "$(cat pid)"
sleep 0.5
check "it is made again when logs are reopened" "$(stat -c %s before.log)" 0
check "lines in the error log but the notice of that" "$(grep -vc notice error.log || true)" 0
exit $failed
