#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Memory and system calls fail one after the other, everywhere, and limits and clocks are set; what comes of it is an
# error or a success, and never a crash, a word on stdout, a lost signature or a second prompt.
#   inject_test.sh BUILD [GROUP...]     SMARTCA_INJECT=all: every k, for hours
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
shift
. tests/lib/emulator.sh
. tests/lib/programs.sh
home_start
emulator_start --user "$USER_ID" --user 0101234567 --behaviour otp_steps=10 --behaviour otp_reuse=allow --behaviour v2_exists=sad
work=$HOME_DIR/work
state=$XDG_STATE_HOME/smartca-pkcs11
mkdir "$work" "$HOME_DIR/softhsm"

# One slot of each kind: two SmartCA accounts, a self-signed token whose PIN costs little, a USB token.
account_write 'poll_interval = 0.02' 'confirm_timeout = 2' 'connect_timeout = 0.5' 'request_timeout = 0.5'
printf 'canary-password\n' >"$HOME_DIR/password"
printf 'otpauth://totp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&period=1\n' >"$HOME_DIR/key"
chmod 600 "$HOME_DIR/password" "$HOME_DIR/key"
control user '{"user_id":"0101234567","password":"canary-password",
    "totp_secret":"MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=","totp_period":1}' >/dev/null
export SOFTHSM2_CONF=$HOME_DIR/softhsm2.conf
printf '%s\n' "directories.tokendir = $HOME_DIR/softhsm" 'objectstore.backend = file' 'log.level = ERROR' \
    >"$SOFTHSM2_CONF"
softhsm=$(realpath /usr/lib/softhsm/libsofthsm2.so)
printf '%s\n' '[account firm]' 'user_id = 0101234567' 'confirm = totp' "password = file:$HOME_DIR/password" \
    "totp_secret = file:$HOME_DIR/key" >>"$SMARTCA_PKCS11_CONF"
ran softhsm2-util --init-token --free --label usb --pin 123456 --so-pin 12345678
ran pkcs11-tool --module "$softhsm" --token-label usb --login --pin 123456 --keypairgen --key-type rsa:2048
token=0123456789abcdef0123456789abcdef
for operation in make init-pin; do ran "$BUILD/tests/integration/keystore_tool" "$state" $token $operation; done
ran pkcs11-tool --module "$MODULE" --token-label t --login --pin 123456 --keypairgen --key-type EC:prime256v1
cp -a "$state" "$HOME_DIR/state.before"

export SMARTCA_INJECT_RESTORE="rm -rf '$state' && cp -a '$HOME_DIR/state.before' '$state'"
export SMARTCA_INJECT_REQUESTS=$HOME_DIR/service/requests.jsonl
[ $# -gt 0 ] || set -- limits slots smartca local foreign
status=0
for group; do
    if [ "$group" = limits ]; then
        "$BUILD/tests/inject/inject_limits" "$MODULE" || status=1
        continue
    fi
    # Where SoftHSM2 takes part, its own calls are left alone, so it comes last.
    [ "$group" != foreign ] || printf '%s\n' '[token usb]' "module = $softhsm" >>"$SMARTCA_PKCS11_CONF"
    "$BUILD/tests/inject/inject_stories" "$MODULE" "$group" || status=1
done
exit $status
