#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# pkcs11-tool and pkcs11-spy of OpenSC.
#   pkcs11-tool_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
slots_start

sign_ec() {
    ran pkcs11-tool --module "$MODULE" --token-label "$LABEL" --login --pin env:PIN \
        --sign --mechanism ECDSA-SHA256 --signature-format openssl -i contract.txt -o contract.sig
}
sign_rsa() {
    ran pkcs11-tool --module "$MODULE" --token-label "$LABEL" --login --pin env:PIN \
        --sign --mechanism SHA256-RSA-PKCS -i contract.txt -o contract.sig
}
sign() {
    if [ "$SLOT" = ec ]; then
        sign_ec
    else
        sign_rsa
    fi
    ran openssl dgst -sha256 -verify "$PUBLIC" -signature contract.sig contract.txt
    works "pkcs11-tool --sign"
}
for_each_slot sign
with_spoiled_module sign
with_spoiled_module sign ec
