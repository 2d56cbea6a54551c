#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Real programs on a SmartCA slot: pkcs11-tool and its suites, GnuTLS, p11-kit, PyKCS11, OpenSSL, spy.
#   clients_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
home_start
# shellcheck disable=SC2119 # no options
emulator_start
control phone '{"action":"approve"}' >/dev/null
account_write 'poll_interval = 0.1'
work=$HOME_DIR/work
mkdir "$work"
printf 'Hợp đồng số 1\n' >"$work/contract.txt"
tool() { pkcs11-tool --module "$MODULE" "$@"; }

# Runs a command whose output must have (say) or lack (deny) a pattern; shows everything if not.
ran() {
    echo "== $*"
    "$@" >"$work/out" 2>&1 || { cat "$work/out"; echo "FAILED: $*"; exit 1; }
}
say() { grep -qE -- "$1" "$work/out" || { cat "$work/out"; echo "FAILED: no '$1'"; exit 1; }; }
deny() { ! grep -qiE -- "$1" "$work/out" || { cat "$work/out"; echo "FAILED: has '$1'"; exit 1; }; }
verify() { openssl dgst -sha256 -verify "$work/public.pem" -signature "$1" "$work/contract.txt"; }

ran tool -L -O -M -T
say 'Nguyễn Văn Ánh'
say 'VNPT SmartCA'
say 'RSA-PKCS, keySize'
deny 'error|invalid'
id=$(sed -n '/Private Key Object/,/ID:/s/^ *ID: *//p' "$work/out" | head -n 1)
ran tool --read-object --type cert --id "$id" --output-file "$work/cert.der"
openssl x509 -inform DER -in "$work/cert.der" -out "$work/cert.pem"
openssl x509 -in "$work/cert.pem" -pubkey -noout >"$work/public.pem"
ran openssl verify -CAfile "$HOME_DIR/service/root.pem" -untrusted "$HOME_DIR/service/ca.pem" "$work/cert.pem"

ran tool --sign --mechanism SHA256-RSA-PKCS --input-file "$work/contract.txt" --output-file "$work/1.sig"
verify "$work/1.sig"
ran tool --login --pin 1234 --sign --mechanism SHA256-RSA-PKCS --input-file "$work/contract.txt" \
    --output-file "$work/2.sig"
cmp "$work/1.sig" "$work/2.sig"

# pkcs11-tool's own suite signs a DigestInfo of SHA-1 among others: extra_hashes lets it through.
echo 'extra_hashes = yes' >>"$SMARTCA_PKCS11_CONF"
control behaviour '{"allow_sha1":true}' >/dev/null
ran tool --test --allow-sw
say 'No errors'
ran tool --login --pin 1234 --test --allow-sw
say 'No errors'
sed -i '/^extra_hashes/d' "$SMARTCA_PKCS11_CONF"
ran tool --test-threads ILGISLT0 --test-threads ILGISLT0 --test-threads ILGISLT0 --test-threads ILGISLT0
deny 'error|CKR_[A-Z_]*(FAILED|INVALID|ERROR)'
ran tool --test-fork
say 'Initialize'
deny 'error|failed'

ran p11tool --provider "$MODULE" --list-all
say 'Type: X.509 Certificate \(RSA-2048\)'
ran p11tool --provider "$MODULE" --list-privkeys
say 'Type: Private key'
url=$(p11tool --provider "$MODULE" --list-privkeys --only-urls | head -n 1)
ran p11tool --provider "$MODULE" --test-sign "$url"
say 'Verifying against public key in the token... ok'

