#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# OpenSSL 3 through the pkcs11 engine of libp11: signatures, CMS, requests, TLS on both sides.
#   openssl_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
slots_start

dgst() {
    ran openssl dgst -sha256 -engine pkcs11 -keyform engine \
        -sign "$KEY;pin-source=file:$PIN_FILE" -out contract.sig contract.txt
    ran openssl dgst -sha256 -verify "$PUBLIC" -signature contract.sig contract.txt
    works 'openssl dgst -sha256 -engine pkcs11 -keyform engine -sign'
}
for_each_slot dgst
with_spoiled_module dgst

cms() {
    ran openssl cms -sign -binary -in contract.txt -signer "$CERT" -certfile "$CHAIN" -md sha256 \
        -engine pkcs11 -keyform engine -inkey "$KEY;pin-source=file:$PIN_FILE" \
        -outform DER -out contract.p7s
    ran openssl cms -verify -binary -inform DER -in contract.p7s -content contract.txt \
        -CAfile "$ROOT" -out /dev/null
    works 'openssl cms -sign -engine pkcs11 -keyform engine -inkey'
    printf 'Hợp đồng số 2\n' >contract.txt
    refused openssl cms -verify -binary -inform DER -in contract.p7s -content contract.txt \
        -CAfile "$ROOT" -out /dev/null
}
for_each_slot cms
with_spoiled_module cms

# openssl req -verify ends with 0 whatever it finds: what it says is looked at.
req() {
    ran openssl req -new -subj '/C=VN/CN=localhost' -engine pkcs11 -keyform engine \
        -key "$KEY;pin-source=file:$PIN_FILE" -out request.pem
    ran openssl req -in request.pem -verify -noout
    say 'self-signature verify OK'
    openssl req -in request.pem -noout -pubkey | cmp - "$PUBLIC"
    works 'openssl req -new -engine pkcs11 -keyform engine -key'
}
for_each_slot req
with_spoiled_module req ec

# accepting LOG: the port that s_server chose.
accepting() {
    expect "$1" '^ACCEPT .*:[0-9]+$'
    sed -n 's/^ACCEPT .*://p' "$1"
}
# tls SERVER_OPTIONS CLIENT_OPTIONS: the key of the slot at both ends. The server gives each line back
# reversed: the answer comes only when both have taken the other's signature for good.
tls() {
    local -a server client
    read -ra server <<<"$1"
    read -ra client <<<"$2"
    background server.log openssl s_server -accept 127.0.0.1:0 -naccept 1 -rev -cert "$TLS_CERT" \
        -engine pkcs11 -keyform engine -key "$KEY;pin-source=file:$PIN_FILE" \
        -Verify 1 -verify_return_error -CAfile "$TLS_CA" "${server[@]}"
    PORT=$(accepting server.log)
    printf 'contract\nCLOSE\n' >lines
    ran timeout 30 openssl s_client -connect "localhost:$PORT" -cert "$TLS_CERT" \
        -engine pkcs11 -keyform engine -key "$KEY;pin-source=file:$PIN_FILE" \
        -verify_return_error -CAfile "$TLS_CA" -quiet "${client[@]}" <lines
    say tcartnoc
}
mutual_tls() {
    if [ "$SLOT" = smartca ]; then
        tls '-tls1_2 -sigalgs RSA+SHA256' '-tls1_2 -sigalgs RSA+SHA256'
        works 'TLS 1.2, server and client: openssl s_server, s_client -tls1_2 -sigalgs RSA+SHA256'
        return
    fi
    tls -tls1_3 -tls1_3
    works 'TLS 1.3, server and client: openssl s_server, s_client -engine pkcs11 -keyform engine -key'
}
for_each_slot mutual_tls
with_spoiled_module mutual_tls
without_pss() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.pem \
        -subj /CN=localhost -days 1 2>/dev/null
    background server.log openssl s_server -accept 127.0.0.1:0 -naccept 1 -rev -cert server.pem -key server.key \
        -Verify 1 -verify_return_error -CAfile "$TLS_CA" -tls1_3
    PORT=$(accepting server.log)
    refused timeout 30 openssl s_client -connect "localhost:$PORT" -cert "$TLS_CERT" -engine pkcs11 -keyform engine \
        -key "$KEY" -CAfile server.pem -quiet -tls1_3 </dev/null
    say 'Mechanism invalid'
    cannot 'TLS 1.3 wants RSA-PSS, which the service does not make'
}
SLOTS=(smartca)
for_each_slot without_pss
signs=$(control counters | jq .sign)
[ "$signs" = 5 ] || fail "the service was asked for $signs signatures, not 5"
