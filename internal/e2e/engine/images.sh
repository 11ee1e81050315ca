#!/usr/bin/env bash
# images.sh TREE DIR INFLUXD GO NGINX INFLUXDB GRAFANA: makes images of these names from
# programs of this machine, and busybox for a shell. They have the users, directories
# and owners of the images whose names they bear.
set -euo pipefail
tree=$1 dir=$2 influxd=$3
shift 3
busybox=$tree/bin/busybox
export PATH=$PATH:/usr/sbin:/sbin:$tree/usr/bin

# root USER ID PROGRAM... : $at, with programs and what they are linked with
root() {
    local user=$1 id=$2 name program
    shift 2
    at=$(mktemp -d "$dir/image.XXXX")
    chmod 755 "$at"
    mkdir -p "$at"/{bin,etc/ssl/certs,tmp,usr/bin,usr/local,var/log/nginx,var/lib}
    chmod 1777 "$at/tmp"
    cp "$busybox" "$at/bin/busybox"
    for name in $("$busybox" --list); do
        ln -s busybox "$at/bin/$name" 2>/dev/null || true # busybox is one of them
    done
    cp /etc/ssl/certs/ca-certificates.crt "$at/etc/ssl/certs/"
    printf '%s\n' root:x:0:0::/:/bin/sh "$user:x:$id:$id::/:/bin/false" >"$at/etc/passwd"
    printf '%s\n' root:x:0: "$user:x:$id:" >"$at/etc/group"
    for program; do
        program=$(type -P "$program")
        # shellcheck disable=SC2046
        cp --parents -L "$program" $(ldd "$program" | grep -o '/[^ ]*') "$at"
    done
}

import() { # NAME CHANGE...
    local name=$1 change changes=()
    shift
    for change; do changes+=(--change "$change"); done
    tar -C "$at" -cf - . | docker import "${changes[@]}" - "$name" >/dev/null
    rm -rf "$at"
}

root nobody 65534
mkdir -p "$at/go/proxy"
tar -C "$(go env GOROOT)/.." -cf - --exclude=go/test --exclude=go/doc --exclude=go/api go | tar -C "$at/usr/local" -xf -
GOFLAGS=-modcacherw GOMODCACHE=$dir/mod GOPROXY=file://$(go env GOMODCACHE)/cache/download,$(go env GOPROXY) go mod download
mv "$dir/mod/cache/download"/* "$at/go/proxy/"
rm -rf "$dir/mod"
import "$1" 'ENV PATH=/usr/local/go/bin:/bin GOPROXY=file:///go/proxy GOTOOLCHAIN=local GOPATH=/go HOME=/tmp'

root nginx 101 nginx curl
cp --parents /etc/nginx/mime.types "$at"
mkdir -p "$at/var/cache/nginx" "$at/usr/share/nginx/html"
ln -s ../cache/nginx "$at/var/lib/nginx"
ln -s /dev/stderr "$at/var/log/nginx/error.log"
import "$2" 'CMD ["nginx", "-g", "daemon off;"]'

root influxdb 999 curl
cp "$influxd" "$at/usr/bin/influxd"
mkdir -p "$at/etc/influxdb" "$at/var/lib/influxdb"
chown 999:999 "$at/var/lib/influxdb"
cat >"$at/etc/influxdb/influxdb.conf" <<'CONF'
[meta]
  dir = "/var/lib/influxdb/meta"
[data]
  dir = "/var/lib/influxdb/data"
  wal-dir = "/var/lib/influxdb/wal"
CONF
import "$3" 'VOLUME /var/lib/influxdb' 'CMD ["influxd"]'

# Something that answers where Grafana would.
root grafana 472
mkdir -p "$at/var/lib/grafana" "$at/www/api"
chown 472:0 "$at/var/lib/grafana"
echo ok >"$at/www/api/health"
import "$4" 'USER 472' 'CMD ["httpd", "-f", "-p", "3000", "-h", "/www"]'
