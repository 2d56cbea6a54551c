#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Slots that come alive in a running program: it waits for slot events while the tool fetches the
# first certificate of an account, gives it a name, adds an account and removes one.
#   slot_events_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
. tests/lib/programs.sh
home_start
mkdir "$HOME_DIR/work"
# shellcheck disable=SC2119 # no options
emulator_start
USER_ID=079300000555 # a user that the service does not know yet
# shellcheck disable=SC2119 # no extra lines
account_write

# program_start COUNT: it waits for COUNT events; what it prints comes through descriptor 8.
program_start() {
    exec 8< <(exec timeout 60 /usr/bin/python3 tests/integration/slot_events.py "$MODULE" "$1" 2>&1)
    program_says '^waiting$'
}
program_says() {
    read -r line <&8 || fail "the program has ended before it said '$1'"
    [[ $line =~ $1 ]] || fail "the program says '$line', not '$1'"
}
program_ends() { ! read -r line <&8 || fail "the program says '$line' at its end"; }
now_ms() { date +%s%3N; }
in_time() { [ "${line##* }" -lt $(($1 + 1000)) ] || fail "the event came $((${line##* } - $1)) ms late"; }

program_start 1
control user "{\"user_id\":\"$USER_ID\",\"name\":\"Trần Thị Bé\",\"add_certificates\":1}" >/dev/null
ran "$SMARTCA" account refresh work
fetched=$(now_ms)
program_says '^1 present Trần Thị Bé '
in_time "$fetched"
program_ends
echo "ok: the first certificate comes into the slot of its account"

program_start 2
control user "{\"user_id\":\"$USER_ID\",\"add_certificates\":1}" >/dev/null
ran "$SMARTCA" account refresh work
fetched=$(now_ms)
program_says '^2 present Trần Thị Bé '
in_time "$fetched"
ran "$SMARTCA" account add other --user-id 012345678901
added=$(now_ms)
program_says '^3 present '
in_time "$added"
program_ends
echo "ok: a new certificate and a new account are new slots"

program_start 1
ran "$SMARTCA" account remove other
removed=$(now_ms)
program_says '^3 empty '
in_time "$removed"
program_ends
echo "ok: a removed account's slot is empty"
