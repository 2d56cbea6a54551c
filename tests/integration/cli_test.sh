#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tool `smartca` against the emulator: every verb, what it writes, what it refuses, its JSON.
#   cli_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
home_start
emulator_start --user "$USER_ID" --user '555000,Trần Thị Bé,3'
unset SMARTCA_PKCS11_MODULE
export LC_ALL=C.UTF-8
CONFIG=$XDG_CONFIG_HOME/smartca-pkcs11
CONF_D=$CONFIG/conf.d
STATE=$XDG_STATE_HOME/smartca-pkcs11
PASSWORD=$HOME_DIR/password
printf 'test-password\n' >"$PASSWORD"
chmod 600 "$PASSWORD"
SETUP=(--url "$SERVICE/sca/sp769/" --ca-file "$HOME_DIR/service/tls-ca.pem" --sp-id "$SP_ID")
out=$HOME_DIR/out
err=$HOME_DIR/err
failed=0

# run EXPECTED_STATUS ARGUMENT...: keeps stdout in $out and stderr in $err.
run() {
    local expected=$1 status=0
    shift
    "$SMARTCA" "$@" >"$out" 2>"$err" || status=$?
    [ "$status" = "$expected" ] || fail "smartca $* ended with $status, not $expected"
}
fail() {
    echo "FAILED: $*"
    sed 's/^/  out: /' "$out"
    sed 's/^/  err: /' "$err"
    failed=1
}
# is WHAT EXPECTED ACTUAL
is() { [ "$2" = "$3" ] || fail "$1: expected '$2', is '$3'"; }
# json FILTER EXPECTED: of stdout; error CODE: of stderr, in JSON, with nothing on stdout.
json() { is "$1" "$2" "$(jq -r "$1" "$out")"; }
error() {
    is "error code" "$1" "$(jq -r .error.code "$err")"
    is "error keys" "code message next_step" "$(jq -r '.error | keys | join(" ")' "$err")"
    is "stdout" "" "$(cat "$out")"
}
says() { grep -qF -- "$2" "$1" || fail "no '$2'"; }
conf_files() { find "$CONFIG" -type f -printf '%P %m\n' 2>/dev/null | sort | tr '\n' ' '; }
known() { "$SMARTCA" slots --json 2>/dev/null | jq 'map(select(.state != "uninitialized")) | length'; }
# The slots but for the one empty slot on offer, whose row is what it always is.
run_slots() {
    run 0 slots --json "$@"
    json 'map(select(.state == "uninitialized") | del(.slot_id)) | map(tostring) | join(" ")' \
        '{"kind":"selfsigned","account":null,"label":null,"serial":null,"subject":null,"not_before":null,"not_after":null,"key_type":null,"state":"uninitialized","login_required":true,"pin":"not_set"}'
    jq 'map(select(.state != "uninitialized"))' "$out" >"$out.used"
    mv "$out.used" "$out"
}
test_case() { echo "== $*"; }

test_case "help and version go to standard output, wrong usage to standard error"
run 0 --help
says "$out" "account refresh"
is stderr "" "$(cat "$err")"
for verb in slots "account add" "account list" "account refresh" "account remove" doctor "selfsigned create" \
    "selfsigned reissue" "selfsigned list" "selfsigned export" "selfsigned import" sign verify; do
    # shellcheck disable=SC2086 # two words
    run 0 help $verb
    says "$out" "usage: smartca $verb"
done
run 0 help
is "columns before the summaries" 53 "$(sed -n 's/^\(  smartca .*\)\(what applications\|fetches the\|checks every\).*/\1/p;
    s/^\( *\)\(takes a cert\|makes tokens\).*/\1/p' "$out" | awk '{ print length }' | sort -u | xargs)"
run 0 --version
says "$out" "smartca "
for arguments in "" "nothing" "account" "account add" "account add a b" "slots x" "slots --user-id 1" \
    "slots --module" "slots --nonsense" "slots --json=1" "account remove" "account refresh a b" "help nothing" \
    "selfsigned" "selfsigned make" "selfsigned list x" "selfsigned list --years 1" "selfsigned create --user"; do
    # shellcheck disable=SC2086 # several words
    run 2 $arguments
    is "stdout of '$arguments'" "" "$(cat "$out")"
    # shellcheck disable=SC2086
    run 2 --json $arguments
    error usage
