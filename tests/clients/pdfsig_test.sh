#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Poppler's pdfsig signs a PDF and checks it.
#   pdfsig_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
. tests/clients/nss.sh
. tests/lib/contract.sh
slots_start
contract_make "$HOME_DIR/contract.pdf" 1

# pdfsig gives its PIN once, to the first token that asks, and gives up when another does.
others_disable() {
    local slot
    while read -r slot; do
        ran modutil -force -dbdir sql:nss -disable smartca -slot "$slot"
    done < <(others nss)
}

pdf_sign() {
    rm -f signed.pdf
    timeout 60 pdfsig -nssdir sql:nss -add-signature -nick "$LABEL:$LABEL" -nss-pwd "$PIN" contract.pdf signed.pdf \
        >said 2>&1
}

# pdfsig 22.12 makes each signature twice, and fails when the second is not as long as the first: with an EC
# key every other time, whatever the token.
pdf_sign_again() {
    local try
    for try in {1..20}; do
        pdf_sign && return 0
        [ "$SLOT" = ec ] || break
    done
    cat said
    fail "pdfsig has not signed, at the ${try}th time"
}

sign() {
    cp "$HOME_DIR/contract.pdf" .
    database_make
    others_disable
    pdf_sign_again
    ran pdfsig -nssdir sql:nss signed.pdf
    say 'Signature Validation: Signature is Valid'
    say 'Certificate Validation: Certificate is Trusted'
    python3 "$ROOT_DIR/tests/clients/pdf_signature.py" signed.pdf covered.bin signature.p7s
    ran openssl cms -verify -binary -inform DER -in signature.p7s -content covered.bin -CAfile "$CA" \
        -purpose any -out /dev/null
    works "pdfsig -add-signature"
}
for_each_slot sign
with_spoiled_module sign
