#!/usr/bin/env bash
# nginx 1.22.1 (Debian 1.22.1-9+deb12u11): proxy_cache_background_update.
#
# Expected: a client that is served from the stale cache at once is logged at once,
# with a request_time as short as its wait; and the time that the update takes, if it is
# logged at all, is in upstream_response_time.
#
# Seen: the client has its answer after some milliseconds. Its line comes when the
# update in the background has ended, here 1 s later, with that second as
# $request_time, and with $upstream_response_time and $upstream_status "-". So request
# times of a cache that works well look as if clients had waited, and nothing in the
# line but $upstream_cache_status, STALE, tells that they did not.
set -euo pipefail
dir=$(mktemp -d)
upstream=
trap 'kill $upstream "$(cat "$dir/pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -qq download nginx=1.22.1-9+deb12u11 2>/dev/null
dpkg -x nginx_*.deb .
port=$((20000 + RANDOM % 20000))
cat >upstream.pl <<'PERL'
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
	while (my $line = <$client>) { last if $line =~ /^\r?\n$/ }
	select undef, undef, undef, 1;
	print $client "HTTP/1.1 200 OK\r\nCache-Control: max-age=1\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
	close $client;
}
PERL
perl upstream.pl $((port + 1)) &
upstream=$!
mkdir cache && chmod 777 cache
cat >nginx.conf <<CONF
user nobody nogroup;
pid pid;
error_log error.log;
events {}
http {
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    proxy_cache_path $dir/cache keys_zone=z:1m use_temp_path=off;
    log_format short '\$upstream_cache_status \$request_time \$upstream_response_time \$upstream_status';
    server {
        listen 127.0.0.1:$port;
        access_log access.log short;
        location / {
            proxy_pass http://127.0.0.1:$((port + 1));
            proxy_cache z;
            proxy_cache_use_stale updating;
            proxy_cache_background_update on;
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
waited() { curl -s -o /dev/null -w '%{time_total}' "http://127.0.0.1:$port/"; }
check "the first client waits for the server" "$(waited)" "1.*"
sleep 2.2 # the answer is stale now
check "the second one has the stale answer at once" "$(waited)" "0.0*"
sleep 0.4
check "lines that are logged by then" "$(wc -l <access.log)" 1
sleep 1.5
check "the line of the second one, when the update has ended" "$(sed -n 2p access.log)" "STALE 1.0?? - -"
exit $failed
