#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# p11-kit: a registered module is there for every program that uses p11-kit, without a path.
#   p11-kit_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
slots_start

# Root has no registrations of its own: there, another user plays the part, in a copy of the home.
user=()
if [ "$(id -u)" = 0 ]; then
    other=$HOME_DIR/nobody
    mkdir "$other"
    cp -r "$XDG_CONFIG_HOME" "$XDG_STATE_HOME" "$HOME_DIR/tokens" "$SOFTHSM2_CONF" "$other"
    mkdir "$other/service"
    cp "$HOME_DIR/service/tls-ca.pem" "$other/service"
    cp "$MODULE" "$SPOIL" "$BUILD/module/smartca-remote.so" "$other"
    sed -i "s,$HOME_DIR,$other,g" "$other/config/smartca-pkcs11/smartca-pkcs11.conf" "$other/softhsm2.conf"
    : >"$HOME_DIR/spoiled"
    chmod 666 "$HOME_DIR/spoiled"
    chown -R nobody "$other"
    chmod 711 "$HOME_DIR"
    user=(setpriv --reuid=nobody --regid=nogroup --clear-groups env "HOME=$other" "XDG_CONFIG_HOME=$other/config"
        "XDG_STATE_HOME=$other/state" "SOFTHSM2_CONF=$other/softhsm2.conf"
        "SMARTCA_PKCS11_CONF=$other/config/smartca-pkcs11/smartca-pkcs11.conf")
    MODULE=$other/${MODULE##*/}
    SPOIL=$other/${SPOIL##*/}
    XDG_CONFIG_HOME=$other/config
fi

register() {
    mkdir -p "$XDG_CONFIG_HOME/pkcs11/modules"
    echo "module: $MODULE" >"$XDG_CONFIG_HOME/pkcs11/modules/smartca-pkcs11.module"
}
list() {
    register
    ran "${user[@]}" p11-kit list-modules
    say '^smartca-pkcs11: '
    say "token: $LABEL"
    works 'p11-kit list-modules'
}
for_each_slot list

# certtool without --provider: the URI alone finds the key.
sign() {
    register
    cat "$CERT" "$CHAIN" >signer.pem
    [ ${#user[@]} = 0 ] || chown -R nobody .
    ran "${user[@]}" env GNUTLS_PIN="$PIN" certtool --p7-detached-sign --load-privkey "$KEY" \
        --load-certificate signer.pem --infile contract.txt --outder --outfile contract.p7s
    ran openssl cms -verify -binary -inform DER -in contract.p7s -content contract.txt -CAfile "$ROOT" -out /dev/null
    works 'certtool --p7-detached-sign --load-privkey, without --provider'
}
for_each_slot sign
with_spoiled_module sign
