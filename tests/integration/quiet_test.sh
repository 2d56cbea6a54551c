#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A good guest: with a warm catalogue listing opens no socket and maps no libcurl; nothing is printed;
# without a service C_Initialize and listing still work.
#   quiet_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
home_start
# shellcheck disable=SC2119 # no options
emulator_start
# shellcheck disable=SC2119 # no extra lines
account_write
fail() { echo "FAILED: $*"; exit 1; }

pkcs11-tool --module "$MODULE" -L >/dev/null
[ "$(control counters | jq .get_certificate)" = 1 ] || fail "the first listing fetches once"

strace -f -o "$HOME_DIR/trace" -e trace=socket,connect,openat,write \
    pkcs11-tool --module "$MODULE" -L -O >"$HOME_DIR/out" 2>&1
grep -q 'Private Key Object' "$HOME_DIR/out" || fail "the key is listed"
! grep -E 'socket\(|connect\(' "$HOME_DIR/trace" || fail "a warm listing opens no socket"
! grep -E 'libcurl|smartca-remote' "$HOME_DIR/trace" || fail "a warm listing maps no libcurl"
[ "$(control counters | jq .get_certificate)" = 1 ] || fail "a warm listing asks nobody"
echo "ok: no socket, no libcurl, no request"

# The same catalogue, the service gone: everything but signing works.
exec 9>&-
wait "$EMULATOR_PID"
EMULATOR_PID=
pkcs11-tool --module "$MODULE" -O >"$HOME_DIR/offline" 2>&1
grep -q 'Private Key Object' "$HOME_DIR/offline" || fail "the key is listed without a service"
printf x >"$HOME_DIR/x"
if pkcs11-tool --module "$MODULE" --sign --mechanism SHA256-RSA-PKCS -i "$HOME_DIR/x" \
    -o "$HOME_DIR/x.sig" >"$HOME_DIR/out" 2>&1; then
    fail "a signature without a service"
fi
grep -q CKR_DEVICE_ERROR "$HOME_DIR/out" || { cat "$HOME_DIR/out"; fail "CKR_DEVICE_ERROR"; }
echo "ok: offline listing, CKR_DEVICE_ERROR from signing"

# Nothing known and nobody there: a slot without a token, and the log says why.
rm -r "$XDG_STATE_HOME/smartca-pkcs11"
SMARTCA_PKCS11_LOG=warning:$HOME_DIR/log pkcs11-tool --module "$MODULE" -L >"$HOME_DIR/out" 2>&1
grep -q '(empty)' "$HOME_DIR/out" || { cat "$HOME_DIR/out"; fail "an empty slot"; }
grep -q 'account work' "$HOME_DIR/log" || fail "the log says why"
echo "ok: an account that cannot be fetched is an empty slot"
