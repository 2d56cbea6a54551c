#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Programs on other computers sign with the tokens of this one, "the office": p11-kit remote as a command of ssh,
# and a socket of systemd's that ssh forwards.
#   sharing_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lib/machines.sh
machines_enter "$PWD/tests/clients/${0##*/}" "$@"
BUILD=$1
. tests/clients/slots.sh
# Root's files are nobody's in a user's own namespace, and another vendor's module must be root's or one's own.
[ "$MACHINES_INSIDE" = 0 ] || { SLOTS=(smartca rsa ec); echo "not run by root: without the usb slot"; }
slots_start
export MACHINES=$HOME_DIR/machines
machines_start
machine_start alpha
machine_start beta
SOCKET=$HOME_DIR/share.socket
LOCAL=$MACHINES/beta/office
export P11_KIT_SERVER_ADDRESS=unix:path=$LOCAL
read -r REMOTE SHARE_NAME SHARE_MODULE < <(sed -n 's/^ExecStart=@//p' "$BUILD/conf/systemd/system/smartca-share@.service")

units() {
    local manager units=$HOME_DIR/units unit
    [ "$SHARE_NAME:${SHARE_MODULE##*/}" = "share-%i:${MODULE##*/}" ] || fail "the unit runs $SHARE_MODULE"
    for manager in system user; do
        mkdir -p "$units/$manager"
        cp "conf/systemd/$manager/smartca-share.socket" "$units/$manager"
        unit=$units/$manager/smartca-share@.service
        sed "s|$SHARE_MODULE|$MODULE|" "$BUILD/conf/systemd/$manager/smartca-share@.service" >"$unit"
        ran systemd-analyze verify --man=no "$units/$manager/smartca-share.socket" "${unit/@/@1-2-3}"
        [ ! -s "$HOME_DIR/work/out" ] || { cat "$HOME_DIR/work/out"; fail "systemd-analyze verify"; }
    done
    ran systemd-analyze security --offline=true --threshold=20 "$units/system/smartca-share@1-2-3.service"
}

# office_variables: what a login in the office finds in its home, and these tests in the environment.
office_variables() {
    local variable
    for variable in SMARTCA_PKCS11_CONF XDG_STATE_HOME SOFTHSM2_CONF SMARTCA_SPOIL_MODULE SMARTCA_SPOIL_LOG; do
        [ -z "${!variable+x}" ] || printf '%s=%s\n' "$variable" "${!variable}"
    done
}

# What the unit does: a process for each connection.
share_start() {
    local WORDS variables
    mapfile -t variables < <(office_variables)
    machine_words office
    rm -f "$SOCKET"
    # shellcheck disable=SC2016 # expanded by the inner shell
    background "$HOME_DIR/share.log" "${WORDS[@]}" systemd-socket-activate --accept --inetd --listen="$SOCKET" \
        "${variables[@]/#/--setenv=}" bash -c 'exec -a "$1" "$0" "$2"' "$REMOTE" share-1 "$MODULE"
    SHARE_PID=$!
    expect "$HOME_DIR/share.log" 'Listening on'
}

# Alpha may run p11-kit-remote, beta may forward the socket.
authorize() {
    cp "$MACHINES/alpha/.ssh/id_ed25519.pub" alpha.pub
    {
        printf 'restrict,port-forwarding,command="false" '
        cat "$MACHINES/beta/.ssh/id_ed25519.pub"
    } >"$MACHINES/office/.ssh/authorized_keys"
    # shellcheck disable=SC2016 # expanded over there
    on office bash -c '
        REMOTE=/usr/libexec/p11-kit/p11-kit-remote
        echo "restrict,command=\"exec -a alpha $REMOTE $MODULE\" $(cat alpha.pub)" >>~/.ssh/authorized_keys'
    on alpha sh -c '
        mkdir -p ~/.config/pkcs11/modules
        echo "remote: |ssh -T signer@office" >~/.config/pkcs11/modules/office.module'
}

