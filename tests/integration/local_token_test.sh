#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Real programs make, manage and use tokens on this computer: pkcs11-tool and its suites, GnuTLS, OpenSSL,
# PyKCS11, Java. Every mechanism is verified by OpenSSL, and what OpenSSL signed is verified by the token.
#   local_token_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
home_start
pins_cheap
. tests/lib/programs.sh
work=$HOME_DIR/work
mkdir "$work"
printf 'Hợp đồng số 1\n' >"$work/contract.txt"
SO_PIN=87654321
PIN=abc-123456
label='Nguyễn Văn Ánh'
tool() { pkcs11-tool --module "$MODULE" "$@"; }
mine() { tool --token-label "$label" "$@"; }
mine_in() { mine --login --pin "$PIN" "$@"; }

echo "== pkcs11-tool makes a token of the empty slot, and a new empty slot appears"
empty_slot() { tool --list-slots | awk '/^Slot /{gsub(/[():]/, ""); id=$3} /uninitialized/{print id}'; }
[ "$(empty_slot | wc -l)" = 1 ] || fail "there is not one empty slot"
slot=$(empty_slot)
ran tool --init-token --slot "$slot" --label "$label" --so-pin "$SO_PIN"
[ "$(empty_slot | wc -l)" = 1 ] || fail "there is no new empty slot"
[ "$(empty_slot)" != "$slot" ] || fail "the empty slot has the old slot's number"
ran mine --init-pin --login --login-type so --so-pin "$SO_PIN" --new-pin "$PIN"
ran tool --list-slots
say "token label *: $label"
say 'manufacturer *: VNPT eContract'
say 'token model *: Self-signed'
say 'pin min/max *: 6/64'

echo "== key pairs of every kind"
number=0
for type in rsa:2048 rsa:3072 EC:prime256v1 EC:secp384r1 EC:secp521r1 EC:edwards25519; do
    number=$((number + 1))
    ran mine_in --keypairgen --key-type "$type" --id "0$number" --label "key $number"
    # Not pkcs11-tool: its export knows no P-384 (of any token).
    GNUTLS_PIN=$PIN ran p11tool --provider "$MODULE" --batch --login --export-pubkey --outfile "$work/$number.pem" \
        "pkcs11:model=Self-signed;id=%0$number;type=public"
done
ran mine_in --list-objects
[ "$(grep -c 'Private Key Object' "$work/out")" = 6 ] || fail "there are not six private keys"
say 'Access: *sensitive, always sensitive, never extractable, local'
ran mine --list-objects
deny 'Private Key Object'

echo "== every mechanism, here and in OpenSSL"
for hash in 256 384 512; do
    openssl dgst "-sha$hash" -binary "$work/contract.txt" >"$work/sha$hash"
done
# signs KEY MECHANISM INPUT [OPTION...]
signs() {
    local key=$1 mechanism=$2 input=$3
    shift 3
    ran mine_in --sign --id "0$key" --mechanism "$mechanism" --input-file "$input" \
        --output-file "$work/sig" --signature-format openssl "$@"
}
verifies() { openssl pkeyutl -verify -pubin -inkey "$work/$1.pem" -in "$2" -sigfile "$work/sig" "${@:3}" >"$work/out"; }
for key in 1 2; do
    for hash in 256 384 512; do
        signs $key "SHA$hash-RSA-PKCS" "$work/contract.txt"
        verifies $key "$work/sha$hash" -pkeyopt "digest:sha$hash"
        signs $key "SHA$hash-RSA-PKCS-PSS" "$work/contract.txt"
        verifies $key "$work/sha$hash" -pkeyopt "digest:sha$hash" -pkeyopt rsa_padding_mode:pss \
            -pkeyopt rsa_pss_saltlen:digest
        signs $key RSA-PKCS-PSS "$work/sha$hash" --hash-algorithm "SHA$hash" --mgf "MGF1-SHA$hash"
        verifies $key "$work/sha$hash" -pkeyopt "digest:sha$hash" -pkeyopt rsa_padding_mode:pss
    done
    signs $key RSA-PKCS "$work/sha256"
    verifies $key "$work/sha256"
