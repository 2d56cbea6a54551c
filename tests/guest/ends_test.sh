#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Processes and threads that end in the middle of signatures, in every way there is: with the exit code of the
# host, in time, without a word.
#   ends_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/guest/guest.sh
HOST_LIMIT=20
guest_start
# What a process that ends in the middle of calls has in them is nobody's: no leak of ours (GUEST_BUILD).
export ASAN_OPTIONS=${ASAN_OPTIONS-detect_leaks=0}

# POSIX does not let a signal's handler call exit: it may interrupt malloc, or OpenSSL. Hosts do it all the same; how
# that ends is looked at in the long form only.
rounds=$(full 1 25)
for how in exit exit-idle quick_exit quick_exit-finish _exit atexit-close atexit-finish static-finish \
    destructor-finish thread-ends main-leaves $(full '' signal-exit); do
    for round in $(seq "$rounds"); do
        usb_renew
        host 3 ends "$how" $((round * 7 % 40))
    done
    echo "ok: $how, $rounds times"
done
for how in exit exit-idle main-leaves; do
    for round in $(seq "$rounds"); do
        usb_renew
        host 3 ends "$how" $((round * 7 % 40)) early
    done
    echo "ok: $how, C_Finalize from a handler older than the module, $rounds times"
done

usb_renew
HOST_LIMIT=$(full 60 600)
count=$(full 20 500)
host 0 cancels "$count"
echo "ok: $count threads cancelled in C_Sign, $count in C_Initialize and C_Finalize"
pushes_are_single
