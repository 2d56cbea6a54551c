#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# OpenSSH: public keys from slots, logins at a local sshd, an agent, signed files.
#   openssh_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lib/machines.sh
machines_enter "$PWD/tests/clients/${0##*/}" "$@"
BUILD=$1
. tests/clients/slots.sh
[ "$MACHINES_INSIDE" = 0 ] || { SLOTS=(smartca rsa ec); echo "not run by root: without the usb slot"; }
slots_start
export MACHINES=$HOME_DIR/machines
machines_start
# The person at the keyboard: ssh asks for a PIN only where the slot has one.
cat >"$HOME_DIR/askpass" <<'END'
#!/bin/sh
echo "$PIN"
END
chmod 755 "$HOME_DIR/askpass"
export SSH_ASKPASS=$HOME_DIR/askpass SSH_ASKPASS_REQUIRE=force
sed -i '/BatchMode/d' "$MACHINES/office/.ssh/config"

# key_is_listed: the slot's line of ssh-keygen -D, which is its key; it goes to key.pub.
key_is_listed() {
    ran ssh-keygen -D "$MODULE"
    ssh-keygen -i -m PKCS8 -f "$PUBLIC" >expected
    grep -F "$(<expected) " "$HOME_DIR/work/out" >key.pub || fail "the key is not listed"
    [ "$(cut -d ' ' -f 3- key.pub)" = "$LABEL" ] || fail "its comment is $(<key.pub)"
}

# office_start [LINE...]: sshd, with these lines in its configuration, takes that key alone.
office_start() {
    chmod 777 .
    key_is_listed
    cp key.pub "$MACHINES/office/.ssh/authorized_keys"
    sshd_start "$@"
}

# accepted: sshd has taken this very key; it verifies with an OpenSSL of its own.
accepted() {
    grep -qF "$(ssh-keygen -l -f key.pub | cut -d ' ' -f 2)" <(grep 'Accepted publickey' "$MACHINES/sshd.log") ||
        { cat "$MACHINES/sshd.log"; fail "sshd has not accepted the key"; }
}

login_any() { ran on office ssh -I "$MODULE" signer@office 'echo hello'; }
login_sha256() { ran on office ssh -I "$MODULE" -o PubkeyAcceptedAlgorithms=rsa-sha2-256 signer@office 'echo hello'; }

# Each certificate is a key to ssh -I, and each key a try to sshd, which allows 6 unless told.
login() {
    office_start 'MaxAuthTries 20'
    if [ "$SLOT" = smartca ]; then
        login_sha256
    else
        login_any
    fi
    say hello
    accepted
    works "ssh -I"
}

# agent_start FOLDER: it has a PIN once, the PIN of every token that wants one.
agent_start() {
    export SSH_AUTH_SOCK=$1/agent
    local WORDS
    machine_words office
    background "$1/agent.out" "${WORDS[@]}" ssh-agent -D -a "$SSH_AUTH_SOCK" -P "$MODULE"
    expect "$1/agent.out" SSH_AUTH_SOCK
    ran on office ssh-add -s "$MODULE"
}

agent_any() { ran on office ssh -i key.pub -o IdentitiesOnly=yes signer@office 'echo hello'; }
agent_sha256() {
    ran on office ssh -i key.pub -o IdentitiesOnly=yes -o PubkeyAcceptedAlgorithms=rsa-sha2-256 signer@office \
        'echo hello'
}

# A file signed by ssh-keygen through the agent; the verifier has no token.
signed_file() {
    echo "signer@office $(<key.pub)" >allowed_signers
    ran on office ssh-keygen -Y sign -f key.pub -n file contract.txt
    ran ssh-keygen -Y verify -f allowed_signers -I signer@office -n file -s contract.txt.sig <contract.txt
    say 'Good "file" signature for signer@office'
    refused ssh-keygen -Y verify -f allowed_signers -I signer@office -n file -s contract.txt.sig <key.pub
    works "ssh-keygen -Y sign"
}

agent() {
    office_start
    [ -n "${SSH_AUTH_SOCK-}" ] || agent_start "$WORK"
    if [ "$SLOT" = smartca ]; then
        refused on office ssh-keygen -Y sign -f key.pub -n file contract.txt
        cannot "ssh-keygen -Y sign: SHA-512 with RSA keys, whatever one asks it for; it takes extra_hashes = yes"
        agent_sha256
    else
        signed_file
        agent_any
    fi
    say hello
    accepted
    works "ssh-agent, ssh-add -s"
}

for_each_slot login
with_spoiled_module login
with_spoiled_module login ec
with_spoiled_module agent
# One agent for all slots: to unlock each token takes its time.
export PIN=123456
agent_start "$HOME_DIR"
AGENT=${BACKGROUND[-1]} BACKGROUND=()
trap 'kill "$AGENT"; home_stop' EXIT
for_each_slot agent
