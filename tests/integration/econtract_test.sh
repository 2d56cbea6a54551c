#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# smartca econtract against the emulator: log-in, users, and certificates added, changed, deleted.
#   econtract_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
home_start
pins_cheap
emulator_start --user "$USER_ID" --user '555000,Trần Thị Bé,2'
unset SMARTCA_PKCS11_MODULE
export LC_ALL=C.UTF-8
STATE=$XDG_STATE_HOME/smartca-pkcs11
TICKET=$STATE/vault/econtract
PASSWORD=$HOME_DIR/econtract-password
out=$HOME_DIR/out
err=$HOME_DIR/err
failed=0

# run EXPECTED_STATUS ARGUMENT...: keeps stdout in $out and stderr in $err.
run() {
    local expected=$1 status=0
    shift
    "$SMARTCA" "$@" >"$out" 2>"$err" || status=$?
    [ "$status" = "$expected" ] || fail "smartca $* ended with $status, not $expected"
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
    is "error keys" "code message next_step" "$(jq -r '.error | keys | join(" ")' "$err")"
}
says() { grep -qF -- "$2" "$1" || fail "no '$2'"; }
tokens() { control econtract | jq .tokens; }
# there FILTER: of what eContract has.
there() { control econtract | jq -r "$1"; }
test_case() { echo "== $*"; }

printf 'econtract-password\n' >"$PASSWORD"
chmod 600 "$PASSWORD"
# configure [LINE...]: an account's [smartca], and [econtract] with extra lines.
configure() {
    account_write ""
    sed -i '/^\[account/,$d' "$SMARTCA_PKCS11_CONF"
    printf '%s\n' '[econtract]' "url = $SERVICE/econtract/" 'username = admin' \
        "ca_file = $HOME_DIR/service/tls-ca.pem" "$@" >>"$SMARTCA_PKCS11_CONF"
}

test_case "without [econtract] nothing is asked"
account_write ""
run 1 econtract users --json
error not_found
says "$err" "no usable [econtract]"

test_case "wrong usage is refused before anything is sent"
configure 'company_id = 1' "password = file:$PASSWORD"
for arguments in "login x" "login --search a" "users x" "users --page 0" "users --page x" "users --company 1" \
    "add" "add work" "add work --user-id $USER_ID" "add work --econtract-user 1" \
    "add work --econtract-user x --user-id $USER_ID" "add work --econtract-user 0 --user-id $USER_ID" \
    "add a/b --econtract-user 1 --user-id $USER_ID" "add work --econtract-user 1 --user-id 1" \
    "update" "update --certificate 1" "update --certificate 1 --econtract-user 1" \
    "update --certificate 1 --econtract-user 1 --name=" "update --certificate -1 --econtract-user 1 --default" \
    "update --certificate 1234567890123456789 --econtract-user 1 --default" \
    "delete --certificate 1" "delete --econtract-user 1" "delete --certificate 1 --econtract-user 1 --default"; do
    # shellcheck disable=SC2086 # several words
    run 2 econtract $arguments
    is "stdout of '$arguments'" "" "$(cat "$out")"
    # shellcheck disable=SC2086
    run 2 --json econtract $arguments
    error usage
done
is "tokens given" 0 "$(tokens)"

test_case "several companies are printed to choose from"
configure "password = file:$PASSWORD"
run 1 econtract login --json
json 'map("\(.company_id) \(.name)") | join(", ")' "1 VNPT IT2, 2 VNPT Hà Nội"
error company_needed
says "$err" "--company ID"
run 1 econtract users --json
error invalid
is "a token that nobody may use" no "$([ -e "$TICKET" ] && echo yes || echo no)"
run 0 econtract login --company 2 --json
json '"\(.username) \(.company_id)"' "admin 2"
is "mode of the token's file" 600 "$(stat -c %a "$TICKET")"
is "mode of its folder" 700 "$(stat -c %a "$STATE/vault")"

test_case "the token is used until it is refused, then renewed once"
given=$(tokens)
run 0 econtract users
run 0 econtract users --json
is "tokens given" "$given" "$(tokens)"
control econtract '{"forget_tokens":true}' >"$out"
run 0 econtract users --json
is "tokens given since" 1 "$(tokens)"
configure 'company_id = 1' "password = file:$PASSWORD"
printf damaged >"$TICKET"
run 0 econtract users --json
run 0 econtract users --json
is "a damaged token is none" 2 "$(tokens)"

test_case "users come page by page, in both forms"
run 0 econtract users --search NV003 --json
json 'map("\(.user_id) \(.code) \(.email) \(.default) \(.certificates)") | join(" ")' \
    "3 NV003 NV003@vnpt.example null null"
