#!/usr/bin/env bash
# logrotate 3.21.0 (Debian): shred, and who still reads the log.
#
# Expected: shred is about logs that are old enough to be deleted ("delete log files using
# shred -u instead of unlink()"). A program that has the log open reads on in it after a
# rotation, as it can with rename and delete.
#
# Seen: with compress, the log that has just been rotated is overwritten in its place, as
# soon as its .gz is whole. Who has it open, and has not read all of it, gets random bytes
# where the lines were, then nothing: the file is emptied before it is deleted.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get -qq download logrotate=3.21.0-1 2>/dev/null
dpkg -x logrotate_*.deb .
mkdir logs
yes 'a line of a log, which is as good as any other line of a log' | head -c 100000000 >logs/a.log || true # yes is ended by head
printf '%s {\n rotate 5\n compress\n%s}\n' "$dir/logs/a.log" " shred
" >rotate.conf
chmod 644 rotate.conf

exec 3<logs/a.log # a reader that is behind
./usr/sbin/logrotate -f -s state rotate.conf &
rotating=$!
noise=no
while kill -0 $rotating 2>/dev/null; do
    if [[ $(dd if=/proc/$$/fd/3 bs=4096 count=1 skip=20000 status=none | tr -d 'a-z ,\n' | wc -c) -gt 2000 ]]; then
        noise=yes
    fi
done
wait $rotating
left=$(stat -L -c %s /proc/$$/fd/3)
whole=$(zcat logs/a.log.1.gz | wc -c)
if [[ $noise == yes && $left == 0 && $whole == 100000000 ]]; then
    echo "as described: the open file had random bytes in the place of lines, and has $left bytes now; the .gz has all $whole"
else
    echo "CHANGED: random bytes: $noise; the open file has $left bytes; the .gz has $whole"
    exit 1
fi
