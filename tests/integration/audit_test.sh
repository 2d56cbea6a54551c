#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The audit log of every kind of slot, by real programs; what was done to it afterwards is found; and the
# transactions that wait.
#   audit_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
. tests/lib/programs.sh
home_start
# shellcheck disable=SC2119 # no options
emulator_start
work=$HOME_DIR/work
state=$XDG_STATE_HOME/smartca-pkcs11
log=$state/audit.jsonl
mkdir "$work"
printf 'Hợp đồng số 1\n' >"$work/contract.txt"
digest=$(sha256sum "$work/contract.txt" | cut -c 1-8)
PIN=abc-123456
tool() { pkcs11-tool --module "$MODULE" "$@"; }
mine() { tool --token-label anh.nv --login --pin "$PIN" "$@"; }
sign() { tool --token-label 'Nguyễn Văn Ánh' --sign --mechanism SHA256-RSA-PKCS -i "$work/contract.txt" -o "$work/sig"; }
count() { control counters | jq -r ".$1"; }
# configure LINE...: the account, and lines for [module].
configure() {
    account_write 'poll_interval = 0.05' 'confirm_timeout = 20' 'reject_cooldown = 0'
    printf '%s\n' '[module]' "log = $HOME_DIR/log" "$@" >>"$SMARTCA_PKCS11_CONF"
}
# last FILTER: of the newest line.
last() { tail -n 1 "$log" | jq -r "$1"; }
lines() { find "$state" -name audit.jsonl -exec cat {} + | wc -l; } # 0 without a file
# is WHAT EXPECTED ACTUAL
is() { [ "$2" = "$3" ] || fail "$1: '$3' instead of '$2'"; }
configure

echo "== no log, and nothing signed"
refused "$SMARTCA" audit verify
say 'there is no audit log'
refused "$SMARTCA" audit verify --json
jq -e '.error.code == "not_found"' "$work/out" >/dev/null || fail "no JSON error"
ran "$SMARTCA" audit show
say 'nothing was signed yet'
ran "$SMARTCA" audit show --json
is 'nothing signed' '[]' "$(jq -c . "$work/out")"

echo "== a token on this computer"
printf '%s\n' "$PIN" >"$work/pin"
printf '87654321\n' >"$work/so"
chmod 600 "$work/pin" "$work/so"
ran "$SMARTCA" selfsigned create --module "$MODULE" --user anh.nv --name 'Nguyễn Văn Ánh B' --organization VNPT --years 1 \
    --pin-file "$work/pin" --so-pin-file "$work/so"
made=$(lines) # the certificate signs itself
ran mine --sign --mechanism SHA256-RSA-PKCS -i "$work/contract.txt" -o "$work/sig"
is 'lines' $((made + 1)) "$(lines)"
is 'outcome' ok "$(last .outcome)"
is 'user' anh.nv "$(last .user)"
is 'program' pkcs11-tool "$(last .program)"
is 'mechanism' CKM_SHA256_RSA_PKCS "$(last .mechanism)"
is 'digest' "$digest" "$(last .digest)"
is 'transaction' null "$(last .transaction)"
serial=$("$SMARTCA" selfsigned list --module "$MODULE" --json | jq -r '.[0].serial')
is 'serial' "$serial" "$(last .serial)"

