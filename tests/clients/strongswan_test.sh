#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# strongSwan's pki: certificate requests and certificates, with the plugin pkcs11.
#   strongswan_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
slots_start

# The PIN comes from the standard input; OpenSSL's plugin, where there is one, must not have the key first.
request() {
    cat >strongswan.conf <<END
pki {
    plugins {
        pkcs11 {
            modules {
                smartca {
                    path = $MODULE
                }
            }
        }
    }
}
END
    export STRONGSWAN_CONF=$PWD/strongswan.conf
    if [ "$SLOT" = ec ]; then
        pki --req --type ecdsa --keyid "$ID" --dn 'C=VN, CN=localhost' --outform pem <"$PIN_FILE" >request.pem
    else
        pki --req --type rsa --keyid "$ID" --dn 'C=VN, CN=localhost' --outform pem <"$PIN_FILE" >request.pem
    fi 2>pki.log || { cat pki.log; fail 'pki --req'; }
    ran openssl req -in request.pem -verify -noout
    say 'self-signature verify OK'
    openssl req -in request.pem -noout -pubkey | cmp - "$PUBLIC"
    works 'pki --req --keyid'
}
for_each_slot request
with_spoiled_module request
with_spoiled_module request ec
