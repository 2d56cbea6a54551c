#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Chromium on an X server without a screen: certificate and PIN window, mutual TLS.
#   chromium_test.sh BUILD
# shellcheck disable=SC2119 # no options
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
. tests/clients/browsers.sh
. tests/clients/nss.sh
slots_start

# profile_make: Chromium takes its certificates and modules from a database in the home folder.
profile_make() {
    local slot
    mkdir -p .pki/nssdb
    certutil -N -d sql:.pki/nssdb --empty-password
    ran modutil -force -dbdir sql:.pki/nssdb -add smartca -libfile "$MODULE"
    certutil -A -d sql:.pki/nssdb -n server -t C,, -i server-ca.pem
    # One certificate is left to choose.
    while read -r slot; do
        ran modutil -force -dbdir sql:.pki/nssdb -disable smartca -slot "$slot"
    done < <(others .pki/nssdb)
}

# visit [OPTION...]: a page that wants the slot's certificate, with options for Chromium.
visit() {
    HOME=$WORK XDG_DATA_HOME=$WORK/data timeout 100 /usr/bin/python3 "$ROOT_DIR/tests/clients/chromium.py" \
        "$WORK/profile" "$URL" "$PIN" "$@" >page 2>chromium.log ||
        { grep -v dbus chromium.log; cat server.log; fail "chromium.py"; }
}

mutual_tls() {
    server_start
    profile_make
    visit
    if [ "$SLOT" = smartca ]; then
        grep -q '^address: chrome-error:' page || { cat page; fail "the server wants no certificate"; }
        expect server.log 'peer did not return a certificate'
        cannot "mutual TLS with a certificate whose extended key usage lacks clientAuth, as VNPT's: not offered"
    else
        page_check page TLSv1.3
        grep -qx 'PIN asked: 1' page || { cat page; fail "the PIN was not asked for once"; }
        works "mutual TLS 1.3"
    fi
}
for_each_slot mutual_tls
with_spoiled_module mutual_tls

service_certify
# A SmartCA key has no PSS, which TLS 1.3 needs: the highest version that Chromium offers is TLS 1.2.
tls_12() {
    server_start
    profile_make
    visit
    grep -q ERR_SSL_CLIENT_AUTH page || { cat page; fail "a SmartCA key signs for TLS 1.3"; }
    cannot "TLS 1.3: needs PSS, which the service does not make; --ssl-version-max=tls1.2"
    visit --ssl-version-max=tls1.2
    page_check page TLSv1.2
    works "--ssl-version-max=tls1.2, mutual TLS 1.2, with a certificate that has clientAuth"
}
SLOTS=(smartca)
for_each_slot tls_12
