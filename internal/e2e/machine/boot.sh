#!/bin/bash
# boot.sh TAR DIR: boots the Debian of a tar, and ends when it is switched off. Nothing
# is left: its files are in memory. It runs as root, first in namespaces of its own
# (unshare --mount --pid ...), so that what it mounts is seen by nobody else.
set -euo pipefail
tar=$1 dir=$2

# systemd-nspawn wants the groups of cgroup2 below /sys/fs/cgroup. The machine may have
# another version there. A group of it becomes the root of the container's.
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
group=/sys/fs/cgroup/$(basename "$dir")
mkdir "$group"
leave() {
	echo $$ >/sys/fs/cgroup/cgroup.procs
	find "$group" -depth -type d -exec rmdir {} \;
}
trap leave EXIT
echo $$ >"$group/cgroup.procs"

mount -t tmpfs -o mode=755,size=2G none "$dir"
tar -xpf "$tar" -C "$dir"
hostname >"$dir/etc/hostname"
echo "127.0.0.1 localhost $(hostname)" >"$dir/etc/hosts"

# --register=no and --keep-unit together keep it from asking a systemd of the machine,
# which may have none. With --console=pipe nothing is printed.
systemd-nspawn --quiet --directory="$dir" --boot --register=no --keep-unit --machine=tailflux --console=passive </dev/null
