#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# GnuTLS: p11tool, certtool, gnutls-cli and gnutls-serv. They read the PIN from GNUTLS_PIN.
#   gnutls_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
slots_start
export GNUTLS_PIN=123456

p11tool_lists() {
    ran p11tool --provider "$MODULE" --list-all-certs "$TOKEN"
    say 'Type: X.509 Certificate \((RSA-2048|EC/ECDSA-SECP256R1)\)'
    ran p11tool --provider "$MODULE" --login --list-privkeys "$TOKEN"
    say 'Type: Private key'
    p11tool --provider "$MODULE" --export "${KEY%private}cert" --outfile cert.pem
    openssl x509 -in cert.pem -outform DER | cmp - <(openssl x509 -in "$CERT" -outform DER)
    works 'p11tool --list-all-certs, --list-privkeys, --export'
}
for_each_slot p11tool_lists

# It verifies with the public key on the token, so nothing else has to.
p11tool_signs() {
    ran p11tool --provider "$MODULE" --login --test-sign "$KEY"
    say 'Verifying against public key in the token... ok'
    works 'p11tool --login --test-sign'
}
for_each_slot p11tool_signs
with_spoiled_module p11tool_signs

certtool_cms() {
    cat "$CERT" "$CHAIN" >signer.pem
    ran certtool --provider "$MODULE" --p7-detached-sign --load-privkey "$KEY" \
        --load-certificate signer.pem --infile contract.txt --outder --outfile contract.p7s
    ran openssl cms -verify -binary -inform DER -in contract.p7s -content contract.txt \
        -CAfile "$ROOT" -out /dev/null
    works 'certtool --p7-detached-sign --load-privkey'
}
for_each_slot certtool_cms
with_spoiled_module certtool_cms

certtool_request() {
    echo 'cn = localhost' >request.cfg
    ran certtool --provider "$MODULE" --generate-request --template request.cfg \
        --load-privkey "$KEY" --outfile request.pem
    ran openssl req -in request.pem -verify -noout
    say 'self-signature verify OK'
    openssl req -in request.pem -noout -pubkey | cmp - "$PUBLIC"
    works 'certtool --generate-request --load-privkey'
}
for_each_slot certtool_request
with_spoiled_module certtool_request ec

# server SIGALGS: gives each line back reversed, only when it has taken the client's signature.
server() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.pem \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 1 2>/dev/null
    background server.log openssl s_server -accept 127.0.0.1:0 -naccept 1 -rev -cert server.pem -key server.key \
        -Verify 1 -verify_return_error -CAfile "$TLS_CA" -sigalgs "$1"
    expect server.log '^ACCEPT .*:[0-9]+$'
    PORT=$(sed -n 's/^ACCEPT .*://p' server.log)
    printf 'contract\nCLOSE\n' >lines
}

cli() {
    server "$2"
    PRIORITY=$1
    ran timeout 30 gnutls-cli --provider "$MODULE" --x509keyfile "$KEY" --x509certfile "$TLS_CERT" \
        --x509cafile server.pem --priority "$PRIORITY" --port "$PORT" localhost <lines
    say tcartnoc
    say "Description: \(TLS$3"
}
gnutls_cli() {
    if [ "$SLOT" = smartca ]; then
        cli NORMAL:-VERS-TLS1.3:-SIGN-ALL:+SIGN-RSA-SHA256:+SIGN-ECDSA-SHA256 \
            ECDSA+SHA256:RSA+SHA256 1.2
        works 'TLS 1.2: gnutls-cli --priority NORMAL:-VERS-TLS1.3:-SIGN-ALL:+SIGN-RSA-SHA256:+SIGN-ECDSA-SHA256'
        server RSA-PSS+SHA256
        refused timeout 30 gnutls-cli --provider "$MODULE" --x509keyfile "$KEY" --x509certfile "$TLS_CERT" \
            --x509cafile server.pem --priority NORMAL --port "$PORT" localhost <lines
        say 'Fatal error|handshake'
        cannot 'TLS 1.3 wants RSA-PSS, which the service does not make'
        return
    fi
    cli NORMAL ECDSA+SHA256:RSA-PSS+SHA256 1.3
    works 'TLS 1.3: gnutls-cli --x509keyfile'
}
for_each_slot gnutls_cli
with_spoiled_module gnutls_cli