done

test_case "wrong usage names the help of its verb, where one is known"
# helps HELP ARGUMENT...
helps() {
    local expected=$1
    shift
    run 2 "$@" --json
    is "next step of $*" "$expected" "$(jq -r .error.next_step "$err")"
}
helps "smartca --help" nothing
helps "smartca --help" --nonsense
helps "smartca --help" account --nonsense
helps "smartca account add --help" account add work
helps "smartca account add --help" account add --nonsense
helps "smartca sign --help" sign
helps "smartca sign --help" --json sign a.pdf --slot x --slot y
helps "smartca sign --help" sign a.pdf --years 1
helps "smartca selfsigned list --help" selfsigned list --expiring soon

test_case "a slip of the finger is told with what was meant, half a name with the other half"
guess() {
    local meant=$1
    shift
    run 2 "$@" --json
    is "message of $*" "there is no verb $*${meant:+; did you mean $meant?}" "$(jq -r .error.message "$err")"
}
guess slots slost
guess doctor docter
guess account acount
guess "account add" acount add
guess "selfsigned create" selfsigned craete
guess "selfsigned create" create
guess "account refresh" refresh
guess "" quite another
guess "" "$(printf '%0100d' 0)"
run 2 help doctr --json
says "$err" "did you mean doctor?"
for family in account econtract selfsigned; do
    run 2 $family
    says "$err" "smartca: $family is the first of two words"
    is "verbs of $family" "$("$SMARTCA" help $family | grep -c "^  smartca $family ")" "$(grep -c "^  smartca $family " "$err")"
    is "other verbs" 0 "$(grep "^  smartca " "$err" | grep -vc "^  smartca $family " || true)"
done