echo "== the last lines of a token on this computer were cut off"
ran "$SMARTCA" audit verify
cp -a "$state" "$work/kept"
sed -i '$d' "$log"
refused "$SMARTCA" audit verify
say "audit.jsonl:$((made + 1)): this line is missing"
cp "$work/kept/audit.jsonl" "$log"
# lives_on FILE: signs, closes the session, and is killed before C_Finalize.
lives_on() {
    # shellcheck disable=SC2016 # Python
    ran /usr/bin/python3 -c '
import os, signal, sys, PyKCS11
if os.fork():
    os.wait()
    sys.exit()
lib = PyKCS11.PyKCS11Lib(); lib.load(sys.argv[1])
slot = next(s for s in lib.getSlotList(tokenPresent=True) if lib.getTokenInfo(s).label.strip() == "anh.nv")
session = lib.openSession(slot)
session.login(sys.argv[2])
key = session.findObjects([(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY)])[0]
session.sign(key, b"one", PyKCS11.Mechanism(PyKCS11.CKM_SHA256_RSA_PKCS, None))
session.closeSession()
os.kill(os.getpid(), signal.SIGKILL)
' "$MODULE" "$PIN"
}
lives_on
is 'lines' $((made + 2)) "$(lines)"
ran "$SMARTCA" audit verify
sed -i '$d' "$log"
refused "$SMARTCA" audit verify
say "audit.jsonl:$((made + 2)): this line is missing"
sed -i 's/[0-9a-f-]\{36\}$/00000000-1111-2222-3333-444444444444/' "$state/audit.lock" # the computer was started anew
ran "$SMARTCA" audit verify
say 'not yet on the disk when the computer stopped'
ran "$SMARTCA" audit verify --json
is 'JSON' true "$(jq .ends_unsaved "$work/out")"
ran mine --sign --mechanism SHA256-RSA-PKCS -i "$work/contract.txt" -o "$work/sig"
is 'what was lost' unsaved "$(sed -n "$((made + 2))p" "$log" | jq -r .outcome)"
ran "$SMARTCA" audit verify
say '1 time the computer stopped'
printf '{"time":"2026-' >>"$log"
ran "$SMARTCA" audit verify
say 'the last line was torn by a crash'
rm -rf "$state/audit.jsonl" "$state/audit.lock"
cp -a "$work/kept/audit.jsonl" "$work/kept/audit.lock" "$state"
rm -rf "$work/kept"

echo "== a certificate at SmartCA"
ran sign
is 'outcome' ok "$(last .outcome)"
is 'user' '*********901' "$(last .user)"
is 'account' work "$(last .account)"
is 'digest' "$digest" "$(last .digest)"
[ "$(last '.serial | length')" -ge 16 ] || fail "no serial number"
! grep -q "$USER_ID" "$log" || fail "an identity number is in the log"
control phone "{\"user_id\":\"$USER_ID\",\"queue\":[{\"action\":\"reject\"},{\"action\":\"reject\"}]}" >/dev/null
refused sign
is 'outcome' CKR_FUNCTION_REJECTED "$(last .outcome)"

echo "== PyKCS11, on both; a size query is no signature"
before=$(lines)
# shellcheck disable=SC2016 # Python
ran /usr/bin/python3 -c '
import sys, PyKCS11
lib = PyKCS11.PyKCS11Lib(); lib.load(sys.argv[1])
mechanism = PyKCS11.Mechanism(PyKCS11.CKM_SHA256_RSA_PKCS, None)
for label in ("anh.nv", "Nguyễn Văn Ánh"):
    slot = next(s for s in lib.getSlotList(tokenPresent=True) if lib.getTokenInfo(s).label.strip() == label)
    session = lib.openSession(slot)
    session.login(sys.argv[2])
    key = session.findObjects([(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY)])[0]
    session.sign(key, b"one", mechanism)
    session.sign(key, b"two", mechanism)
    session.logout()
    session.closeSession()
' "$MODULE" "$PIN"
is 'lines of four signatures' $((before + 4)) "$(lines)"

echo "== show"
total=$(lines)
ran "$SMARTCA" audit show --json
is 'lines shown' "$total" "$(jq length "$work/out")"
jq -c '.[]' "$work/out" | cmp - "$log" || fail "they are not the lines"
ran "$SMARTCA" audit show --json --account work
is 'of the account' "$(grep -c '"account":"work"' "$log")" "$(jq length "$work/out")"
ran "$SMARTCA" audit show --json --slot anh.nv
is 'of the label' "$(grep -c '"user":"anh.nv"' "$log")" "$(jq length "$work/out")"
ran "$SMARTCA" audit show --json --slot 0
is 'of the slot' "$(grep -c '"slot":0,' "$log")" "$(jq length "$work/out")"
ran "$SMARTCA" audit show --json --since 2099-01-01
is 'of the future' 0 "$(jq length "$work/out")"
ran "$SMARTCA" audit show --json --since "$(sed -n 1p "$log" | jq -r .time)"
is 'since the first' "$total" "$(jq length "$work/out")"
ran "$SMARTCA" audit show
say '^TIME +USER +ACCOUNT'
refused "$SMARTCA" audit show --since yesterday
say 'YYYY-MM-DD'

