#!/usr/bin/env bash
# nginx 1.22.1 (Debian 1.22.1-9+deb12u11): a client that closes its connection before the
# server behind nginx has answered, with and without proxy_cache.
#
# Expected: its line has status 499 and the time that it waited, with proxy_cache, too:
# proxy_ignore_client_abort is off. If nginx goes on asking so that it can fill the cache,
# the next client has the answer from there.
#
# Seen: with proxy_cache nginx waits for the answer, and logs 200 (or whatever the server
# said) and all of the server's time, though no byte was sent; only $bytes_sent, 0, and
# $request_completion, empty, tell. Then it throws the answer away: the next client is a
# MISS and waits as long. So a log of a site that is so slow that nobody waits for it is
# all 200 as soon as it has a cache, and the cache stays empty for as long as nobody waits.
set -euo pipefail
dir=$(mktemp -d)
upstream=
trap 'kill $upstream "$(cat "$dir/pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -qq download nginx=1.22.1-9+deb12u11 2>/dev/null
dpkg -x nginx_*.deb .
port=$((20000 + RANDOM % 10000))
cat >upstream.pl <<'PERL'
use IO::Socket::INET;
$SIG{PIPE} = 'IGNORE';
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
	while (my $line = <$client>) { last if $line =~ /^\r?\n$/ }
	select undef, undef, undef, 2;
	print $client "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
	close $client;
}
PERL
perl upstream.pl $((port + 1)) &
upstream=$!
mkdir cache && chmod 777 cache
cat >nginx.conf <<CONF
user nobody nogroup;
worker_processes 1;
pid pid;
error_log error.log;
events {}
http {
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    proxy_cache_path $dir/cache keys_zone=z:1m use_temp_path=off;
    log_format short '\$status \$bytes_sent "\$request_completion" \$request_time \$upstream_status \$upstream_cache_status';
    server {
        listen 127.0.0.1:$port;
        access_log access.log short;
        location /plain { proxy_pass http://127.0.0.1:$((port + 1)); }
        location /cached { proxy_pass http://127.0.0.1:$((port + 1)); proxy_cache z; }
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
get() { # PATH [SECONDS]: the line of it; after so many seconds the client gives up
    curl -s --noproxy '*' -o /dev/null -m "${2:-10}" "http://127.0.0.1:$port/$1" || true
    [[ ! ${2-} ]] || sleep 2.5 # until the server has answered all the same
    sleep 0.3
    tail -n 1 access.log
}
check "without a cache, who gives up after half a second" "$(get plain 0.5)" '499 0 "" [01].??? - -'
check "with a cache" "$(get cached 0.5)" '200 0 "" [23].??? 200 MISS'
check "the next one, who waits, as nothing was kept" "$(get cached)" '200 [1-9]?? "OK" [23].??? 200 MISS'
check "the one after that" "$(get cached)" '200 [1-9]?? "OK" 0.??? - HIT'
exit $failed
