# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Four slots for the test of a client program, in a folder of its own. Sourced from the root of the tree,
# with BUILD set, by tests/clients/CLIENT_test.sh; prepare.sh has made the keys.
#
#   slots_start            the folder (HOME_DIR), the emulated service, a configuration with all slots
#   for_each_slot F        runs F for each slot; F says works "command" or cannot "why" at least once
#   with_spoiled_module F [SLOT]   F with every signature spoiled by one bit: F must fail
#
# F runs in a subshell whose folder is $WORK, of its own and with a contract.txt in it. It has
#   SLOT     smartca, rsa, ec (self-signed) or usb (a SoftHSM2 token behind the module)
#   MODULE   path of the module           LABEL   the token's label, also its key's and certificate's
#   TOKEN    its URI, pkcs11:token=...    KEY     the private key's, $TOKEN;object=...;type=private
#   ID       CKA_ID of key and certificate, in hex
#   PIN      (PIN_FILE: a file with it, no line end) where the slot has none it takes any
#   CERT     its certificate, PUBLIC its public key; CHAIN the certificate of its issuer, ROOT the root
#   CA       what a verifier trusts: ROOT and CHAIN
#   TLS_CERT another certificate over the same key, for localhost, server and client; TLS_CA its issuer
# By hand: CLIENTS_SLOTS=smartca CLIENTS_DELAY_MS=5000 CLIENT_test.sh BUILD, to see whether a client waits.
# A row CLIENT|SLOT|works or cannot|text goes to CLIENTS_TABLE; table.sh prints them all.
# shellcheck disable=SC2034 # the variables are for the script that sources this

. tests/lib/emulator.sh
. tests/lib/programs.sh
ROOT_DIR=$PWD
CLIENT=$(basename "$0" _test.sh)
SOFTHSM=$(realpath /usr/lib/softhsm/libsofthsm2.so)
PREPARED=$BUILD/tests/clients/prepared
CLIENTS_TABLE=$BUILD/tests/clients/table/$CLIENT
SPOIL=$BUILD/tests/clients/libspoil.so
read -ra SLOTS <<<"${CLIENTS_SLOTS-smartca rsa ec usb}"
BACKGROUND=()

# slots_environment: what programs must find in the environment, HOME_DIR being there.
slots_environment() {
    export SOFTHSM2_CONF=$HOME_DIR/softhsm2.conf LC_ALL=C.UTF-8
    printf '%s\n' "directories.tokendir = $HOME_DIR/tokens" 'objectstore.backend = file' 'log.level = ERROR' \
        >"$SOFTHSM2_CONF"
}

# slots_configure [LINE...]: writes the configuration, with extra lines for [account work].
# shellcheck disable=SC2120 # scripts that source this may have lines
slots_configure() {
    account_write 'poll_interval = 0.1' 'reject_cooldown = 0'
    printf '%s\n' "$@" '[selfsigned]' 'organization = VNPT Group' 'organizational_unit = VNPT-IT2' \
        'issued_by = VNPT eContract Certificate' 'locality = Quận 3' 'state = TP Hồ Chí Minh' 'country = VN' \
        'years = 5' '[token usb]' "module = $SOFTHSM" >>"$SMARTCA_PKCS11_CONF"
}

slots_start() {
    [ -d "$PREPARED" ] || { echo "FAILED: run tests/clients/prepare.sh $BUILD first"; exit 1; }
    home_start
    cp -a "$PREPARED/." "$HOME_DIR"
    mkdir -p "$HOME_DIR/work" "${CLIENTS_TABLE%/*}"
    : >"$CLIENTS_TABLE"
    # shellcheck disable=SC2119 # no options
    emulator_start
    control phone '{"action":"approve","after_ms":'"${CLIENTS_DELAY_MS-0}"'}' >/dev/null
    # shellcheck disable=SC2119 # no lines
    slots_configure
    slots_environment
}

slot_label() {
    case $1 in
    smartca) echo 'Nguyễn Văn Ánh' ;;
    rsa) echo anh.nv ;;
    ec) echo binh.tt ;;
    usb) echo usb ;;
    esac
}

