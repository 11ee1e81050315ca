#!/usr/bin/env bash
# runc 1.1.5 (Debian 1.1.5+ds1-1+deb12u1), which starts Docker's containers: who may
# write to a tmpfs.
#
# Expected: a tmpfs for which no mode is given, as in "docker run --tmpfs /var/cache/x"
# or "tmpfs: [/var/cache/x]" of docker-compose, has mode 1777, as mount(8) and Docker's
# manual say: anybody may write to it.
#
# Seen: it has 1777 only where the image has no such directory. Where it has one, the
# tmpfs takes over its mode, but not its owner: 0755 of nginx's cache becomes 0755 of
# root, and 0700 of a database's directory becomes 0700 of root. A container that does
# not run as root cannot write to either, whoever owned the directory. uid= and gid=
# help, or mode=1777.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq download runc=1.1.5+ds1-1+deb12u1 busybox-static=1:1.35.0-4+deb12u1+b1 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
mkdir -p rootfs/{bin,proc,nginx,data,helped,open}
cp bin/busybox rootfs/bin/
chown 101:101 rootfs/{nginx,data,helped}
chmod 0755 rootfs/{nginx,helped}
chmod 0700 rootfs/data
chmod 1777 rootfs/open
tmpfs() { # PLACE OPTION... : as Docker writes it
    local place=$1 option options='"nosuid", "nodev", "noexec"'
    shift
    for option; do options+=", \"$option\""; done
    printf '{"destination": "/%s", "type": "tmpfs", "source": "tmpfs", "options": [%s]},' "$place" "$options"
}
cat >config.json <<CONF
{
  "ociVersion": "1.0.2", "root": {"path": "rootfs", "readonly": true},
  "process": {
    "user": {"uid": 101, "gid": 101}, "cwd": "/",
    "args": ["/bin/busybox", "sh", "-c",
      "for d in new open nginx data helped; do echo \$(/bin/busybox stat -c '%n %a %u' /\$d) \$(/bin/busybox touch /\$d/file 2>/dev/null && echo writes); done"]
  },
  "mounts": [
    $(tmpfs new) $(tmpfs open) $(tmpfs nginx) $(tmpfs data) $(tmpfs helped uid=101 gid=101)
    {"destination": "/proc", "type": "proc", "source": "proc"}
  ],
  "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}]}
}
CONF
saw=$(./usr/sbin/runc --root "$dir/state" run "finding-$$" </dev/null)
failed=0
seen() { # WORDS GOT WANT
    if [[ $2 == "$3" ]]; then echo "as described: $1: $2"; else echo "CHANGED: $1: $2, was $3"; failed=1; fi
}
line() { grep "^/$1 " <<<"$saw"; }
seen "no directory in the image" "$(line new)" "/new 1777 0 writes"
seen "1777 in the image" "$(line open)" "/open 1777 0 writes"
seen "0755 of user 101 in the image" "$(line nginx)" "/nginx 755 0"
seen "0700 of user 101 in the image" "$(line data)" "/data 700 0"
seen "0755 of user 101, with uid=101" "$(line helped)" "/helped 755 101 writes"
exit $failed
