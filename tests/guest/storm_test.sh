#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 32 threads call all functions at all kinds of slots, with restarts. By hand, with the module of another build:
#   SMARTCA_GUEST=full GUEST_BUILD=build-tsan TSAN_OPTIONS=suppressions=tests/guest/tsan.supp storm_test.sh BUILD
#   GUEST_UNDER=helgrind GUEST_SECONDS=20 storm_test.sh BUILD     or GUEST_UNDER=memcheck
# Under valgrind PINs must be cheap, or nothing is signed: BUILD has -DSMARTCA_PIN_COST=10, its own prepare.sh was run.
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
case ${GUEST_UNDER-} in
helgrind) GUEST_UNDER='valgrind -q --tool=helgrind --fair-sched=yes --history-level=approx
    --suppressions=tests/guest/helgrind.supp --error-exitcode=66' ;;
memcheck) GUEST_UNDER='valgrind -q --fair-sched=yes --undef-value-errors=no --error-exitcode=66' ;;
esac
[ -z "${GUEST_UNDER-}" ] || GUEST_UNDER=${GUEST_UNDER//$'\n'/ }
. tests/guest/guest.sh
seconds=${GUEST_SECONDS-$(full 1 60)}
HOST_LIMIT=$(full 200 3600)
guest_start

host 0 storm "$seconds" "${GUEST_SEED-1}"
cat "$REPORT"
pushes_are_single
echo "ok: $seconds seconds"
