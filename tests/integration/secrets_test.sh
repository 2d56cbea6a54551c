#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A canary in every secret of accounts without the phone and of eContract, and what is made of them: codes,
# permissions to sign, tokens. None is in a log, a command line, a file of the state folder, or a core file of
# a program that has logged out.
#   secrets_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
. tests/lib/otp.sh
. tests/lib/programs.sh
home_start
umask 077
mkdir "$HOME_DIR/work" "$HOME_DIR/cores"
secrets=$HOME_DIR/secrets
mkdir "$secrets"
TYPIST=079300000888
key=$(printf 'canarykey0123456789abcdef0123456' | base64)
printf 'canary-sp-password\n' >"$secrets/sp"
printf 'canary-user-password\n' >"$secrets/password"
printf 'canary-econtract-password\n' >"$secrets/econtract"
printf '%s\n' "$key" >"$secrets/key"
printf 'canary-PIN-1\n' >"$secrets/pin"
# What a JWT begins with: a permission to sign is one, and eContract's token.
jwt=eyJhbGciOi
canaries=(canary-sp-password canary-user-password canary-econtract-password canarykey0123 "$key" canary-PIN-1 "$jwt")
emulator_start --sp-password-file "$secrets/sp" --user "$USER_ID" --user "$TYPIST,Lê Thị Gõ"
for user in "$USER_ID" "$TYPIST"; do
    control user "{\"user_id\":\"$user\",\"password\":\"canary-user-password\",\"totp_secret\":\"$key\"}" >/dev/null
done
control econtract '{"password":"canary-econtract-password"}' >/dev/null
printf '%s\n' '[module]' "log = $HOME_DIR/log" 'log_level = debug' '[econtract]' "url = $SERVICE/econtract" \
    'username = admin' "ca_file = $HOME_DIR/service/tls-ca.pem" 'company_id = 1' \
    "password = file:$secrets/econtract" >"$SMARTCA_PKCS11_CONF"

# traced ARGUMENT...: the tool, with every command line that comes of it.
traced() { ran strace -f -s 4096 -A -e trace=execve -o "$HOME_DIR/execve" "$SMARTCA" "$@"; }
setup=(--url "$SERVICE/sca/sp769" --ca-file "$HOME_DIR/service/tls-ca.pem" --sp-id "$SP_ID"
    --sp-password-file "$secrets/sp" --sp-password-in-vault --password-file "$secrets/password" --pin-file "$secrets/pin")
traced account add biz --user-id "$USER_ID" --business --secret-key-file "$secrets/key" "${setup[@]}"
traced account add typed --user-id "$TYPIST" --confirm otp "${setup[@]}"
traced econtract users --json
[ -s "$XDG_STATE_HOME/smartca-pkcs11/vault/econtract" ] || fail "no token of eContract is kept"

# signs LABEL PIN: a program that logs in, signs and logs out, and leaves its core file.
signs() {
    mkfifo "$HOME_DIR/in" "$HOME_DIR/said"
    "$BUILD/tests/integration/login_tool" "$MODULE" "$1" <"$HOME_DIR/in" >"$HOME_DIR/said" &
    tool=$!
    exec 7>"$HOME_DIR/in" 8<"$HOME_DIR/said"
    printf '%s\n' "$2" >&7
    says signed
    echo >&7
    says out
    gcore -o "$HOME_DIR/cores/out" $tool >"$HOME_DIR/work/out" 2>&1 || fail "no core file"
    echo >&7
    wait $tool || fail "the program failed"
    exec 7>&- 8<&-
    rm "$HOME_DIR/in" "$HOME_DIR/said"
    grep -qa 'what is signed' "$HOME_DIR/cores/out.$tool" || fail "the core file lacks the program's own data"
}
says() {
    read -r line <&8 || line=
    [ "$line" = "$1" ] || fail "the program is not at '$1'"
}
signs 'Nguyễn Văn Ánh' canary-PIN-1
read -r step _ <"$(echo "$XDG_STATE_HOME"/smartca-pkcs11/journal/otp-*)"
computed=$(otp_of "$key" "$((10#$step))")
typed=$(otp_of "$key" $(($(date +%s) / 30)))
signs 'Lê Thị Gõ' "canary-PIN-1$typed"
[ "$(jq -rs 'map(select(.path | test("confirm"))) | length' "$HOME_DIR/service/requests.jsonl")" = 2 ] ||
    fail "no permission to sign was used"
rm -r "$secrets"

[ -s "$HOME_DIR/log" ] || fail "there is no log"
places=("$HOME_DIR/log" "$HOME_DIR/execve" "$XDG_STATE_HOME" "$XDG_CONFIG_HOME" "$HOME_DIR/work" "$HOME_DIR/cores")
for place in "${places[@]}"; do
    for canary in "${canaries[@]}"; do
        ! grep -rqaF -- "$canary" "$place" || fail "'$canary' is in $place"
    done
    # Six digits alone: they may well be a part of a longer number.
    for code in "$computed" "$typed"; do
        ! grep -rqawF -- "$code" "$place" || fail "the code $code is in $place"
    done
done
echo "ok: no secret where it does not belong"
