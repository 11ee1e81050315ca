#!/usr/bin/env bash
# tailflux.sh [-n ROUNDS] [-sink null|influx] [FLAGS...]
# Times bin/tailflux beside the limit prototype (and Telegraf, if telegraf.sh
# has built it). FLAGS replace --format timed, such as --regexp '...'.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
options=()
while [[ ${1-} == -n || ${1-} == -sink ]]; do
    options+=("$1" "${2:?}")
    shift 2
done
(($#)) || set -- --format timed
exec "$here/beside.sh" "${options[@]}" -- "$here/../../bin/tailflux" run --path {log} --start beginning --name web \
    --host web1 --influxdb-url {url} --influxdb-database {db} --state-dir {state} --listen "" "$@"
