#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Accounts without the phone, their vaults and PINs, names, order and appearance: `smartca account`.
#   account_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
. tests/lib/otp.sh
home_start
pins_cheap
COMPANY=0101234567
emulator_start --user "$USER_ID" --user "$COMPANY,Công ty Ánh Dương,3"
unset SMARTCA_PKCS11_MODULE
export LC_ALL=C.UTF-8
CONFIG=$XDG_CONFIG_HOME/smartca-pkcs11
CONF_D=$CONFIG/conf.d
STATE=$XDG_STATE_HOME/smartca-pkcs11
out=$HOME_DIR/out
err=$HOME_DIR/err
failed=0
umask 077

# Canaries: none of them may be seen where it does not belong.
PASSWORD=canary-user-password
KEY=$(printf 'canarykey0123456789abcdef0123456' | base64)
PIN=canary-pin-1
NEW_PIN=canary-pin-2
S=$HOME_DIR/secrets
mkdir "$S"
printf 'test-password\n' >"$S/sp"
printf '%s\n' "$PASSWORD" >"$S/password"
printf '%s\n' "$KEY" >"$S/key"
printf '%s\n' "$PIN" >"$S/pin"
printf '%s\n%s\n' "$PIN" "$NEW_PIN" >"$S/both"
SERVICE_IS=(--url "$SERVICE/sca/sp769/" --ca-file "$HOME_DIR/service/tls-ca.pem" --sp-id "$SP_ID")
SETUP=("${SERVICE_IS[@]}" --sp-password-file "$S/sp")
SECRETS=(--password-file "$S/password" --secret-key-file "$S/key" --pin-file "$S/pin")

run() {
    local expected=$1 status=0
    shift
    "$SMARTCA" "$@" >"$out" 2>"$err" || status=$?
    [ "$status" = "$expected" ] || fail "smartca $* ended with $status, not $expected"
    no_canary "$out" "$err"
}
fail() {
    echo "FAILED: $*"
    sed 's/^/  out: /' "$out"
    sed 's/^/  err: /' "$err"
    failed=1
}
is() { [ "$2" = "$3" ] || fail "$1: expected '$2', is '$3'"; }
json() { is "$1" "$2" "$(jq -r "$1" "$out")"; }
error() {
    is "error code" "$1" "$(jq -r .error.code "$err")"
    is "stdout" "" "$(cat "$out")"
}
says() { grep -qF -- "$2" "$1" || fail "no '$2'"; }
no_canary() {
    ! grep -rqF -e canary- -e "$KEY" -e canarykey "$@" || fail "a secret is in one of: $*"
}
conf_files() { find "$CONFIG" -type f -printf '%P %m\n' 2>/dev/null | sort | tr '\n' ' '; }
vaults() { find "$STATE/vault" -name '*.token' 2>/dev/null | wc -l; }
nothing_written() {
    is "configuration" "" "$(conf_files)"
    is "vaults" 0 "$(vaults)"
}
serial_of() { openssl x509 -in "$HOME_DIR/service/users/$1.pem" -noout -serial | sed 's/.*=//' | tr 'A-F' 'a-f'; }
test_case() { echo "== $*"; }
first=$(serial_of "$COMPANY-1")
second=$(serial_of "$COMPANY-2")

test_case "contradictions are wrong usage and name the option"
refused() {
    local names=$1
    shift
    run 2 account add firm --user-id "$COMPANY" "${SERVICE_IS[@]}" "$@" --json
    error usage
    is "message of $*" true "$(jq -r --arg names "$names" '.error.message | contains($names)' "$err")"
    nothing_written
}
refused "--business" --business --confirm app
refused "--business" --business --confirm otp
refused "--confirm is" --confirm sms
refused "--password-file" --password-file "$S/password"
refused "--secret-key-file" --confirm otp --secret-key-file "$S/key"
refused "--secret-key-file" --secret-key-file "$S/key"
refused "--unattended" --unattended
refused "--unattended" --confirm otp --unattended --password-file "$S/password"
refused "--unattended" --business --unattended --password-file "$S/password"
refused "--unattended" --business --unattended --password-file - --secret-key-file "$S/key"
refused "--sp-password-in-vault" --sp-password-in-vault
refused "--unattended" --business --unattended "${SECRETS[@]}" --sp-password-in-vault --sp-password-file "$S/sp"
refused "--pin-file" --pin-file "$S/pin"
refused "--pin-file" --business --unattended "${SECRETS[@]}"
refused "--reset" --reset

