#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two accounts of one identity, which has one vault: added at the same time, and one of them removed.
#   account_twins_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
home_start
emulator_start --user "$USER_ID,Nguyễn Văn Ánh,2"
unset SMARTCA_PKCS11_MODULE
export LC_ALL=C.UTF-8
CONFIG=$XDG_CONFIG_HOME/smartca-pkcs11
CONF_D=$CONFIG/conf.d
STATE=$XDG_STATE_HOME/smartca-pkcs11
out=$HOME_DIR/out
failed=0
umask 077
printf 'test-password\n' >"$HOME_DIR/sp"
printf 'user-password\n' >"$HOME_DIR/password"
printf 'MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=\n' >"$HOME_DIR/key"
printf '123456\n' >"$HOME_DIR/pin-one"
printf '777777\n' >"$HOME_DIR/pin-two"

fail() {
    echo "FAILED: $*"
    sed 's/^/  out: /' "$out"
    failed=1
}
is() { [ "$2" = "$3" ] || fail "$1: expected '$2', is '$3'"; }
says() { grep -qF -- "$2" "$1" || fail "no '$2' in $1: $(cat "$1")"; }
run() {
    local expected=$1 status=0
    shift
    "$SMARTCA" "$@" >"$out" 2>&1 || status=$?
    [ "$status" = "$expected" ] || fail "smartca $* ended with $status, not $expected"
}
# Each account has a certificate of its own.
mapfile -t SERIALS < <(control users | jq -r ".[] | select(.user_id == \"$USER_ID\") | .certificates[].serial_number")
declare -A SERIAL=([one]=${SERIALS[0]} [two]=${SERIALS[1]})
add() {
    local name=$1
    shift
    "$SMARTCA" account add "$name" --user-id "$USER_ID" --serial "${SERIAL[$name]}" --url "$SERVICE/sca/sp769" --sp-id "$SP_ID" --confirm totp \
        --ca-file "$HOME_DIR/service/tls-ca.pem" --sp-password-file "$HOME_DIR/sp" --pin-file "$HOME_DIR/pin-$name" "$@"
}
SECRETS=(--password-file "$HOME_DIR/password" --secret-key-file "$HOME_DIR/key")
vaults() { find "$STATE/vault" -name '*.token' 2>/dev/null | wc -l; }
accounts() { "$SMARTCA" account list --json 2>/dev/null | jq -r 'map("\(.account):\(.vault)") | join(" ")'; }
slots() { "$SMARTCA" slots --json 2>/dev/null | jq '[.[] | select(.account)] | length'; }
test_case() { echo "== $*"; }

test_case "of two that are added at once the second is told that there is a vault now"
control fault '{"endpoint": "get_certificate", "kind": "delay", "delay_ms": 1500, "count": 2}' >/dev/null
add one "${SECRETS[@]}" >"$HOME_DIR/one" 2>&1 &
one=$!
status=0
add two "${SECRETS[@]}" >"$HOME_DIR/two" 2>&1 || status=$?
status_one=0
wait "$one" || status_one=$?
is "one failure" 1 $((status + status_one))
winner=one
loser=two
[ "$status_one" = 0 ] || winner=two loser=one
says "$HOME_DIR/$loser" "has made its vault"
says "$HOME_DIR/$loser" "PIN of that vault"
is "accounts" "$winner:ready" "$(accounts)"
is "vaults" 1 "$(vaults)"
is "slots" 1 "$(slots)"
run 0 account otp "$winner" --pin-file "$HOME_DIR/pin-$winner"

test_case "run again, it is added with the PIN of the first"
cp "$HOME_DIR/pin-$winner" "$HOME_DIR/pin-$loser"
add "$loser" >"$out" 2>&1 || fail "cannot be added"
is "accounts" "one:ready two:ready" "$(accounts)"

test_case "one that fails takes away nothing of the other's"
status=0
"$SMARTCA" account add three --user-id "$USER_ID" --url "$SERVICE/sca/sp769" --sp-id "$SP_ID" --serial 77 \
    --confirm totp --ca-file "$HOME_DIR/service/tls-ca.pem" --sp-password-file "$HOME_DIR/sp" \
    --pin-file "$HOME_DIR/pin-one" >"$out" 2>&1 || status=$?
is "status" 1 "$status"
is "accounts" "one:ready two:ready" "$(accounts)"
is "slots" 2 "$(slots)"

test_case "while a section has a fault, nobody's vault and slots are taken away"
chmod g+w "$CONF_D/account-two.conf"
run 0 account remove one
says "$out" "stay"
is "vaults" 1 "$(vaults)"
chmod g-w "$CONF_D/account-two.conf"
is "accounts" "two:ready" "$(accounts)"
is "slots" 1 "$(slots)"
run 0 account otp two --pin-file "$HOME_DIR/pin-two"

test_case "the last one takes them along"
run 0 account remove two
is "vaults" 0 "$(vaults)"
is "slots" 0 "$(slots)"

test_case "what a killed rename or remove left behind is no more than the next one takes away"
passwords() { find "$CONFIG" -name '*sp-password*' -printf '%P ' | sort; }
"$SMARTCA" account add plain --user-id "$USER_ID" --url "$SERVICE/sca/sp769" --sp-id "$SP_ID" \
    --ca-file "$HOME_DIR/service/tls-ca.pem" --sp-password-file - <<<test-password >"$out" 2>&1 || fail "cannot be added"
is "passwords" "sp-password-plain " "$(passwords)"
printf 'test-pa' >"$CONFIG/.sp-password-fancy.smartca-a1B2c3"
run 0 account rename plain fancy
is "passwords" "sp-password-fancy " "$(passwords)"
rm "$CONFIG/sp-password-fancy"
printf 'test-pa' >"$CONFIG/.sp-password-fancy.smartca-a1B2c3"
run 0 account remove fancy
is "passwords" "" "$(passwords)"
is "sections" 0 "$(find "$CONF_D" -type f | wc -l)"

[ "$failed" = 0 ]
