#!/usr/bin/env bash
# nginx 1.22.1 (Debian 1.22.1-9+deb12u11) and logrotate 3.21.0: who owns a log after
# a rotation.
#
# Expected: the new log is as logrotate's "create MODE OWNER GROUP" made it.
#
# Seen: logrotate makes it so, and runs postrotate. On USR1 nginx's master gives
# the file that it finds at the path to the user of its workers, and adds read
# and write for the owner to its mode. "create 0440 root adm" ends as 0640
# nobody:adm. The first log, which nginx made itself at its start, is root's.
# Only the group and its rights stay as "create" has them: who is to read the
# log needs the group, never the owner.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "$(cat "$dir/pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -qq download nginx=1.22.1-9+deb12u11 logrotate=3.21.0-1 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
port=$((20000 + RANDOM % 20000))
mkdir logs
cat >nginx.conf <<CONF
user nobody nogroup;
worker_processes 1;
pid pid;
error_log error.log;
events {}
http {
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    server { listen 127.0.0.1:$port; access_log logs/a.log combined; location / { return 200 "ok\n"; } }
}
CONF
cat >rotate.conf <<CONF
$dir/logs/a.log {
    rotate 3
    create 0440 root adm
    postrotate
        stat -c '%U:%G %a' $dir/logs/a.log >$dir/created
        kill -USR1 \$(cat $dir/pid)
    endscript
}
CONF
chmod 644 rotate.conf
./usr/sbin/nginx -p "$dir" -c nginx.conf -e error.log
sleep 0.5
failed=0
seen() { # WORDS GOT WANT
    if [[ $2 == "$3" ]]; then echo "as described: $1: $2"; else echo "CHANGED: $1: $2, was $3"; failed=1; fi
}
seen "made by nginx at its start" "$(stat -c '%U:%G %a' logs/a.log)" "root:root 644"
./usr/sbin/logrotate -f -s state rotate.conf
sleep 0.5
seen "made by logrotate with create 0440 root adm" "$(cat created)" "root:adm 440"
seen "after nginx got USR1" "$(stat -c '%U:%G %a' logs/a.log)" "nobody:adm 640"
exit $failed