run 0 econtract users --search 'Nguyễn Văn Ánh' --json
json 'map(.name) | join(" ")' "Nguyễn Văn Ánh"
run 0 econtract users --search 'no & body' --json
json 'length' 0
run 0 econtract users
says "$out" NV025
run 0 econtract users --page 2 --json
json 'length' 0
control econtract '{"users":120}' >"$out"
run 0 econtract users --search NV003
says "$err" "does not say which certificates a user has"
[[ $(tail -n 1 "$out") =~ NV003@vnpt.example\ +\?\ +-$ ]] || fail "what is not told is not ?"
run 0 econtract users
says "$err" "50 of 120 users; --page 2 shows more"
run 0 econtract users --page 3 --json
json 'map(.user_id) | "\(length) \(min) \(max)"' "20 101 120"
control econtract '{"users":25}' >"$out"

test_case "a wrong password is said in the service's words, and shown to nobody"
printf 'canary-password\n' >"$HOME_DIR/wrong"
chmod 600 "$HOME_DIR/wrong"
run 1 econtract login --password-file "$HOME_DIR/wrong" --json
error user_auth
says "$err" "eContract: code 401: Tên đăng nhập hoặc mật khẩu không đúng"
! grep -q canary "$out" "$err" || fail "the password is shown"
run 1 econtract users --password-file "$HOME_DIR/wrong" --json
error user_auth
run 1 econtract users --password-file "$HOME_DIR/none" --json
error io

test_case "without a password in the configuration it is asked for"
configure 'company_id = 1'
status=0
"$SMARTCA" econtract login --json <"$PASSWORD" >"$out" 2>"$err" || status=$?
is "log-in with a piped password" 0 "$status"
status=0
"$SMARTCA" econtract login --json </dev/null >"$out" 2>"$err" || status=$?
is "log-in without" 1 "$status"
error invalid
run 0 econtract users --password-file "$PASSWORD" --json

test_case "an OTP is the next line of standard input"
configure 'company_id = 1' "password = file:$PASSWORD"
control behaviour '{"econtract_otp":true}' >"$out"
status=0
printf '123456\n' | "$SMARTCA" econtract login --json >"$out" 2>"$err" || status=$?
is "log-in with an OTP" 0 "$status"
status=0
printf '000000\n' | "$SMARTCA" econtract login --json >"$out" 2>"$err" || status=$?
is "log-in with a wrong one" 1 "$status"
error otp_needed
says "$err" "Mã OTP không đúng"
status=0
"$SMARTCA" econtract login --json </dev/null >"$out" 2>"$err" || status=$?
is "log-in without one" 1 "$status"
error otp_needed
run 0 econtract users --json
control econtract '{"forget_tokens":true}' >"$out"
run 1 econtract users --json
error otp_needed
control behaviour '{"econtract_otp":false}' >"$out"

test_case "add: there, and here with the signature text of the user"
run 0 econtract add work --econtract-user 3 --user-id "$USER_ID" --json
json 'length' 1
json '.[0] | "\(.account) \(.user_id) \(.certificate_id) \(.default) \(.state)"' "work 3 101 true ready"
serial=$(jq -r '.[0].serial' "$out")
is "eContract has it" "$serial" "$(there '.users[2].userCertificates | map(.serialNumber) | join(" ")')"
run 0 account list --json
json 'map(.account) | join(" ")' work
run 0 account appearance work --json
says "$out" '{{SubjectDN.CN}}'
run 0 econtract users --search NV003 --json
json '.[0].default' 101

test_case "add: one certificate of several by its serial, in text"
wanted=$(control users | jq -r '.[] | select(.user_id == "555000") | .certificates[1].serial_number')
run 0 econtract add be --econtract-user 4 --user-id 555000 --serial "$wanted"
says "$out" "$wanted"
says "$err" "user 4 signs with the SmartCA of 555000 now"
is "eContract has that one" "$wanted" "$(there '.users[3].userCertificates | map(.serialNumber) | join(" ")')"

test_case "add: a name in use is refused before eContract is asked"
run 1 econtract add work --econtract-user 5 --user-id "$USER_ID" --json
error exists
is "eContract's user 5" 0 "$(there '.users[4].userCertificates | length')"

test_case "add: what is missing here is refused before eContract is asked"
sed -i.kept '/^sp_id = /d' "$SMARTCA_PKCS11_CONF"
run 1 econtract add other --econtract-user 5 --user-id 555000 --json
error invalid
says "$err" "lacks sp_id"
says "$err" "give --sp-id, or write it into [smartca]"
mv "$SMARTCA_PKCS11_CONF.kept" "$SMARTCA_PKCS11_CONF"
run 2 econtract add other --econtract-user 5 --user-id 555000 --serial xy --json
error usage
run 1 econtract add other --econtract-user 5 --user-id "$USER_ID" --json
error exists
says "$err" "account work's slots"
is "eContract's user 5" 0 "$(there '.users[4].userCertificates | length')"

test_case "add: what eContract refuses is not made here"
run 1 econtract add other --econtract-user 999 --user-id 555000 --json
error invalid
run 0 account list --json
json 'map(.account) | sort | join(" ")' "be work"

