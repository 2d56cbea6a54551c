#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 in the middle of a batch, before its system calls to disk and network: what the same program asks for
# afterwards is signed, every document of it, and nobody confirms twice what had not been handed over.
#   batch_kill_test.sh BUILD [STEP]      every STEPth call of each kind (3)
set -euo pipefail
BUILD=$1
STEP=${2-3}
cd "$(dirname "$0")/../.."
. tests/lib/emulator.sh
fail() { echo "FAILED: $*"; exit 1; }
TOOL=$BUILD/tests/integration/batch_tool
COUNT=3

home_start
# shellcheck disable=SC2119 # no options
emulator_start
account_write 'batch_window = 200' 'poll_interval = 0.1'
"$TOOL" "$MODULE" warm 1 >/dev/null # the catalogue is made

calls=$(strace -f -o /dev/stdout "$TOOL" "$MODULE" trace $COUNT |
    grep -oE '^[0-9]+ +(write|pwrite64|fdatasync|fsync|sendto|recvfrom|read|ftruncate|flock|fcntl)\(' |
    grep -oE '[a-z0-9]+\($' | tr -d '(' | sort -u)
state_of() { control transactions | jq -r "[.[] | .state] | join(\" \")"; }

kills=0 first_asked=0 again_asked=0 torn=0
for call in $calls; do
    for ((n = 1; ; n += STEP)); do
        control reset '{}' >/dev/null
        control phone '{"action":"approve","after_polls":1}' >/dev/null
        name="$call $n"
        status=0
        { strace -f -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" \
            "$TOOL" "$MODULE" "$name" $COUNT >"$HOME_DIR/first" || status=$?; } 2>/dev/null
        before=$(state_of)
        if [ "$status" -eq 0 ]; then
            break
        fi
        [ "$status" -eq 137 ] || fail "$name: ended with $status: $(cat "$HOME_DIR/first")"
        kills=$((kills + 1))
        "$TOOL" "$MODULE" "$name" $COUNT >"$HOME_DIR/again" || fail "$name: $(cat "$HOME_DIR/again")"
        [ "$(grep -c ' ok$' "$HOME_DIR/again")" = $COUNT ] || fail "$name: $(cat "$HOME_DIR/again")"
        transactions=$(control counters | jq -r .transactions)
        case $before in
        '') [ "$transactions" = 1 ] || fail "$name: $transactions transactions, none was known before" ;;
        waiting)
            first_asked=$((first_asked + 1))
            [ "$transactions" = 1 ] || fail "$name: asked $transactions times, the first one was still waiting"
            ;;
        signed)
            # Between the journal's word that it was handed over and the program's own output.
            [ "$transactions" -le 2 ] || fail "$name: $transactions transactions"
            [ "$transactions" = 1 ] || again_asked=$((again_asked + 1))
            ;;
        *) fail "$name: $before" ;;
        esac
        [ "$(grep -c . "$HOME_DIR/first")" -lt $COUNT ] || torn=$((torn + 1))
    done
done
[ "$kills" -ge 10 ] || fail "only $kills kills"
echo "ok: killed $kills times, $first_asked of them while the phone rang; $again_asked asked again after all was signed"
echo "    and taken out of the journal ($torn after the whole output)"
