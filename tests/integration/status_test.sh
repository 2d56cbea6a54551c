#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From the request in VNeID to a certificate that signs: what `smartca status` says of each stage, in both
# languages, and --watch with a program that is running meanwhile.
#   status_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
. tests/lib/programs.sh
home_start
mkdir "$HOME_DIR/work"
# shellcheck disable=SC2119 # no options
emulator_start
export LC_ALL=C.UTF-8
person=079300000777
USER_ID=$person
account_write 'poll_interval = 0.1'
out=$HOME_DIR/work/out
stage_is() { control user "{\"user_id\":\"$person\",\"stage\":\"$1\"}" >/dev/null; }
json() { jq -r ".$1" "$out"; }
is() { [ "$2" = "$3" ] || { cat "$out"; fail "$1 is '$3', not '$2'"; }; }

echo "== what each stage is called"
control user "{\"user_id\":\"$person\",\"name\":\"Lê Thị Hằng\",\"add_certificates\":1,\"stage\":\"requested\"}" >/dev/null
for row in requested:no_account account_created:no_certificate package_chosen:no_certificate paid:no_certificate \
    contract_signed:no_certificate approved:no_certificate issued:not_activated active:active visible:active \
    revoked:revoked expired:expired; do
    stage_is "${row%:*}"
    ran "$SMARTCA" status work --json
    is "${row%:*}" "${row#*:}" "$(json stage)"
    [ -n "$(json next_step)" ] || fail "${row%:*} has no next step"
done
# Only the first request for a signature tells in general; a service may tell with the list.
control behaviour '{"used_up_refuses_list":true}' >/dev/null
stage_is package_used_up
ran "$SMARTCA" status work --json
is package_used_up package_used_up "$(json stage)"
say '"next_step":.*VNPT|package'
control behaviour '{"used_up_refuses_list":false}' >/dev/null
ran "$SMARTCA" status --json
is "a list" array "$(json '|type')"

echo "== in words, and in Vietnamese"
stage_is issued
ran "$SMARTCA" status work
say '> 7\. certificate activated'
say '\+ 1\. certificate requested'
say 'next step: in the SmartCA app'
ran env LANGUAGE=vi "$SMARTCA" status work
say '> 7\. kích hoạt chứng thư số'
say 'bước tiếp theo: trong ứng dụng SmartCA'
refused env LANGUAGE=vi "$SMARTCA" status nobody
say 'không có tài khoản nobody'
refused env LANGUAGE=vi "$SMARTCA" account add twin --user-id "$person"
say 'đã là khe của tài khoản work'
say 'bước tiếp theo: dùng tài khoản đó'
ran env LANGUAGE=vi "$SMARTCA" account list
say 'TÀI KHOẢN +NGƯỜI DÙNG'
"$SMARTCA" account list --json >"$out.en"
ran env LANGUAGE=vi "$SMARTCA" account list --json
cmp "$out" "$out.en" || fail "JSON depends on the language"
for stage in active visible revoked expired; do
    stage_is $stage
    ran "$SMARTCA" status work
    say '\+ 7\. certificate activated'
    say '\? 8\. certificate visible in VNeID'
    deny 'slot [0-9]+ is there'
done
stage_is account_created
ran "$SMARTCA" status work
say '> 3\. service package chosen'
say '\? 1\. certificate requested'

echo "== a service out of reach, an account that is not there"
control fault '{"endpoint":"get_certificate","kind":"reset_before"}' >/dev/null
refused "$SMARTCA" status work
say 'next: see the message'
control fault '{"endpoint":"get_certificate","kind":"reset_before"}' >/dev/null
refused "$SMARTCA" status work --json
say '"stage":.*"unknown"'
say '"code":.*"not_asked"'
refused "$SMARTCA" status nobody
say 'there is no account nobody'
refused "$SMARTCA" status nobody --watch
say 'there is no account nobody'

echo "== --watch: the slot appears in a program that is running"
exec 8< <(exec timeout 60 /usr/bin/python3 tests/integration/slot_events.py "$MODULE" 1 2>&1)
read -r line <&8
[ "$line" = waiting ] || fail "the program says '$line'"
mkfifo "$HOME_DIR/work/err"
timeout 60 "$SMARTCA" status work --watch >"$out" 2>"$HOME_DIR/work/err" &
watch=$!
exec 7<"$HOME_DIR/work/err"
# Its lines, one by one, until one says it.
await() {
    local said=
    until [[ $said =~ $1 ]]; do
        read -r said <&7 || fail "--watch has ended without '$1'"
    done
}
await 'was not issued yet'
stage_is issued
await 'not activated'
stage_is active
await 'slot [0-9]+ is there'
wait $watch || { cat <&7; fail "--watch failed"; }
read -r line <&8
[[ $line =~ ' present Lê Thị Hằng ' ]] || fail "the program says '$line'"
say 'the certificate signs'
control phone '{"action":"approve"}' >/dev/null
printf x >"$HOME_DIR/work/x"
ran pkcs11-tool --module "$MODULE" --sign --mechanism SHA256-RSA-PKCS -i "$HOME_DIR/work/x" -o "$HOME_DIR/work/sig"
echo "ok: from the request to a signature"
