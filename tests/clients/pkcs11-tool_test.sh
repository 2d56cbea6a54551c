#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# pkcs11-tool and pkcs11-spy of OpenSC: looking, signing, OpenSC's own suites.
#   pkcs11-tool_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
slots_start
tool() { pkcs11-tool --module "$MODULE" --token-label "$LABEL" --login --pin env:PIN "$@"; }

look() {
    ran pkcs11-tool --module "$MODULE" --list-slots
    say "$LABEL"
    ran tool --list-objects --list-mechanisms
    say 'Private Key Object'
    say "label: *$LABEL"
    say 'PKCS|ECDSA'
    deny 'error|invalid'
    ran pkcs11-tool --module "$MODULE" --token-label "$LABEL" --read-object --type cert --id "$ID" -o cert.der
    openssl x509 -in "$CERT" -outform DER | cmp - cert.der
    works 'pkcs11-tool --list-objects; --read-object --type cert'
}
for_each_slot look

certificate() { pkcs11-tool --module "$MODULE" --token-label "$LABEL" --read-object --type cert --label "$1" |
    openssl x509 -inform DER; }
issuer() { openssl x509 -in "$1" -noout -issuer -nameopt multiline,utf8,-esc_msb | sed -n 's/^ *commonName *= //p'; }
files() {
    certificate "$LABEL" >cert.pem
    cmp <(openssl x509 -in cert.pem -outform DER) <(openssl x509 -in "$CERT" -outform DER)
    if [ "$SLOT" != usb ]; then # that token has no other
        certificate "$(issuer cert.pem)" >chain.pem
        cmp <(openssl x509 -in chain.pem -outform DER) <(openssl x509 -in "$CHAIN" -outform DER)
    fi
    works 'pkcs11-tool --read-object --type cert --label, as PEM files'
}
for_each_slot files

sign_ec() {
    ran pkcs11-tool --module "$MODULE" --token-label "$LABEL" --login --pin env:PIN \
        --sign --mechanism ECDSA-SHA256 --signature-format openssl -i contract.txt -o contract.sig
}
sign_rsa() {
    ran pkcs11-tool --module "$MODULE" --token-label "$LABEL" --login --pin env:PIN \
        --sign --mechanism SHA256-RSA-PKCS -i contract.txt -o contract.sig
}
sign() {
    if [ "$SLOT" = ec ]; then sign_ec; else sign_rsa; fi
    ran openssl dgst -sha256 -verify "$PUBLIC" -signature contract.sig contract.txt
    works 'pkcs11-tool --sign --mechanism SHA256-RSA-PKCS (ECDSA-SHA256)'
    printf 'Hợp đồng số 2\n' >contract.txt
    refused openssl dgst -sha256 -verify "$PUBLIC" -signature contract.sig contract.txt
}
for_each_slot sign
with_spoiled_module sign
with_spoiled_module sign ec

sign_pss() {
    if [ "$SLOT" = ec ]; then
        cannot 'RSA-PSS: the key is an EC key'
        return
    fi
    local pss=(tool --sign --mechanism SHA256-RSA-PKCS-PSS -i contract.txt -o contract.sig)
    if [ "$SLOT" = smartca ]; then
        refused "${pss[@]}"
        say 'CKR_MECHANISM_INVALID|not supported'
        cannot 'RSA-PSS: the service makes PKCS#1 v1.5 signatures only'
        return
    fi
    ran "${pss[@]}"
    ran openssl dgst -sha256 -sigopt rsa_padding_mode:pss -verify "$PUBLIC" -signature contract.sig contract.txt
    works 'pkcs11-tool --sign --mechanism SHA256-RSA-PKCS-PSS'
}
for_each_slot sign_pss

# The spy of OpenSC 0.23 knows PKCS#11 up to 3.0: of pkcs11-tool, which takes our 3.2 list, it sees no more
# than that. OpenSSL's engine asks for the 2.40 list, and all of its calls are in the trace.
spy() {
    SPY=$(find /usr/lib -path '*/pkcs11/pkcs11-spy.so' -print -quit)
    export PKCS11_MODULE_PATH=$SPY
    PKCS11SPY="$MODULE" PKCS11SPY_OUTPUT=spy.log ran openssl dgst -sha256 -engine pkcs11 -keyform engine \
        -sign "$KEY;pin-source=file:$PIN_FILE" -out contract.sig contract.txt
    ran openssl dgst -sha256 -verify "$PUBLIC" -signature contract.sig contract.txt
    grep -q 'C_SignInit' spy.log
    grep -q '123456' spy.log || [ "$SLOT" = smartca ] # why the recipe warns of it
    works "PKCS11SPY=\$MODULE pkcs11-spy.so"
}
for_each_slot spy

# Its own suite signs a DigestInfo of SHA-1 among others: extra_hashes lets that through.
suites() {
    ran tool --test --allow-sw
    say 'No errors'
    works 'pkcs11-tool --login --test'
}
slots_configure 'extra_hashes = yes'
control behaviour '{"allow_sha1":true}' >/dev/null
for_each_slot suites
# The login keeps its first thread longer than the others take: else it may wait for them, 30 seconds.
lives() {
    ran tool --list-objects --test-threads ILGISLT0 --test-threads ILGISLT0 \
        --test-threads ILGISLT0 --test-threads ILGISLT0
    say 'all threads have ended with CKR_OK'
    deny 'error|CKR_[A-Z_]*(FAILED|INVALID|ERROR)'
    ran pkcs11-tool --module "$MODULE" --test-fork
    say 'Initialize'
    deny 'error|failed'
    works 'pkcs11-tool --test-threads, --test-fork: all slots of the module at once'
}
SLOTS=(rsa)
for_each_slot lives
