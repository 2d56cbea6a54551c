#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# NSS's tools: modutil loads the module, certutil lists its certificates and keys, cmsutil signs.
#   nss_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
. tests/clients/nss.sh
slots_start

list() {
    database_make
    ran modutil -dbdir sql:nss -list smartca
    say "Token Name: $LABEL *\$"
    works "modutil -add"
    ran certutil -L -d sql:nss -h "$LABEL" -f "$PIN_FILE"
    say "^$LABEL:$LABEL +u,u,u"
    ran certutil -K -d sql:nss -h "$LABEL" -f "$PIN_FILE"
    say " (rsa|ec) .* $LABEL\$"
    works "certutil -L, certutil -K"
}
for_each_slot list

# NSS 3.87 looks for a certificate to encrypt to as well, unless -Y NONE says that there is none.
sign() {
    database_make
    cmsutil -S -d sql:nss -f "$PIN_FILE" -N "$LABEL:$LABEL" -H SHA256 -G -T -Y NONE -i contract.txt -o contract.p7s
    cmsutil -D -d sql:nss -n -h 1 -c contract.txt -i contract.p7s >said
    grep -q 'status=GoodSignature;' said || { cat said; fail "cmsutil does not trust its own signature"; }
    ran openssl cms -verify -binary -inform DER -in contract.p7s -content contract.txt -CAfile "$CA" \
        -purpose any -out /dev/null
    works "cmsutil -S"
}
for_each_slot sign
with_spoiled_module sign