test_case "a mistake in a secret is refused with its option, and nothing is written"
wrong() {
    local code=$1 names=$2
    shift 2
    run 1 account add firm --user-id "$COMPANY" --serial "$first" "${SETUP[@]}" "$@" --json </dev/null
    error "$code"
    is "message of $*" true "$(jq -r --arg names "$names" '.error.message | contains($names)' "$err")"
    nothing_written
}
wrong invalid "--password-file" --business
says "$err" "--business need the password"
wrong invalid "--secret-key-file" --business --password-file "$S/password"
says "$err" "--business need the secret key"
wrong invalid "--pin-file" --business --password-file "$S/password" --secret-key-file "$S/key"
printf 'short\n' >"$S/short"
wrong invalid "6 to 64" --business --password-file "$S/password" --secret-key-file "$S/key" --pin-file "$S/short"
printf '%065d\n' 0 >"$S/long"
wrong invalid "6 to 64" --business --password-file "$S/password" --secret-key-file "$S/key" --pin-file "$S/long"
for key in '!!!' 'c2hvcnQ=' 'base32:canary-189' 'otpauth://hotp/canary-?secret=AAAAAAAAAAAAAAAA'; do
    printf '%s\n' "$key" >"$S/bad-key"
    wrong invalid "--secret-key-file: " --business --password-file "$S/password" --secret-key-file "$S/bad-key" --pin-file "$S/pin"
    wrong invalid "--secret-key-file: " --business --unattended --password-file "$S/password" --secret-key-file "$S/bad-key"
done
wrong not_found "--password-file" --business --password-file "$S/none" --secret-key-file "$S/key"
: >"$S/empty"
wrong invalid "--password-file" --business --password-file "$S/empty" --secret-key-file "$S/key" --pin-file "$S/pin"
two_lines() { wrong invalid "$S/two: the secret has more than one line" "$@"; }
for ending in '\n%s\n' '\r%s' '\n%s' '\n\n%.0s'; do
    # shellcheck disable=SC2059 # the endings are formats
    printf "%s$ending" "$PIN" "$NEW_PIN" >"$S/two"
    two_lines --business --password-file "$S/two" --secret-key-file "$S/key" --pin-file "$S/pin"
    two_lines --business --password-file "$S/password" --secret-key-file "$S/two" --pin-file "$S/pin"
    two_lines --business --password-file "$S/password" --secret-key-file "$S/key" --pin-file "$S/two"
    two_lines --business --unattended --password-file "$S/two" --secret-key-file "$S/key"
done
cp "$S/key" "$S/open-key"
chmod 644 "$S/open-key"
wrong invalid "--secret-key-file" --business --password-file "$S/password" --secret-key-file "$S/open-key" --pin-file "$S/pin"
wrong invalid "--secret-key-file" --business --unattended --password-file "$S/password" --secret-key-file "$S/open-key"
printf 'wrong\n' >"$S/wrong-sp"
run 1 account add firm --user-id "$COMPANY" --business "${SERVICE_IS[@]}" --sp-password-file "$S/wrong-sp" "${SECRETS[@]}" --json
error service_auth
nothing_written

test_case "a number with several certificates needs the serial, and is told which there are"
run 1 account add firm --user-id "$COMPANY" --business "${SETUP[@]}" "${SECRETS[@]}" --json
error invalid
says "$err" "--business needs --serial"
for number in 1 2 3; do says "$err" "$(serial_of "$COMPANY-$number")"; done
nothing_written
run 1 account add firm --user-id "$COMPANY" --business --serial abcd "${SETUP[@]}" "${SECRETS[@]}" --json
error not_found
says "$err" "$first"
nothing_written
# typed EXPECTED_STATUS "ANSWER..." ARGUMENT...: at a terminal; what it shows is in $out.
typed() {
    local expected=$1 answers=$2 status=0
    shift 2
    # shellcheck disable=SC2086 # several answers
    python3 tests/integration/answer.py $answers -- "$SMARTCA" account add "$@" >"$out" 2>"$err" || status=$?
    [ "$status" = "$expected" ] || fail "account add $* with $answers ended with $status, not $expected"
    ! grep -qF canary-typed "$out" || fail "a secret is seen"
}
times() { is "times of '$2'" "$1" "$(grep -cF -- "$2" "$out" || true)"; }
typed 1 "" firm --user-id "$COMPANY" --business "${SETUP[@]}"
says "$out" "--business needs --serial"
times 0 "Password of the SmartCA account:"
nothing_written
is "catalogue" 0 "$("$SMARTCA" slots --json | jq 'map(select(.kind == "smartca")) | length')"

