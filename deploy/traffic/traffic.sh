#!/bin/sh
# Visitors of the site: each asks for one thing after the other, for ever. Most
# of it goes well. Needs sh, awk and curl. When the site has answered, the file
# ASKED is written again.
set -eu
site=${SITE:-http://nginx}
visitors=${VISITORS:-6}
asked=${ASKED:-/dev/null}

# requests SEED: prints pause, method, path and user agent, endlessly.
requests() {
    awk -v seed="$1" '
        function choose(list, weights,    i, at) {
            at = rand() * weights[0]
            for (i = 1; i < weights["n"] && at >= weights[i]; i++) at -= weights[i]
            return list[i]
        }
        function weigh(text, list, weights,    n, i) {
            weights["n"] = n = split(text, list, "|")
            for (i = 1; i <= n; i++) {
                weights[i] = list[i] + 0
                weights[0] += weights[i]
                sub(/^ *[0-9.]+ /, "", list[i])
            }
        }
        BEGIN {
            srand(seed)
            weigh("20 GET /|15 GET /style.css|12 GET /catalogue.html|4 GET /about.html" \
                "|18 GET /api/products|9 GET /api/orders|4 POST /api/orders|1 DELETE /api/orders/7" \
                "|3 HEAD /|3 GET /home|2 GET /favicon.ico|1 GET /api/customers|1.5 GET /old/page" \
                "|0.7 GET /wp-login.php|0.5 GET /.env|0.5 GET /admin|0.5 GET /legacy|0.3 get /", what, often)
            weigh("60 Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0" \
                "|30 Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Safari/604.1" \
                "|9 Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)" \
                "|1 \"quoted\" \\ agent", who, share)
            for (n = 1; ; n++) {
                ebb = n % 1600 < 800 ? n % 1600 : 1600 - n % 1600 # comes every few minutes
                printf "%.3f %s %s\n", 0.02 + (0.1 + ebb / 2000) * rand(), choose(what, often), choose(who, share)
            }
        }'
}

visit() {
    requests "$1" | while read -r pause method path agent; do
        case $method in
            HEAD) set -- --head ;;
            POST) set -- --data 'product=7' ;;
            *) set -- --request "$method" ;;
        esac
        # Impatient: nginx logs 499 when the answer takes longer.
        curl --silent --output /dev/null --max-time 2 --compressed --user-agent "$agent" "$@" "$site$path" && : >"$asked" || :
        sleep "$pause"
    done
}

seed=$(date +%s)
for i in $(seq "$visitors"); do
    visit $((seed + i)) &
done
wait
