#!/usr/bin/env bash
# nginx 1.22.1 (Debian 1.22.1-9+deb12u11) before a server that sends early hints (103)
# and then its answer (200).
#
# Expected: nginx takes the 103 for what it is, and logs the answer: status 200, as the
# client is told in the end.
#
# Seen: the 103 is what nginx takes for the answer. It passes all that follows on as if
# it were a body, so that the client sees a 103 and then a 200. But $status and
# $upstream_status are 103, and $body_bytes_sent counts the head of the real answer
# too. In a graph such requests are neither 2xx nor errors.
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
	my $path = '';
	while (my $line = <$client>) {
		$path = $1 if $line =~ m{^GET (\S+)};
		last if $line =~ /^\r?\n$/;
	}
	print $client "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" if $path eq '/hints';
	select undef, undef, undef, 0.2;
	print $client "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
	close $client;
}
PERL
perl upstream.pl $((port + 1)) &
upstream=$!
cat >nginx.conf <<CONF
user nobody nogroup;
pid pid;
error_log error.log;
events {}
http {
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    log_format short '\$request_uri \$status \$upstream_status \$body_bytes_sent';
    server {
        listen 127.0.0.1:$port;
        access_log access.log short;
        location / { proxy_pass http://127.0.0.1:$((port + 1)); }
    }
}
CONF
./usr/sbin/nginx -p "$dir" -c nginx.conf -e error.log
sleep 0.5
failed=0
check() { # WORDS GOT WANT
    if [[ $2 == "$3" ]]; then echo "as described: $1: $2"; else echo "CHANGED: $1: $2, was $3"; failed=1; fi
}
seen() { curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/$1"; }
check "what the client sees without hints" "$(seen plain)" 200
check "and with hints" "$(seen hints)" 200
sleep 0.3
check "what is logged without hints" "$(sed -n 1p access.log)" "/plain 200 200 3"
check "and with hints" "$(sed -n 2p access.log)" "/hints 103 103 60"
check "lines in the error log" "$(wc -l <error.log)" 0
exit $failed
