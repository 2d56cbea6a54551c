# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Hosts and processes of every kind. Sourced from the root of the tree, with BUILD set, by
# tests/guest/WHAT_test.sh; the four slots and their files are those of tests/clients/slots.sh.
#
#   guest_start           the slots, and a service whose phone approves at once
#   host STATUS NAME ARGUMENT...   runs tests/guest/guest_NAME: it ends with STATUS within its time, says nothing
#                         on stdout and stderr, and its report (REPORT, one line each) has no FAILED
#   usb_renew             brings back the USB token after a host that ended while it logged in
#   full EVERYDAY FULL    prints the count of an everyday run, or with SMARTCA_GUEST=full that of a campaign
#   GUEST_BUILD, GUEST_UNDER   hosts and module of another build, and a program that they run under
#   pushes_are_single     no digest has been brought to the service twice
. tests/clients/slots.sh
HOST_LIMIT=${HOST_LIMIT-60}
GUEST_BUILD=$(cd "${GUEST_BUILD-$BUILD}" && pwd)
read -ra UNDER <<<"${GUEST_UNDER-}"

# Each host logs in: with the cost of a real PIN, that would be most of what these tests cost.
pins_cheapen() {
    local token
    for token in "$XDG_STATE_HOME"/smartca-pkcs11/tokens/*.token; do
        "$BUILD/tests/integration/keystore_tool" "$XDG_STATE_HOME/smartca-pkcs11" "$(basename "$token" .token)" cheapen
    done
}

guest_start() {
    slots_start
    pins_cheapen
    MODULE=$GUEST_BUILD/module/libsmartca-pkcs11.so
    export GUEST_MODULE=$MODULE GUEST_REPORT=$HOME_DIR/report
    REPORT=$GUEST_REPORT
    SAID=$HOME_DIR/said-by-host
}

# SoftHSM2 writes its token's file in place at each login: whoever ends in the middle of that leaves no token, and the
# next host would miss a slot.
usb_renew() {
    rm -r "$HOME_DIR/tokens"
    cp -a "$PREPARED/tokens" "$HOME_DIR/tokens"
}

full() {
    if [ "${SMARTCA_GUEST-}" = full ]; then echo "$2"; else echo "$1"; fi
}

# Descriptor 9 is the emulator's life: no host may hold it.
host() {
    local expected=$1 program=$GUEST_BUILD/tests/guest/guest_$2 status=0
    shift 2
    : >"$REPORT"
    timeout -k 5 "$HOST_LIMIT" "${UNDER[@]}" "$program" "$@" >"$SAID" 2>&1 </dev/null 9>&- || status=$?
    if [ "$status" != "$expected" ] || grep -q FAILED "$REPORT" || [ -s "$SAID" ]; then
        cat "$REPORT" "$SAID"
        fail "${program##*/} $* ended with $status (expected $expected), or has said something"
    fi
}

pushes_are_single() {
    control transactions | jq -e '[.[].digests[]] | length == (unique | length)' >/dev/null ||
        fail "something has been brought to the phone twice"
}
