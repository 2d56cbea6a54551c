#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Hosts with libcurl over OpenSSL, libcurl over GnuTLS, and none, which make requests of their own and begin and
# end libcurl in every order around ours.
#   https_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/guest/guest.sh
guest_start

orders=(girsrfrc igbrsfcr)
[ "$(full '' yes)" = '' ] || orders+=(rirsrf gicsrf irsgrscrf gisrcf gcisrf gircgsrcf giscsgsf grcirsfirsfgrc ibsfgibcrsf gibfibfc rcisfr)
for order in "${orders[@]}"; do
    for flavour in openssl gnutls; do
        host 0 "https_$flavour" "$order" "$SERVICE/control/counters" "$HOME_DIR/service/tls-ca.pem"
    done
    echo "ok: $order"
done
host 0 https_none isfisf
pushes_are_single