done
for key in 3 4 5; do
    for hash in 256 384 512; do
        signs $key "ECDSA-SHA$hash" "$work/contract.txt"
        verifies $key "$work/sha$hash"
    done
    signs $key ECDSA "$work/sha256"
    verifies $key "$work/sha256"
done
ran mine_in --sign --id 06 --mechanism EDDSA --input-file "$work/contract.txt" --output-file "$work/sig"
verifies 6 "$work/contract.txt" -rawin

echo "== what OpenSSL signed is verified by the token"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/own.key" 2>/dev/null
openssl pkey -in "$work/own.key" -outform DER -out "$work/own.der"
openssl pkey -in "$work/own.key" -pubout -outform DER -out "$work/own.pub"
ran mine_in --write-object "$work/own.der" --type privkey --id 0a --label imported
ran mine_in --write-object "$work/own.pub" --type pubkey --id 0a --label imported
openssl dgst -sha256 -sign "$work/own.key" -out "$work/sig" "$work/contract.txt"
ran mine_in --verify --id 0a --mechanism SHA256-RSA-PKCS --input-file "$work/contract.txt" --signature-file "$work/sig"
say 'Signature is valid'
ran mine_in --sign --id 0a --mechanism SHA256-RSA-PKCS --input-file "$work/contract.txt" --output-file "$work/sig2"
cmp "$work/sig" "$work/sig2"
printf 'x' >>"$work/contract.txt"
ran mine_in --verify --id 0a --mechanism SHA256-RSA-PKCS --input-file "$work/contract.txt" --signature-file "$work/sig"
say 'Invalid signature'

echo "== objects written and deleted"
openssl req -x509 -key "$work/own.key" -subj '/CN=Trần Thị Bình/O=VNPT' -utf8 -days 30 -out "$work/own.crt"
openssl x509 -in "$work/own.crt" -outform DER -out "$work/own.crt.der"
ran mine_in --write-object "$work/own.crt.der" --type cert --id 0a --label imported
ran mine --read-object --type cert --id 0a --output-file "$work/read.der"
cmp "$work/own.crt.der" "$work/read.der"
ran mine_in --write-object "$work/contract.txt" --type data --label note --application-label test
ran mine --read-object --type data --label note --output-file "$work/note"
cmp "$work/contract.txt" "$work/note"
ran mine_in --delete-object --type data --label note
ran mine_in --delete-object --type privkey --id 02
ran mine_in --delete-object --type pubkey --id 02
ran mine_in --list-objects
deny 'note|key 2'

echo "== pkcs11-tool's suites"
ran mine_in --test --allow-sw
say 'No errors'
ran mine_in --test-ec --session-rw --key-type EC:prime256v1 --id 0b --allow-sw
say 'OK$'
deny 'ERR:|Aborting'
ran mine_in --test-fork
deny 'error|failed'
# With the login its first thread takes longer than the others: else it may wait for them, 30 seconds.
for _ in 1 2 3 4; do threads+=(--test-threads ILGISLT0); done
ran mine_in --list-objects "${threads[@]}"
deny 'CKR_[A-Z_]*(FAILED|INVALID|ERROR)'

echo "== PINs: changed, wrong, locked, unlocked"
ran mine --change-pin --login --pin "$PIN" --new-pin another-pin
refused mine --login --pin "$PIN" --list-objects
say 'CKR_PIN_INCORRECT'
PIN=another-pin
for i in 2 3 4 5 6 7 8 9; do refused mine --login --pin "wrong-$i" --list-objects; done
ran tool --list-slots
say 'final user PIN try'
refused mine --login --pin wrong-10 --list-objects
refused mine_in --list-objects
say 'CKR_PIN_LOCKED'
refused mine --unlock-pin --puk wrong-so-pin --new-pin third-pin
ran mine --unlock-pin --puk "$SO_PIN" --new-pin third-pin
PIN=third-pin
ran mine_in --list-objects
say 'Private Key Object'
ran mine --change-pin --login --login-type so --so-pin "$SO_PIN" --new-pin another-so
ran mine --init-pin --login --login-type so --so-pin another-so --new-pin "$PIN"

