# SPDX-License-Identifier: Apache-2.0
"""pdf_signature.py PDF BYTES CMS: writes what the last signature of a PDF covers, and the signature itself."""
import re
import sys

pdf, covered, cms = sys.argv[1:]
with open(pdf, "rb") as file:
    data = file.read()
found = re.findall(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", data)
if not found:
    sys.exit(f"{pdf} has no signature")
start, first, second, length = map(int, found[-1])
if start != 0 or second + length != len(data):
    sys.exit(f"{pdf}: the signature does not cover the whole file")
hexed = data[first:second].strip()
if hexed[:1] != b"<" or hexed[-1:] != b">":
    sys.exit(f"{pdf}: no signature where ByteRange leaves it out")
# Zeros follow the signature, up to the room that was kept for it: OpenSSL reads as far as it goes.
with open(covered, "wb") as file:
    file.write(data[:first] + data[second:])
with open(cms, "wb") as file:
    file.write(bytes.fromhex(hexed[1:-1].decode()))
