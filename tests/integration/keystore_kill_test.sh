#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 before every system call that changes the disk, for every operation on a token: what is
# found afterwards is the old state or the new one, and no try of a PIN is gained (R-C5, R-E5).
#   keystore_kill_test.sh KEYSTORE_TOOL
set -euo pipefail
TOOL=$1
NAME=0123456789abcdef0123456789abcdef
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
fail() { echo "FAILED: $*"; exit 1; }
tool() { "$TOOL" "$DIR/$1" "$NAME" "$2"; }

# The names they have differ between architectures.
CALLS=$(strace -f -o /dev/stdout "$TOOL" "$DIR/trace" "$NAME" make |
    grep -oE '^[0-9]+ +(write|fchmod|utimensat|fsync|link|linkat|rename|renameat|renameat2|unlink|unlinkat|flock|mkdir|mkdirat)\(' |
    grep -oE '[a-z0-9]+\($' | tr -d '(' | sort -u)
CALLS="$CALLS $(case " $(echo "$CALLS" | tr '\n' ' ')" in *" unlink "*) echo link ;; *) echo linkat ;; esac)"
CALLS=$(echo "$CALLS" | tr ' ' '\n' | sort -u)

# kill_at_every STATE OPERATION OUTCOME...: from a copy of STATE; what show says is one of OUTCOME,
# the last of which is that of the whole operation.
kill_at_every() {
    local state=$1 operation=$2 call n kills=0 found status
    shift 2
    local last=${*: -1}
    for call in $CALLS; do
        for ((n = 1; ; n++)); do
            rm -rf "$DIR/copy"
            cp -a "$DIR/$state" "$DIR/copy"
            status=0
            { strace -f -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" \
                "$TOOL" "$DIR/copy" "$NAME" "$operation" || status=$?; } 2>/dev/null
            if [ "$status" -eq 0 ]; then
                found=$(tool copy show)
                [ "$found" = "$last" ] || fail "$operation: '$found' instead of '$last'"
                break
            fi
            [ "$status" -eq 137 ] || fail "$operation, to be killed at $call $n: ended with $status"
            kills=$((kills + 1))
            found=$(tool copy show) || fail "$operation, killed at $call $n: damaged"
            # Not through a pipe: grep -q leaves at the first match, and whoever still writes fails.
            grep -qxF -- "$found" <<<"$(printf '%s\n' "$@")" ||
                fail "$operation, killed at $call $n: found '$found'"
            # And it goes on from there.
            case $found in
            none) tool copy make ;;
            *locked*) tool copy unlock ;;
            *) tool copy init-pin ;;
            esac || fail "$operation, killed at $call $n: '$found' is a dead end"
        done
    done
    [ "$kills" -ge 8 ] || fail "$operation: only $kills kills"
    echo "ok: $operation, killed $kills times"
}

mkdir "$DIR/none"
kill_at_every none make none "0 0 no-pin:"

mkdir "$DIR/made"
tool made make
kill_at_every made init-pin "0 0 no-pin:" "0 1 no-pin:" "0 0 123456:"

cp -a "$DIR/made" "$DIR/used"
tool used init-pin
kill_at_every used add "0 0 123456:" "1 0 123456:" "0 0 123456: public private/key"

tool used add
for _ in 1 2 3; do tool used guess; done
OLD="3 0 123456: public private/key"
kill_at_every used guess "$OLD" "4 0 123456: public private/key"
kill_at_every used login "$OLD" "4 0 123456: public private/key" "0 0 123456: public private/key"
kill_at_every used change-pin "$OLD" "4 0 123456: public private/key" \
    "0 0 123456: public private/key" "0 0 654321: public private/key"
kill_at_every used reset "$OLD" "3 1 123456: public private/key" "0 0 no-pin:"

for _ in 4 5 6 7 8 9 10; do tool used guess; done
kill_at_every used unlock "10 0 locked: public" "10 1 locked: public" \
    "0 0 654321: public private/key"
