#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Accounts without the phone in real programs: one-time passwords computed, and typed in both ways.
#   unattended_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
. tests/lib/programs.sh
export LC_ALL=C.UTF-8 # Java reads arguments by it
home_start
pins_cheap
# shellcheck disable=SC2119 # no options
emulator_start
work=$HOME_DIR/work
config=$XDG_CONFIG_HOME/smartca-pkcs11
mkdir "$work"
printf 'Hợp đồng số 1\n' >"$work/contract.txt"
printf '%s\n' user-password >"$config/password"
chmod 600 "$config/password"
tool() { pkcs11-tool --module "$MODULE" "$@"; }
verify() { openssl dgst -sha256 -verify "$work/public.pem" -signature "$1" "$work/contract.txt" >/dev/null; }
otp() { control "otp?user_id=$USER_ID" | jq -r .otp; }
count() { control counters | jq -r ".$1"; }
log_says() { grep -qE -- "$1" "$HOME_DIR/log" || { cat "$HOME_DIR/log"; fail "the log lacks '$1'"; }; }

# A key whose steps take a second, so that the next signature does not wait for half a minute.
secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ
control user "{\"user_id\":\"$USER_ID\",\"totp_secret\":\"MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=\",\"totp_period\":1}" >/dev/null

# account_is LINE...: the account's section, beside what every account has.
account_is() {
    account_write 'poll_interval = 0.1'
    printf '%s\n' "password = file:$config/password" "$@" >>"$SMARTCA_PKCS11_CONF"
    sed -i "1i [module]\nlog = $HOME_DIR/log\nlog_level = debug" "$SMARTCA_PKCS11_CONF"
    : >"$HOME_DIR/log"
}
sign_with() { tool "$@" --sign --mechanism SHA256-RSA-PKCS -i "$work/contract.txt" -o "$work/sig"; }

echo "== secrets in files: nobody is asked for anything"
printf 'otpauth://totp/x?secret=%s&period=1\n' $secret >"$config/totp"
chmod 600 "$config/totp"
account_is 'confirm = totp' "totp_secret = file:$config/totp"
ran tool -L
say 'token model *: SmartCA TH'
deny 'login required'
ran tool -O --type privkey
id=$(sed -n 's/^ *ID: *//p' "$work/out" | head -n 1)
ran tool --read-object --type cert --id "$id" --output-file "$work/cert.der"
openssl x509 -inform DER -in "$work/cert.der" -pubkey -noout >"$work/public.pem"
for _ in 1 2 3; do
    ran sign_with
    verify "$work/sig"
done
[ "$(count pushes)" = 0 ] || fail "somebody's phone rang"
[ "$(count transactions)" = 3 ] || fail "three signatures, $(count transactions) transactions"

echo "== a password, a code, a clock and a package that are not good"
printf 'wrong-password\n' >"$config/password"
refused sign_with
say 'CKR_USER_NOT_LOGGED_IN'
log_says 'password refused'
printf 'user-password\n' >"$config/password"
control behaviour '{"otp_offset_s":-300}' >/dev/null
refused sign_with
say 'CKR_USER_NOT_LOGGED_IN'
log_says "clock is (29[0-9]|30[0-9]|31[0-9]) s ahead of the service's"
refused "$SMARTCA" doctor --module "$MODULE"
say "(29[0-9]|30[0-9]|31[0-9]) s ahead of the service's"
control behaviour '{"otp_offset_s":0}' >/dev/null
control user "{\"user_id\":\"$USER_ID\",\"package_used_up\":true}" >/dev/null
refused sign_with
say 'CKR_TOKEN_RESOURCE_EXCEEDED|0x201'
log_says 'buy or renew'
control user "{\"user_id\":\"$USER_ID\",\"package_used_up\":false}" >/dev/null
control behaviour '{"sad_lifetime_s":0}' >/dev/null
refused sign_with
say 'CKR_FUNCTION_FAILED'
log_says 'sign again'
control behaviour '{"sad_lifetime_s":299}' >/dev/null
control user "{\"user_id\":\"$USER_ID\",\"status\":\"revoked\"}" >/dev/null
refused sign_with
say 'CKR_KEY_FUNCTION_NOT_PERMITTED'
control user "{\"user_id\":\"$USER_ID\",\"status\":\"active\"}" >/dev/null