test_case "an option is described as the verb means it"
# shellcheck disable=SC2086 # two words
described() { is "--$2 of $1" "$3" "$("$SMARTCA" help $1 | sed -n "s/^  --$2 *//p")"; }
described "selfsigned import" from "FILE              the file to read: PKCS#12, or PEM with the private key"
described "selfsigned create" from "DAY               first day, YYYY-MM-DD (UTC; default: now)"
described "selfsigned export" force "replaces the file of --out"
described "selfsigned import" force "also when the user's certificate is of another person"
described "selfsigned create" force "a new local issuer in the place of one whose key is lost"
described "account pin" pin-file "FILE          the old and the new PIN, a line each; with --reset one line, the"
described "account add" pin-file "FILE          the user's PIN; - reads a line"
described "account pin" sp-password-file "FILE  with --reset: the service provider's password, where the vault"
described "econtract update" name "NAME              the name to show"

test_case "without a configuration there are no slots, no accounts, and doctor says what to do"
run_slots
json 'length' 0
run 0 account list --json
json 'length' 0
run 1 doctor --json
json '[.[] | select(.result == "fail") | .check] | join(" ")' "configuration slots"
json ".[0].next_step" "smartca account add NAME --user-id ID, or smartca selfsigned create"
json '[.[] | keys | join(" ")] | unique | join(",")' "check detail next_step result"

test_case "doctor finds a state folder that cannot be made, and a home that is not there"
XDG_STATE_HOME=/proc/sys/fs/none run 1 doctor --json
json '.[] | select(.check == "state") | [.result, .next_step] | join(": ")' \
    "fail: make it for this user, or set state_dir in [module]"
json '.[] | select(.check == "state").detail | startswith("/proc/sys/fs/none/smartca-pkcs11 is not there")' true
nobody=(setpriv --reuid 54321 --regid 54321 --clear-groups)
if [ "$(id -u)" = 0 ] && "${nobody[@]}" test -x "$SMARTCA" -a ! -w /var/lib; then
    homeless() { "$@" env -u HOME -u XDG_CONFIG_HOME -u XDG_STATE_HOME -u SMARTCA_PKCS11_CONF "$SMARTCA" doctor --json; }
    homeless "${nobody[@]}" >"$out" 2>"$err" || true
    json '.[] | select(.check == "state") | "\(.result) \(.next_step | startswith("HOME is not set"))"' "fail true"
    homeless env >"$out" 2>"$err" || true
    json '.[0].detail | contains("/etc/smartca-pkcs11/smartca-pkcs11.conf")' true
    json '.[] | select(.check == "state").detail | startswith("/var/lib/smartca-pkcs11")' true
else
    echo "skipped: users without a home need root to be played"
fi

test_case "account add writes nothing when something is wrong"
run 2 account add work --json
error usage
for id in 12345 abcdef '0123 45678' "$(printf '%025d' 0)" '../012345'; do
    run 2 account add work --user-id "$id" --json
    error usage
done
for name in '' a/b '..%' 'hợp' 'a b' "$(printf '%041d' 0)" . .. .hid; do
    run 2 account add "$name" --user-id "$USER_ID" --json
    error usage
done
run 2 account add work --user-id "$USER_ID" --confirm sms --json
error usage
run 1 account add work --user-id "$USER_ID" --json
error invalid
says "$err" "lacks sp_id"
is "next step" "give --sp-id --sp-password-file, or write it into [smartca] of $CONFIG/smartca-pkcs11.conf" \
    "$(jq -r .error.next_step "$err")"
run 1 account add work --user-id "$USER_ID" --sp-id x --json
is "next step" "give --sp-password-file, or write it into [smartca] of $CONFIG/smartca-pkcs11.conf" \
    "$(jq -r .error.next_step "$err")"
run 2 account add work --user-id "$USER_ID" "${SETUP[@]}" --sp-password-file "$PASSWORD" --serial 54zz --json
error usage
says "$err" "--serial must be"
run 2 account add work --user-id "$USER_ID" --sp-id "$(printf 'x\n[module]\nlog = /tmp/x')" --json
error usage
run 2 account add work --user-id "$USER_ID" --url http://example.com --sp-id x --sp-password-file "$PASSWORD" --json
error usage
says "$err" "--url must be https://"
run 1 account add work --user-id "$USER_ID" "${SETUP[@]}" --sp-password-file "$HOME_DIR/none" --json
error not_found
run 1 account add work --user-id "$USER_ID" "${SETUP[@]}" --sp-password-file - --json </dev/null
error invalid
chmod 644 "$PASSWORD"
run 1 account add work --user-id "$USER_ID" "${SETUP[@]}" --sp-password-file "$PASSWORD" --json
error invalid
says "$err" "run chmod 600 on it ($PASSWORD)"
is "next step" "chmod 600 $PASSWORD" "$(jq -r .error.next_step "$err")"
chmod 600 "$PASSWORD"
run 1 account add work --user-id "$USER_ID" "${SETUP[@]}" --sp-password-file - --json <<<wrong
error service_auth
run 1 account add work --user-id 999999999999 "${SETUP[@]}" --sp-password-file "$PASSWORD" --json
error not_found
control fault '{"endpoint":"get_certificate","kind":"body_text","status":404,"body":"<html>"}' >/dev/null
run 1 account add work --user-id "$USER_ID" "${SETUP[@]}" --sp-password-file "$PASSWORD" --json
error protocol
run 1 account add work --user-id "$USER_ID" --url "$SERVICE/sca/sp769" --sp-id "$SP_ID" \
    --sp-password-file "$PASSWORD" --json
error network
run 1 account add work --user-id 555000 "${SETUP[@]}" --sp-password-file - --serial 1234 --json <<<test-password
error not_found
for serial in "$HOME_DIR"/service/users/555000-*.pem; do
    says "$err" "$(openssl x509 -in "$serial" -noout -serial | sed 's/.*=//' | tr 'A-F' 'a-f')"
done
is "configuration" "" "$(conf_files)"
is "slots" 0 "$(known)"

test_case "account add shows the certificates and writes one private file"
run 0 account add work --user-id "$USER_ID" "${SETUP[@]}" --sp-password-file "$PASSWORD" --json
serial=$(openssl x509 -in "$HOME_DIR/service/users/$USER_ID-1.pem" -noout -serial | sed 's/.*=//' | tr 'A-F' 'a-f')
json '.[] | [.account, .label, .serial, .state] | join("|")' "work|Nguyễn Văn Ánh|$serial|ready"
is "configuration" "conf.d/account-work.conf 600 " "$(conf_files)"
is "mode of conf.d" 700 "$(stat -c %a "$CONF_D")"
says "$CONF_D/account-work.conf" "sp_password = file:$PASSWORD"
is "notify line" "$([ -x /usr/bin/notify-send ] && echo 1 || echo 0)" \
    "$(grep -c 'on_confirm = /usr/bin/notify-send "SmartCA" "%s"' "$CONF_D/account-work.conf")"
run 1 account add work --user-id 555000 "${SETUP[@]}" --sp-password-file "$PASSWORD" --json
error exists
says "$err" "account-work.conf:2"

test_case "slots shows what applications see, with exactly the keys of the contract"
run_slots
json 'type + (length | tostring)' array1
json '.[0] | keys | join(" ")' \
    "account key_type kind label login_required not_after not_before pin serial slot_id state subject"
json '.[0] | [.kind, .account, .label, .serial, .key_type, .state, .login_required, .pin] | join("|")' \
    "smartca|work|Nguyễn Văn Ánh|$serial|rsa:2048|ready|false|"
json '.[0] | [.not_before, .not_after] | map(test("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$")) | join(" ")' "true true"
json '.[0].subject | contains("CN=Nguyễn Văn Ánh")' true
slot=$(jq '.[0].slot_id' "$out")
run 0 slots
says "$out" "Nguyễn Văn Ánh"
is "lines: head, account, empty slot" 3 "$(wc -l <"$out")"
LC_ALL=C run 0 slots
says "$out" "Nguyễn Văn Ánh"
run 1 slots --module "$HOME_DIR/none.so" --json
error not_found
run 1 slots --module "$PASSWORD" --json
error module
SMARTCA_PKCS11_MODULE=$HOME_DIR/none.so run 1 slots --json
error not_found
SMARTCA_PKCS11_MODULE=$HOME_DIR/none.so run_slots --module "$MODULE"
json '.[0].slot_id' "$slot"

test_case "a password from standard input is kept beside the configuration, a serial picks one"
one=$(openssl x509 -in "$HOME_DIR/service/users/555000-2.pem" -noout -serial | sed 's/.*=//')
run 0 account add one --user-id 555000 "${SETUP[@]}" --sp-password-file - --serial "$(sed 's/../&:/g; s/:$//' <<<"$one")" --json <<<test-password
json 'map(.serial) | join(" ")' "$(tr 'A-F' 'a-f' <<<"$one")"
is "configuration" "conf.d/account-one.conf 600 conf.d/account-work.conf 600 sp-password-one 600 " "$(conf_files)"
is "password" test-password "$(cat "$CONFIG/sp-password-one")"
is "password in the section" 0 "$(grep -c test-password "$CONF_D/account-one.conf" || true)"
run_slots
json 'map(.account) | join(" ")' "work one"
run 0 account list --json
json 'map([.account, .user_id, .certificates, .ready] | join(":")) | join(" ")' \
    "one:555000:1:1 work:$USER_ID:1:1"
json '.[0] | keys | join(" ")' "account certificates confirm default fetched_at file line ready serial url user_id vault wrong_pins"

test_case "account refresh reports what is new, gone and changed"
run 0 account refresh --json
json 'map([.account, .change] | join(":")) | join(" ")' "one:unchanged work:unchanged"
control user "{\"user_id\":\"$USER_ID\",\"status\":\"revoked\"}" >/dev/null
run 0 account refresh work --json
json 'map([.account, .was, .state, .change] | join(":")) | join(" ")' "work:ready:revoked:state"
run_slots
json 'map(select(.account == "work").state) | join(" ")' revoked
control user "{\"user_id\":\"$USER_ID\",\"add_certificates\":1}" >/dev/null
run 0 account refresh work --json
json 'map(.change) | sort | join(" ")' "new unchanged"
for state in not_activated expired; do
    control user "{\"user_id\":\"$USER_ID\",\"replace\":\"new_key\",\"from_days\":-400,\"to_days\":$([ $state = expired ] && echo -30 || echo 30)}" >/dev/null
done
run 0 account refresh work --json
json 'map(.change) | sort | join(" ")' "gone gone new new"
json '[.[] | select(.state == "expired")] | length' 1
control user "{\"user_id\":\"$USER_ID\",\"status\":\"not_activated\"}" >/dev/null
run 0 account refresh work --json
json '[.[] | select(.state == "not_activated")] | length' 1
run 1 account refresh nobody --json
error not_found
control fault '{"endpoint":"get_certificate","kind":"status","status":500,"count":9}' >/dev/null
run 1 account refresh work --json
is "what failed" network "$(jq -r .error.code "$err")"
json length 0
control reset '{}' >/dev/null

test_case "doctor is content with a good set-up and finds each fault"
run 0 account remove work
run 0 doctor --json
json 'map(select(.result == "fail")) | length' 0
json 'map(select(.check == "account one: service").result) | join(" ")' ok
# The package may be installed on this computer.
json 'map(select(.check == "p11-kit").result) | join(" ") | test("^(ok|warn)$")' true
json '[.[] | select(.check | startswith("slot "))] | map(.result) | join(" ")' ok
run 0 doctor
says "$out" "ok    module: $MODULE loads and initialises"
is "requests for a signature" 0 "$(control counters | jq .sign)"
if [ "$(id -u)" = 0 ]; then
    echo "skipped: p11-kit reads no user's registration for root"
else
    mkdir -p "$XDG_CONFIG_HOME/pkcs11/modules"
    echo "module: $MODULE" >"$XDG_CONFIG_HOME/pkcs11/modules/smartca-pkcs11.module"
    run 0 doctor --json
    json 'map(.result) | unique | join(" ")' ok
    echo "module: /nowhere.so" >"$XDG_CONFIG_HOME/pkcs11/modules/smartca-pkcs11.module"
    run 1 doctor --json
    json 'map(select(.result == "fail").check) | join(" ")' p11-kit
    rm -r "$XDG_CONFIG_HOME/pkcs11"
fi
run 1 doctor --module "$HOME_DIR/none.so" --json
json 'map(select(.result == "fail").check) | join(" ")' module
run 1 doctor --module "$PASSWORD" --json
json 'map(select(.result == "fail").check) | join(" ")' module
chmod 620 "$CONF_D/account-one.conf"
run 1 doctor --json
json 'map(select(.result == "fail"))[0] | "\(.detail)|\(.next_step)"' \
    "$CONF_D/account-one.conf: the file is not used: writable by its group or by others; run chmod go-w on it|chmod go-w $CONF_D/account-one.conf"
chmod 640 "$CONF_D/account-one.conf"
run 0 doctor --json
json 'map(select(.check == "files") | "\(.result) \(.next_step)") | join(",")' "warn chmod 600 $CONF_D/account-one.conf"
chmod 600 "$CONF_D/account-one.conf"
run 0 doctor --json
json 'map(select(.check == "files").detail) | join(",")' "nobody else may read the account in conf.d (1 file)"
json 'map(select(.check == "configuration").detail) | join(",") | endswith("conf.d beside it: 1 account")' true
printf '[smartca]\npoll_intervall = 3\n' >"$CONF_D/wrong.conf"
chmod 600 "$CONF_D/wrong.conf"
run 1 doctor --json
json 'map(select(.result == "fail"))[0] | .check' configuration
json 'map(select(.result == "fail"))[0] | .detail | contains("wrong.conf:2: ")' true
run 0 account list
says "$err" "wrong.conf:2: "
rm "$CONF_D/wrong.conf"
chmod 644 "$CONFIG/sp-password-one"
advised() { json 'map(select(.check == "account one: service")) | map("\(.result) \(.next_step)") | join(",")' "fail $1"; }
run 1 doctor --json
advised "chmod 600 $CONFIG/sp-password-one"
mv "$CONFIG/sp-password-one" "$CONFIG/away"
run 1 doctor --json
advised "write $CONFIG/sp-password-one, or correct sp_password"
run 1 account refresh one --json
is "what failed" io "$(jq -r .error.code "$err")"
is "next step" "write $CONFIG/sp-password-one, or correct sp_password" "$(jq -r .error.next_step "$err")"
: >"$CONFIG/sp-password-one"
chmod 600 "$CONFIG/sp-password-one"
run 1 doctor --json
advised "see to $CONFIG/sp-password-one: one line, owned by this user or root"
mv "$CONFIG/away" "$CONFIG/sp-password-one"
chmod 600 "$CONFIG/sp-password-one"
printf '[token usb]\nmodule = %s\n' "$MODULE" >"$CONF_D/usb.conf"
chmod 644 "$CONF_D/usb.conf"
"$SMARTCA" doctor --json >"$out" 2>"$err" || true
json 'map(select(.check == "files") | "\(.result) \(.detail)") | join(",")' "ok nobody else may read the account in conf.d (1 file)"
chmod 664 "$CONF_D/usb.conf"
run 0 account list
says "$err" "smartca: $CONF_D/usb.conf: the file is not used"
rm "$CONF_D/usb.conf"
printf 'other-password\n' >"$CONFIG/sp-password-one"
run 1 doctor --json
json 'map(select(.result == "fail").check) | join(" ")' "account one: service"
json 'map(select(.result == "fail").next_step | length > 0) | join(" ")' true
printf 'test-password' >"$CONFIG/sp-password-one"
control user "{\"user_id\":\"555000\",\"serial_number\":\"$(tr 'A-F' 'a-f' <<<"$one")\",\"status\":\"revoked\"}" >/dev/null
run 1 doctor --json
json 'map(select(.result == "fail").check) | join(" ")' "account one: certificate"
json '[.[] | select(.check | startswith("slot "))] | map(.result) | join(" ")' warn
control reset '{}' >/dev/null
chmod 755 "$STATE"
run 0 doctor --json
json 'map(select(.check == "state").result) | join(" ")' warn
chmod 700 "$STATE"

test_case "a catalogue that others may write is neither damaged nor empty, and one thing to mend"
chmod 660 "$STATE/catalogue"
for verb in 'account list' 'account refresh one' 'account set-default one' slots "sign $PASSWORD"; do
    # shellcheck disable=SC2086 # several words
    run 1 $verb --json
    says "$err" "/catalogue: writable by its group or by others; run chmod go-w on it"
done
run 1 doctor --json
json 'map(select(.detail | contains("/catalogue: writable")).check) | join(" ")' state
json 'map(.next_step | select(contains("password") or contains("account add"))) | length' 0
chmod 600 "$STATE/catalogue"

test_case "a damaged catalogue is made anew, and leaves out who was refused"
printf 'rubbish' >"$STATE/catalogue"
run 0 account list --json
json '.[0].certificates' 0
run 1 doctor --json
json 'map(select(.detail | contains("/catalogue: ")).check) | join(" ")' state
printf 'rubbish' >"$STATE/catalogue"
run 1 account add other --user-id "$USER_ID" --serial 00ff "${SETUP[@]}" --sp-password-file "$PASSWORD" --json
error not_found
! grep -q "$USER_ID" "$STATE/catalogue" || fail "who was refused is in the catalogue"
run 0 account refresh
run 0 doctor

test_case "account remove takes away what account add wrote, and nothing else"
run 1 account remove nobody --json
error not_found
run 1 account remove ../conf.d/one --json
error not_found
# shellcheck disable=SC2119 # no extra lines
account_write
run 1 account remove work --json
error not_ours
says "$err" "smartca-pkcs11.conf:6"
run 0 account remove one --json
json '[.account, .removed] | join(" ")' "one true"
is "configuration" "smartca-pkcs11.conf 600 sp-password 600 " "$(conf_files)"
run_slots
json 'map(.account) | unique | join(" ")' work

test_case "an account takes what it lacks from [smartca], and a twin keeps the certificates known"
run 1 account add twin --user-id "$USER_ID" --json
error exists
says "$err" "account work's slots"
sed -i '/^\[account work\]/,$d' "$SMARTCA_PKCS11_CONF"
run 0 account add twin --user-id "$USER_ID"
is "keys" "user_id confirm" "$(sed -n 's/ = .*//p' "$CONF_D/account-twin.conf" | grep -v on_confirm | tr '\n' ' ' | sed 's/ $//')"
# shellcheck disable=SC2119 # no extra lines
account_write
asked=$(control counters | jq .get_certificate)
run 0 account remove twin
run_slots
json 'map(.state) | join(" ")' "ready expired"
is "questions" "$asked" "$(control counters | jq .get_certificate)"
printf '\n[account extra]\nuser_id = 555000\n' >"$CONF_D/account-hand.conf"
chmod 600 "$CONF_D/account-hand.conf"
run 1 account remove hand --json
error not_ours
rm "$CONF_D/account-hand.conf"

test_case "a full disk behind standard output is a failure"
if [ -w /dev/full ]; then
    status=0
    "$SMARTCA" slots --json >/dev/full 2>"$err" || status=$?
    is "status" 1 "$status"
fi

exit $failed
