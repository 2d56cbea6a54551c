#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What must be on the disk before something else happens is there: a transaction before anything is sent, a try
# of a PIN before the key is derived, and the folder that names the file, too.
#   order_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
. tests/lib/programs.sh
home_start
umask 077
mkdir "$HOME_DIR/work"
# shellcheck disable=SC2119 # no options
emulator_start
account_write 'poll_interval = 0.1'
control phone '{"action":"approve"}' >/dev/null
printf 'canary-1\n' >"$HOME_DIR/pin"
printf 'x' >"$HOME_DIR/x"
ran pkcs11-tool --module "$MODULE" -L # the certificates are known from here on
ran "$SMARTCA" selfsigned create --user an --name An --years 1 --key ec:p256 --pin-file "$HOME_DIR/pin" \
    --so-pin-file "$HOME_DIR/pin"

traced() { ran strace -f -y -s 48 -o "$HOME_DIR/trace" pkcs11-tool --module "$MODULE" "$@"; }
# in_order PATTERN...: where each is for the first time comes after where the one before is.
in_order() {
    local pattern line before=0
    for pattern; do
        line=$(grep -nEm 1 -- "$pattern" "$HOME_DIR/trace" | cut -d : -f 1 || true)
        [ "${line:-0}" -gt "$before" ] || { grep -nE 'sync|connect|rename' "$HOME_DIR/trace"; fail "too soon, or not at all: $pattern"; }
        before=$line
    done
}

traced --token-label 'Nguyễn Văn Ánh' --sign --mechanism SHA256-RSA-PKCS -i "$HOME_DIR/x" -o "$HOME_DIR/sig"
in_order 'fsync\([0-9]+<[^>]*/journal>\) += 0' 'write\([0-9]+<[^>]*/journal/transactions>.*event.*begin' \
    'fdatasync\([0-9]+<[^>]*/journal/transactions>\) += 0' 'connect\(.*AF_INET'
# Also where the first thing in it is that somebody would like to begin.
rm "$XDG_STATE_HOME/smartca-pkcs11/journal/transactions"
account_write 'poll_interval = 0.1' 'batch_window = 50'
traced --token-label 'Nguyễn Văn Ánh' --sign --mechanism SHA256-RSA-PKCS -i "$HOME_DIR/x" -o "$HOME_DIR/sig"
in_order 'fsync\([0-9]+<[^>]*/journal>\) += 0' 'write\([0-9]+<[^>]*/journal/transactions>' \
    'fdatasync\([0-9]+<[^>]*/journal/transactions>\) += 0' 'connect\(.*AF_INET'

# scrypt asks for 128 MiB.
traced --token-label an --login --pin canary-1 -O
in_order 'write\([0-9]+<[^>]*\.pins\.new>' 'fsync\([0-9]+<[^>]*\.pins\.new>\) += 0' 'rename\(.*\.pins\.new' \
    'fsync\([0-9]+<[^>]*/tokens>\) += 0' 'mmap\(NULL, 1342[0-9]{5},'
echo "ok: first on the disk, then anywhere else"
