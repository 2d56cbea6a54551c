# SPDX-License-Identifier: Apache-2.0
"""A running program that waits for slot events: slot_events.py MODULE COUNT

Prints "waiting", then a line "SLOT present|empty LABEL" for each event and the milliseconds since
1970 when it came; ends after COUNT events.
"""
import sys
import time

import PyKCS11

lib = PyKCS11.PyKCS11Lib()
lib.load(sys.argv[1])
lib.getSlotList()
print("waiting", flush=True)
for _ in range(int(sys.argv[2])):
    slot = lib.waitForSlotEvent()
    when = int(time.time() * 1000)
    if slot in lib.getSlotList(tokenPresent=True):
        state = "present " + lib.getTokenInfo(slot).label.strip("\0 ")
    else:
        state = "empty"
    print(slot, state, when, flush=True)
try:
    lib.waitForSlotEvent(PyKCS11.CKF_DONT_BLOCK)
    print("told twice", flush=True)
except PyKCS11.PyKCS11Error as error:
    assert error.value == PyKCS11.CKR_NO_EVENT, error
