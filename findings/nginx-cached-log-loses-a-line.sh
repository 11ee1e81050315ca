#!/usr/bin/env bash
# nginx 1.22.1 (Debian 1.22.1-9+deb12u11): a log whose path has a variable, with
# open_log_file_cache.
#
# Expected: after the log was renamed, USR1 makes nginx open it anew, as it does
# for a log with a fixed path; at the latest, the next line after the cache's
# "valid" time goes to a new file. The documentation of open_log_file_cache says
# that after "valid" the file is checked, and nothing of USR1.
#
# Seen:
#  1. USR1 does nothing for it: lines go on into the renamed file. The log with a
#     fixed path in the same server is opened anew.
#  2. The first request after "valid" has passed is logged NOWHERE. The error log
#     has: [crit] stat() "…" failed (2: No such file or directory) while logging request.
#  3. The request after that makes the new file.
#
# So each rotation of such a log loses one line a worker process, and the rotated
# file grows for up to "valid" (60 s by default) after the rotation was over.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "$(cat "$dir/pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -qq download nginx=1.22.1-9+deb12u11 2>/dev/null
dpkg -x nginx_*.deb .
port=$((20000 + RANDOM % 20000))
mkdir logs && chmod 777 logs
cat >nginx.conf <<CONF
user nobody nogroup;
worker_processes 1;
pid pid;
error_log error.log;
events {}
http {
    open_log_file_cache max=10 valid=2s inactive=20s;
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    server {
        listen 127.0.0.1:$port;
        root $dir;
        access_log logs/\$host.log combined;
        access_log logs/fixed.log combined;
        location / { return 200 "ok\n"; }
    }
}
CONF
./usr/sbin/nginx -p "$dir" -c nginx.conf -e error.log
request() { curl -sf -o /dev/null "http://127.0.0.1:$port/$1"; sleep 0.2; }
has() { grep -qs "GET /$2 " "logs/$1"; }
failed=0
seen() { # WORDS CONDITION...
    if "${@:2}"; then echo "as described: $1"; else echo "CHANGED: $1"; failed=1; fi
}
nowhere() { ! grep -qs "GET /$1 " logs/127.0.0.1.log*; }

request before
mv logs/127.0.0.1.log logs/127.0.0.1.log.1
mv logs/fixed.log logs/fixed.log.1
kill -USR1 "$(cat pid)"
sleep 0.5
request after-usr1
seen "the log with a fixed path was opened anew" has fixed.log after-usr1
seen "the cached one was not: the line is in the renamed file" has 127.0.0.1.log.1 after-usr1
sleep 3 # "valid" has passed
request first-after-valid
seen "the first line after valid is in the log with a fixed path" has fixed.log first-after-valid
seen "and in no file of the cached one" nowhere first-after-valid
seen "the error log says that stat failed while logging" grep -q 'crit.*stat() .*failed (2: No such file or directory) while logging request' error.log
request second-after-valid
seen "the next line makes the new file" has 127.0.0.1.log second-after-valid
exit $failed
