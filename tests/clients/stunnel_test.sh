#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# stunnel with its key on a slot, through OpenSSL's pkcs11 engine: as server, as client, each to the other.
#   stunnel_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
slots_start

# configure LINES: a server that sends contract.txt, and a client of it; both show their certificate.
configure() {
    # All of the request is read: what is left unread at the end resets the connection.
    cat >answer <<END
while read -r line && [ "\${#line}" -gt 1 ]; do :; done
cat $WORK/contract.txt
END
    cat >stunnel.conf <<END
foreground = yes
pid =
engine = pkcs11
engineCtrl = MODULE_PATH:$MODULE
[server]
accept = $WORK/tls
exec = /bin/sh
execArgs = sh $WORK/answer
cert = $TLS_CERT
engineId = pkcs11
key = $KEY;pin-source=file:$PIN_FILE
CAfile = $TLS_CA
verifyChain = yes
$1
[client]
client = yes
accept = $WORK/plain
connect = $WORK/tls
cert = $TLS_CERT
engineId = pkcs11
key = $KEY;pin-source=file:$PIN_FILE
CAfile = $TLS_CA
verifyChain = yes
$1
END
}
tunnel() {
    case $SLOT in
    smartca) configure 'sslVersionMax = TLSv1.2
config = SignatureAlgorithms:RSA+SHA256' ;;
    *) configure 'sslVersionMin = TLSv1.3' ;;
    esac
    background stunnel.log stunnel stunnel.conf
    await [ -S plain ]
    ran curl --http0.9 --unix-socket plain -o got.txt http://localhost/
    cmp got.txt contract.txt
    case $SLOT in
    smartca) works 'TLS 1.2, server and client: stunnel with config = SignatureAlgorithms:RSA+SHA256' ;;
    *) works 'TLS 1.3, server and client: stunnel with engineId = pkcs11' ;;
    esac
}
for_each_slot tunnel
with_spoiled_module tunnel
without_pss() {
    configure 'sslVersionMin = TLSv1.3'
    background stunnel.log stunnel stunnel.conf
    await [ -S plain ]
    refused curl --http0.9 --unix-socket plain http://localhost/
    grep -q 'Mechanism invalid' stunnel.log
    cannot 'TLS 1.3 wants RSA-PSS, which the service does not make'
}
SLOTS=(smartca)
for_each_slot without_pss
