# SPDX-License-Identifier: Apache-2.0
"""Signs many documents, one after the other, in one session.

sharing.py MODULE LABEL PIN FOLDER FIRST LAST [die N | pause N FIFO]

Writes FOLDER/I.txt and FOLDER/I.sig, and I on standard output, for each I from FIRST to LAST.
die N: the process dies in the middle of a signature after the N-th. pause N: waits for a line from FIFO then.
"""
import pathlib
import signal
import sys

import PyKCS11

module, label, pin, folder, first, last = sys.argv[1:7]
event, number = (sys.argv[7], int(sys.argv[8])) if len(sys.argv) > 7 else ("", 0)
folder = pathlib.Path(folder)

lib = PyKCS11.PyKCS11Lib()
lib.load(module)
slots = [slot for slot in lib.getSlotList(tokenPresent=True) if lib.getTokenInfo(slot).label.rstrip("\0 ") == label]
session = lib.openSession(slots[0])
session.login(pin)
key = session.findObjects([(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY)])[0]
mechanism = PyKCS11.Mechanism(PyKCS11.CKM_SHA256_RSA_PKCS, None)

for i in range(int(first), int(last) + 1):
    document = f"{folder.name}: contract {i}\n".encode()
    (folder / f"{i}.txt").write_bytes(document)
    (folder / f"{i}.sig").write_bytes(bytes(session.sign(key, document, mechanism)))
    print(i, flush=True)
    if (event, number) == ("pause", i):
        pathlib.Path(sys.argv[9]).read_text()
    if (event, number) == ("die", i):
        # Nothing is caught, so the process dies in whatever call it is.
        signal.setitimer(signal.ITIMER_REAL, 0.0005)
session.closeSession()