test_case "a secret key that is mistyped is asked for again, three times at most, and no option is blamed"
ONE=(firm --user-id "$COMPANY" --business --serial "$first" "${SETUP[@]}")
typed 1 "canary-typed !!! !!! !!!" "${ONE[@]}"
times 3 "the secret key is not base64"
times 4 "Secret key of the one-time passwords: "
says "$out" "smartca: Secret key of the one-time passwords: "
times 0 "--secret-key-file"
nothing_written
typed 0 "canary-typed !!! $KEY $PIN $PIN" "${ONE[@]}"
times 1 "New PIN of the account, 6 to 64 bytes: "
times 1 "The same again: "
run 0 account otp firm --pin-file "$S/pin"
run 0 account remove firm
run 1 account add firm --user-id "$COMPANY" --business --serial abcd "${SETUP[@]}" "${SECRETS[@]}" --json
error not_found
says "$err" "$first"
nothing_written

test_case "a business account: the section says vault:, the secrets are sealed"
run 0 account add firm --user-id "$COMPANY" --business --serial "$first" "${SETUP[@]}" "${SECRETS[@]}" --json
json '.[] | [.account, .serial, .state] | join("|")' "firm|$first|ready"
is "configuration" "conf.d/account-firm.conf 600 " "$(conf_files)"
is "section" "confirm = totp password = vault: totp_secret = vault: sp_password = file:$S/sp " \
    "$(grep -E '^(confirm|password|totp_secret|sp_password|on_confirm) ' "$CONF_D/account-firm.conf" | tr '\n' ' ')"
is "vaults" 1 "$(vaults)"
is "modes in the vault" 600 "$(find "$STATE/vault" -type f -printf '%m\n' | sort -u)"
no_canary "$STATE" "$CONFIG"
run 0 account list --json
json '.[0] | [.confirm, .vault, .wrong_pins, .default] | join("|")' "totp|ready|0|false"

test_case "one certificate needs no serial"
run 0 account add one --user-id "$USER_ID" --business "${SETUP[@]}" "${SECRETS[@]}" --json
json 'length' 1
is "serial in the section" 0 "$(grep -c '^serial' "$CONF_D/account-one.conf" || true)"
run 0 account remove one
is "vaults" 1 "$(vaults)"

test_case "the one-time password is what an authenticator would show, and costs a right PIN"
run 0 account otp firm --pin-file "$S/pin" --json
step=$(($(date +%s) / 30))
shown=$(jq -r .otp "$out")
[ "$shown" = "$(otp_of "$KEY" $step)" ] || [ "$shown" = "$(otp_of "$KEY" $((step - 1)))" ] || fail "not the code of now"
json '(.seconds_left > 0 and .seconds_left <= 30) | tostring' true
json 'keys | join(" ")' "account otp seconds_left"
run 0 account otp firm --pin-file - <<<"$PIN"
says "$err" "do not give it to anybody"
run 1 account otp firm --pin-file "$S/short" --json
error user_auth
says "$err" "wrong PIN of account firm: 1 of 10 tries"
says "$err" "forgotten: smartca account pin firm --reset"
run 0 account list --json
json '.[0] | [.vault, .wrong_pins] | join("|")' "wrong_pins|1"
run 1 account otp firm --json </dev/null
error invalid
run 1 account otp nobody --json
error not_found

test_case "a vault that others may look into is not damaged: its secrets are not to be thrown away"
chmod 755 "$STATE/vault"
run 1 account list --json
json '.[0].vault' unreadable
is "error code" io "$(jq -r .error.code "$err")"
run 1 account pin firm --pin-file "$S/both" --json
error io
says "$err" "its folder is open to others; run chmod 700 on it"
is "advice" 0 "$(grep -c -- --reset "$err" || true)"
run 1 doctor --json
is "advice" 0 "$(grep -c -- --reset "$out" || true)"
run 0 account add phone --user-id "$COMPANY" --serial "$second" "${SETUP[@]}"
run 0 account remove phone
chmod 700 "$STATE/vault"

test_case "the PIN is changed by who knows it"
run 1 account pin firm --pin-file "$S/pin" --json
error invalid
says "$err" "two lines"
printf '%s\nshort\n' "$PIN" >"$S/both-short"
run 1 account pin firm --pin-file "$S/both-short" --json
error invalid
printf '%s\n%s\n' "$NEW_PIN" "$PIN" >"$S/both-wrong"
run 1 account pin firm --pin-file "$S/both-wrong" --json
error user_auth
run 2 account pin firm --password-file "$S/password" --json
error usage
run 0 account pin firm --pin-file "$S/both" --json
json '[.account, .changed, .reset] | map(tostring) | join(" ")' "firm true false"
run 1 account otp firm --pin-file "$S/pin" --json
error user_auth
run 0 account otp firm --pin-file - <<<"$NEW_PIN"
run 0 account pin firm --pin-file - <<<"$NEW_PIN"$'\n'"$PIN"
run 0 account otp firm --pin-file "$S/pin"
run 0 account list --json
json '.[0].wrong_pins' 0