# p11-kit reads a user's own registrations, but never root's: root takes another user's part.
mkdir -p "$XDG_CONFIG_HOME/pkcs11/modules"
echo "module: $MODULE" >"$XDG_CONFIG_HOME/pkcs11/modules/smartca-pkcs11.module"
user=()
if [ "$(id -u)" = 0 ]; then
    chmod 711 "$HOME_DIR"
    mkdir "$HOME_DIR/nobody"
    cp -r "$XDG_CONFIG_HOME" "$XDG_STATE_HOME" "$HOME_DIR/nobody"
    cp "$MODULE" "$BUILD/module/smartca-remote.so" "$HOME_DIR/nobody" # root's home is closed to nobody
    echo "module: $HOME_DIR/nobody/${MODULE##*/}" >"$HOME_DIR/nobody/config/pkcs11/modules/smartca-pkcs11.module"
    chown -R nobody "$HOME_DIR/nobody"
    user=(setpriv --reuid=nobody --regid=nogroup --clear-groups env "HOME=$HOME_DIR/nobody"
        "XDG_CONFIG_HOME=$HOME_DIR/nobody/config" "XDG_STATE_HOME=$HOME_DIR/nobody/state"
        "SMARTCA_PKCS11_CONF=$HOME_DIR/nobody/config/smartca-pkcs11/smartca-pkcs11.conf")
fi
ran "${user[@]}" p11-kit list-modules
say '^smartca-pkcs11: '
say 'token: Nguyễn Văn Ánh'

cat >"$work/sign.py" <<'END'
import sys
import PyKCS11
lib = PyKCS11.PyKCS11Lib()
lib.load(sys.argv[1])
slot = lib.getSlotList(tokenPresent=True)[0]
print(lib.getTokenInfo(slot).to_dict()["label"])
session = lib.openSession(slot)
for thing in session.findObjects():
    print(len(str(thing.to_dict())) > 0)
key = session.findObjects([(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY)])[0]
mechanism = PyKCS11.Mechanism(PyKCS11.CKM_SHA256_RSA_PKCS, None)
data = open(sys.argv[2], "rb").read()
open(sys.argv[3], "wb").write(bytes(session.sign(key, data, mechanism)))
END
control reset '{}' >/dev/null
control phone '{"action":"approve"}' >/dev/null
ran /usr/bin/python3 "$work/sign.py" "$MODULE" "$work/contract.txt" "$work/3.sig"
say 'Nguyễn Văn Ánh'
cmp "$work/1.sig" "$work/3.sig"
[ "$(control counters | jq .sign)" = 1 ] || { echo "FAILED: PyKCS11's size query reached the service"; exit 1; }

# A host whose openssl.cnf loads this very module: the call from within is refused, nothing hangs.
cat >"$work/openssl.cnf" <<END
openssl_conf = init
[init]
engines = engines
[engines]
pkcs11 = pkcs11
[pkcs11]
engine_id = pkcs11
MODULE_PATH = $MODULE
init = 1
END
OPENSSL_CONF=$work/openssl.cnf ran timeout 20 /usr/bin/python3 "$work/sign.py" "$MODULE" \
    "$work/contract.txt" "$work/6.sig"
cmp "$work/1.sig" "$work/6.sig"

spy=$(find /usr/lib -name pkcs11-spy.so | head -n 1)
PKCS11SPY=$MODULE ran pkcs11-tool --module "$spy" --sign --mechanism SHA256-RSA-PKCS \
    --input-file "$work/contract.txt" --output-file "$work/4.sig"
cmp "$work/1.sig" "$work/4.sig"
say 'C_GetInterface'

export PKCS11_MODULE_PATH=$MODULE
ran openssl dgst -engine pkcs11 -keyform engine -sign "$url" -sha256 -out "$work/5.sig" "$work/contract.txt"
cmp "$work/1.sig" "$work/5.sig"
ran openssl cms -sign -binary -in "$work/contract.txt" -signer "$work/cert.pem" \
    -certfile "$HOME_DIR/service/ca.pem" -engine pkcs11 -keyform engine -inkey "$url" \
    -outform DER -out "$work/contract.p7s"
ran openssl cms -verify -binary -inform DER -in "$work/contract.p7s" -content "$work/contract.txt" \
    -CAfile "$HOME_DIR/service/root.pem" -purpose any -out /dev/null
say 'successful'
sed -i 's/1/2/' "$work/contract.txt"
if verify "$work/1.sig"; then
    echo "FAILED: a changed document verifies"
    exit 1
fi
echo "all programs signed, and OpenSSL verified"
