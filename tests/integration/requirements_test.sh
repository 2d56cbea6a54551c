#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The table of requirements in tests/README.md is true: each number is there once, each test it names is one of
# ctest's, each case one that its program runs; what the READMEs promise of security names rows of it.
#   requirements_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
table=tests/README.md
HOME_DIR=$(mktemp -d)
trap 'rm -rf "$HOME_DIR"' EXIT
failed=0
complain() {
    echo "FAILED: $*"
    failed=1
}

for group in A:13 B:10 C:9 D:6 E:7; do
    seq -f "R-${group%:*}%g" "${group#*:}"
done >"$HOME_DIR/expected"
sed -n 's/^| \(R-[A-Z][0-9]*\) | .*/\1/p' $table >"$HOME_DIR/rows"
diff "$HOME_DIR/expected" "$HOME_DIR/rows" || complain "$table lacks a requirement, or has one twice"

ctest --test-dir "$BUILD" -N | sed -n 's/^ *Test *#[0-9]*: //p' >"$HOME_DIR/tests"
[ "$(wc -l <"$HOME_DIR/tests")" -gt 100 ] || complain "ctest tells of no tests"

# Its third column: NUMBER NAME, for each `NAME`.
sed -n 's/^| \(R-[A-Z][0-9]*\) | [^|]* | \([^|]*\) |.*/\1 \2/p' $table |
    awk '{ n = split($0, part, "`"); if (n < 3) print $1, "-"; for (i = 2; i < n; i += 2) print $1, part[i] }' >"$HOME_DIR/proofs"
git ls-files -- 'tests/*.c' >"$HOME_DIR/sources"
while read -r number name; do
    test=${name%%.*}
    grep -qxF -- "$test" "$HOME_DIR/tests" || { complain "$number: ctest has no '$name'"; continue; }
    [ "$test" != "$name" ] || continue
    # Where it is defined, and in the list of its main.
    found=$(grep "/$test\.c$" "$HOME_DIR/sources" | xargs -r grep -hcw -- "${name#*.}" | sort -n | tail -n 1 || true)
    [ "${found:-0}" -ge 2 ] || complain "$number: $test runs no case ${name#*.}"
done <"$HOME_DIR/proofs"
[ "$(wc -l <"$HOME_DIR/proofs")" -gt 150 ] || complain "the table's third column cannot be read"

for text in README.md conf/README.vi.md; do
    grep -oE 'R-[A-Z][0-9]+' $text | sort -u >"$HOME_DIR/named"
    [ -s "$HOME_DIR/named" ] || complain "$text names no requirement"
    unknown=$(grep -vxFf "$HOME_DIR/expected" "$HOME_DIR/named" || true)
    [ -z "$unknown" ] || complain "$text: no such requirement: $unknown"
done
exit $failed
