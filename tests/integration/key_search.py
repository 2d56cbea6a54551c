#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where are the secret numbers of a key, in images of memory?

  key_search.py KEY.pem IMAGE...    one line per number found, "IMAGE NAME"; exit 1 if there is any

Numbers are looked for as files have them and as OpenSSL computes with them, lowest byte first.
"""
import mmap
import pathlib
import re
import subprocess
import sys

SECRET = ('priv', 'privateExponent', 'prime1', 'prime2', 'exponent1', 'exponent2', 'coefficient')


def numbers(path):
    text = subprocess.run(['openssl', 'pkey', '-in', path, '-noout', '-text'], check=True, capture_output=True, text=True).stdout
    for name, digits in re.findall(r'^(\w+):\n((?: +[0-9a-f:]+\n)+)', text, re.M):
        if name in SECRET:
            yield name, bytes.fromhex(re.sub(r'[\s:]', '', digits)).lstrip(b'\0')


def main(key, *images):
    wanted = dict(numbers(key))
    if not wanted:
        sys.exit(f'{key} has no secret number that is known here')
    found = False
    for path in images:
        with open(path, 'rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
            for name, number in wanted.items():
                if image.find(number) >= 0 or image.find(number[::-1]) >= 0:
                    found = True
                    print(pathlib.Path(path).name, name)
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
