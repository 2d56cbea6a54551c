#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# smartca sign that is killed while a confirmation waits, and run again: the same confirmation, one prompt, no
# signature lost; also when it is killed before each of its state-changing system calls.
#   sign_kill_test.sh BUILD [STEP]       every STEPth call of each kind
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
STEP=${2-}
. tests/lib/emulator.sh
. tests/lib/programs.sh
home_start
pins_cheap
# shellcheck disable=SC2119 # no options
emulator_start
unset SMARTCA_PKCS11_MODULE
export LC_ALL=C.UTF-8
# LeakSanitizer does not work below strace.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
work=$HOME_DIR/work
root=$HOME_DIR/service/root.pem
notes=$XDG_STATE_HOME/smartca-pkcs11/signing
mkdir "$work"
account_write 'poll_interval = 0.1'
count() { control counters | jq -r ".$1"; }
# documents FOLDER: two of them.
documents() {
    mkdir "$work/$1"
    printf 'Hợp đồng %s\n' "$1" >"$work/$1/a"
    printf 'Phụ lục %s\n' "$1" >"$work/$1/b"
}
# judge FILE...: OpenSSL verifies FILE.p7s.
judge() {
    local file
    for file; do
        openssl cms -verify -binary -inform DER -in "$file.p7s" -content "$file" -CAfile "$root" -purpose any \
            -out /dev/null 2>"$work/out" || { cat "$work/out"; fail "OpenSSL does not verify $file.p7s"; }
    done
}
# clean FOLDER: nothing is left beside the documents and signatures, and no note.
clean() {
    [ -z "$(find "$1" -name '.*' -type f)" ] || fail "left behind: $(find "$1" -name '.*' -type f)"
    [ -z "$(find "$notes" -type f)" ] || fail "notes are left: $(head "$notes"/*)"
}
# asked TRANSACTIONS: so many transactions and prompts there were.
asked() {
    [ "$(count transactions) $(count pushes)" = "$1 $1" ] ||
        fail "$(count transactions) transactions and $(count pushes) prompts, not $1"
}
# killed_while_waiting FILE...: kill -9 when the service has been asked how it is.
killed_while_waiting() {
    control phone '{"action":"never"}' >/dev/null
    "$SMARTCA" sign "$@" >"$work/out" 2>&1 </dev/null &
    local tool=$!
    while [ "$(control transactions | jq -r '.[-1].polls // 0')" = 0 ]; do
        kill -0 $tool 2>/dev/null || { cat "$work/out"; fail "it did not wait"; }
    done
    kill -KILL $tool
    wait $tool 2>/dev/null || true
    id=$(control transactions | jq -r '.[-1].transaction_id')
}
# decide ACTION: on the phone, about the transaction that waits.
decide() { control decide "{\"transaction_id\":\"$id\",\"action\":\"$1\"}" >/dev/null; }
# next_second: the time of signing, which has seconds, is another one; $first is the one before.
next_second() {
    first=$(date +%s)
    while [ "$(date +%s)" = "$first" ]; do :; done
}
# begin FOLDER: a service that was asked nothing, and two documents.
begin() {
    control reset '{}' >/dev/null
    documents "$1"
}

echo "== killed while the phone rings, confirmed, run again: one transaction, one prompt"
begin confirmed
killed_while_waiting "$work"/confirmed/?
[ -z "$(find "$work/confirmed" -name '.*' -type f)" ] || fail "a killed run left temporary files"
[ "$(stat -c %a "$notes"/*)" = 600 ] || fail "others may read the note"
ran "$SMARTCA" pending resume "$id"
say 'it waits for the confirmation'
decide approve
ran "$SMARTCA" pending resume "$id"
say 'sign the same document again to collect the signature; nobody is asked again'
ran "$SMARTCA" sign "$work"/confirmed/?
asked 1
judge "$work"/confirmed/?
clean "$work/confirmed"
ran "$SMARTCA" pending
say 'nothing waits'

