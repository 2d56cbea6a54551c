#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A canary in every secret of a business account: it is in no log, no command line, no file of the state
# folder, and in no core file of a program that has logged out.
#   secrets_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
. tests/lib/programs.sh
home_start
umask 077
mkdir "$HOME_DIR/work" "$HOME_DIR/cores"
secrets=$HOME_DIR/secrets
mkdir "$secrets"
key=$(printf 'canarykey0123456789abcdef0123456' | base64)
printf 'canary-sp-password\n' >"$secrets/sp"
printf 'canary-user-password\n' >"$secrets/password"
printf '%s\n' "$key" >"$secrets/key"
printf 'canary-PIN-1\n' >"$secrets/pin"
canaries=(canary-sp-password canary-user-password canarykey0123 "$key" canary-PIN-1)
emulator_start --sp-password-file "$secrets/sp"
control user "{\"user_id\":\"$USER_ID\",\"password\":\"canary-user-password\",\"totp_secret\":\"$key\"}" >/dev/null
printf '[module]\nlog = %s\nlog_level = debug\n' "$HOME_DIR/log" >"$SMARTCA_PKCS11_CONF"

ran strace -f -s 4096 -e trace=execve -o "$HOME_DIR/execve" "$SMARTCA" account add biz --user-id "$USER_ID" \
    --business --url "$SERVICE/sca/sp769" --ca-file "$HOME_DIR/service/tls-ca.pem" --sp-id "$SP_ID" \
    --sp-password-file "$secrets/sp" --sp-password-in-vault --password-file "$secrets/password" \
    --secret-key-file "$secrets/key" --pin-file "$secrets/pin"

mkfifo "$HOME_DIR/in" "$HOME_DIR/said"
"$BUILD/tests/integration/login_tool" "$MODULE" 'Nguyễn Văn Ánh' <"$HOME_DIR/in" >"$HOME_DIR/said" &
tool=$!
exec 7>"$HOME_DIR/in" 8<"$HOME_DIR/said"
cat "$secrets/pin" >&7
says() {
    read -r line <&8 || line=
    [ "$line" = "$1" ] || fail "the program is not at '$1'"
}
says signed
echo >&7
says out
gcore -o "$HOME_DIR/cores/out" $tool >"$HOME_DIR/work/out" 2>&1 || fail "no core file"
rm -r "$secrets"
echo >&7
wait $tool || fail "the program failed"

[ -s "$HOME_DIR/log" ] || fail "there is no log"
core=("$HOME_DIR"/cores/out.*)
grep -qa 'what is signed' "${core[0]}" || fail "the core file lacks the program's own data"
for canary in "${canaries[@]}"; do
    for place in "$HOME_DIR/log" "$HOME_DIR/execve" "$XDG_STATE_HOME" "$XDG_CONFIG_HOME" "$HOME_DIR/work" \
        "${core[0]}"; do
        ! grep -rqaF -- "$canary" "$place" || fail "'$canary' is in $place"
    done
done
echo "ok: no secret where it does not belong"