test_case "add: what fails here is refused before eContract changes anything"
S=$HOME_DIR/secrets
mkdir -m 700 "$S"
(umask 077 && printf 'canary-password\n' >"$S/password" && printf 'hex:%040d\n' 0 >"$S/key" && printf '246824\n' >"$S/pin")
SECRETS=(--password-file "$S/password" --secret-key-file "$S/key" --pin-file "$S/pin")
run 1 econtract add third --econtract-user 5 --user-id 999999999 --json
error not_found
run 1 econtract add third --econtract-user 5 --user-id 555000 --business "${SECRETS[@]}" --json
error invalid
says "$err" "--business needs --serial"
sed -i 's/^sp_id = .*/sp_id = nobody/' "$SMARTCA_PKCS11_CONF"
run 1 econtract add third --econtract-user 5 --user-id 555000 --json
error service_auth
configure 'company_id = 1' "password = file:$PASSWORD"
is "eContract's user 5" 0 "$(there '.users[4].userCertificates | length')"
run 0 account list --json
json 'map(.account) | sort | join(" ")' "be work"

test_case "add: what fails here afterwards says what was done there, and the whole command that is left"
# Nobody can make files in conf.d; root can, but not everywhere.
CONF_D=$XDG_CONFIG_HOME/smartca-pkcs11/conf.d
mv "$CONF_D" "$CONF_D-away"
if [ "$(id -u)" = 0 ]; then ln -s /proc/sys/fs "$CONF_D"; else mkdir -m 500 "$CONF_D"; fi
run 1 econtract add third --econtract-user 5 --user-id 555000 --business --serial "$wanted" "${SECRETS[@]}" --json
says "$err" "eContract has added the certificate to user 5; only the account here is missing"
says "$err" "smartca account add third --user-id 555000 --serial $wanted --business --password-file $S/password --secret-key-file $S/key --pin-file $S/pin"
is "one error" 1 "$(jq -s length "$err")"
run 1 econtract add third --econtract-user 5 --user-id 555000 --json
says "$err" "smartca account add third --user-id 555000)"
rm -rf "$CONF_D"
mv "$CONF_D-away" "$CONF_D"
is "eContract's user 5" 2 "$(there '.users[4].userCertificates | length')"
is "vaults" 0 "$(find "$STATE/vault" -name '*.token' | wc -l)"

test_case "update: name and default, there and here"
be=$(there '.users[3].userCertificates[0].id')
run 0 econtract update --certificate "$be" --econtract-user 4 --name 'Chữ ký của Bé' --default --json
json '"\(.user_id) \(.certificate_id) \(.default) \(.name) \(.serial) \(.account)"' \
    "4 $be $be Chữ ký của Bé $wanted be"
run 0 econtract update --certificate "$be" --econtract-user 4 --default
says "$err" "in programs started from now on"
is "eContract's name" 'Chữ ký của Bé' "$(there '.users[3].userCertificates[0].name')"
run 0 slots --json
says "$out" 'Chữ ký của Bé'
second=$(there '.users[4].userCertificates[1].id')
run 0 econtract update --certificate "$second" --econtract-user 5 --default
says "$out" "the default of user 5 is $second"
is "eContract's default" "$second" "$(there '.users[4].defaultSmartCa.id')"
run 1 econtract update --certificate 999 --econtract-user 5 --default --json
error invalid

test_case "delete: which went, which is the default now, and what stays here"
first=$(there '.users[4].userCertificates[0].id')
run 0 econtract delete --certificate "$second" --econtract-user 5
says "$out" "certificate $second is removed from user 5"
says "$out" "the default of user 5 is $first"
says "$out" "smartca account remove"
run 0 econtract delete --certificate "$first" --econtract-user 5 --json
json '"\(.user_id) \(.certificate_id) \(.default)"' "5 $first null"
run 1 econtract delete --certificate "$first" --econtract-user 5 --json
error invalid
run 0 account list --json
json 'map(.account) | sort | join(" ")' "be work"

test_case "a service that is not there, or not well"
sed -i "s|^url = .*/econtract/|url = https://127.0.0.1:1/econtract|" "$SMARTCA_PKCS11_CONF"
run 1 econtract users --json
error network
sed -i "s|^url = https://127.0.0.1:1/econtract|url = $SERVICE/sca|" "$SMARTCA_PKCS11_CONF"
run 1 econtract users --json
jq -e '.error.code | . == "protocol" or . == "not_found"' "$err" >"$out" || fail "the code of a wrong url"

! grep -rqs 'econtract-password\|canary-password' "$STATE" || fail "a password is in the state folder"

test_case "numbers of users are shown as the service gives them"
configure 'company_id = 1' "password = file:$PASSWORD"
control fault '{"endpoint":"econtract","kind":"body_text","status":200,"body":"{\"data\":{\"items\":[{\"id\":-1}]},\"success\":true,\"code\":0}"}' >/dev/null
run 0 econtract users --json
is user_id -1 "$(jq -r '.[0].user_id' "$out")"

exit $failed