echo "== signed one after the other: each collects its own"
begin apart
killed_while_waiting "$work"/apart/?
decide approve
ran "$SMARTCA" sign "$work/apart/b"
ran "$SMARTCA" sign "$work/apart/a"
asked 1
judge "$work"/apart/?
clean "$work/apart"

echo "== a file that was changed, another certificate's time: asked anew"
begin changed
killed_while_waiting "$work"/changed/?
decide approve
printf 'sửa đổi\n' >>"$work/changed/a"
control phone '{"action":"approve"}' >/dev/null
ran "$SMARTCA" sign "$work"/changed/?
asked 2
judge "$work"/changed/?
[ "$(find "$notes" -type f | wc -l)" = 1 ] || fail "the old content's signature, which waits, was forgotten"
rm "$notes"/*
clean "$work/changed"

echo "== rejected, or expired, after the kill: asked anew, with the time of now"
for action in reject expire; do
    begin "$action"
    killed_while_waiting "$work/$action/a"
    decide "$action"
    next_second # else it would be the same document, to which "no" was the answer
    control phone '{"action":"approve"}' >/dev/null
    status=0
    "$SMARTCA" sign "$work/$action/a" >"$work/out" 2>&1 </dev/null || status=$?
    # That answer is told once.
    [ $status = 1 ] || fail "$action: ended with $status"
    say 'rejected on the phone|nobody confirmed in time'
    ran "$SMARTCA" sign "$work/$action/a"
    asked 2
    judge "$work/$action/a"
    openssl cms -cmsout -print -inform DER -in "$work/$action/a.p7s" 2>/dev/null |
        sed -n 's/.*UTCTIME:\(.*\)/\1/p' | head -1 >"$work/time"
    [ "$(date -d "$(cat "$work/time")" +%s)" -gt "$first" ] || fail "an old time of signing: $(cat "$work/time")"
    clean "$work/$action"
done

echo "== two runs at once after the kill: one collects, none is hurt"
begin both
killed_while_waiting "$work/both/a"
decide approve
control phone '{"action":"approve"}' >/dev/null
mkdir "$work/one" "$work/two"
"$SMARTCA" sign --out-dir "$work/one" "$work/both/a" >"$work/first" 2>&1 </dev/null &
ran "$SMARTCA" sign --out-dir "$work/two" "$work/both/a"
wait $! || { cat "$work/first"; fail "one of two"; }
[ "$(count transactions)" -le 2 ] || fail "$(count transactions) transactions of two runs"
for folder in one two; do
    cp "$work/$folder/a.p7s" "$work/both/a.p7s"
    judge "$work/both/a"
    clean "$work/$folder"
done

echo "== collected, and the service cannot be asked: nobody is asked anew"
begin lost
# Before the second file gets its name: all is signed, collected, and out of the journal.
control phone '{"action":"approve"}' >/dev/null
{ strace -f -o /dev/null -e trace=linkat -e inject=linkat:signal=KILL:when=1 \
    "$SMARTCA" sign "$work"/lost/? >"$work/out" 2>&1 </dev/null || true; } 2>/dev/null
id=$(control transactions | jq -r '.[-1].transaction_id')
ran "$SMARTCA" pending
deny "$id"
control fault '{"endpoint":"status","kind":"status","status":503}' >/dev/null
refused "$SMARTCA" sign "$work"/lost/?
say 'which an earlier run asked for'
asked 1
ran "$SMARTCA" sign "$work"/lost/?
asked 1
judge "$work"/lost/?
clean "$work/lost"

echo "== Ctrl-C, then run again: the prompt that stayed is joined"
begin stopped
control phone '{"action":"never"}' >/dev/null
"$SMARTCA" sign "$work"/stopped/? >"$work/out" 2>&1 </dev/null &
tool=$!
while [ "$(control transactions | jq -r '.[-1].polls // 0')" = 0 ]; do kill -0 $tool; done
kill -INT $tool
wait $tool || [ $? = 130 ] || fail "Ctrl-C"
say 'run it again to collect'
id=$(control transactions | jq -r '.[-1].transaction_id')
decide approve
ran "$SMARTCA" sign "$work"/stopped/?
asked 1
judge "$work"/stopped/?
clean "$work/stopped"

echo "== beside each other after the kill: each collects its own"
begin beside
killed_while_waiting "$work"/beside/?
decide approve
control phone '{"action":"approve"}' >/dev/null
"$SMARTCA" sign "$work/beside/a" >"$work/first" 2>&1 </dev/null &
ran "$SMARTCA" sign "$work/beside/b"
wait $! || { cat "$work/first"; fail "the one beside"; }
asked 1
judge "$work"/beside/?
clean "$work/beside"

echo "== the same file in two runs that live: the second one is told, and asks nobody"
begin twice
control phone '{"action":"never"}' >/dev/null
"$SMARTCA" sign "$work/twice/a" >"$work/first" 2>&1 </dev/null &
tool=$!
while [ "$(control transactions | jq -r '.[-1].polls // 0')" = 0 ]; do kill -0 $tool; done
id=$(control transactions | jq -r '.[-1].transaction_id')
refused "$SMARTCA" sign "$work/twice/a"
say 'another smartca sign asks for .*/twice/a.p7s right now'
decide approve
wait $tool || { cat "$work/first"; fail "the first one"; }
asked 1
judge "$work/twice/a"
clean "$work/twice"

