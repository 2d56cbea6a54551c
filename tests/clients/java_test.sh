#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Java 17, SunPKCS11: keytool, jarsigner, threads of a program, XML signatures.
#   java_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
slots_start
export JDK_JAVA_OPTIONS='-XX:TieredStopAtLevel=1 -XX:+UseSerialGC'
javac -d "$HOME_DIR/classes" tests/clients/JavaSign.java

# The slot is named by its row in the list, counted from 0: Java asks for a slot id before any list, and a USB
# token has none then.
configure() {
    local ROW
    ROW=$("$SMARTCA" slots --json | jq --arg name "$LABEL" 'map(.label == $name) | index(true)')
    printf '%s\n' 'name = SmartCA' "library = $MODULE" "slotListIndex = $ROW" >java.cfg
}

# digest FILE: as in a manifest.
digest() { openssl dgst -sha256 -binary "$1" | base64; }

# The chain from contract.txt to the certificate, without Java.
jar_is_good() {
    ran /usr/bin/python3 -m zipfile -e doc.jar .
    grep -q "^SHA-256-Digest: $(digest contract.txt)" META-INF/MANIFEST.MF || fail "the manifest has another file"
    grep -q "^SHA-256-Digest-Manifest: $(digest META-INF/MANIFEST.MF)" META-INF/*.SF || fail "another manifest is signed"
    ran openssl cms -verify -binary -inform DER -in META-INF/*.[RE][SC]* -content META-INF/*.SF -CAfile "$CA" \
        -purpose any -out /dev/null
}

jar_signed() {
    configure
    : "${ALIAS=$LABEL}"
    jar cf doc.jar contract.txt
    ran jarsigner -keystore NONE -storetype PKCS11 -providerClass sun.security.pkcs11.SunPKCS11 \
        -providerArg java.cfg -storepass:env PIN doc.jar "$ALIAS"
    jar_is_good
    works jarsigner
}

# Four threads on one key, then an XML document.
program() {
    local file pushes
    configure
    : "${ALIAS=$LABEL}"
    echo '<contract><price currency="VND">1000000</price></contract>' >contract.xml
    pushes=$(control counters | jq .pushes)
    ran java -cp "$HOME_DIR/classes" JavaSign java.cfg "$ALIAS" 4 5
    for file in [0-3]-[0-4].sig; do
        ran openssl dgst -sha256 -verify "$PUBLIC" -signature "$file" "${file%.sig}.txt"
    done
    if [ "$SLOT" = smartca ]; then
        pushes=$(($(control counters | jq .pushes) - pushes))
        echo "$pushes confirmations"
        [ "$pushes" -lt 20 ] || fail "threads share no confirmation"
    fi
    works "20 signatures by 4 threads"
    ran xmlsec1 --verify --trusted-pem "$CA" --untrusted-pem "$CHAIN" signed.xml
    works "XML signature"
    sed s/1000000/2000000/ signed.xml >changed.xml
    refused xmlsec1 --verify --trusted-pem "$CA" --untrusted-pem "$CHAIN" changed.xml
}

# Java 17 takes each byte of a label for a character: the alias is what keytool shows, not always the label.
sign() {
    configure
    ran keytool -list -keystore NONE -storetype PKCS11 -providerClass sun.security.pkcs11.SunPKCS11 \
        -providerArg java.cfg -storepass:env PIN
    ALIAS=$(sed -n 's/, PrivateKeyEntry.*//p' "$HOME_DIR/work/out")
    [ "$(iconv -f UTF-8 -t LATIN1 <<<"$ALIAS")" = "$LABEL" ] || fail "the alias is $ALIAS"
    works "keytool -list"
    jar_signed
    program
}
for_each_slot sign
with_spoiled_module jar_signed
with_spoiled_module program ec
