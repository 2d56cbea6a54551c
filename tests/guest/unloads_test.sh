#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# dlopen, C_Initialize, a signature begun, dlclose: with and without C_Finalize, and from several threads.
#   unloads_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/guest/guest.sh
HOST_LIMIT=$(full 60 600)
guest_start

count=$(full 40 1000)
host 0 unloads "$count"
pushes_are_single
echo "ok: loaded and unloaded $count times, and $count times by several threads"