# office_start [LINE...]: sshd, with these lines in its configuration, and the socket, forwarded to beta.
office_start() {
    chmod 777 .
    sshd_start "SetEnv $(office_variables | tr '\n' ' ')" "$@"
    share_start
    authorize
    rm -f "$LOCAL"
    local WORDS
    machine_words beta
    background "$HOME_DIR/forward.log" "${WORDS[@]}" \
        ssh -N -o ExitOnForwardFailure=yes -o StreamLocalBindUnlink=yes -L "$LOCAL:$SOCKET" signer@office
    until [ -S "$LOCAL" ]; do
        kill -0 "${BACKGROUND[-1]}" || { cat "$HOME_DIR/forward.log"; fail "the socket is not forwarded"; }
    done
}

# The modules that programs on alpha and beta load.
alpha_module() { MODULE=$(pkg-config --variable=proxy_module p11-kit-1); }
beta_module() { MODULE=$(pkg-config --variable=p11_module_path p11-kit-1)/p11-kit-client.so; }

# sign_at COMPUTER: through p11-kit of Debian 12, which passes no CKM_ECDSA_SHA256 on.
sign_at() {
    local MODULE
    "$1_module"
    if [ "$SLOT" = ec ]; then
        openssl dgst -sha256 -binary -out contract.sha256 contract.txt
        ran on "$1" pkcs11-tool --module "$MODULE" --token-label "$LABEL" --login --pin env:PIN \
            --sign --mechanism ECDSA --signature-format openssl -i contract.sha256 -o contract.sig
    else
        ran on "$1" pkcs11-tool --module "$MODULE" --token-label "$LABEL" --login --pin env:PIN \
            --sign --mechanism SHA256-RSA-PKCS -i contract.txt -o contract.sig
    fi
    ran openssl dgst -sha256 -verify "$PUBLIC" -signature contract.sig contract.txt
}
described() { control transactions | jq -r '.[-1].description'; }

sign() {
    office_start
    sign_at alpha
    [ "$SLOT" != smartca ] || [[ $(described) == 'alpha on office signs 1 document, code '* ]] || fail "$(described)"
    works "p11-kit remote by ssh, as another computer's module"
    sign_at beta
    [ "$SLOT" != smartca ] || [[ $(described) == 'share-1 on office signs 1 document, code '* ]] || fail "$(described)"
    works "p11-kit-client.so over a forwarded socket"
}

verified() { # FILE...: each signature is good for the document beside it
    local file
    for file in "$@"; do
        ran openssl dgst -sha256 -verify "$PUBLIC" -signature "$file" "${file%.sig}.txt"
    done
}

# nobody_is_served: what served a program that has died ends by itself.
nobody_is_served() {
    local pid
    for pid in $(pgrep -P "$SHARE_PID"); do
        timeout 20 tail -f /dev/null --pid="$pid" || fail "process $pid still serves somebody"
    done
}

# alpha_signs: with another slot than ours; in a subshell.
alpha_signs() {
    SLOT=rsa
    slot_select
    chmod 777 .
    sign_at alpha
}

# patience: a program dies while the phone rings. Nobody else waits for it, and the document signed again before the
# confirmation is the same confirmation.
patience() {
    local WORDS first pushes
    office_start
    beta_module
    local command=(pkcs11-tool --module "$MODULE" --token-label "$LABEL" --sign --mechanism SHA256-RSA-PKCS
        -i contract.txt -o again.sig)
    pushes=$(control counters | jq .pushes)
    control phone '{"action":"approve","after_ms":3000}' >/dev/null
    machine_words beta
    background first.out "${WORDS[@]}" "${command[@]}"
    first=$!
    expect "$HOME_DIR/share.log" 'Spawned bash'
    until control transactions | jq -e '.[-1].state == "waiting"' >/dev/null; do
        kill -0 "$first" || fail "nobody is asked"
    done
    { kill -9 "$first" && wait "$first"; } 2>/dev/null || true
    (alpha_signs)
    [ "$(control transactions | jq -r '.[-1].state')" = waiting ] || fail "alpha has waited for beta's phone"
    ran on beta "${command[@]}"
    ran openssl dgst -sha256 -verify "$PUBLIC" -signature again.sig contract.txt
    [ "$(control counters | jq .pushes)" = $((pushes + 1)) ] || fail "the phone has rung again"
    control phone '{"action":"approve"}' >/dev/null
    nobody_is_served
    works "killed while the phone rings, and asked again: one confirmation"
}

