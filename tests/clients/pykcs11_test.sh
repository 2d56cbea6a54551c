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
        # r and s, 32 bytes each, into the SEQUENCE that OpenSSL reads.
        python3 -c '
import sys
raw = open("contract.sig", "rb").read()
number = lambda b: (lambda v: b"\x02" + bytes([len(v)]) + v)(int.from_bytes(b, "big").to_bytes(33, "big").lstrip(b"\0").rjust(1, b"\0") if b.lstrip(b"\0")[0] < 128 else b"\0" + b.lstrip(b"\0"))
body = number(raw[:32]) + number(raw[32:])
open("contract.sig", "wb").write(b"\x30" + bytes([len(body)]) + body)
'
    fi
    ran openssl dgst -sha256 -verify "$PUBLIC" -signature contract.sig contract.txt
    works 'PyKCS11: session.sign(key, data, mechanism)'
}
for_each_slot sign