echo "== p11tool makes and manages a token"
export GNUTLS_PIN=654321 GNUTLS_SO_PIN=12345678
p11() { p11tool --provider "$MODULE" --batch "$@"; }
ran p11 --initialize --label=gnutls --set-so-pin "$GNUTLS_SO_PIN" 'pkcs11:model=Self-signed;token=;serial='
url="pkcs11:token=gnutls"
ran p11 --initialize-pin --set-pin "$GNUTLS_PIN" --so-login "$url"
ran p11 --login --generate-privkey=rsa --bits 2048 --label rsa "$url"
ran p11 --login --generate-privkey=ecdsa --curve secp256r1 --label ec "$url"
# GnuTLS 3.7 asks for Ed25519 keys with CKM_EDDSA, which generates none: no token makes one for it.
for key in rsa ec; do
    ran p11 --login --test-sign "$url;object=$key;type=private"
    say 'Verifying against public key in the token... ok'
done
ran p11 --login --write --load-certificate "$work/own.crt" --label own "$url"
ran p11 --login --list-all "$url"
say 'Type: X.509 Certificate'
say 'Type: Private key \(RSA-2048\)'
say 'Type: Private key \(EC/ECDSA'
ran p11 --login --delete "$url;object=own;type=cert"
refused p11 --login --list-all-certs "$url"
say "No matching objects found"

echo "== OpenSSL through the engine"
# libp11 0.4.12 gives up on any token that has a private key of a kind it does not know: Ed25519.
ran mine_in --delete-object --type privkey --id 06
own="pkcs11:token=$(printf '%s' "$label" | sed 's/ /%20/g');object=imported;type=private;pin-value=$PIN"
printf 'Hợp đồng số 2\n' >"$work/contract.txt"
export PKCS11_MODULE_PATH=$MODULE
ran openssl cms -sign -binary -in "$work/contract.txt" -signer "$work/own.crt" -engine pkcs11 -keyform engine \
    -inkey "$own" -outform DER -out "$work/contract.p7s"
ran openssl cms -verify -binary -inform DER -in "$work/contract.p7s" -content "$work/contract.txt" \
    -CAfile "$work/own.crt" -purpose any -out /dev/null
say 'successful'

echo "== PyKCS11"
ran /usr/bin/python3 tests/integration/local_token.py "$MODULE" "$label" "$PIN" "$work/contract.txt" "$work/sig"
openssl dgst -sha256 -verify "$work/1.pem" -signature "$work/sig" "$work/contract.txt"

echo "== Java: keytool makes a certificate, jarsigner signs with it"
cat >"$work/java.cfg" <<END
name = SmartCA
library = $MODULE
slot = $(tool --list-slots 2>/dev/null | awk -v want="$label" '/^Slot /{gsub(/[():]/, ""); id=$3} index($0, want){print id; exit}' |
    xargs printf '%d')
END
provider=(-providerClass sun.security.pkcs11.SunPKCS11 -providerArg "$work/java.cfg")
ran keytool -genkeypair -keyalg EC -groupname secp256r1 -alias java -dname 'CN=Lê Văn Cường, C=VN' -validity 30 \
    -keystore NONE -storetype PKCS11 -storepass "$PIN" "${provider[@]}"
ran keytool -list -keystore NONE -storetype PKCS11 -storepass "$PIN" "${provider[@]}"
say 'java, PrivateKeyEntry'
(cd "$work" && jar cf contract.jar contract.txt)
ran jarsigner -keystore NONE -storetype PKCS11 -storepass "$PIN" "${provider[@]}" "$work/contract.jar" java
ran jarsigner -verify -verbose:summary "$work/contract.jar"
say 'jar verified'
ran keytool -delete -alias java -keystore NONE -storetype PKCS11 -storepass "$PIN" "${provider[@]}"

echo "== the files: folder and modes"
state=$XDG_STATE_HOME/smartca-pkcs11
[ "$(stat -c %a "$state" "$state/tokens" | sort -u)" = 700 ] || fail "the state folder is open to others"
[ "$(find "$state/tokens" -type f ! -perm 600 | wc -l)" = 0 ] || fail "a file is open to others"
! grep -rqaE "$PIN|another-pin|$SO_PIN" "$state" || fail "a PIN is in the state folder"
echo "all programs made, managed and used tokens, and OpenSSL verified"
