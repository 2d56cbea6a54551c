#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# SoftHSM2 as a USB token behind the module: pkcs11-tool, p11tool, OpenSSL and Poppler's pdfsig sign with
# it; with SoftHSM2 loaded by the same program, too; tokens made and deleted while a program runs.
#   usb_token_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
. tests/lib/programs.sh
. tests/lib/contract.sh
home_start
work=$HOME_DIR/work
mkdir "$work" "$HOME_DIR/tokens"
softhsm=$(realpath /usr/lib/softhsm/libsofthsm2.so)
export SOFTHSM2_CONF=$HOME_DIR/softhsm2.conf
printf '%s\n' "directories.tokendir = $HOME_DIR/tokens" 'objectstore.backend = file' 'log.level = ERROR' \
    >"$SOFTHSM2_CONF"

# token_write [LINE...]: the configuration, with extra lines for [token usb].
token_write() {
    printf '%s\n' '[token usb]' "module = $softhsm" "$@" >"$SMARTCA_PKCS11_CONF"
    chmod 600 "$SMARTCA_PKCS11_CONF"
}
softhsm_make() { ran softhsm2-util --init-token --free --label "$1" --pin 123456 --so-pin 12345678; }
tool() { timeout 60 pkcs11-tool --module "$MODULE" --token-label usb "$@"; }
direct() { timeout 60 pkcs11-tool --module "$softhsm" --token-label usb "$@"; }

token_write
softhsm_make usb
cat >"$work/signer.cnf" <<'END'
[req]
distinguished_name = name
prompt = no
x509_extensions = extensions
[name]
CN = Nguyễn Văn Ánh
[extensions]
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature, nonRepudiation, keyCertSign
extendedKeyUsage = emailProtection
END
openssl req -new -x509 -utf8 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -config "$work/signer.cnf" \
    -days 30 -out "$work/cert.pem" 2>/dev/null
openssl x509 -in "$work/cert.pem" -outform DER -out "$work/cert.der"
ran softhsm2-util --import "$work/key.pem" --token usb --label signer --id 0a --pin 123456
ran direct --login --pin 123456 --write-object "$work/cert.der" --type cert --id 0a --label signer
ran direct --login --pin 123456 --keypairgen --key-type EC:prime256v1 --id 0b --label curve
printf 'Hợp đồng số 1\n' >"$work/contract.txt"
openssl dgst -sha256 -binary "$work/contract.txt" >"$work/digest"
openssl x509 -in "$work/cert.pem" -pubkey -noout >"$work/public.pem"

# The tool sees it, and says what is wrong with a section.
ran "$SMARTCA" slots --json
say '"kind":.*"token"'
say '"label":.*"usb"'
ran "$SMARTCA" doctor
say 'token usb: .*libsofthsm2.so is safe to load'
say 'ok +token usb: its tokens: usb'
token_write 'slots = another'
refused "$SMARTCA" doctor # without any slot
say 'warn +token usb: no token is called another; there are: usb'
say 'next: plug that token in, or correct slots ='
printf 'no library\n' >"$work/text.so"
token_write '[token text]' "module = $work/text.so"
refused "$SMARTCA" doctor
say 'fail +token text: .*text.so cannot be loaded: .*file too short|fail +token text: .*text.so cannot be loaded: .*ELF'
say "next: name the vendor's PKCS#11 module"
token_write
cp "$softhsm" "$work/open.so"
chmod 666 "$work/open.so"
token_write '[token open]' "module = $work/open.so"
refused "$SMARTCA" doctor
say 'open.so: writable by its group or by others'
SMARTCA_PKCS11_LOG=warning:stderr ran tool -L
say 'smartca-pkcs11.conf:3: \[token open\] shows no slot: module .*open.so: writable by'
say 'token label *: usb'
token_write
echo "ok: smartca slots and doctor"

for mechanism in SHA256-RSA-PKCS SHA512-RSA-PKCS RSA-PKCS; do
    ran tool --login --pin 123456 --sign --id 0a --mechanism "$mechanism" --input-file "$work/digest" \
        --output-file "$work/ours.sig"
    ran direct --login --pin 123456 --sign --id 0a --mechanism "$mechanism" --input-file "$work/digest" \
        --output-file "$work/direct.sig"
    cmp "$work/ours.sig" "$work/direct.sig"
done
ran tool --login --pin 123456 --sign --id 0a --mechanism SHA256-RSA-PKCS-PSS \
    --input-file "$work/contract.txt" --output-file "$work/pss.sig"
ran openssl dgst -sha256 -sigopt rsa_padding_mode:pss -verify "$work/public.pem" \
    -signature "$work/pss.sig" "$work/contract.txt"
ran tool --login --pin 123456 --sign --id 0b --mechanism ECDSA --input-file "$work/digest" \
    --output-file "$work/ec.sig"
