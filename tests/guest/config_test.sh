#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Hosts whose OpenSSL, GnuTLS or p11-kit loads this module by itself, and configurations that lead the module back
# to itself: nothing hangs, nothing is there twice. In a mount namespace, with p11-kit's list of modules.
#   config_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/guest/guest.sh
. tests/lib/machines.sh
machines_enter "$0" "$@"
HOST_LIMIT=30
guest_start
export ASAN_OPTIONS=${ASAN_OPTIONS-detect_leaks=0} # the engine of libp11 keeps its method of RSA; see ends_test.sh
export GUEST_SHARED=1
url=$SERVICE/control/counters
ca=$HOME_DIR/service/tls-ca.pem

# The engine of libp11 initialises us while OpenSSL reads the host's configuration; Debian 12 has no provider.
cat >"$HOME_DIR/openssl.cnf" <<END
openssl_conf = start
[start]
engines = engines
[engines]
pkcs11 = pkcs11
[pkcs11]
engine_id = pkcs11
MODULE_PATH = $MODULE
init = 1
END
export OPENSSL_CONF=$HOME_DIR/openssl.cnf
ran openssl engine -t pkcs11
say 'available'
for order in rirsr irsbr isf; do
    host 0 https_openssl "$order" "$url" "$ca"
    host 0 https_gnutls "$order" "$url" "$ca"
done
host 0 https_none isf
echo "ok: an openssl.cnf that loads us through the engine, TLS before and after"
for how in exit atexit-finish destructor-finish; do
    host 3 ends "$how" 5
    usb_renew
done
echo "ok: and the process ends"
unset OPENSSL_CONF

# p11-kit has us on its list, for every program with GnuTLS and for its proxy.
mkdir "$HOME_DIR/modules"
printf 'module: %s\n' "$MODULE" >"$HOME_DIR/modules/smartca-pkcs11.module"
mount --bind "$HOME_DIR/modules" /usr/share/p11-kit/modules
proxy=$(realpath /usr/lib/*/p11-kit-proxy.so | head -1)
count_usb() { p11tool --list-tokens 2>/dev/null | grep -c 'Label: usb$'; }
[ "$(timeout 20 p11-kit list-modules | grep -c 'token: usb$')" = 1 ] || fail "p11-kit does not list us once"
for module in "$MODULE" "$proxy" "$HOME_DIR/link.so" "$HOME_DIR/copy.so"; do
    ln -sf "$MODULE" "$HOME_DIR/link.so"
    cp "$MODULE" "$HOME_DIR/copy.so"
    printf '%s\n' '[token self]' "module = $module" >>"$SMARTCA_PKCS11_CONF"
    host 0 https_gnutls rirsr "$url" "$ca"
    host 0 https_openssl rirsr "$url" "$ca"
    [ "$(timeout 20 bash -c "$(declare -f count_usb); count_usb")" = 1 ] || fail "a token is there twice: $module"
    GUEST_MODULE=$proxy host 0 lists
    [ "$(grep -c 'slot usb' "$REPORT")" = 1 ] || fail "a token of the proxy is there twice: $module"
    sed -i '/^\[token self\]/,$d' "$SMARTCA_PKCS11_CONF"
    echo "ok: p11-kit has us on its list, and we have a token of ${module##*/}"
done
pushes_are_single
