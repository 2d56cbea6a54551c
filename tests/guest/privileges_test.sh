#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A host with raised privileges (setuid root, run by nobody) believes nothing that its caller has set up, and root
# takes no file that is somebody else's. In namespaces, with another /etc and /var/lib; needs root.
#   privileges_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
[ "$(id -u)" = 0 ] || { echo "skipped: only root can make a program setuid root"; exit 77; }
. tests/guest/guest.sh
. tests/lib/machines.sh
machines_enter "$0" "$@"
guest_start

# Of the caller, in a place of his own.
mkdir "$HOME_DIR/etc" "$HOME_DIR/nobody" "$HOME_DIR/bin"
cp -a /etc/. "$HOME_DIR/etc"
mount --bind "$HOME_DIR/etc" /etc
mount -t tmpfs none /var/lib
chmod 711 "$HOME_DIR"
cp "$GUEST_BUILD/tests/guest/guest_lists" "$HOME_DIR/bin/raised"
chmod 4755 "$HOME_DIR/bin/raised"
chown nobody "$HOME_DIR/nobody"
caller=$HOME_DIR/nobody

# raised ARGUMENT...: by nobody, whose environment points to everything that is his. The report is root's: the
# program has it from the environment, and the module does not see it.
KEY_LOG=SSLKEYLOGFILE
raised() {
    : >"$REPORT"
    setpriv --reuid=nobody --regid=nogroup --clear-groups env "SMARTCA_PKCS11_CONF=$caller/smartca.conf" \
        "SMARTCA_PKCS11_LOG=debug:$caller/log" "HOME=$caller" "XDG_CONFIG_HOME=$caller" "XDG_STATE_HOME=$caller/state" \
        "$KEY_LOG=$caller/keys" "OPENSSL_CONF=$caller/openssl.cnf" "SSL_CERT_FILE=$caller/none" \
        "https_proxy=http://127.0.0.1:1" "ALL_PROXY=http://127.0.0.1:1" "SOFTHSM2_CONF=$caller/softhsm2.conf" \
        "$HOME_DIR/bin/raised" "$@" >"$SAID" 2>&1 </dev/null 9>&- || fail "the program with privileges: $?"
    [ ! -s "$SAID" ] || { cat "$SAID"; fail "it has said something"; }
    ! grep FAILED "$REPORT" || fail "it failed"
}
untouched() {
    [ "$(find "$caller" | sort)" = "$callers_files" ] || { find "$caller"; fail "there are new files of the caller's"; }
}
account_of() { sed "s,^\[account work\],[account $1]," "$SMARTCA_PKCS11_CONF"; }

account_of caller >"$caller/smartca.conf"
mkdir "$caller/smartca-pkcs11"
cp "$caller/smartca.conf" "$caller/smartca-pkcs11/smartca-pkcs11.conf"
printf 'openssl_conf = nonsense\n[nonsense\n' >"$caller/openssl.cnf"
chown -R nobody "$caller"
chmod -R go-w "$caller"
callers_files=$(find "$caller" | sort)
raised
! grep -E 'Nguy|anh.nv|binh.tt|usb' "$REPORT" || fail "a configuration of the caller is used"
untouched
echo "ok: variables and files of the caller are nothing to a setuid program"

system=/etc/smartca-pkcs11
mkdir $system
chmod 755 $system
account_of system >$system/smartca-pkcs11.conf
sed -i "s,file:$XDG_CONFIG_HOME/smartca-pkcs11,file:$system," $system/smartca-pkcs11.conf
sed -i '/^\[token usb\]/,$d' $system/smartca-pkcs11.conf
cp "$XDG_CONFIG_HOME/smartca-pkcs11/sp-password" $system
chmod 600 $system/*
raised sign
! grep -qx signed "$REPORT" || fail "libcurl has been started with a key log of the caller's"
untouched
echo "ok: no file for the secrets of TLS, where the caller likes"
KEY_LOG=SOMETHING_ELSE
raised sign
grep -qx signed "$REPORT" || { cat "$REPORT"; fail "no signature with the configuration in /etc"; }
untouched
pushes_are_single
echo "ok: it signs with /etc alone: no proxy, no log of the caller's"

chown nobody $system/smartca-pkcs11.conf
raised sign
! grep -qE 'signed|Nguy' "$REPORT" || fail "a system configuration of nobody's is used"
chown root $system/smartca-pkcs11.conf
rm -r $system
echo "ok: not when it is somebody else's"

chown nobody "$SMARTCA_PKCS11_CONF"
host 0 lists
! grep -qE 'Nguy' "$REPORT" || fail "root uses a configuration that is somebody else's"
chown root "$SMARTCA_PKCS11_CONF"
host 0 lists
grep -q 'Nguy' "$REPORT" || { cat "$REPORT"; fail "root does not use its own"; }
echo "ok: root takes no configuration of others"

cp "$SOFTHSM" "$HOME_DIR/other.so"
sed -i "s,^module = .*softhsm.*,module = $HOME_DIR/other.so," "$SMARTCA_PKCS11_CONF"
chown nobody "$HOME_DIR/other.so"
host 0 lists
! grep -q 'slot usb' "$REPORT" || fail "root loads a module that is somebody else's"
chown root "$HOME_DIR/other.so"
chmod 755 "$HOME_DIR/other.so"
host 0 lists
grep -q 'slot usb' "$REPORT" || { cat "$REPORT"; fail "root does not load its own"; }
echo "ok: root loads no module of others"