# cable: a computer vanishes without a word; sshd notices, with ClientAliveInterval.
cable() {
    local WORDS
    office_start 'ClientAliveInterval 1' 'ClientAliveCountMax 1'
    mkfifo never
    mkdir -m 777 beta
    many beta 1 2 pause 1 never
    background beta.out "${WORDS[@]}"
    expect beta.out '^1$'
    ip link set beta down
    (alpha_signs)
    nobody_is_served
    ip link set beta up
    works "another computer's cable is cut"
}

# strangers: a key is good for signing alone.
strangers() {
    office_start
    on alpha ssh -T signer@office id >alpha.out 2>&1 </dev/null || true
    ! grep -q uid= alpha.out || fail "alpha may run commands"
    refused on alpha ssh -N -o ExitOnForwardFailure=yes -R 7777:localhost:7777 signer@office
    refused on beta ssh -T signer@office true
    refused on office ssh -T signer@office true
    say 'Permission denied'
    works "keys that may sign and nothing else"
}

# background_end PID: one of them, before the others; it takes its socket away.
background_end() {
    kill "$1"
    wait "$1" || true
    rm -f "$SOCKET"
}

# server: the same socket without systemd.
server() {
    office_start
    background_end "$SHARE_PID"
    local WORDS
    machine_words office
    background server.out "${WORDS[@]}" \
        p11-kit server --foreground --name "$SOCKET" --provider "$MODULE" pkcs11:
    expect server.out 'P11_KIT_SERVER_PID'
    until [ -S "$SOCKET" ]; do kill -0 "${BACKGROUND[-1]}" || fail "p11-kit server has ended"; done
    sign_at beta
    works "p11-kit server"
    background_end "${BACKGROUND[-1]}"
    background server.out "${WORDS[@]}" \
        p11-kit server --foreground --name "$SOCKET" --provider "$MODULE" "$TOKEN"
    expect server.out 'P11_KIT_SERVER_PID'
    until [ -S "$SOCKET" ]; do kill -0 "${BACKGROUND[-1]}" || fail "p11-kit server has ended"; done
    beta_module
    ran on beta pkcs11-tool --module "$MODULE" --list-slots
    [ "$(grep -c '^Slot' "$HOME_DIR/work/out")" = 1 ] || { cat "$HOME_DIR/work/out"; fail "not one token alone"; }
}

# many COMPUTER FIRST LAST [MORE...]: the words that sign many documents there, in WORDS.
many() {
    local MODULE
    "$1_module"
    machine_words "$1"
    WORDS+=(/usr/bin/python3 "$ROOT_DIR/tests/clients/sharing.py" "$MODULE" "$LABEL" "$PIN" "$WORK/$1" "${@:2}")
}

# crowd: a hundred signatures by two computers; one of them dies in the middle of its 25th and comes again.
crowd() {
    local WORDS alpha status=0 last
    office_start
    mkdir -m 777 alpha beta
    mkfifo pause
    many alpha 1 50 pause 25 pause
    background alpha.out "${WORDS[@]}"
    alpha=$!
    expect alpha.out '^1$'
    many beta 1 50 die 24
    { "${WORDS[@]}" >beta.out 2>&1; } 2>/dev/null || status=$?
    last=$(tail -n 1 beta.out)
    [ "$status:$last" = 142:24 ] || { cat beta.out; fail "beta ended with $status after $last"; }
    echo "beta is dead, alpha at $(tail -n 1 alpha.out)"
    : >pause
    many beta 25 50
    ran "${WORDS[@]}"
    wait "$alpha" || { cat alpha.out; fail "alpha ended with $?"; }
    verified alpha/*.sig beta/*.sig
    [ "$(find alpha beta -name '*.sig' | wc -l)" = 100 ] || fail "not a hundred signatures"
    nobody_is_served
    works "100 signatures by two computers, one killed in the middle of one"
}

echo "== sharing: units"
mkdir -p "$HOME_DIR/work"
units
for_each_slot sign
with_spoiled_module sign
SLOTS=(smartca rsa)
for_each_slot server
for_each_slot crowd
SLOTS=(rsa)
for_each_slot cable
SLOTS=(smartca)
for_each_slot patience
for_each_slot strangers
