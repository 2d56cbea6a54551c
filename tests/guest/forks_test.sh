#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Children made at random moments by a process whose threads list, sign, log in and out.
#   forks_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/guest/guest.sh
HOST_LIMIT=$(full 120 900)
guest_start
# What a process that ends in the middle of calls has in them is nobody's: no leak of ours (GUEST_BUILD).
export ASAN_OPTIONS=${ASAN_OPTIONS-detect_leaks=0}

count=$(full 60 1000)
host 0 forks "$count" "${GUEST_SEED-1}"
cat "$REPORT"
pushes_are_single
read -r asked signed < <(sed -n 's/asked \(.*\), signed \(.*\)/\1 \2/p' "$REPORT")
# Processes that sign at the same time share a push: its documents are counted.
pushed=$(control transactions | jq '[.[].digests[]] | length')
if [ "$pushed" -gt "$asked" ] || [ "$pushed" -lt "$signed" ]; then
    fail "$signed signatures of $asked that were asked for, and $pushed documents brought to the phone"
fi
echo "ok: $count forks, $pushed documents pushed for $signed signatures of $asked that were asked for"