test_case "a second account of the identity shares the vault: its PIN opens it, nothing else is asked"
run 1 account add sister --user-id "$COMPANY" --confirm totp --serial "$second" "${SETUP[@]}" --pin-file "$S/short" --json
error user_auth
says "$err" "wrong PIN of this identity: 1 of 10 tries"
says "$err" "forgotten: the same with --reset"
is "configuration" "conf.d/account-firm.conf 600 " "$(conf_files)"
run 0 account otp firm --pin-file "$S/pin"
run 0 account add sister --user-id "$COMPANY" --confirm totp --serial "$second" "${SETUP[@]}" --pin-file "$S/pin" --json
is "vaults" 1 "$(vaults)"
run 0 account otp sister --pin-file "$S/pin"

test_case "a certificate is one account's slot: a second account does not take it over"
holders() { "$SMARTCA" slots --json | jq -r --arg serial "$1" '.[] | select(.serial == $serial).account'; }
taken() {
    run 1 account add aa --user-id "$COMPANY" "${SETUP[@]}" "$@" --json </dev/null
    error exists
    says "$err" "account firm's slot"
    says "$err" "account-firm.conf:2"
    is "configuration" "conf.d/account-firm.conf 600 conf.d/account-sister.conf 600 " "$(conf_files)"
    is "holder" firm "$(holders "$first")"
}
taken --serial "$first"
taken --serial "${first^^}" --pending
taken --business --serial "$first" "${SECRETS[@]}"
run 0 account add aa --user-id "$COMPANY" "${SETUP[@]}"
says "$err" "certificate $first stays account firm's slot"
run 1 account add ab --user-id "$COMPANY" "${SETUP[@]}" --json
error exists
says "$err" "account aa's slots"
run 1 account add ab --user-id "$COMPANY" --serial "$(serial_of "$COMPANY-3")" "${SETUP[@]}" --json
error exists
is "holders" "firm sister aa" \
    "$(holders "$first") $(holders "$second") $(holders "$(serial_of "$COMPANY-3")")"
run 0 doctor --json
json 'map(select(.check | endswith(": slot"))) | length' 0
sed "s/^user_id = .*/&\nserial = $first/; s/^\[account .*/[account a]/" "$CONF_D/account-aa.conf" >"$CONF_D/a.conf"
run 0 doctor --json
json 'map(select(.check | endswith(": slot")) | [.check, .result] | join(" ")) | join(",")' "account firm: slot warn"
rm "$CONF_D/a.conf"
run 0 account remove aa
run 0 account add single --user-id "$USER_ID" "${SETUP[@]}" --serial "$(serial_of "$USER_ID-1")"
run 1 account add aa --user-id "$USER_ID" "${SETUP[@]}" --json
error exists
says "$err" "account single's slot"
run 0 account remove single

test_case "rename keeps the vault, the slot and what the owner wrote"
printf 'pin = required ; by hand\n' >>"$CONF_D/account-sister.conf"
slots_before=$("$SMARTCA" slots --json | jq -c 'map(.slot_id) | sort')
run 2 account rename sister 'a/b' --json
error usage
run 1 account rename sister firm --json
error exists
run 1 account rename nobody office --json
error not_found
run 0 account rename sister office --json
json '[.account, .was, .file] | join(" ")' "office sister $CONF_D/account-office.conf"
is "configuration" "conf.d/account-firm.conf 600 conf.d/account-office.conf 600 " "$(conf_files)"
says "$CONF_D/account-office.conf" "pin = required ; by hand"
is "old name" 0 "$(grep -c sister "$CONF_D/account-office.conf" || true)"
run 0 account otp office --pin-file "$S/pin"
is "slots" "$slots_before" "$("$SMARTCA" slots --json | jq -c 'map(.slot_id) | sort')"
run 0 account remove office
is "vaults" 1 "$(vaults)"
run 0 account otp firm --pin-file "$S/pin"

