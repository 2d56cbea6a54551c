#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# GnuPG's gpgsm signs CMS with a key that gnupg-pkcs11-scd brings to gpg-agent.
#   gpgsm_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
slots_start

agent_stop() { gpgconf --kill gpg-agent; }

# The agent ends with the function, whatever becomes of that.
sign() {
    export GNUPGHOME=$WORK/gnupg
    mkdir -m 700 gnupg
    trap 'agent_stop; background_stop' EXIT
    echo 'scdaemon-program /usr/bin/gnupg-pkcs11-scd' >gnupg/gpg-agent.conf
    printf '%s\n' 'providers smartca' "provider-smartca-library $MODULE" >gnupg/gnupg-pkcs11-scd.conf
    echo 'disable-crl-checks' >gnupg/gpgsm.conf
    echo "$(openssl x509 -in "$ROOT" -noout -fingerprint -sha1 | sed 's/.*=//') S relax" >gnupg/trustlist.txt
    ran gpgsm --batch --import "$CA"
    ran timeout 30 gpgsm --batch --learn-card
    USER_ID=0x$(openssl x509 -in "$CERT" -noout -fingerprint -sha1 | sed 's/.*=//; s/://g')
    if [ "$SLOT" = ec ]; then
        refused timeout 30 gpgsm --batch --pinentry-mode loopback --passphrase-fd 0 --local-user "$USER_ID" \
            --digest-algo SHA256 --detach-sign --output contract.p7s contract.txt <"$PIN_FILE"
        say 'No secret key|No such|not found|No card|unusable|failed|can.t sign'
        cannot 'gpgsm: gnupg-pkcs11-scd shows RSA keys only'
        return
    fi
    # Where a signature's first bit is set, GnuPG 2.2 writes a zero before it, whatever the token, and OpenSSL refuses that:
    # one in two. Another line makes another signature.
    local try
    for try in 1 2 3 4 5 6 7 8 9 10 11 12; do
        ran timeout 60 gpgsm --batch --yes --pinentry-mode loopback --passphrase-fd 0 --local-user "$USER_ID" \
            --digest-algo SHA256 --detach-sign --output contract.p7s contract.txt <"$PIN_FILE"
        if openssl cms -verify -binary -inform DER -in contract.p7s -content contract.txt -CAfile "$CA" -purpose any \
            -out /dev/null 2>verify.txt; then
            works 'gpgsm --learn-card; gpgsm --detach-sign'
            return
        fi
        grep -q 'wrong signature length' verify.txt || break
        echo "$try" >>contract.txt
    done
    cat verify.txt
    fail "no signature is right"
}
for_each_slot sign
with_spoiled_module sign
