#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every command of the manual pages of recipes stands in the test that its comment names, and every program
# that has a test has a recipe.
#   recipes_test.sh [BUILD]
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 - tests/clients conf/man/smartca-pkcs11-{recipes,sharing}.7 <<'END'
import pathlib
import re
import sys

folder, *pages = (pathlib.Path(argument) for argument in sys.argv[1:])
failed = []


def commands(text):
    """One command a line: continuations joined, white space as one blank, no helpers of the tests."""
    joined = re.sub(r"\\\n", " ", text)
    joined = re.sub(r"\b(ran|timeout \d+) ", "", joined)
    return [" ".join(line.split()) for line in joined.split("\n") if line.strip()]


def blocks(lines):
    """(script, lines) of each literal block; the script's name is in the comment before it."""
    script, block = None, None
    for line in lines:
        if line.startswith(".Ss"):
            script = None
        elif line.startswith('.\\" test: '):
            script = line.split(": ")[1].strip()
        elif line.startswith(".Bd -literal"):
            block = []
        elif line == ".Ed" and block is not None:
            yield script, block
            block = None
        elif block is not None:
            block.append(line.replace("\\e", "\\").replace("\\&", ""))


seen = set()
for script, block in blocks([line for page in pages for line in page.read_text().splitlines()]):
    if script is None or not (folder / script).exists():
        failed.append(f"no such test: {script}: {block}")
        continue
    seen.add(script)
    text = (folder / script).read_text()
    sourced = re.findall(r"^\. (tests/clients/\S+)$", text, re.M)
    have = "\n".join(commands("\n".join([text, *(pathlib.Path(name).read_text() for name in sourced)])))
    for command in commands("\n".join(block)):
        if not command.startswith("#") and command not in have:
            failed.append(f"{script} does not run: {command}")
for script in sorted(folder.glob("*_test.sh")):
    if script.name not in seen | {"recipes_test.sh"}:
        failed.append(f"{script.name} has no recipe")
if not seen:
    failed.append("there are no recipes")
print("\n".join(failed) if failed else f"{len(seen)} tests have recipes, and run them")
sys.exit(1 if failed else 0)
END
