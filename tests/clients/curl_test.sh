#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# curl with a client certificate whose key is on a slot, through OpenSSL's pkcs11 engine.
#   curl_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
slots_start

fetch() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.pem \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 1 2>/dev/null
    background server.log openssl s_server -accept 127.0.0.1:0 -WWW -cert server.pem -key server.key \
        -Verify 1 -verify_return_error -CAfile "$TLS_CA"
    expect server.log '^ACCEPT .*:[0-9]+$'
    PORT=$(sed -n 's/^ACCEPT .*://p' server.log)
    URL=https://localhost:$PORT/contract.txt
    # What TLS 1.2 of OpenSSL prefers is RSA-PSS as well, and curl has no option for that.
    cat >openssl.cnf <<'END'
openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = tls
[tls]
ClientSignatureAlgorithms = RSA+SHA256
END
    if [ "$SLOT" = smartca ]; then
        OPENSSL_CONF=openssl.cnf ran curl --tls-max 1.2 --engine pkcs11 --key-type ENG \
            --key "$KEY;pin-source=file:$PIN_FILE" --cert "$TLS_CERT" --cacert server.pem -o got.txt "$URL"
        works 'TLS 1.2: OPENSSL_CONF=openssl.cnf curl --tls-max 1.2 --engine pkcs11 --key-type ENG --key'
        refused curl --engine pkcs11 --key-type ENG --key "$KEY" --cert "$TLS_CERT" --cacert server.pem "$URL"
        say 'pkcs11|PKCS#11|[Mm]echanism|alert|SSL'
        cannot 'TLS 1.3 wants RSA-PSS, which the service does not make'
    else
        ran curl --engine pkcs11 --key-type ENG \
            --key "$KEY;pin-source=file:$PIN_FILE" --cert "$TLS_CERT" --cacert server.pem -o got.txt "$URL"
        works 'TLS 1.3: curl --engine pkcs11 --key-type ENG --key'
    fi
    cmp got.txt contract.txt
}
for_each_slot fetch
with_spoiled_module fetch