test_case "secrets that nobody needs any more are removed with the account that did"
run 0 account add plain --user-id "$COMPANY" --serial "$second" "${SETUP[@]}"
run 0 account remove firm
is "vaults" 0 "$(vaults)"
run 0 account list --json
json 'map([.account, .certificates] | map(tostring) | join(":")) | join(" ")' "plain:1"
run 0 account add firm --user-id "$COMPANY" --business --serial "$first" "${SETUP[@]}" "${SECRETS[@]}" --json
run 0 account remove plain
is "vaults" 1 "$(vaults)"
run 0 account otp firm --pin-file "$S/pin"

test_case "rename takes the password file along"
run 0 account add plain --user-id "$USER_ID" "${SERVICE_IS[@]}" --sp-password-file - <<<test-password
run 0 account rename plain simple
is "configuration" \
    "conf.d/account-firm.conf 600 conf.d/account-simple.conf 600 sp-password-simple 600 " "$(conf_files)"
run 0 account refresh simple --json
json '.[0].change' unchanged
printf '\n[account extra]\nuser_id = 555000\nsp_id = x\nsp_password = env:X\n' >>"$CONF_D/account-simple.conf"
run 1 account rename simple other --json
error not_ours
sed -i '/^\[account extra/,$d' "$CONF_D/account-simple.conf"
run 0 account remove simple
is "configuration" "conf.d/account-firm.conf 600 " "$(conf_files)"

test_case "ten wrong PINs lock; --reset asks for the secrets again"
for try in 1 2 3 4 5 6 7 8 9 10; do
    run 1 account otp firm --pin-file - --json <<<"wrong-$try"
done
error pin_locked
run 1 account otp firm --pin-file "$S/pin" --json
error pin_locked
run 1 account pin firm --pin-file "$S/both" --json
error pin_locked
run 1 account add again --user-id "$COMPANY" --confirm totp "${SETUP[@]}" "${SECRETS[@]}" --json
error pin_locked
run 0 account list --json
json '.[0].vault' locked
run 1 doctor --json
json 'map(select(.check == "account firm: vault").result) | join(" ")' fail
run 2 account pin firm --reset --sp-password-file "$S/sp" --json
error usage
run 1 account pin firm --reset --password-file "$S/password" --secret-key-file "$S/bad-key" --pin-file "$S/pin" --json
error invalid
run 1 account pin firm --reset --password-file "$S/password" --secret-key-file "$S/key" --pin-file "$S/both" --json
error invalid
says "$err" "--pin-file $S/both: the secret has more than one line"
run 0 account pin firm --reset --secret-key-file - --pin-file - --password-file - --json <<<"$KEY"$'\n'"$NEW_PIN"$'\n'"$PASSWORD"
json '[.changed, .reset] | map(tostring) | join(" ")' "true true"
run 0 account otp firm --pin-file - --json <<<"$NEW_PIN"
json '.otp | length' 6
no_canary "$STATE" "$CONFIG"

test_case "doctor sees vaults, secrets and open files"
run 0 doctor --json
json 'map(select(.check | test("vault|secrets")) | .result) | join(" ")' "ok ok"
mv "$STATE/vault" "$STATE/vault-away"
run 1 doctor --json
json 'map(select(.check == "account firm: vault")) | .[0] | .result + " " + .next_step' \
    "fail smartca account pin firm --reset asks for the secrets and a new PIN"
run 1 account otp firm --pin-file "$S/pin" --json
error not_found
run 1 account pin firm --pin-file "$S/both" --json
error not_found
: >"$STATE/vault"
run 1 account pin firm --reset "${SECRETS[@]}" --json
says "$err" "cannot be written in $STATE/vault"
rm "$STATE/vault"
mv "$STATE/vault-away" "$STATE/vault"
chmod 644 "$CONF_D/account-firm.conf"
run 0 doctor --json
json 'map(select(.check == "files").result) | join(" ")' warn
chmod 600 "$CONF_D/account-firm.conf"
econtract() {
    printf '%s\n' '[econtract]' "url = $SERVICE/econtract" "$@" >"$CONF_D/econtract.conf"
}
econtract 'username = admin' "password = file:$S/password"
run 0 doctor --json
json 'map(select(.check == "econtract").result) | join(" ")' ok
econtract 'username = admin' "password = file:$S/none"
run 1 doctor --json
json 'map(select(.result == "fail").check) | join(" ")' econtract
econtract 'username = admin'
run 0 doctor --json
json 'map(select(.check == "econtract").result) | join(" ")' warn
rm "$CONF_D/econtract.conf"
run 0 account remove firm
nothing_written

