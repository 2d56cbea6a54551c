#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Firefox ESR, headless: the module loaded through enterprise policies and through modutil, the list of security
# devices, mutual TLS.
#   firefox_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
. tests/clients/browsers.sh
slots_start
PROGRAM=/usr/lib/firefox-esr

firefox() {
    HOME=$WORK timeout 120 /usr/bin/python3 "$ROOT_DIR/tests/clients/firefox.py" "$@" 2>firefox.log ||
        { cat firefox.log server.log; fail "firefox.py $*"; }
}

# profile_make: a new profile that trusts the test's servers, and asks nobody for news.
profile_make() {
    mkdir profile
    certutil -N -d sql:profile --empty-password
    certutil -A -d sql:profile -n server -t C,, -i server-ca.pem
    printf 'user_pref("%s", %s);\n' marionette.port 0 app.normandy.enabled false \
        datareporting.policy.dataSubmissionEnabled false browser.startup.page 0 >profile/user.js
}

# Policies are read from /etc/firefox/policies or, as here, from the folder of the program: a copy, of links.
policies() {
    echo '{"policies": {"SecurityDevices": {"Add": {"SmartCA": "'"$MODULE"'"}}}}' >policies.json
    cp -rs "$PROGRAM" program
    cp --remove-destination "$PROGRAM/firefox-esr" program
    rm -r program/distribution
    mkdir program/distribution
    cp policies.json program/distribution
}

# visit PROGRAM PROTOCOL: a page that wants the slot's certificate.
visit() {
    firefox "$1" profile visit "$URL" "$(client_serial)" "$PIN" >page
    page_check page "$2"
    [ "$SLOT" = smartca ] || grep -qx 'PIN asked: 1' page || fail "the PIN was not asked for once"
}

mutual_tls() {
    server_start
    profile_make
    policies
    if [ "$SLOT" = smartca ]; then
        firefox program/firefox-esr profile visit "$URL" "$(client_serial)" "$PIN" >page
        grep -qx 'certificate: ' page || { cat page; fail "Firefox offers a certificate that is for e-mail"; }
        expect server.log 'peer did not return a certificate'
        cannot "mutual TLS with a certificate whose extended key usage lacks clientAuth, as VNPT's: not offered"
    else
        visit program/firefox-esr TLSv1.3
        works "SecurityDevices in policies.json, mutual TLS 1.3"
    fi
}
for_each_slot mutual_tls

# What the recipe says for about:config. TLS 1.2, since a SmartCA key has no PSS; as long as the phone needs, instead
# of 30 seconds; and no icon of the site, for which Firefox connects, and so signs, again.
by_modutil() {
    local what='modutil -add, mutual TLS 1.2'
    server_start
    profile_make
    printf 'user_pref("%s", %s);\n' security.tls.version.max 3 network.http.tls-handshake-timeout 300 \
        browser.chrome.site_icons false >>profile/user.js
    ran modutil -force -dbdir sql:profile -add smartca -libfile "$MODULE"
    visit firefox-esr TLSv1.2
    [ "$SLOT" != smartca ] || [ "$(control counters | jq .sign)" = 1 ] || fail "a page has asked for several confirmations"
    [ "$SLOT" != smartca ] || what+=", with a certificate that has clientAuth"
    works "$what"
}
with_spoiled_module by_modutil

# What Firefox shows its user as the devices, also as a picture, firefox.png in the folder of the table.
devices() {
    server_start
    profile_make
    ran modutil -force -dbdir sql:profile -add smartca -libfile "$MODULE"
    firefox firefox-esr profile devices "$LABEL" "${CLIENTS_TABLE%/*/*}/firefox.png" >tokens
    grep -qxF "$LABEL" tokens || { cat tokens; fail "Firefox shows no token $LABEL"; }
    works "Security Devices shows the token"
}
SLOTS=(smartca)
for_each_slot devices

service_certify
SLOTS=(smartca rsa ec usb)
for_each_slot by_modutil

tls_13_alone() {
    server_start -tls1_3
    profile_make
    ran modutil -force -dbdir sql:profile -add smartca -libfile "$MODULE"
    firefox firefox-esr profile visit "$URL" "$(client_serial)" "$PIN" >page
    grep -q '^certificate: .' page || { cat page; fail "Firefox does not offer the certificate"; }
    grep -q '^address: about:neterror' page || { cat page; fail "a SmartCA key signs for TLS 1.3"; }
    cannot "TLS 1.3: needs PSS, which the service does not make; security.tls.version.max = 3"
}
SLOTS=(smartca)
for_each_slot tls_13_alone