ran direct --verify --id 0b --mechanism ECDSA --input-file "$work/digest" --signature-file "$work/ec.sig"
ran tool --verify --id 0b --mechanism ECDSA --input-file "$work/digest" --signature-file "$work/ec.sig"
say 'Signature is valid'
ran tool --login --pin 123456 --test --allow-sw
say 'No errors'
refused tool --login --pin 999999 --sign --id 0a --mechanism RSA-PKCS --input-file "$work/digest"
say 'CKR_PIN_INCORRECT'
refused tool --login --pin 123456 --delete-object --type cert --id 0a
ran direct -O --type cert
say 'signer'
ran tool --login --pin 123456 --change-pin --new-pin 654321
ran tool --login --pin 654321 --change-pin --new-pin 123456
echo "ok: pkcs11-tool"

ran p11tool --provider "$MODULE" --list-all 'pkcs11:token=usb'
say 'Type: X.509 Certificate \(RSA-2048\)'
url='pkcs11:token=usb;object=signer;type=private'
ran p11tool --provider "$MODULE" --login --set-pin 123456 --test-sign "$url"
say 'Verifying against public key in the token... ok'
PKCS11_MODULE_PATH=$MODULE ran openssl cms -sign -binary -in "$work/contract.txt" -signer "$work/cert.pem" \
    -engine pkcs11 -keyform engine -inkey "$url;pin-value=123456" -outform DER -out "$work/contract.p7s"
ran openssl cms -verify -binary -inform DER -in "$work/contract.p7s" -content "$work/contract.txt" \
    -CAfile "$work/cert.pem" -purpose any -out /dev/null
say 'successful'
echo "ok: p11tool and OpenSSL"

# nss_make NAME FILE...: a database of NSS with these modules, in that order.
nss_make() {
    local folder=$work/$1 file
    shift
    mkdir "$folder"
    ran certutil -N -d "sql:$folder" --empty-password
    ran certutil -A -d "sql:$folder" -n root -t CT,C,C -i "$work/cert.pem"
    for file; do
        printf 'library=%s\nname=%s\n' "$file" "${file##*/}"
        # pdfsig gives its PIN to one token only, whatever module they are of: ours alone asks for it.
        [ "$file" != "$softhsm" ] || printf 'NSS=slotParams={0x%08x=[slotFlags=Disable ] 0x00000001=[slotFlags=Disable ] }\n' "$slot"
        echo
    done >>"$folder/pkcs11.txt"
}
# pdf_sign NSS: a program that has SoftHSM2 loaded crashes at its end, after it has written the file, also
# without our module: NSS calls SoftHSM2 after its destructors. So the file is looked at.
pdf_sign() {
    rm -f "$work/signed.pdf"
    timeout 60 pdfsig -nssdir "sql:$work/$1" "$work/contract.pdf" "$work/signed.pdf" -add-signature \
        -nick usb:signer -nss-pwd 123456 >"$HOME_DIR/work/out" 2>&1 || ended=$?
    [ -s "$work/signed.pdf" ] || { cat "$HOME_DIR/work/out"; fail "pdfsig with $1 has signed nothing"; }
    ran timeout 60 pdfsig -nssdir "sql:$work/plain" "$work/signed.pdf"
    say 'Signature Validation: Signature is Valid'
    say 'Signer Certificate Common Name: Nguyễn Văn Ánh'
}
loaded() {
    ran timeout 60 modutil -dbdir "sql:$work/$1" -list
    [ "$(grep -c 'status: loaded' "$work/out")" = "$2" ] || { cat "$work/out"; fail "$1: not $2 modules loaded"; }
}
slot=$(direct -L 2>/dev/null | sed -n 's/^Slot 0 (\(0x[0-9a-f]*\)).*/\1/p')
contract_make "$work/contract.pdf" 2
nss_make plain
nss_make ours "$MODULE"
nss_make softhsm_first "$softhsm" "$MODULE"
nss_make softhsm_last "$MODULE" "$softhsm"
ended=0
loaded ours 2
pdf_sign ours
[ "$ended" = 0 ] || fail "pdfsig ended with $ended"
echo "ok: pdfsig signs"
loaded softhsm_first 3
pdf_sign softhsm_first
echo "ok: pdfsig signs while it has SoftHSM2 loaded"
token_write 'release = yes'
loaded softhsm_last 3
pdf_sign softhsm_last
pdf_sign ours
echo "ok: and when it loads SoftHSM2 after us"

# program_start COUNT: it waits for COUNT events; what it prints comes through descriptor 8.
program_start() {
    exec 8< <(exec timeout 60 /usr/bin/python3 tests/integration/slot_events.py "$MODULE" "$1" 2>&1)
    program_says '^waiting$'
}
program_says() {
    read -r line <&8 || fail "the program has ended before it said '$1'"
    [[ $line =~ $1 ]] || fail "the program says '$line', not '$1'"
}
program_start 3
softhsm_make another
program_says '^[0-9]+ present another '
new=${line%% *}
ran softhsm2-util --delete-token --token another
program_says "^$new empty "
softhsm_make third
program_says '^[0-9]+ present third '
[ "${line%% *}" != "$new" ] || fail "another token has the slot of the first"
echo "ok: tokens that come and go are events"