test_case "an account whose section has a mistake leaves its secrets, and that is said"
broken() {
    run 0 account add firm --user-id "$COMPANY" --business --serial "$first" "${SERVICE_IS[@]}" --sp-password-file - \
        "${SECRETS[@]}" <<<test-password
    printf 'pin = perhaps\n' >>"$CONF_D/account-firm.conf"
}
broken
run 0 account remove firm
says "$err" "its secrets may remain in $STATE/vault"
says "$err" "$CONFIG/sp-password-firm remains"
is "vaults" 1 "$(vaults)"
rm "$CONFIG/sp-password-firm"
broken
run 0 account remove firm --json
json '[.removed, .may_remain] | map(tostring) | join(" ")' "true $STATE"
rm "$CONFIG/sp-password-firm"
run 0 account add firm --user-id "$COMPANY" --business --serial "$first" "${SETUP[@]}" --pin-file "$S/pin"
run 0 account remove firm --json
json '[.removed, .may_remain] | map(tostring) | join(" ")' "true null"
nothing_written

test_case "unattended: the section names the files, nobody is asked"
printf 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n' >"$S/base32"
run 0 account add server --user-id "$COMPANY" --business --unattended --serial "$first" "${SETUP[@]}" \
    --password-file "$S/password" --secret-key-file "$S/base32"
says "$err" "looks like base32"
says "$err" "not checked until the first signature; smartca account otp server"
run 0 account remove server
run 0 account add server --user-id "$COMPANY" --business --unattended --serial "$first" "${SETUP[@]}" \
    --password-file "$S/password" --secret-key-file "$S/key"
! grep -q base32 "$err" || fail "a good key is doubted"
run 0 account remove server
run 0 account add server --user-id "$COMPANY" --business --unattended --serial "$first" "${SETUP[@]}" \
    --password-file "$S/password" --secret-key-file "$S/key" --json </dev/null
is "section" "password = file:$S/password totp_secret = file:$S/key " \
    "$(grep -E '^(password|totp_secret) ' "$CONF_D/account-server.conf" | tr '\n' ' ')"
is "vaults" 0 "$(vaults)"
run 0 account list --json
json '.[0].vault' null
run 0 account otp server --json </dev/null
json '.otp | length' 6
run 1 account pin server --pin-file "$S/both" --json
error unsupported
run 0 doctor --json
json 'map(select(.check == "account server: secrets").result) | join(" ")' ok
mv "$S/key" "$S/key-away"
run 1 doctor --json
json 'map(select(.result == "fail") | [.check, .detail] | join("|")) | join(" ")' \
    "account server: secrets|totp_secret: not there ($S/key)"
run 1 account otp server --json
says "$err" "totp_secret of account server: not there ($S/key)"
cp "$S/bad-key" "$S/key"
run 1 doctor --json
json 'map(select(.result == "fail").check) | join(" ")' "account server: secrets"
run 1 account otp server --json
error invalid
mv "$S/key-away" "$S/key"

test_case "set-default and appearance, of one certificate and of all"
run 0 account add all --user-id "$COMPANY" "${SETUP[@]}" --json
json length 2
run 0 account set-default all --serial "${second^^}" --json
json '[.account, .serial, .default] | map(tostring) | join(" ")' "all $second true"
run 0 account set-default all --serial "$second"
says "$err" "programs started from now on"
run 0 account list --json
json 'map([.account, .default] | map(tostring) | join(":")) | join(" ")' "all:true server:false"
run 0 account set-default server --json
json '.serial' "$first"
run 0 account list --json
json 'map([.account, .default] | map(tostring) | join(":")) | join(" ")' "all:true server:true"
run 1 account set-default all --serial abcd --json
error not_found
says "$err" "$second"
run 1 account set-default nobody --json
error not_found
run 0 account appearance all --json
json 'map(.text) | unique | map(tostring) | join(" ")' null
printf '\211PNG\r\n\032\nrest of it' >"$HOME_DIR/sign.png"
run 0 account appearance all --text 'Ký bởi {{SubjectDN.CN}}' --image "$HOME_DIR/sign.png" --json
json 'map([.text, .mode, .image, .image_bytes] | map(tostring) | join("|")) | unique | join(" ")' \
    "Ký bởi {{SubjectDN.CN}}|text-image|png|18"
