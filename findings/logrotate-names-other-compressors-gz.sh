#!/usr/bin/env bash
# logrotate 3.21.0 (Debian): what a compressed log is called.
#
# Expected: the name follows the compressor, as it does for compresscmd zstd (.zst),
# xz (.xz) and bzip2 (.bz2) without a compressext; or it is refused.
#
# Seen: logrotate knows a few commands by their base name. Any other, even zstd
# under its second name zstdmt, makes files that end in .gz and are not gzip:
# zstdmt makes zstd data called .gz, lz4 makes lz4 data called .gz. No message.
# zcat and every program that goes by the name fail on them.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -qq download logrotate=3.21.0-1 zstd=1.5.4+dfsg2-5 lz4=1.9.4-1 liblz4-1=1.9.4-1 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu
failed=0
rotated() { # COMMAND NAME MAGIC: a log is compressed by COMMAND and called NAME; its first bytes are MAGIC
    rm -rf logs && mkdir logs
    echo "a line" >logs/a.log
    printf '%s {\n rotate 2\n compress\n compresscmd %s\n}\n' "$dir/logs/a.log" "$dir/usr/bin/$1" >rotate.conf
    chmod 644 rotate.conf
    local said
    said=$(./usr/sbin/logrotate -f -s state rotate.conf 2>&1) || true
    local name magic
    name=$(cd logs && ls | tr '\n' ' ')
    magic=$(head -c 4 "logs/$2" 2>/dev/null | od -An -tx1 | tr -d ' ')
    if [[ $name == "$2 " && $magic == "$3" && -z $said ]]; then
        echo "as described: $1 makes $2, which begins with $3"
    else
        echo "CHANGED: $1 makes $name, beginning with $magic; said: $said"
        failed=1
    fi
}
rotated zstd a.log.1.zst 28b52ffd
rotated zstdmt a.log.1.gz 28b52ffd
rotated lz4 a.log.1.gz 04224d18
exit $failed
