#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# LibreOffice Writer signs a PDF while it exports it, and an ODT. OpenSSL verifies the PDF, xmlsec1 (with
# OpenSSL) the ODT.
#   libreoffice_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
. tests/clients/nss.sh
slots_start

# office: contract.pdf and contract.odt. Python is Debian's, which has the bindings.
office() {
    database_make
    export MOZILLA_CERTIFICATE_FOLDER=sql:$PWD/nss
    HOME=$WORK timeout 100 /usr/bin/python3 "$ROOT_DIR/tests/clients/libreoffice.py" "$WORK/profile" \
        "$(client_serial)" "$PIN" "$WORK/contract.txt" \
        "$WORK/contract.pdf" "$WORK/contract.odt" >office.log 2>&1 || { cat office.log; fail "libreoffice.py"; }
}

pdf_check() {
    /usr/bin/python3 "$ROOT_DIR/tests/clients/pdf_signature.py" contract.pdf covered.bin signature.p7s
    ran openssl cms -verify -binary -inform DER -in signature.p7s -content covered.bin -CAfile "$CA" \
        -purpose any -out /dev/null
    works "PDF exported with a signature"
}

# What is signed are files of the package, by name, and the signing time and certificate.
odt_check() {
    local signed=META-INF/documentsignatures.xml
    mkdir package
    cd package
    unzip -q ../contract.odt
    ran xmlsec1 --verify --id-attr:Id SignatureProperty --id-attr:Id SignedProperties --trusted-pem "$ROOT" \
        --untrusted-pem "$CHAIN" "$signed"
    say '^OK$'
    grep -qF 'Reference URI="content.xml"' "$signed" || fail "the text is not signed"
    grep -qF "<X509Certificate>$(openssl x509 -in "$CERT" -outform DER | base64 -w 0)<" "$signed" ||
        fail "the ODT is signed with another certificate"
    works "ODT signed"
}

both() { office; pdf_check; odt_check; }
pdf() { office; pdf_check; }
odt() { office; odt_check; }
for_each_slot both
with_spoiled_module pdf
with_spoiled_module odt
