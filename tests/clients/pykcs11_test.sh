#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# PyKCS11: a program in Python.
#   pykcs11_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
slots_start

program() {
    cat <<'END'
import sys
from PyKCS11 import *

module, label, pin = sys.argv[1:]
lib = PyKCS11Lib()
lib.load(module)
slot = next(s for s in lib.getSlotList(tokenPresent=True) if lib.getTokenInfo(s).label.strip() == label)
session = lib.openSession(slot)
session.login(pin)
key = session.findObjects([(CKA_CLASS, CKO_PRIVATE_KEY)])[0]
rsa = session.getAttributeValue(key, [CKA_KEY_TYPE])[0] == CKK_RSA
mechanism = Mechanism(CKM_SHA256_RSA_PKCS if rsa else CKM_ECDSA_SHA256, None)
signature = session.sign(key, open("contract.txt", "rb").read(), mechanism)
open("contract.sig", "wb").write(bytes(signature))
END
}
sign() {
    program >sign.py
    ran /usr/bin/python3 sign.py "$MODULE" "$LABEL" "$PIN"
    if [ "$SLOT" = ec ]; then
        # r and s, 32 bytes each, into the SEQUENCE of two INTEGERs that OpenSSL reads.
        hex=$(od -An -v -tx1 contract.sig | tr -d ' \n')
        printf '%s\n' 'asn1 = SEQUENCE:pair' '[pair]' "r = INTEGER:0x${hex:0:64}" "s = INTEGER:0x${hex:64}" >pair.cnf
        openssl asn1parse -genconf pair.cnf -noout -out contract.sig
    fi
    ran openssl dgst -sha256 -verify "$PUBLIC" -signature contract.sig contract.txt
    works 'PyKCS11: session.sign(key, data, mechanism)'
}
for_each_slot sign
[ "$(control counters | jq .sign)" = 1 ] || fail 'the question for the length has reached the service'
with_spoiled_module sign
with_spoiled_module sign ec

# A host whose openssl.cnf loads this very module: the call from within is refused, nothing hangs.
within() {
    cat >openssl.cnf <<END
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
    program >sign.py
    OPENSSL_CONF=openssl.cnf ran timeout 20 /usr/bin/python3 sign.py "$MODULE" "$LABEL" "$PIN"
    ran openssl dgst -sha256 -verify "$PUBLIC" -signature contract.sig contract.txt
    works 'PyKCS11 in a program whose OpenSSL loads the module as well'
}
SLOTS=(smartca rsa usb)
for_each_slot within

# Everything that can be asked of every object.
attributes() {
    cat >attributes.py <<'END'
import sys
from PyKCS11 import *

lib = PyKCS11Lib()
lib.load(sys.argv[1])
for slot in lib.getSlotList(tokenPresent=True):
    if lib.getTokenInfo(slot).label.strip() != sys.argv[2]:
        continue
    session = lib.openSession(slot)
    session.login(sys.argv[3])
    things = session.findObjects()
    assert len(things) > 2 and all(len(str(thing.to_dict())) > 0 for thing in things)
END
    ran /usr/bin/python3 attributes.py "$MODULE" "$LABEL" "$PIN"
    works 'PyKCS11: every attribute of every object'
}
SLOTS=(smartca rsa ec usb)
for_each_slot attributes
