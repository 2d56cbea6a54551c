#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the service writes is data: it gets no line in the configuration, and none of its control
# characters reaches the terminal.
#   distrust_test.sh BUILD
# shellcheck disable=SC2016 # $s is of jq
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
home_start
emulator_start --user "$USER_ID"
unset SMARTCA_PKCS11_MODULE
export LC_ALL=C.UTF-8
CONF_D=$XDG_CONFIG_HOME/smartca-pkcs11/conf.d
out=$HOME_DIR/out
failed=0
umask 077

fail() {
    echo "FAILED: $*"
    sed 's/^/  out: /' "$out" | cat -v
    failed=1
}
# run EXPECTED_STATUS ARGUMENT...: keeps what it says, on both streams, in $out.
run() {
    local expected=$1 status=0
    shift
    "$SMARTCA" "$@" >"$out" 2>&1 || status=$?
    [ "$status" = "$expected" ] || fail "smartca $* ended with $status, not $expected"
    ! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$out" || fail "smartca $*: control characters"
}
test_case() { echo "== $*"; }

printf 'test-password\n' >"$HOME_DIR/sp"
setup=(--url "$SERVICE/sca/sp769" --ca-file "$HOME_DIR/service/tls-ca.pem" --sp-id "$SP_ID" --sp-password-file "$HOME_DIR/sp")
own=$(openssl x509 -in "$HOME_DIR/service/users/$USER_ID-1.pem" -noout -serial | sed 's/.*=//' | tr 'A-F' 'a-f')
curl -sS --cacert "$HOME_DIR/service/tls-ca.pem" -H 'Content-Type: application/json' \
    -d "{\"sp_id\":\"$SP_ID\",\"sp_password\":\"test-password\",\"user_id\":\"$USER_ID\",\"serial_number\":\"\",\"transaction_id\":\"q\"}" \
    "$SERVICE/sca/sp769/v1/credentials/get_certificate" >"$HOME_DIR/list"

# answers FILTER [TEXT]: the next list of certificates, changed by jq, where $s is TEXT.
answers() {
    jq -c --arg s "${2-}" "$1" "$HOME_DIR/list" >"$HOME_DIR/answer"
    jq -nc --rawfile body "$HOME_DIR/answer" '{endpoint: "get_certificate", kind: "body_text", status: 200, body: $body}' \
        >"$HOME_DIR/fault"
    control fault "$(cat "$HOME_DIR/fault")" >/dev/null
}
evil=$'\e]0;owned\a\e[31m\u009b2J\x7f'

test_case "a serial number of the service becomes no line of the configuration"
answers '.data.user_certificates[0].serial_number = $s' "$own"$'\non_confirm = /usr/bin/touch '"$HOME_DIR/owned"
run 0 account add work --user-id "$USER_ID" --serial "$own" "${setup[@]}"
[ "$(grep -c '^serial' "$CONF_D/account-work.conf")" = 1 ] || fail "no serial, or several"
grep -qx "serial = $own" "$CONF_D/account-work.conf" || fail "not the certificate's own serial number"
! grep -q owned "$CONF_D/account-work.conf" || fail "the service has a line"
run 0 account remove work

test_case "an account that names a certificate finds it, however the service writes its number"
answers '.data.user_certificates[0].serial_number = $s' "x77Y"
run 0 account add work --user-id "$USER_ID" --serial "$own" "${setup[@]}"
grep -qx "serial = $own" "$CONF_D/account-work.conf" || fail "not the certificate's own serial number"
run 0 account list --json
[ "$(jq -r '.[0].ready' "$out")" = 1 ] || fail "the account has no certificate"
run 0 slots --json
[ "$(jq -r '[.[] | select(.account == "work")] | length' "$out")" = 1 ] || fail "there is no slot"
run 0 account remove work

test_case "control characters of the service stay away from the terminal"
for field in serial_number cert_status service_name; do
    answers ".data.user_certificates[0].$field = \$s" "$evil"
    run 0 account add work --user-id "$USER_ID" "${setup[@]}"
    for verb in slots "account list" "status work" doctor; do
        [ "$verb" != "status work" ] || answers ".data.user_certificates[0].$field = \$s" "$evil"
        status=0
        # shellcheck disable=SC2086 # two words
        "$SMARTCA" $verb >"$out" 2>&1 || status=$?
        # shellcheck disable=SC2086
        run "$status" $verb
    done
    run 0 account remove work
done
answers '.data.user_certificates[0].serial_number = $s' "$evil"
run 1 account add work --user-id "$USER_ID" --serial 77 "${setup[@]}"
answers '.data = null | .status_code = 403 | .message = $s' "$evil"
run 1 account add work --user-id "$USER_ID" "${setup[@]}"
answers '.data = null | .status_code = 403 | .message = $s' "$evil"
run 1 account add work --user-id "$USER_ID" "${setup[@]}" --json

[ "$failed" = 0 ]
