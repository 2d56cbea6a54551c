# SPDX-License-Identifier: Apache-2.0
"""signed_attributes.py CMS ATTRIBUTES SIGNATURE: what the first signer of a PKCS#7 in DER signed, and the signature.

RFC 5652 5.4: the attributes are signed as the SET that they are, not under the tag they are sent with.
"""
import sys


def read(data, at):
    """(tag, begin, end) of the value at that place."""
    tag, length, begin = data[at], data[at + 1], at + 2
    if length & 0x80:
        begin += length & 0x7F
        length = int.from_bytes(data[at + 2:begin], "big")
    return tag, begin, begin + length


def members(data, at):
    _, begin, end = read(data, at)
    while begin < end:
        yield begin
        begin = read(data, begin)[2]


def member(data, at, number):
    return list(members(data, at))[number]


source, attributes, signature = sys.argv[1:]
with open(source, "rb") as file:
    der = file.read()
if der.startswith(b"-----"):
    sys.exit(f"{source} is not DER")
signed_data = member(der, member(der, 0, 1), 0)
signer = member(der, list(members(der, signed_data))[-1], 0)
parts = list(members(der, signer))
found = next(n for n, part in enumerate(parts) if der[part] == 0xA0)
with open(attributes, "wb") as file:
    file.write(b"\x31" + der[parts[found] + 1:read(der, parts[found])[2]])
with open(signature, "wb") as file:
    begin, end = read(der, parts[found + 2])[1:]
    file.write(der[begin:end])
