#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# osslsigncode signs a Windows cabinet (Authenticode) through OpenSSL's engine.
#   osslsigncode_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
slots_start

# OpenSSL's cms takes no content that is not data: the signed attributes are verified by themselves. osslsigncode reads
# the cabinet anew for its digest; what it says of the certificate's purpose, which is not code signing, is no matter.
cabinet() {
    gcab -c setup.cab contract.txt
    cat "$CERT" "$CHAIN" >signer.pem
    ran osslsigncode sign -pkcs11module "$MODULE" -key "$KEY" -readpass "$PIN_FILE" \
        -certs signer.pem -h sha256 -in setup.cab -out signed.cab
    osslsigncode verify -CAfile "$ROOT" -in signed.cab >verify.txt 2>&1 || true
    [ "$(sed -n 's/^Current message digest *: *//p' verify.txt)" = "$(sed -n 's/^Calculated message digest *: *//p' verify.txt)" ] ||
        { cat verify.txt; fail "the digest is another one"; }
    grep -q '^Calculated message digest' verify.txt || { cat verify.txt; fail "no digest"; }
    ran osslsigncode extract-signature -in signed.cab -out signed.p7
    python3 "$ROOT_DIR/tests/clients/signed_attributes.py" signed.p7 attributes.der signature.bin
    ran openssl dgst -sha256 -verify "$PUBLIC" -signature signature.bin attributes.der
    works 'osslsigncode sign -pkcs11module -key'
}
for_each_slot cabinet
with_spoiled_module cabinet