echo "== the journal is busy: nobody is asked anew"
begin busy
killed_while_waiting "$work"/busy/?
exec 8<>"$XDG_STATE_HOME/smartca-pkcs11/journal/transactions"
flock 8
refused "$SMARTCA" sign "$work"/busy/?
exec 8>&-
say 'keeps the transaction journal'
decide approve
ran "$SMARTCA" sign "$work"/busy/?
asked 1
judge "$work"/busy/?
clean "$work/busy"

echo "== a name cannot be given, or the run is killed before: what was taken back is collected again"
for fault in error=ENOSPC:when=2 signal=KILL:when=1; do
    begin "$fault"
    killed_while_waiting "$work/$fault"/?
    decide approve
    control phone '{"action":"approve"}' >/dev/null
    { strace -f -o /dev/null -e trace=linkat -e "inject=linkat:$fault" \
        "$SMARTCA" sign "$work/$fault"/? >"$work/out" 2>&1 </dev/null || true; } 2>/dev/null
    [ -z "$(find "$work/$fault" -name '*.p7s')" ] || fail "$fault: $(ls "$work/$fault")"
    ran "$SMARTCA" sign "$work/$fault"/?
    asked 1
    judge "$work/$fault"/?
    clean "$work/$fault"
done

echo "== two files of the same content, signed one after the other"
begin alike
cp "$work/alike/a" "$work/alike/b"
killed_while_waiting "$work"/alike/?
decide approve
ran "$SMARTCA" sign "$work/alike/a"
ran "$SMARTCA" sign "$work/alike/b"
asked 1
judge "$work"/alike/?
clean "$work/alike"

echo "== changed while the phone rings, and changed back"
begin back
killed_while_waiting "$work/back/a"
cp "$work/back/a" "$work/back/copy"
"$SMARTCA" sign "$work/back/a" >"$work/first" 2>&1 </dev/null &
tool=$!
polls=$(control transactions | jq -r '.[-1].polls')
while [ "$(control transactions | jq -r '.[-1].polls')" = "$polls" ]; do kill -0 $tool; done
echo other >"$work/back/a"
decide approve
! wait $tool || fail "a changed file was signed"
cp "$work/back/copy" "$work/back/a"
ran "$SMARTCA" sign "$work/back/a"
asked 1
judge "$work/back/a"
clean "$work/back"

