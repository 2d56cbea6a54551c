#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# OpenVPN's list of the certificates that it could use.
#   openvpn_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
slots_start

list() {
    ran timeout 20 openvpn --show-pkcs11-ids "$MODULE"
    say "Serial: *$(openssl x509 -in "$CERT" -noout -serial | sed 's/.*=//')"
    say "Serialized id: .*/${ID^^}"
    works 'openvpn --show-pkcs11-ids'
}
for_each_slot list
