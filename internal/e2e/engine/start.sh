#!/usr/bin/env bash
# start.sh TREE DIR: Debian's Docker engine from TREE, with all of its files in DIR. It is
# the first process in namespaces of its own, so that bridges, ports and rules of the
# firewall are nobody else's, and nothing is left when it ends.
set -euo pipefail
tree=$1 dir=$2
export PATH=$dir/bin:$tree/usr/sbin:$tree/usr/bin:$PATH
libs=$tree/usr/lib/$(uname -m)-linux-gnu
export LD_LIBRARY_PATH=$libs:$tree/lib/$(uname -m)-linux-gnu XTABLES_LIBDIR=$libs/xtables
mkdir -p "$dir/bin"
ip link set lo up
mount -t tmpfs none /run
kind=nft # what the kernel has
if xtables-legacy-multi iptables -t nat -L >/dev/null 2>&1; then kind=legacy; fi
for name in iptables ip6tables; do
    ln -sf "$tree/usr/sbin/xtables-$kind-multi" "$dir/bin/$name"
done
driver=vfs # copies every layer
mkdir -p "$dir/try"/{lower,upper,work,on}
if mount -t overlay none -o "lowerdir=$dir/try/lower,upperdir=$dir/try/upper,workdir=$dir/try/work" "$dir/try/on" 2>/dev/null; then
    umount "$dir/try/on"
    driver=overlay2
fi
echo '{}' >"$dir/daemon.json"
dockerd --config-file "$dir/daemon.json" --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/pid" \
    --host "unix://$dir/sock" --storage-driver "$driver" &
trap 'kill %1' TERM
while ! wait %1; do # a signal ends the first wait
    kill -0 %1 2>/dev/null || break
done