echo "== gone while the phone rings, and there again"
begin gone
killed_while_waiting "$work/gone/a"
cp "$work/gone/a" "$work/gone/copy"
"$SMARTCA" sign "$work/gone/a" >"$work/first" 2>&1 </dev/null &
tool=$!
polls=$(control transactions | jq -r '.[-1].polls')
while [ "$(control transactions | jq -r '.[-1].polls')" = "$polls" ]; do kill -0 $tool; done
rm "$work/gone/a"
decide approve
! wait $tool || fail "a file that is gone was signed"
grep -q 'the file was removed or replaced meanwhile' "$work/first" || fail "not told: $(cat "$work/first")"
cp "$work/gone/copy" "$work/gone/a"
ran "$SMARTCA" sign "$work/gone/a"
asked 1
judge "$work/gone/a"
clean "$work/gone"

echo "== a note of yesterday, a torn one, one of an absurd time, and one that is none"
begin swept
killed_while_waiting "$work/swept/a"
sed -i -E 's/ [0-9]+( [0-9a-f]+)$/ 9223372036854775807\1/' "$notes"/*
next_second # else it would be the same document, and join what nobody answers
printf 'file %064d %064d 1 %064d\nend\n' 0 0 0 >"$notes/0000000000000000"
touch -d '2 days ago' "$notes/0000000000000000"
printf 'file 00' >"$notes/0000000000000001"
printf 'something else\n' >"$notes/0000000000000002"
control phone '{"action":"approve"}' >/dev/null
ran "$SMARTCA" sign "$work"/swept/?
judge "$work"/swept/?
[ "$(find "$notes" -type f | wc -l)" = 2 ] || fail "not what was left: $(head "$notes"/*)"
rm "$notes"/*
clean "$work/swept"

echo "== a folder of notes that is none of ours"
begin planted
rmdir "$notes"
ln -s "$work/planted" "$notes"
refused "$SMARTCA" sign "$work"/planted/?
say 'is not a folder that is yours alone'
rm "$notes"

echo "== killed before each of its system calls that change something"
# The journal and the note, the service, the documents' folder.
kills=0 waiting=0 collected=0
for call in write:3 sendto:2 pwrite64:1 fsync:1 fdatasync:1 ftruncate:1 linkat:1 unlink:1; do
    step=${STEP:-${call#*:}} call=${call%:*}
    for ((n = 1; ; n += step)); do
        name="$call-$n"
        begin "$name"
        control phone '{"action":"approve","after_polls":1}' >/dev/null
        status=0
        { strace -f -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" \
            "$SMARTCA" sign "$work/$name"/? >"$work/first" 2>&1 </dev/null || status=$?; } 2>/dev/null
        if [ $status = 0 ]; then
            rm -r "${work:?}/$name"
            break
        fi
        [ $status = 137 ] || { cat "$work/first"; fail "$name: ended with $status"; }
        kills=$((kills + 1))
        case $(control transactions | jq -r '[.[] | .state] | join(" ")') in
        waiting) waiting=$((waiting + 1)) ;;
        signed) collected=$((collected + 1)) ;;
        esac
        # What got its name before is not signed again; the other one is collected.
        missing=()
        for file in "$work/$name"/?; do [ -e "$file.p7s" ] || missing+=("$file"); done
        [ ${#missing[@]} = 0 ] || ran "$SMARTCA" sign "${missing[@]}"
        [ "$(count transactions) $(count pushes)" = '1 1' ] ||
            fail "$name: $(count transactions) transactions, $(count pushes) prompts"
        judge "$work/$name"/?
        [ -z "$(find "$work/$name" -name '.*' -type f)" ] || fail "$name left $(ls -A "$work/$name")"
        rm -r "${work:?}/$name"
    done
done
[ -n "$STEP" ] || [ $kills -ge 20 ] || fail "only $kills kills"
[ -n "$STEP" ] || [ $waiting -ge 3 ] || fail "only $waiting kills while the phone rang"
[ -n "$STEP" ] || [ $collected -ge 3 ] || fail "only $collected kills after it was signed"
echo "ok: killed $kills times, $waiting while the phone rang, $collected after it was signed; asked once each time"
