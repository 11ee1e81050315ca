#!/usr/bin/env bash
# logrotate 3.21.0 (Debian): rotate and maxage after the configuration has changed: compress
# was switched on, compressext became .zst, or dateformat got dashes.
#
# Expected: "rotate 2" keeps two rotated logs, and "maxage 30" none that is older than a
# month, however they are compressed: those from before the change go first, being older.
#
# Seen: only what has the date and the suffix of now counts as a rotated log. Those of
# before are never removed, neither by rotate nor by maxage, and nothing says so. So a disk
# that compress was to make room on is as full as before, and logs of visitors that were to
# be kept for two weeks are kept until somebody finds them.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -qq download logrotate=3.21.0-1 2>/dev/null
dpkg -x logrotate_*.deb .
failed=0
kept() { # WORDS DIRECTIVES WANT OLD-LOG...: so many of the old logs are left
    rm -rf logs state && mkdir logs
    touch -d '2020-01-05' "${@:4}"
    printf '%s {\n create 0644\n dateext\n maxage 30\n rotate 2\n %s\n}\n' "$dir/logs/a.log" "$2" >rotate.conf
    chmod 644 rotate.conf
    echo line >logs/a.log
    local said='' left=0 log
    said=$(./usr/sbin/logrotate -f -s state rotate.conf 2>&1) || said+=" (it fails)"
    [[ ! -s logs/a.log ]] || said+=" (a.log is not rotated)"
    for log in "${@:4}"; do [[ ! -e $log ]] || left=$((left + 1)); done
    if [[ ! $said && $left == "$3" ]]; then
        echo "as described: $1: $left of $(($# - 3)) old logs are left"
    else
        echo "CHANGED: $1: $left of $(($# - 3)) old logs are left, was $3; said: $said"
        failed=1
    fi
}
plain=(logs/a.log-2020010{1,2,3,4})
kept "nothing changed" nocompress 0 "${plain[@]}"
kept "nothing changed, compressed" compress 0 "${plain[@]/%/.gz}"
kept "compress switched on" compress 4 "${plain[@]}"
kept "compress switched off" nocompress 4 "${plain[@]/%/.gz}"
kept "compressext .zst" $'compress\n compressext .zst' 4 "${plain[@]/%/.gz}"
kept "another dateformat" $'nocompress\n dateformat -%Y-%m-%d' 4 "${plain[@]}"
exit $failed
