#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Signals, mask, umask, folder, locale, environment, limits, timers, descriptors, threads and the floating-point
# unit's settings are as they were after many mixed calls, with interrupted system calls and broken connections.
#   state_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/guest/guest.sh
HOST_LIMIT=$(full 60 300)
guest_start

rounds=$(full 12 200)
faults=$(full 1 6) # each costs the seconds of a second try
host 0 state "$rounds"
echo "ok: $rounds rounds"
host 0 state_static "$rounds"
echo "ok: $rounds rounds of a host with an OpenSSL of its own"
for kind in drop_reply reset_before truncated; do
    control fault '{"endpoint":"any","kind":"'"$kind"'","count":'"$faults"',"skip":2}' >/dev/null
    host 0 state 4
    control fault '{"kind":"none"}' >/dev/null
    echo "ok: connections are broken: $kind"
done