# slot_select: the variables of $SLOT.
slot_select() {
    local files=$HOME_DIR/slots/$SLOT
    export LABEL TOKEN KEY ID PIN=123456 PIN_FILE=$HOME_DIR/pin MODULE
    LABEL=$(slot_label "$SLOT")
    TOKEN=pkcs11:token=$(jq -rn --arg name "$LABEL" '$name | @uri')
    KEY="$TOKEN;object=${TOKEN#*=};type=private"
    ID=$(<"$files/id")
    export CERT=$files/cert.pem PUBLIC=$files/public.pem CHAIN=$files/chain.pem ROOT=$files/root.pem
    export CA=$files/ca.pem TLS_CERT=$files/tls.pem TLS_CA=$HOME_DIR/slots/tls-ca.pem
    export PKCS11_MODULE_PATH=$MODULE
    WORK=$(mktemp -d "$HOME_DIR/work/$SLOT.XXXXXX")
    printf 'Hợp đồng số 1\n' >"$WORK/contract.txt"
    cd "$WORK" || exit 1
}

# slot_run FUNCTION: in a subshell, where errexit holds; what it has in the background ends with it.
slot_run() {
    trap background_stop EXIT
    slot_select
    "$1"
}

for_each_slot() {
    local SLOT
    for SLOT in "${SLOTS[@]}"; do
        echo "== $CLIENT: $1, $SLOT"
        : >"$HOME_DIR/said"
        (slot_run "$1")
        [ -s "$HOME_DIR/said" ] || fail "$1 says neither works nor cannot for $SLOT"
    done
}

# spoiled_run FUNCTION: slot_run with the spoiling module in front of ours.
spoiled_run() {
    export SMARTCA_SPOIL_MODULE=$MODULE SMARTCA_SPOIL_LOG=$HOME_DIR/spoiled
    MODULE=$SPOIL
    CLIENTS_TABLE=/dev/null
    slot_run "$1"
}

# Not "if F": a condition would switch errexit off in F, and every F would succeed.
with_spoiled_module() {
    local SLOT=${2-rsa} status=0
    echo "== $CLIENT: $1, $SLOT, with spoiled signatures"
    : >"$HOME_DIR/spoiled"
    spoiled_run "$1" >"$HOME_DIR/spoil.out" 2>&1 &
    wait $! || status=$?
    [ -s "$HOME_DIR/spoiled" ] || { cat "$HOME_DIR/spoil.out"; fail "$1 has made no signature to be spoiled"; }
    [ "$status" != 0 ] || { cat "$HOME_DIR/spoil.out"; fail "$1 takes a spoiled signature for a good one"; }
    sed -n '$s/^/noticed: /p' "$HOME_DIR/spoil.out"
}

row() {
    printf '%s|%s|%s|%s\n' "$CLIENT" "$SLOT" "$1" "$2" | tee -a "$CLIENTS_TABLE"
    echo x >>"$HOME_DIR/said"
}
works() { row works "$1"; }
cannot() { row cannot "$1"; }

# background FILE COMMAND...: runs COMMAND, without the emulator's life, until the function ends; its output
# goes to FILE. The process is $!. expect FILE PATTERN: waits for a line of it, 20 seconds at most.
background() {
    local out=$1
    shift
    : >"$out"
    "$@" >"$out" 2>&1 </dev/null 9>&- &
    BACKGROUND+=($!)
}
expect() {
    grep -qE -m 1 -- "$2" < <(timeout 20 tail -n +1 --pid="${BACKGROUND[-1]}" -f "$1" 2>/dev/null) ||
        grep -qE -- "$2" "$1" || { cat "$1"; fail "$1 has no '$2'"; }
}
# await COMMAND...: until it succeeds, 20 seconds at most.
await() {
    local end=$((SECONDS + 20))
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || fail "in vain: $*"
        read -rt 0.02 _ <> <(:) || true
    done
}
background_stop() {
    local pid
    for pid in "${BACKGROUND[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in "${BACKGROUND[@]}"; do
        wait "$pid" 2>/dev/null || true
    done
    BACKGROUND=()
}

# client_serial: the certificate's number as programs with windows show it, without zeros in front.
client_serial() { openssl x509 -in "$CERT" -noout -serial | sed 's/^serial=0*//'; }
