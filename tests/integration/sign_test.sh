#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# smartca sign and verify: many files through a SmartCA slot and through self-signed ones, judged by OpenSSL and
# GnuTLS; what is refused before anybody is asked; rejection, Ctrl-C and false signatures write nothing.
#   sign_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
. tests/lib/programs.sh
home_start
pins_cheap
# shellcheck disable=SC2119 # no options
emulator_start
unset SMARTCA_PKCS11_MODULE
export LC_ALL=C.UTF-8
work=$HOME_DIR/work
root=$HOME_DIR/service/root.pem
mkdir "$work"
account_write 'poll_interval = 0.1' 'batch_max = 1000'
control behaviour '{"documents_max":1000}' >/dev/null
count() { control counters | jq -r ".$1"; }
# signatures FOLDER: how many, and nothing temporary beside them.
signatures() {
    [ -z "$(find "$1" -name '.smartca-*')" ] || fail "a temporary file is left in $1"
    find "$1" -name '*.p7s' | wc -l
}
# ended STATUS COMMAND...: keeps both outputs in $work/out.
ended() {
    local expected=$1 status=0
    shift
    "$@" >"$work/out" 2>&1 </dev/null || status=$?
    [ $status = "$expected" ] || { cat "$work/out"; fail "$* ended with $status, not $expected"; }
}
# judge FILE CA: OpenSSL verifies FILE.p7s.
judge() {
    openssl cms -verify -binary -inform DER -in "$1.p7s" -content "$1" -CAfile "$2" -purpose any \
        -out /dev/null 2>"$work/out" || { cat "$work/out"; fail "OpenSSL does not verify $1.p7s"; }
}
# documents FOLDER COUNT: files with names and contents of all kinds.
documents() {
    local i
    mkdir "$work/$1"
    for ((i = 1; i <= $2; i++)); do
        printf 'Hợp đồng số %d\n' "$i" >"$work/$1/hợp đồng $i.txt"
    done
}