echo "== verify, with this tool and with sha256sum"
ran "$SMARTCA" audit verify
say "right: $total lines in 1 file"
previous=$(printf '0%.0s' $(seq 64))
while read -r line; do
    expected=$(printf %s%s "$previous" "$(jq -c 'del(.chain)' <<<"$line")" | sha256sum | cut -d' ' -f 1)
    is 'chain' "$expected" "$(jq -r .chain <<<"$line")"
    previous=$expected
done <"$log"

cp -a "$state" "$work/kept"
# damaged WHAT EXPECTED: verify fails and says so; then everything is as before.
damaged() {
    refused "$SMARTCA" audit verify
    say "$2"
    refused "$SMARTCA" audit verify --json
    jq -e '.error.code == "audit_wrong"' "$work/out" >/dev/null || fail "$1: no JSON error"
    rm -rf "$state"
    cp -a "$work/kept" "$state"
    ran "$SMARTCA" audit verify
}
echo "== what was done to it is found"
sed -i '3s/"outcome":"ok"/"outcome":"no"/' "$log"
damaged 'a line is changed' 'audit.jsonl:3: this line is not'
sed -i 2d "$log"
damaged 'a line is removed' 'audit.jsonl:2: this line is not'
sed -i '$d' "$log"
damaged 'the last line is removed' "audit.jsonl:$total: this line is missing"
rm "$log"
damaged 'the file is removed' 'audit.jsonl is missing'
sed -i '2{h;d};3{G}' "$log"
damaged 'lines are exchanged' 'audit.jsonl:2: this line is not'
head -c -30 "$log" >"$work/torn" && cat "$work/torn" >"$log"
damaged 'the last line is torn' "audit.jsonl:$total: this line is not"
rm "$log"
ran mine --sign --mechanism SHA256-RSA-PKCS -i "$work/contract.txt" -o "$work/sig"
damaged 'signing again does not heal' 'audit.jsonl:1: this line is not'

echo "== files are closed, and go on with the chain"
configure 'audit_max = 1'
for _ in 1 2; do
    # shellcheck disable=SC2016 # Python
    ran /usr/bin/python3 -c '
import sys, PyKCS11
lib = PyKCS11.PyKCS11Lib(); lib.load(sys.argv[1])
slot = next(s for s in lib.getSlotList(tokenPresent=True) if lib.getTokenInfo(s).label.strip() == "anh.nv")
session = lib.openSession(slot, PyKCS11.CKF_RW_SESSION | PyKCS11.CKF_SERIAL_SESSION)
session.login(sys.argv[2])
p256 = (6, 8, 42, 134, 72, 206, 61, 3, 1, 7)
_, key = session.generateKeyPair([(PyKCS11.CKA_EC_PARAMS, p256), (PyKCS11.CKA_TOKEN, False)],
    [(PyKCS11.CKA_TOKEN, False), (PyKCS11.CKA_SIGN, True)], mecha=PyKCS11.MechanismECGENERATEKEYPAIR)
for i in range(8000):
    session.sign(key, bytes(32), PyKCS11.Mechanism(PyKCS11.CKM_ECDSA, None))
' "$MODULE" "$PIN"
done
[ -e "$log.2" ] || fail "no file was closed"
is 'the first line' 'continued' "$(head -n 1 "$log" | jq -r .outcome)"
ran "$SMARTCA" audit verify
say "right: $(cat "$log"* | wc -l) lines in $(find "$state" -name 'audit.jsonl*' | wc -l) files"
rm -rf "$work/kept"
cp -a "$state" "$work/kept"
sed -i '9s/"outcome":"ok"/"outcome":"no"/' "$log.2"
damaged 'a line of a closed file is changed' 'audit.jsonl.2:9: this line is not'
rm "$log.1"
damaged 'the oldest file is removed' 'audit.jsonl.1 is missing'
rm "$log.2"
damaged 'a file in the middle is removed' 'audit.jsonl.2 is missing'
sed -i '$d' "$log.1"
damaged 'the end of a closed file is removed' 'audit.jsonl.1:[0-9]+: this line is missing'
mv "$log.1" "$work/x" && mv "$log.2" "$log.1" && mv "$work/x" "$log.2"
damaged 'files are exchanged' 'audit.jsonl.1:1: this line is not'

