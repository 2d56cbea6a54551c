# SPDX-License-Identifier: Apache-2.0
"""PyKCS11 on a local token: every attribute of every object, a key pair, a signature.

local_token.py MODULE LABEL PIN INPUT OUTPUT: signs with the key whose CKA_ID is 01."""
import sys

import PyKCS11

module, label, pin, source, target = sys.argv[1:]
lib = PyKCS11.PyKCS11Lib()
lib.load(module)
slot = next(s for s in lib.getSlotList(tokenPresent=True) if lib.getTokenInfo(s).label.strip() == label)
session = lib.openSession(slot, PyKCS11.CKF_RW_SESSION | PyKCS11.CKF_SERIAL_SESSION)
session.login(pin)
for thing in session.findObjects():
    assert str(thing.to_dict())
public, private = session.generateKeyPair(
    [(PyKCS11.CKA_MODULUS_BITS, 2048), (PyKCS11.CKA_PUBLIC_EXPONENT, (1, 0, 1)), (PyKCS11.CKA_TOKEN, False)],
    [(PyKCS11.CKA_TOKEN, False), (PyKCS11.CKA_SIGN, True)])
data = open(source, "rb").read()
mechanism = PyKCS11.Mechanism(PyKCS11.CKM_SHA256_RSA_PKCS, None)
assert session.verify(public, data, session.sign(private, data, mechanism), mechanism)
key = session.findObjects([(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY), (PyKCS11.CKA_ID, (1,))])[0]
open(target, "wb").write(bytes(session.sign(key, data, mechanism)))
session.logout()
session.closeSession()