echo "== a lost answer to either request is never a second signature"
before=$(count transactions)
for endpoint in sign2 confirm; do
    control fault "{\"endpoint\":\"$endpoint\",\"kind\":\"drop_reply\"}" >/dev/null
    [ $endpoint = confirm ] || control behaviour '{"v2_exists":"sad"}' >/dev/null
    ran sign_with
    verify "$work/sig"
done
[ "$(count transactions)" = $((before + 2)) ] || fail "a lost answer cost a transaction"

echo "== six digits behind the PIN"
control user "{\"user_id\":\"$USER_ID\",\"totp_period\":30}" >/dev/null
account_is 'confirm = otp'
before=$(count transactions)
ran tool -L
say 'login required'
typed=$(otp)
ran sign_with --login --pin "$typed"
verify "$work/sig"
refused sign_with --login --pin "$typed"
say 'CKR_USER_NOT_LOGGED_IN'
log_says 'one-time password; log in again'
refused sign_with --login --pin 12345
say 'CKR_PIN_INCORRECT'
refused sign_with --login --pin 000000
say 'CKR_USER_NOT_LOGGED_IN'
[ "$(count transactions)" = $((before + 1)) ] || fail "refused codes made transactions"

control behaviour '{"otp_reuse":"allow"}' >/dev/null # the next ones come within its thirty seconds

echo "== PyKCS11: one login, one signature"
# shellcheck disable=SC2016 # Python
ran /usr/bin/python3 -c '
import sys, PyKCS11
lib = PyKCS11.PyKCS11Lib(); lib.load(sys.argv[1])
slot = lib.getSlotList(tokenPresent=True)[0]
session = lib.openSession(slot)
session.login(sys.argv[2])
key = session.findObjects([(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY)])[0]
mechanism = PyKCS11.Mechanism(PyKCS11.CKM_SHA256_RSA_PKCS, None)
session.sign(key, b"one", mechanism)
try:
    session.sign(key, b"two", mechanism)
    sys.exit("a second signature without a login")
except PyKCS11.PyKCS11Error as error:
    assert error.value == PyKCS11.CKR_USER_NOT_LOGGED_IN, error
' "$MODULE" "$(otp)"

echo "== a login of its own for each signature"
account_is 'confirm = otp' 'otp_login = context'
ran tool --login --pin any -O --type privkey
say 'always authenticate|Access:.*always'
ran sign_with --login --pin "$(otp)" # pkcs11-tool gives the same PIN for both logins
verify "$work/sig"
grep -q 'C_Login(session 0x4000, 0x2, PIN) -> CKR_OK' "$HOME_DIR/log" || fail "no context-specific login"

echo "== Java: the digits behind the PIN"
account_is 'confirm = otp'
printf 'name = SmartCA\nlibrary = %s\nslotListIndex = 0\n' "$MODULE" >"$work/java.cfg"
java=(-keystore NONE -storetype PKCS11 -providerClass sun.security.pkcs11.SunPKCS11 -providerArg "$work/java.cfg")
(cd "$work" && jar cf doc.jar contract.txt)
ran keytool -list "${java[@]}" -storepass "$(otp)"
say 'PrivateKeyEntry'
alias=$(sed -n 's/, PrivateKeyEntry.*//p' "$work/out" | head -n 1)
ran jarsigner "${java[@]}" -storepass "$(otp)" "$work/doc.jar" "$alias"
ran jarsigner -verify "$work/doc.jar"
say 'jar verified'
echo "== Poppler signs twice, first to see how long a signature is: no typed code is good for that"
. tests/lib/contract.sh
contract_make "$work/contract.pdf" 1
mkdir "$work/nss"
ran certutil -N -d "sql:$work/nss" --empty-password
ran modutil -force -dbdir "sql:$work/nss" -add SmartCA -libfile "$MODULE"
sign_pdf() {
    pdfsig -nssdir "sql:$work/nss" -nss-pwd "$(otp)" "$work/contract.pdf" "$work/signed.pdf" -add-signature \
        -nick 'Nguyễn Văn Ánh:Nguyễn Văn Ánh'
}
refused sign_pdf
control user "{\"user_id\":\"$USER_ID\",\"totp_period\":1}" >/dev/null
account_is 'confirm = totp' "totp_secret = file:$config/totp"
rm -f "$work/signed.pdf"
ran sign_pdf
ran pdfsig -nocert "$work/signed.pdf"
say 'Signature is Valid'

echo "== no secret in the log"
! grep -qE "user-password|wrong-password|$secret|MTIzNDU2" "$HOME_DIR/log" || fail "a secret is in the log"
echo "ok: accounts without the phone"