echo "== audit = remote, none; a log that cannot be written stops nobody"
configure 'audit = remote'
before=$(cat "$log"* | wc -l)
ran mine --sign --mechanism SHA256-RSA-PKCS -i "$work/contract.txt" -o "$work/sig"
is 'lines' "$before" "$(cat "$log"* | wc -l)"
control phone "{\"user_id\":\"$USER_ID\",\"action\":\"approve\"}" >/dev/null
ran sign
is 'lines' $((before + 1)) "$(cat "$log"* | wc -l)"
configure 'audit = none'
ran sign
is 'lines' $((before + 1)) "$(cat "$log"* | wc -l)"
configure
mv "$log" "$work/x" && mkdir "$log"
: >"$HOME_DIR/log"
ran sign
ran mine --sign --mechanism SHA256-RSA-PKCS -i "$work/contract.txt" -o "$work/sig"
is 'warnings of two programs' 2 "$(grep -c 'audit log in .* cannot be written' "$HOME_DIR/log")"
rmdir "$log" && mv "$work/x" "$log"
ran "$SMARTCA" audit verify

echo "== pending"
ran "$SMARTCA" pending --json
is 'nothing' '[]' "$(jq -c . "$work/out")"
control phone "{\"user_id\":\"$USER_ID\",\"action\":\"never\"}" >/dev/null
sed -i 's/^confirm_timeout.*/confirm_timeout = 0.5/' "$SMARTCA_PKCS11_CONF"
# left FILE: a signature that nobody confirmed; its id.
left() {
    refused tool --token-label 'Nguyễn Văn Ánh' --sign --mechanism SHA256-RSA-PKCS -i "$1" -o "$work/sig"
    "$SMARTCA" pending --json | jq -r '.[-1].id'
}
head -c 2000 /dev/zero >"$work/one"
head -c 3000 /dev/zero >"$work/two"
head -c 4000 /dev/zero >"$work/three"
one=$(left "$work/one")
two=$(left "$work/two")
three=$(left "$work/three")
ran "$SMARTCA" pending --json
is 'how many' 3 "$(jq length "$work/out")"
is 'state' waiting "$(jq -r '.[0].state' "$work/out")"
is 'account' work "$(jq -r '.[0].account' "$work/out")"
is 'alive' false "$(jq -r '.[0].program_alive' "$work/out")"
is 'documents' 1 "$(jq -r '.[0].documents | length' "$work/out")"
[ "$(jq -r '.[0].age' "$work/out")" -lt 60 ] || fail "no age"
ran "$SMARTCA" pending
say "$one .* work +waiting"
ran "$SMARTCA" pending resume "$one"
say 'waits for the confirmation'
for id in "$one" "$two"; do
    action=$([ "$id" = "$one" ] && echo approve || echo reject)
    control decide "{\"transaction_id\":\"$id\",\"action\":\"$action\"}" >/dev/null
done
ran "$SMARTCA" pending resume "$one" --json
is 'outcome' signed "$(jq -r .outcome "$work/out")"
ran "$SMARTCA" pending --json
is 'what resume heard' 'signed waiting waiting' "$(jq -r '[.[].state] | join(" ")' "$work/out")"
transactions=$(count transactions)
ran tool --token-label 'Nguyễn Văn Ánh' --sign --mechanism SHA256-RSA-PKCS -i "$work/one" -o "$work/sig"
is 'transactions' "$transactions" "$(count transactions)"
ran "$SMARTCA" pending resume "${two:0:13}"
say 'rejected on the phone, and is off the list'
is 'without it' 1 "$("$SMARTCA" pending --json | jq length)"
refused "$SMARTCA" pending resume "$two"
say 'no transaction'
refused "$SMARTCA" pending forget "$three"
say 'add --yes if that is meant'
is 'still there' 1 "$("$SMARTCA" pending --json | jq length)"
ran "$SMARTCA" pending forget "$three" --yes
is 'gone' 0 "$("$SMARTCA" pending --json | jq length)"
refused "$SMARTCA" pending forget "$three" --yes
say 'no transaction'
refused "$SMARTCA" pending something
ran "$SMARTCA" audit verify
echo "ok: audit log and pending transactions"
