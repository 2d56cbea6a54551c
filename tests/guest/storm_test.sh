#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 32 threads call all functions at all kinds of slots, with restarts. By hand, with the module of another build:
#   SMARTCA_GUEST=full GUEST_BUILD=build-tsan storm_test.sh BUILD
#   GUEST_SECONDS=20 GUEST_UNDER='valgrind --tool=helgrind ...' storm_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/guest/guest.sh
seconds=${GUEST_SECONDS-$(full 3 60)}
HOST_LIMIT=$(full 120 3600)
guest_start

host 0 storm "$seconds" "${GUEST_SEED-1}"
cat "$REPORT"
pushes_are_single
echo "ok: $seconds seconds"
