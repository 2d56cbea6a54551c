#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tool without memory, and with system calls that fail: it ends with one of its codes and a reason, never by a
# signal; what it leaves is the old state or the new one, the same command run again goes through, nobody is asked twice,
# and what only looks says nothing else when it says that all is well.
#   tool_test.sh BUILD [ROW...]
# One point of each fault, of two rows; SMARTCA_INJECT=all: each of all rows, for hours; SMARTCA_INJECT=N: every N-th. The rows
# are those of tests/integration/crash_rows.sh, SMARTCA_CRASH_FAULTS the faults (crash_test.sh).
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
shift
ROWS='slots account_list selfsigned_list export audit_show audit_verify pending doctor verify account_add account_refresh
    create import sign sign_local'
export SMARTCA_CRASH_FAULTS=${SMARTCA_CRASH_FAULTS-OWN_MEMORY OWN_IO MEMORY IO}
case ${SMARTCA_INJECT-} in
'') ROWS='slots sign' ;;
all) export SMARTCA_CRASH=full ;;
*) export SMARTCA_CRASH=full SMARTCA_CRASH_STEP=$SMARTCA_INJECT ;;
esac
# shellcheck disable=SC2086 # several words
[ $# -gt 0 ] || set -- $ROWS
exec tests/integration/crash_test.sh "$BUILD" "$@"
