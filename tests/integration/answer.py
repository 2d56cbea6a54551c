# SPDX-License-Identifier: Apache-2.0
"""Runs a program at a terminal of its own and types an answer at each prompt: answer.py ANSWER... -- PROGRAM ARGUMENT...

A prompt is a line that ends with ": "; the answer ^C is the key that interrupts. What the terminal shows is printed; the status is the program's."""
import os
import pty
import signal
import sys

split = sys.argv.index("--")
answers, command = sys.argv[1:split], sys.argv[split + 1:]
pid, terminal = pty.fork()
if pid == 0:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job has it ignored
    os.execv(command[0], command)
shown = b""
while True:
    try:
        got = os.read(terminal, 4096)
    except OSError:  # the program is gone, and its side of the terminal with it
        break
    if not got:
        break
    sys.stdout.buffer.write(got)
    shown += got
    line = shown.split(b"\n")[-1]
    if line.endswith(b": ") and not line.startswith(b"smartca"):
        # Without an answer left, the program is to see the end of its input.
        answer = answers.pop(0).encode() + b"\n" if answers else b"\x04"
        os.write(terminal, b"half a PIN\x03" if answer == b"^C\n" else answer)
        shown = b""
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
