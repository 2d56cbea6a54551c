#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the keys, tokens and certificates of the four slots once, for all tests of this folder.
#   prepare.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
rm -rf "$PREPARED" "${CLIENTS_TABLE%/*}"
home_start
slots_environment
mkdir "$HOME_DIR/work" "$HOME_DIR/tokens" "$HOME_DIR/slots"
cd "$HOME_DIR/work"
(umask 077 && printf 123456 >"$HOME_DIR/pin")
# shellcheck disable=SC2119 # no options
emulator_start
# shellcheck disable=SC2119 # no lines
slots_configure

# ca_make FILE NAME: a root, FILE.pem and FILE.key.
ca_make() {
    openssl req -new -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.pem" \
        -subj "/C=VN/CN=$2" -days 30 -addext 'keyUsage = critical, keyCertSign, cRLSign' 2>/dev/null
}
# issue CA PUBLIC OUT SUBJECT EXTENSIONS: a certificate for a public key.
issue() {
    openssl x509 -new -force_pubkey "$2" -CA "$1.pem" -CAkey "$1.key" -subj "$4" -days 30 -out "$3" \
        -extfile <(printf '%s\n' 'basicConstraints = critical, CA:FALSE' 'subjectKeyIdentifier = hash' \
            'authorityKeyIdentifier = keyid' "$5")
}
ca_make tls-ca 'Test TLS CA'
cp tls-ca.pem "$HOME_DIR/slots"

# finish SLOT CERT CHAIN ROOT: the files of a slot.
finish() {
    local files=$HOME_DIR/slots/$1
    mkdir "$files"
    openssl x509 -in "$2" -out "$files/cert.pem"
    openssl x509 -in "$2" -noout -pubkey >"$files/public.pem"
    openssl x509 -in "$3" -out "$files/chain.pem"
    openssl x509 -in "$4" -out "$files/root.pem"
    cat "$files/root.pem" "$files/chain.pem" >"$files/ca.pem"
    [ "$3" != "$4" ] || cp "$files/root.pem" "$files/ca.pem"
    issue tls-ca "$files/public.pem" "$files/tls.pem" '/C=VN/CN=localhost' \
        "$(printf '%s\n' 'keyUsage = critical, digitalSignature' 'extendedKeyUsage = serverAuth, clientAuth' \
            'subjectAltName = DNS:localhost, IP:127.0.0.1')"
    ran openssl verify -CAfile "$files/ca.pem" "$files/cert.pem"
    pkcs11-tool --module "$MODULE" --token-label "$(slot_label "$1")" --list-objects --type pubkey 2>/dev/null |
        sed -n 's/^ *ID: *//p' >"$files/id"
    [ "$(wc -l <"$files/id")" = 1 ] || fail "$1 has not one public key"
}

self_signed() {
    ran "$SMARTCA" selfsigned create --user "$(slot_label "$1")" --name "$2" --key "$3" \
        --pin-file "$HOME_DIR/pin" --so-pin-file "$HOME_DIR/pin" --issuer-pin-file "$HOME_DIR/pin"
    "$SMARTCA" selfsigned export --user "$(slot_label "$1")" --out "$1.pem"
    p11tool --provider "$MODULE" --export "pkcs11:token=$(slot_label "$1");object=VNPT%20eContract%20Certificate" \
        --outfile issuer.pem
    finish "$1" "$1.pem" issuer.pem issuer.pem
}
self_signed rsa 'Nguyễn Văn Anh' rsa:2048
self_signed ec 'Trần Thị Bình' ec:p256

ca_make usb-ca 'Test USB CA'
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out usb.key 2>/dev/null
openssl pkey -in usb.key -pubout -out usb.pub
issue usb-ca usb.pub usb.pem '/C=VN/CN=Le Thi Cuc' "$(printf '%s\n' \
    'keyUsage = critical, digitalSignature, nonRepudiation' 'extendedKeyUsage = emailProtection, clientAuth')"
openssl x509 -in usb.pem -outform DER -out usb.der
direct() { pkcs11-tool --module "$SOFTHSM" --token-label usb --login --pin 123456 "$@"; }
ran softhsm2-util --init-token --free --label usb --pin 123456 --so-pin 12345678
ran softhsm2-util --import usb.key --token usb --label usb --id 0a --pin 123456
ran direct --write-object usb.der --type cert --id 0a --label usb
finish usb usb.pem usb-ca.pem usb-ca.pem

pkcs11-tool --module "$MODULE" --token-label "$(slot_label smartca)" --read-object --type cert \
    --label "$(slot_label smartca)" --output-file smartca.der 2>/dev/null
openssl x509 -inform DER -in smartca.der -out smartca.pem
finish smartca smartca.pem "$HOME_DIR/service/ca.pem" "$HOME_DIR/service/root.pem"

# What the module remembers of this service's address is of no use to the next one.
rm -rf "$XDG_STATE_HOME/smartca-pkcs11/catalogue" "$HOME_DIR/service/requests.jsonl" "$HOME_DIR"/{work,life,ready}
mkdir -p "${PREPARED%/*}"
cp -a "$HOME_DIR" "$PREPARED"
