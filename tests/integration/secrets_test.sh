#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A canary in every secret of accounts without the phone and of eContract, and what is made of them: codes,
# permissions to sign, tokens. None is in a log, a command line, a file of the state folder, or a core file. The
# PIN is nowhere in memory after the login, the rest after the logout; of a local token's private key nothing is left
# after the logout either.
#   secrets_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
. tests/lib/otp.sh
. tests/lib/programs.sh
home_start
umask 077
mkdir "$HOME_DIR/work" "$HOME_DIR/cores" "$HOME_DIR/memory"
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

# looked_into STATE: what a core file of the program would have now, and all of its memory, also what is kept out of
# core files.
looked_into() {
    says "$1"
    gcore -o "$HOME_DIR/cores/$1" $tool >"$HOME_DIR/work/out" 2>&1 || fail "no core file"
    gdb -p $tool -batch -ex 'set use-coredump-filter off' -ex 'set dump-excluded-mappings on' \
        -ex "gcore $HOME_DIR/memory/$1.$tool" >"$HOME_DIR/work/out" 2>&1 || fail "no image of the memory"
    grep -qa 'what is signed' "$HOME_DIR/cores/$1.$tool" || fail "the core file lacks the program's own data"
    echo >&7
}
# signs LABEL PIN: a program that logs in, signs, logs out and finalizes; what is found in it is for the caller.
signs() {
    rm -f "$HOME_DIR/in" "$HOME_DIR/said" "$HOME_DIR"/memory/*
    mkfifo "$HOME_DIR/in" "$HOME_DIR/said"
    "$BUILD/tests/integration/login_tool" "$MODULE" "$1" <"$HOME_DIR/in" >"$HOME_DIR/said" &
    tool=$!
    exec 7>"$HOME_DIR/in" 8<"$HOME_DIR/said"
    printf '%s\n' "$2" >&7
    for state in signed out finalized; do
        looked_into $state
    done
    wait $tool || fail "the program failed"
    exec 7>&- 8<&-
}
says() {
    read -r line <&8 || line=
    [ "$line" = "$1" ] || fail "the program is not at '$1'"
}
# absent PLACE CANARY...
absent() {
    local place=$1 canary
    shift
    for canary in "$@"; do
        ! grep -rqaF -- "$canary" "$place" || fail "'$canary' is in $(grep -rlaF -- "$canary" "$place")"
    done
}
# forgets LABEL PIN: signs; no secret in any core file, the PIN in no memory, and nothing after the logout.
forgets() {
    signs "$1" "$2"
    absent "$HOME_DIR/cores" "${canaries[@]}"
    absent "$HOME_DIR/memory/signed.$tool" canary-PIN-1
    absent "$HOME_DIR/memory/out.$tool" "${canaries[@]}"
    absent "$HOME_DIR/memory/finalized.$tool" "${canaries[@]}"
}
forgets 'Nguyễn Văn Ánh' canary-PIN-1
grep -qaF canary-user-password "$HOME_DIR/memory/signed.$tool" || fail "the image of the memory is not all of it"
read -r step _ <"$(echo "$XDG_STATE_HOME"/smartca-pkcs11/journal/otp-*)"
computed=$(otp_of "$key" "$((10#$step))")
typed=$(otp_of "$key" $(($(date +%s) / 30)))
forgets 'Lê Thị Gõ' "canary-PIN-1$typed"
[ "$(jq -rs 'map(select(.path | test("confirm"))) | length' "$HOME_DIR/service/requests.jsonl")" = 2 ] ||
    fail "no permission to sign was used"
rm -r "$secrets"

[ -s "$HOME_DIR/log" ] || fail "there is no log"
places=("$HOME_DIR/log" "$HOME_DIR/execve" "$XDG_STATE_HOME" "$XDG_CONFIG_HOME" "$HOME_DIR/work" "$HOME_DIR/cores")
for place in "${places[@]}"; do
    absent "$place" "${canaries[@]}"
    # Six digits alone: they may well be a part of a longer number.
    for code in "$computed" "$typed"; do
        ! grep -rqawF -- "$code" "$place" || fail "the code $code is in $place"
    done
done

# A key that is known here, so that it can be looked for. While the user is logged in OpenSSL has it, in plain memory.
for kind in rsa:2048 ec; do
    # shellcheck disable=SC2086 # the curve goes with ec only
    openssl req -x509 -newkey $kind ${curve-} -nodes -keyout "$HOME_DIR/key.pem" -out "$HOME_DIR/cert.pem" -subj "/CN=$kind" \
        -days 30 2>"$HOME_DIR/work/out" || fail "no key"
    cat "$HOME_DIR/key.pem" "$HOME_DIR/cert.pem" >"$HOME_DIR/both.pem"
    printf 'canary-PIN-1\n' >"$HOME_DIR/pin"
    ran "$SMARTCA" selfsigned import --user "${kind%:*}" --from "$HOME_DIR/both.pem" --pin-file "$HOME_DIR/pin" \
        --so-pin-file "$HOME_DIR/pin"
    rm "$HOME_DIR/both.pem" "$HOME_DIR/pin"
    signs "${kind%:*}" canary-PIN-1
    absent "$HOME_DIR/memory" canary-PIN-1
    tests/integration/key_search.py "$HOME_DIR/key.pem" "$HOME_DIR/memory/signed.$tool" >"$HOME_DIR/work/out" &&
        fail "the search does not find a $kind key that is in use"
    tests/integration/key_search.py "$HOME_DIR/key.pem" "$HOME_DIR"/{memory,cores}/{out,finalized}.$tool ||
        fail "of the $kind key something is left"
    curve="-pkeyopt ec_paramgen_curve:P-256"
done
echo "ok: no secret where it does not belong"