run 0 account appearance all --serial "$second" --mode image --json
json 'map([.serial, .mode] | join("|")) | join(" ")' "$second|image"
run 0 account appearance all --json
json 'map(.mode) | sort | join(" ")' "image text-image text-image"
run 1 account appearance all --serial "$second" --image '' --json
error invalid
run 0 account appearance all --serial "$second" --mode text --image '' --json
json '.[0] | [.mode, .image] | map(tostring) | join(" ")' "text null"
run 2 account appearance all --text 'Ký bởi {{SubjectDN.XX}}' --json
error usage
says "$err" "{{SubjectDN.XX}} stands for nothing; there are {{SubjectDN.CN}} {{SubjectDN.O}}"
run 2 account appearance all --mode both --json
error usage
run 2 account appearance all --text "$(printf '%04097d' 0)" --json
error usage
printf 'GIF89a' >"$HOME_DIR/sign.gif"
run 1 account appearance all --image "$HOME_DIR/sign.gif" --json
error invalid
{ cat "$HOME_DIR/sign.png"; head -c 131072 /dev/zero; } >"$HOME_DIR/large.png"
run 1 account appearance all --image "$HOME_DIR/large.png" --json
error invalid
says "$err" "128 KiB"
run 1 account appearance all --image "$HOME_DIR/none.png" --json
error not_found
run 0 account appearance all --mode text-image --text '' --image '' --json
json 'map([.text, .mode, .image] | map(tostring) | join("|")) | unique | join(" ")' "null|null|null"
run 0 account remove all
run 0 account remove server

test_case "sp_password in the vault: refresh asks for the PIN"
run 0 account add sealed --user-id "$USER_ID" --sp-password-in-vault "${SERVICE_IS[@]}" --confirm otp \
    --pin-file - --sp-password-file - --password-file "$S/password" --json <<<"$PIN"$'\n'test-password
is "section" "confirm = otp password = vault: sp_password = vault: " \
    "$(grep -E '^(confirm|password|sp_password) ' "$CONF_D/account-sealed.conf" | tr '\n' ' ')"
is "configuration" "conf.d/account-sealed.conf 600 " "$(conf_files)"
run 0 account refresh sealed --pin-file "$S/pin" --json
json '.[0].change' unchanged
run 1 account refresh sealed --pin-file "$S/short" --json
is "code" user_auth "$(jq -r .error.code "$err")"
run 1 account refresh --json </dev/null
is "code" invalid "$(jq -r .error.code "$err")"
run 2 account refresh --pin-file "$S/pin" --json
error usage
run 0 doctor --json
json 'map(select(.check == "account sealed: service").result) | join(" ")' warn
run 1 account otp sealed --pin-file "$S/pin" --json
error unsupported
run 0 account remove sealed
nothing_written

test_case "an account may come before its certificate"
run 1 account add later --user-id 999999999999 "${SETUP[@]}" --json
error not_found
says "$err" "--pending"
says "$err" "no certificate at $SERVICE/sca/sp769\""
says "$err" "smartca status later --watch"
nothing_written
run 0 account add later --user-id 999999999999 "${SETUP[@]}" --pending
says "$err" "$SERVICE/sca/sp769 does not know 999999999999 yet"
run 0 account remove later
run 0 account add later --user-id 999999999999 "${SETUP[@]}" --pending --json
json length 0
run 0 status later --json
json .stage no_account
control user '{"user_id":"999999999999","name":"Lê Văn Sau","add_certificates":1}' >/dev/null
run 0 account refresh later --json
json '.[0].change' new
run 1 account add wrong --user-id 888888888888 "${SERVICE_IS[@]}" --sp-password-file "$S/wrong-sp" --pending --json
error service_auth
run 0 account remove later
nothing_written

test_case "what cannot be written whole is not written at all"
# Nobody can make files in conf.d; root can, but not everywhere.
conf_d_break() {
    mv "$CONF_D" "$CONF_D-away"
    if [ "$(id -u)" = 0 ]; then ln -s /proc/sys/fs "$CONF_D"; else mkdir -m 500 "$CONF_D"; fi
}
conf_d_mend() {
    rm -rf "$CONF_D"
    mv "$CONF_D-away" "$CONF_D"
}
conf_d_break
run 1 account add firm --user-id "$COMPANY" --business --serial "$first" "${SETUP[@]}" "${SECRETS[@]}" --json
says "$err" "$CONF_D/account-firm.conf cannot be written"
is "vaults" 0 "$(vaults)"
run 1 account add firm --user-id "$COMPANY" --serial "$first" "${SERVICE_IS[@]}" --sp-password-file - --json <<<test-password
is "password file" 0 "$(find "$CONFIG" -name 'sp-password*' | wc -l)"
conf_d_mend
run 0 account add firm --user-id "$COMPANY" --business --serial "$first" "${SETUP[@]}" "${SECRETS[@]}"
run 0 account otp firm --pin-file "$S/pin"
printf 'hex:00112233445566778899aabbccddeeff00112233\n' >"$S/other-key"
conf_d_break
run 1 account add sister --user-id "$COMPANY" --business --serial "$second" "${SETUP[@]}" --pin-file "$S/pin" \
    --secret-key-file "$S/other-key" --json