echo "== 100 files, one run: OpenSSL verifies each signature, GnuTLS reads it"
documents many 100
: >"$work/many/hợp đồng 1.txt" # an empty one is a document, too
head -c 1000000 /dev/urandom >"$work/many/hợp đồng 2.txt"
ended 0 "$SMARTCA" sign "$work"/many/*
say 'confirm on the phone: 100 files, control code [0-9A-F]{4}-[0-9A-F]{4}$'
[ "$(signatures "$work/many")" = 100 ] || fail "$(signatures "$work/many") signatures for 100 files"
for file in "$work"/many/*.txt; do judge "$file" "$root"; done
transactions=$(count transactions)
[ "$transactions" = 1 ] || fail "100 files made $transactions transactions"
one="$work/many/hợp đồng 3.txt"
ran certtool --p7-info --inder --infile "$one.p7s"
say 'Signature Algorithm: RSA-SHA256'
say 'aa-signingCertificateV2: '
say 'contentType: 06092a864886f70d010701'
say 'signingTime: '
say 'Number of certificates: 3'
openssl cms -cmsout -print -inform DER -in "$one.p7s" >"$work/print" 2>/dev/null
openssl x509 -in "$HOME_DIR/service/users/$USER_ID-1.pem" -outform DER | sha256sum | cut -c 1-64 |
    tr a-f A-F >"$work/id"
grep -qF "[HEX DUMP]:$(cat "$work/id")" "$work/print" || fail "ESSCertIDv2 is not SHA-256 of the certificate"

echo "== verify: right and trusted, right and not trusted, other content, other file, no signature"
ended 0 "$SMARTCA" verify "$one" --ca-file "$root" --json
[ "$(jq -r '.[0] | [.state, .is_good, .trusted, .valid_at_signing_time] | join(" ")' "$work/out")" = \
    'right true true true' ] || fail "verify --json says $(cat "$work/out")"
printf '%s\n' unrelated >"$work/unrelated"
ended 1 "$SMARTCA" verify "$one"
say 'the signature is right, but its signer is not trusted'
say 'NOT trusted'
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/other.key" -subj /CN=Other -out "$work/other.pem" 2>/dev/null
ended 1 "$SMARTCA" verify "$one" --ca-file "$work/other.pem"
say 'signer is not trusted'
ended 0 "$SMARTCA" verify "$one" --ca-file "$work/other.pem" --ca-file "$root"
ended 1 "$SMARTCA" verify "$one" --signature "$work/many/hợp đồng 4.txt.p7s" --ca-file "$root"
say 'its content differs'
cp "$one" "$work/copy"
ended 0 "$SMARTCA" verify "$work/copy" --signature "$one.p7s" --ca-file "$root"
printf x >>"$work/copy"
ended 1 "$SMARTCA" verify "$work/copy" --signature "$one.p7s" --ca-file "$root" --json
[ "$(grep -v '^{' "$work/out" | jq -rs '.[0][0].state' 2>/dev/null || true)" != right ] || fail "a changed copy is right"
say '"code":.*"changed"'
for wrong in "$work/unrelated" "$work/many" "$work/nothing"; do
    ended 1 "$SMARTCA" verify "$one" --signature "$wrong" --ca-file "$root"
done
ended 1 "$SMARTCA" verify "$work/nothing" --signature "$one.p7s"
ended 1 "$SMARTCA" verify "$one" --ca-file "$work/unrelated"
say 'cannot be read'
ended 2 "$SMARTCA" verify
ended 2 "$SMARTCA" verify "$one" "$one"

echo "== what is refused before anybody is asked"
documents few 3
a="$work/few/hợp đồng 1.txt" b="$work/few/hợp đồng 2.txt"
before=$(count pushes)
ln "$a" "$work/few/link"
mkfifo "$work/few/pipe"
mkdir "$work/few/sub"
cp "$a" "$work/few/sub/"
# refuse WHAT ARGUMENT...
refuse() {
    local what=$1
    shift
    ended 1 "$SMARTCA" sign "$@"
    say "$what"
    [ "$(signatures "$work/few")" = 0 ] || fail "sign $* left a signature"
}
refuse 'are the same file' "$a" "$a"
refuse 'are the same file' "$a" "$work/few/link"
refuse 'is a folder' "$a" "$work/few"
refuse 'is no file' "$work/few/pipe"
refuse 'No such file' "$a" "$work/few/nothing"
refuse 'No such file' --out-dir "$work/nothing" "$a"
say "next: mkdir -p '$work/nothing'"
refuse 'No such file' --out-dir "$work/no'thing" "$a"
say "next: mkdir -p '$work/no'\\\\''thing'"
refuse 'No such file' --out-dir "$work/no"$'\e[31mthing' "$a"
say 'next: make that folder'
refuse 'Not a directory' --out-dir "$a" "$b"
refuse 'would both be signed' --out-dir "$work" "$a" "$work/few/sub/hợp đồng 1.txt"
refuse 'there is no slot nobody' --slot nobody "$a"
refuse 'is no PKCS#11 URI' --slot 'pkcs11:token=%zz' "$a"
refuse 'must not say what the PIN is' --slot 'pkcs11:token=x?pin-value=123456' "$a"
refuse 'there is no slot pkcs11:' --slot 'pkcs11:token=x' "$a"
for slot in 999 99999999999999999999 -1 0x0 "$("$SMARTCA" slots --json | jq '.[] | select(.state == "uninitialized").slot_id')"; do
    refuse "there is no slot $slot" --slot="$slot" "$a"
done
ended 2 "$SMARTCA" sign
ended 0 "$SMARTCA" sign "$a"
first=$(sha256sum <"$a.p7s")
ended 1 "$SMARTCA" sign "$a" "$b"
say 'is there already'
[ ! -e "$b.p7s" ] || fail "one of two was signed"
[ "$(sha256sum <"$a.p7s")" = "$first" ] || fail "a signature was overwritten"
ended 1 "$SMARTCA" sign --force "$a" "$a.p7s"
say 'would replace a file that is to be signed'
[ "$(count pushes)" = $((before + 1)) ] || fail "the phone rang for something that was refused"
ended 0 "$SMARTCA" sign --force --pem "$a"
grep -q 'BEGIN CMS' "$a.p7s" || fail "--pem is no PEM"
ended 0 "$SMARTCA" verify "$a" --ca-file "$root"
rm "$a.p7s"
if ( : >/dev/full ) && [ -d /dev/shm ] && [ "$(id -u)" = 0 ] && mkdir "$work/small" &&
    mount -t tmpfs -o size=4k none "$work/small" 2>/dev/null; then
    ended 1 "$SMARTCA" sign --out-dir "$work/small" "$a" "$b"
    say 'No space left'
    [ "$(signatures "$work/small")" = 0 ] || fail "a full disk has a signature"
    umount "$work/small"
fi

echo "== slots by label, by URI, by serial number, and by their own number"
ended 0 "$SMARTCA" slots --json
label=$(jq -r '[.[] | select(.kind == "smartca")][0].label' "$work/out")
serial=$(jq -r '[.[] | select(.kind == "smartca")][0].serial' "$work/out")
number=$(jq -r '[.[] | select(.kind == "smartca")][0].slot_id' "$work/out")
[ ${#serial} -gt 16 ] || fail "the certificate's serial number is as short as the token's: $serial"
for slot in "$label" "pkcs11:model=SmartCA" "pkcs11:token=${label// /%20}" "$serial" "pkcs11:serial=$serial" "$number" \
    "pkcs11:serial=${serial: -16}" "${serial: -16}" "pkcs11:serial=${serial^^};model=SmartCA?module-name=x"; do
    ended 0 "$SMARTCA" sign --force --slot "$slot" --json "$a"
    [ "$(jq -r '.[0].label' "$work/out")" = "$label" ] || fail "--slot $slot: $(cat "$work/out")"
    judge "$a" "$root"
done
for slot in "pkcs11:serial=${serial:1}" "${serial:1}" "pkcs11:model=Other;serial=$serial"; do
    ended 1 "$SMARTCA" sign --force --slot "$slot" "$a"
    say 'there is no slot'
done
ended 1 "$SMARTCA" verify "$a.p7s"
say "hợp đồng 1.txt.p7s is a signature: name the document"
say "next: smartca verify .*hợp đồng 1.txt$"
rm "$a.p7s"

echo "== a rejection, nobody at the phone, Ctrl-C: nothing is written"
# Attributes of the same second and file are the same: what was asked for then would be joined.
change() { printf 'thay đổi\n' | tee -a "$a" >>"$b"; }
control phone '{"action":"reject"}' >/dev/null
ended 1 "$SMARTCA" sign "$a" "$b" --json
say '"code":.*"rejected"'
change
ended 1 "$SMARTCA" sign "$a" "$b" --keep-going
say 'rejected on the phone \(2 of 2 files not signed; nothing is written\)'
change
control phone '{"action":"expire"}' >/dev/null
ended 1 "$SMARTCA" sign "$a" "$b"
say 'nobody confirmed in time'
change
control phone '{"action":"never"}' >/dev/null
before=$(count pushes)
"$SMARTCA" sign "$a" "$b" >"$work/out" 2>&1 </dev/null &
tool=$!
while [ "$(count pushes)" = "$before" ]; do kill -0 $tool || { cat "$work/out"; fail "it did not wait"; }; done
kill -INT $tool
status=0
wait $tool || status=$?
[ $status = 130 ] || fail "Ctrl-C ended it with $status"
say 'stopped; nothing is written'
[ "$(signatures "$work/few")" = 0 ] || fail "a signature nobody confirmed"

echo "== a false signature: none is written, with --keep-going the others are"
control reset '{}' >/dev/null
control behaviour '{"documents_max":1000}' >/dev/null
documents false 5
control fault '{"endpoint":"status","kind":"other_hash"}' >/dev/null
ended 1 "$SMARTCA" sign "$work"/false/*
say 'nothing is written'
[ "$(signatures "$work/false")" = 0 ] || fail "some were written in spite of a false one"
for file in "$work"/false/*; do printf 'thay đổi\n' >>"$file"; done
control fault '{"endpoint":"status","kind":"other_hash"}' >/dev/null
ended 1 "$SMARTCA" sign --keep-going "$work"/false/*
missing=$(sed -n 's/.*(\([0-9]*\) of 5 files not signed.*/\1/p' "$work/out")
[ "$missing" -ge 1 ] || fail "a false signature was not noticed"
[ "$(signatures "$work/false")" = $((5 - missing)) ] || fail "$missing missing, $(signatures "$work/false") written"
for signature in "$work"/false/*.p7s; do [ ! -e "$signature" ] || judge "${signature%.p7s}" "$root"; done

echo "== a typed one-time password"
printf 'user-password\n' >"$work/password"
chmod 600 "$work/password"
printf '%s\n' 'confirm = otp' "password = file:$work/password" >>"$SMARTCA_PKCS11_CONF"
documents typed 1
before=$(count pushes)
control "otp?user_id=$USER_ID" | jq -r .otp >"$work/otp"
"$SMARTCA" sign "$work"/typed/*.txt <"$work/otp" >"$work/out" 2>&1 || { cat "$work/out"; fail "typed digits do not sign"; }
deny 'on the phone'
judge "$work/typed/hợp đồng 1.txt" "$root"
ended 1 "$SMARTCA" sign --force "$work"/typed/*.txt # nobody answers
say 'there is no one-time password'
[ "$(count pushes)" = "$before" ] || fail "a phone rang in spite of typed digits"
sed -i '$d' "$SMARTCA_PKCS11_CONF"
sed -i '$d' "$SMARTCA_PKCS11_CONF"

echo "== self-signed slots of every kind of key"
printf 'user-pin\n' >"$work/pin"
printf 'so-pin-1\n' >"$work/so"
printf 'wrong-pin\n' >"$work/wrong"
chmod 600 "$work/pin" "$work/so" "$work/wrong"
documents own 4
for key in rsa:2048 rsa:4096 ec:p256 ec:p384 ec:p521 ed25519; do
    user=user-${key/:/-}
    ran "$SMARTCA" selfsigned create --user "$user" --name "Nguyễn $user" --years 1 --key "$key" \
        --pin-file "$work/pin" --so-pin-file "$work/so"
    ran "$SMARTCA" selfsigned export --user "$user" --out "$work/$user.pem"
    ended 0 "$SMARTCA" sign --slot "$user" --pin-file "$work/pin" --force "$work"/own/*.txt
    [ "$(signatures "$work/own")" = 4 ] || fail "$user: $(signatures "$work/own") signatures"
    for file in "$work"/own/*.txt; do
        ended 0 "$SMARTCA" verify "$file" --ca-file "$work/$user.pem"
        # OpenSSL 3.0 verifies no signed attributes of an Edwards key; GnuTLS does.
        [ "$key" = ed25519 ] || judge "$file" "$work/$user.pem"
        ran certtool --p7-verify --inder --infile "$file.p7s" --load-ca-certificate "$work/$user.pem" \
            --load-data "$file"
        say 'Signature status: ok'
    done
    printf 'another content\n' >>"$work/own/hợp đồng 1.txt"
    ended 1 "$SMARTCA" verify "$work/own/hợp đồng 1.txt" --ca-file "$work/$user.pem"
    say 'its content differs'
done
ended 1 "$SMARTCA" sign --slot user-ec-p256 --pin-file "$work/wrong" --force "$work"/own/*.txt
say 'PIN of token user-ec-p256'
ended 1 "$SMARTCA" sign --slot user-ec-p256 --force "$work"/own/*.txt
say 'PIN of user-ec-p256: there is no terminal to ask at; --pin-file FILE is needed'
ended 1 "$SMARTCA" sign --pin-file "$work/pin" --force "$work"/own/*.txt
say 'there are several slots: '
say 'next: name one by --slot LABEL, or choose an account for good: smartca account set-default NAME'
ran "$SMARTCA" selfsigned create --user "$number" --name Number --years 1 --key ec:p256 --pin-file "$work/pin" --so-pin-file "$work/so"
ended 0 "$SMARTCA" sign --slot "$number" --pin-file "$work/pin" --force --json "$work"/own/*.txt
[ "$(jq -r '.[0] | "\(.label) \(.slot_id == '"$number"')"' "$work/out")" = "$number false" ] || fail "a label of digits does not go first"
name=$work/own/$'\xff\xfe'
: >"$name"
ended 0 "$SMARTCA" sign --slot "$number" --pin-file "$work/pin" --json "$name"
[ "$(jq -r '.[0] | .file, .signature' "$work/out")" = "$work/own/��"$'\n'"$work/own/��.p7s" ] || fail "a name that is no UTF-8 is not shown"
rm "$name"
ended 0 "$SMARTCA" account set-default work
ended 0 "$SMARTCA" sign --force "$work/own/hợp đồng 2.txt"
judge "$work/own/hợp đồng 2.txt" "$root"

echo "== another vendor's token: SoftHSM2, without any function of PKCS#11 3.x"
softhsm=(--module /usr/lib/softhsm/libsofthsm2.so)
mkdir "$work/tokens"
printf 'directories.tokendir = %s\n' "$work/tokens" >"$work/softhsm2.conf"
export SOFTHSM2_CONF=$work/softhsm2.conf
ran "$SMARTCA" selfsigned create "${softhsm[@]}" --user an --name An --years 1 --pin-file "$work/pin" --so-pin-file "$work/so"
ran "$SMARTCA" selfsigned export "${softhsm[@]}" --user an --out "$work/an.pem"
documents usb 3
ended 0 "$SMARTCA" sign "${softhsm[@]}" --slot pkcs11:token=an --pin-file "$work/pin" "$work"/usb/*.txt
for file in "$work"/usb/*.txt; do judge "$file" "$work/an.pem"; done
ended 1 "$SMARTCA" sign "${softhsm[@]}" --slot an --pin-file "$work/wrong" --force "$work"/usb/*.txt
say 'PIN of token an: '

echo "== a file of 2 GiB and a byte: in constant memory"
truncate -s $((2147483648 + 1)) "$work/large"
# shellcheck disable=SC2016 # Python
cat >"$work/measure.py" <<'END'
import resource, subprocess, sys
status = subprocess.call(sys.argv[2:], stdout=subprocess.DEVNULL)
open(sys.argv[1], "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(status)
END
ended 0 /usr/bin/python3 "$work/measure.py" "$work/rss" "$SMARTCA" sign --slot "$label" "$work/large"
sign_rss=$(cat "$work/rss")
ended 0 /usr/bin/python3 "$work/measure.py" "$work/rss" "$SMARTCA" verify "$work/large" --ca-file "$root"
verify_rss=$(cat "$work/rss")
echo "   sign $sign_rss kB, verify $verify_rss kB"
[ "$sign_rss" -lt 50000 ] || fail "signing takes too much memory"
[ "$verify_rss" -lt 40000 ] || fail "verifying takes too much memory"
echo "ok: documents signed and verified"