conf_d_mend
run 0 account otp firm --pin-file "$S/pin" --json
step=$(($(date +%s) / 30))
shown=$(jq -r .otp "$out")
[ "$shown" = "$(otp_of "$KEY" $step)" ] || [ "$shown" = "$(otp_of "$KEY" $((step - 1)))" ] || fail "the key before is not back"
run 0 account remove firm
nothing_written
rm -rf "$STATE/vault"
: >"$STATE/vault"
run 1 account add firm --user-id "$COMPANY" --business --serial "$first" "${SETUP[@]}" "${SECRETS[@]}" --json
says "$err" "vault"
is "configuration" "" "$(conf_files)"
rm "$STATE/vault"

test_case "a vault that is made anew has what every account of the identity needs"
# otp_shows NAME PIN_FILE: the account's one-time password is that of KEY.
otp_shows() {
    local shown step
    run 0 account otp "$1" --pin-file "$2" --json
    step=$(($(date +%s) / 30))
    shown=$(jq -r .otp "$out")
    [ "$shown" = "$(otp_of "$KEY" $step)" ] || [ "$shown" = "$(otp_of "$KEY" $((step - 1)))" ] || fail "$1 has another key"
}
printf '%s\n' "$NEW_PIN" >"$S/new-pin"
TYPED=(typed --user-id "$COMPANY" --confirm otp --serial "$second" "${SETUP[@]}" --password-file "$S/password")
run 0 account add firm --user-id "$COMPANY" --business --serial "$first" "${SETUP[@]}" "${SECRETS[@]}"
run 1 account add "${TYPED[@]}" --reset --pin-file "$S/new-pin" --json </dev/null
error invalid
says "$err" "--secret-key-file"
otp_shows firm "$S/pin"
conf_d_break
run 1 account add "${TYPED[@]}" --reset --pin-file "$S/new-pin" --json
conf_d_mend
otp_shows firm "$S/pin"
run 2 account add typed --user-id "$USER_ID" --confirm otp "${SETUP[@]}" --reset "${SECRETS[@]}" --json
error usage
run 0 account add "${TYPED[@]}" --reset --pin-file "$S/new-pin" --secret-key-file "$S/key" --json
otp_shows firm "$S/new-pin"
run 0 account remove typed

test_case "what the vault has is not written over by another account"
run 1 account add sister --user-id "$COMPANY" --business --serial "$second" "${SETUP[@]}" --pin-file "$S/new-pin" \
    --secret-key-file "$S/other-key" --json
error exists
says "$err" "--secret-key-file"
is "configuration" "conf.d/account-firm.conf 600 " "$(conf_files)"
otp_shows firm "$S/new-pin"

test_case "an account add that is interrupted keeps the secrets of the other account"
# interrupted_at CALL SIGNAL STATUS: before every such call, from the same state each time.
interrupted_at() {
    local n status
    for ((n = 1; ; n++)); do
        rm -rf "$STATE" "$CONFIG"
        cp -a "$HOME_DIR/before/state" "$STATE"
        cp -a "$HOME_DIR/before/config" "$CONFIG"
        status=0
        { strace -f -o /dev/null -e "trace=$1" -e "inject=$1:signal=$2:when=$n" "$SMARTCA" account add sister \
            --user-id "$COMPANY" --business --serial "$second" "${SERVICE_IS[@]}" --sp-password-in-vault \
            --sp-password-file "$S/sp" --pin-file "$S/new-pin" >"$out" 2>"$err" || status=$?; } 2>/dev/null
        otp_shows firm "$S/new-pin"
        [ "$status" != 0 ] || break
        [ "$status" = "$3" ] || fail "at $1 $n it ended with $status, not $3"
        interrupts=$((interrupts + 1))
    done
    otp_shows sister "$S/new-pin"
}
mkdir "$HOME_DIR/before"
cp -a "$STATE" "$HOME_DIR/before/state"
cp -a "$CONFIG" "$HOME_DIR/before/config"
interrupts=0
interrupted_at fsync KILL 137
interrupted_at rename KILL 137
interrupted_at rename INT 130
[ "$interrupts" -ge 12 ] || fail "only $interrupts interrupts"
run 0 account remove sister
run 0 account remove firm
nothing_written

test_case "no secret is in the state folder or in the emulator's log"
no_canary "$STATE" "$HOME_DIR/emulator.log" "$HOME_DIR/service/requests.jsonl"

exit $failed
