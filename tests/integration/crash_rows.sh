# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What crash_test.sh interrupts. A row sets
#   BASE      the state it begins with (bases_make)
#   COMMAND   the program
#   AGAIN     what is run after the fault, and must succeed; COMMAND when not set
#   DONE      a pattern: what it says then if there is nothing left to do
#   EXPECTED  its exit status when nothing fails (0)
#   IS_UNORDERED  set where several are made at once, and come in any order
#   LOOK      a function that says more of the state than what every row is asked for
#   READS     set where nothing changes: a success says what it says undisturbed, if memory is all that is lacking
#   LATER     a pattern: lines of the new state that may come with the next run, although all is well
#   BETWEEN   a function that says whether a state which is neither the old nor the new one is right
# shellcheck disable=SC2034,SC2153 # crash_test.sh reads them; emulator.sh sets others

USER_PIN=first-pin SO_PIN=87654321 WRONG_PIN=wrong-pin
S=$HOME_DIR/secrets
COMPANY=0101234567
SETUP=()

ROWS='create create_issued reissue import login login_wrong login_reset change_pin init_token reset_token init_pin
    keygen write set_id delete account_add account_remove account_rename account_refresh set_default appearance
    business_add business_remove account_pin vault_wrong vault_right sign_local rotate sign econtract_login
    econtract_add'
ROWS_EVERY_DAY='sign account_rename'

keep() { printf '%s\n' "$2" >"$S/$1"; chmod 600 "$S/$1"; }
begin() {
    emulator_start --user "$USER_ID" --user "$COMPANY,Công ty Ánh Dương"
    mkdir "$S"
    keep so "$SO_PIN"
    keep pin "$USER_PIN"
    keep issuer issuer-pin
    keep new-pin second-pin
    printf '%s\n%s\n' "$USER_PIN" second-pin >"$S/both"
    keep sp test-password
    keep password user-password
    keep wrong "$WRONG_PIN"
    keep econtract econtract-password
    keep key "$(control users | jq -r ".[] | select(.user_id == \"$COMPANY\").totp_secret")"
    chmod 600 "$S"/*
    SETUP=(--url "$SERVICE/sca/sp769" --ca-file "$HOME_DIR/service/tls-ca.pem" --sp-id "$SP_ID"
        --sp-password-file "$S/sp")
    printf '%s\n' user,name,issued_by,pin 'an,An,Nhà cấp,first-pin' 'be,Bé,Nhà cấp,first-pin' >"$S/users.csv"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=Import -days 30 \
        -keyout "$S/key.pem" -out "$S/cert.pem" 2>/dev/null
    cat "$S/key.pem" "$S/cert.pem" >"$S/both.pem"
    openssl x509 -in "$S/cert.pem" -outform DER -out "$S/cert.der"
    chmod 600 "$S"/*
    configure
}
service_reset() {
    control reset '{}' >/dev/null
}
# service_is_right FAULT: nobody was asked too often. Without memory, files of one command may go in two transactions.
service_is_right() {
    local asked
    case $1 in
    *MEMORY) asked=$(control transactions |
        jq 'map(.pushes as $n | .digests[] | {d: ., n: $n}) | group_by(.d) | map(map(.n) | add) | max // 0') ;;
    *) asked=$(control counters | jq .pushes) ;;
    esac
    [ "$asked" -le "$PUSHES" ] ||
        { control transactions | jq -c '.[] | {transaction_id, state, pushes, digests, created_ms, polls}'; return 1; }
}

mine() { pkcs11-tool --module "$MODULE" --token-label an "$@"; }
CREATE_OPTIONS=(--name 'Nguyễn Văn Ánh' --key ec:p256 --so-pin-file "$S/so" --pin-file "$S/pin")
configure() {
    mkdir -p "$XDG_CONFIG_HOME/smartca-pkcs11" "$XDG_STATE_HOME" "$LIVE/work"
    chmod 700 "$XDG_CONFIG_HOME/smartca-pkcs11"
    printf '%s\n' '[smartca]' "url = $SERVICE/sca/sp769" "ca_file = $HOME_DIR/service/tls-ca.pem" 'poll_interval = 0.1' \
        'connect_timeout = 2' 'request_timeout = 2' \
        "sp_id = $SP_ID" "sp_password = file:$S/sp" \
        '[selfsigned]' 'organization = VNPT Group' 'country = VN' 'years = 5' \
        '[econtract]' "url = $SERVICE/econtract" 'username = admin' 'company_id = 1' \
        "password = file:$S/econtract" "ca_file = $HOME_DIR/service/tls-ca.pem" >"$SMARTCA_PKCS11_CONF"
    chmod 600 "$SMARTCA_PKCS11_CONF"
    printf 'Hợp đồng\n' >"$LIVE/work/a"
    printf 'Phụ lục\n' >"$LIVE/work/b"
    base_keep empty
}

# base_make NAME: unless it was made before, from the one that it goes on from.
base_keep() { mkdir "$HOME_DIR/bases/$1" && cp -a "$LIVE/." "$HOME_DIR/bases/$1"; }
base_make() {
    [ ! -e "$HOME_DIR/bases/$1" ] || return 0
    "base_$1"
    base_keep "$1"
}
from() { base_make "$1" && bring_back "$1"; }
base_user() { from empty && ran "$SMARTCA" selfsigned create --user an "${CREATE_OPTIONS[@]}"; }
base_guessed() {
    local try
    from user
    for try in 1 2 3 4 5 6 7 8; do refused mine --login --pin "$WRONG_PIN$try" -O; done
}
# With a first line in its audit log, and a short one.
base_signed() {
    from user
    sed -i '1i [module]\naudit_max = 1' "$SMARTCA_PKCS11_CONF"
    ran mine --login --pin "$USER_PIN" --sign --mechanism ECDSA-SHA256 -i "$LIVE/work/a" -o "$LIVE/work/sig"
}
# Above its 1 MiB by the last lines that are written at once: to be closed before the next.
base_full_log() { from signed && fill_log 3850; }
base_account() {
    from empty
    ran "$SMARTCA" account add work --user-id "$USER_ID" "${SETUP[@]}"
    ran "$SMARTCA" slots
}
base_firm() {
    from account
    ran "$SMARTCA" account add firm --user-id "$COMPANY" --business "${SETUP[@]}" --password-file "$S/password" \
        --secret-key-file "$S/key" --pin-file "$S/pin"
    ran "$SMARTCA" slots
}
base_firm_guessed() {
    local try
    from firm
    for try in 1 2 3 4 5 6 7 8; do
        keep guess "$WRONG_PIN$try"
        refused "$SMARTCA" account otp firm --pin-file "$S/guess"
    done
}
id_of_key() { objects_raw "$USER_PIN" | sed -n 's/^  ID: *//p' | tail -1; }

# fill_log LINES
fill_log() {
    /usr/bin/python3 -c '
import os, sys, PyKCS11
lib = PyKCS11.PyKCS11Lib(); lib.load(sys.argv[1])
slot = next(s for s in lib.getSlotList(tokenPresent=True) if lib.getTokenInfo(s).label.strip() == "an")
session = lib.openSession(slot)
session.login(sys.argv[2])
key = session.findObjects([(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY)])[0]
for i in range(int(sys.argv[3])):
    session.sign(key, b"one", PyKCS11.Mechanism(PyKCS11.CKM_ECDSA_SHA256, None))
session.closeSession()
os._exit(0) # C_Finalize would close the log
' "$MODULE" "$USER_PIN" "$1"
}

# The objects of the token "an", and which PIN opens it. What the right PIN does to the counter has been looked at.
objects_raw() { mine --login --pin "$1" -O 2>/dev/null || echo no; }
objects_with() { objects_raw "$1" | sed -n 's/uri:.*//; /Object\|label\|ID\|^no$/p' | sort; }
look_in_token() { objects_with "$USER_PIN"; }

p11=(pkcs11-tool --module "$MODULE" --token-label an)
p11_in=("${p11[@]}" --login --pin "$USER_PIN")
has_final_try() { grep -q final_try "$1"; }
has_wrong_pins() { grep -q wrong_pins "$1"; }

# Tokens on this computer.
row_create() {
    BASE=empty LOOK=look_in_token BETWEEN=has_any DONE='has a certificate already'
    COMMAND=("$SMARTCA" selfsigned create --user an "${CREATE_OPTIONS[@]}")
}
row_create_issued() {
    BASE=empty LOOK=look_in_token BETWEEN=has_any IS_UNORDERED=1
    COMMAND=("$SMARTCA" selfsigned create --csv "$S/users.csv" --key ec:p256 --so-pin-file "$S/so"
        --issuer-pin-file "$S/issuer")
}
row_reissue() {
    BASE=user LOOK=look_in_token BETWEEN=has_any
    COMMAND=("$SMARTCA" selfsigned reissue --user an --name An --pin-file "$S/pin")
}
row_import() {
    BASE=empty LOOK=look_in_token BETWEEN=has_any DONE='already'
    COMMAND=("$SMARTCA" selfsigned import --user an --from "$S/both.pem" --so-pin-file "$S/so" --pin-file "$S/pin")
}
row_login() {
    BASE=user LOOK=look_in_token
    COMMAND=("${p11_in[@]}" -O)
}
row_login_wrong() {
    BASE=guessed EXPECTED=1
    COMMAND=("${p11[@]}" --login --pin "$WRONG_PIN" -O)
    AGAIN=("${p11_in[@]}" -O)
}
row_login_reset() {
    BASE=guessed BETWEEN=has_final_try
    COMMAND=("${p11_in[@]}" -O)
}
row_change_pin() {
    BASE=user BETWEEN=has_wrong_pins
    COMMAND=("${p11_in[@]}" --change-pin --new-pin second-pin)
    AGAIN=(again_change_pin)
}
again_change_pin() { mine --login --pin second-pin -O || { "${COMMAND[@]}" && mine --login --pin second-pin -O; }; }
# The empty slot, and what becomes of it: a token that is called fresh.
row_init_token() {
    BASE=empty AGAIN=(again_init_token)
    COMMAND=(pkcs11-tool --module "$MODULE" --slot-index 0 --init-token --label fresh --so-pin "$SO_PIN")
}
again_init_token() {
    ! pkcs11-tool --module "$MODULE" --token-label fresh -O >/dev/null 2>&1 || return 0
    "${COMMAND[@]}"
}
# A token that has objects is emptied.
row_reset_token() {
    BASE=user
    COMMAND=("${p11[@]}" --init-token --label an --so-pin "$SO_PIN")
    BETWEEN=has_wrong_pins
}
row_init_pin() {
    BASE=guessed AGAIN=(again_init_pin) BETWEEN=has_any
    COMMAND=("${p11[@]}" --login --login-type so --so-pin "$SO_PIN" --init-pin --new-pin second-pin)
}
has_any() { :; }
again_init_pin() { "${COMMAND[@]}" && mine --login --pin second-pin -O; }
row_keygen() {
    BASE=user LOOK=look_in_token AGAIN=(again_keygen)
    COMMAND=("${p11_in[@]}" --keypairgen --key-type EC:prime256v1 --id 77 --label generated)
}
again_keygen() {
    [ "$(objects_with "$USER_PIN" | grep -c 'ID: *77$')" = 2 ] || "${COMMAND[@]}"
}
row_write() {
    BASE=user LOOK=look_in_token AGAIN=(again_write)
    COMMAND=("${p11_in[@]}" --write-object "$S/cert.der" --type cert --id 88 --label written)
}
again_write() { objects_with "$USER_PIN" | grep -q 'ID: *88$' || "${COMMAND[@]}"; }
row_set_id() {
    BASE=signed LOOK=look_in_token DONE='.'
    COMMAND=("${p11_in[@]}" --set-id 99 --type privkey --id "$(from signed && id_of_key)")
}
row_delete() {
    BASE=signed LOOK=look_in_token DONE='.'
    COMMAND=("${p11_in[@]}" --delete-object --type privkey --id "$(from signed && id_of_key)")
}
row_sign_local() {
    BASE=signed BETWEEN=has_any
    SIGN=("$SMARTCA" sign --slot an --pin-file "$S/pin") COMMAND=("${SIGN[@]}" "$LIVE/work/a" "$LIVE/work/b")
    LOOK=look_at_signatures AGAIN=(again_sign)
}
# The audit log is closed and goes on in another file.
look_at_logs() { [ ! -e "$STATE/audit.jsonl.1" ] || echo "the log goes on in another file"; }
row_rotate() {
    BASE=full_log LOOK=look_at_logs LATER='the log goes on'
    COMMAND=("${p11_in[@]}" --sign --mechanism ECDSA-SHA256 -i "$LIVE/work/a" -o "$LIVE/work/sig")
}

# Accounts.
row_account_add() {
    BASE=empty DONE='there is an account'
    COMMAND=("$SMARTCA" account add work --user-id "$USER_ID" "${SETUP[@]}")
}
row_account_remove() {
    BASE=account AGAIN=(again_account_remove)
    COMMAND=("$SMARTCA" account remove work) ADD=("$SMARTCA" account add work --user-id "$USER_ID" "${SETUP[@]}")
}
# It may have been gone already; whoever adds it again, and removes that, leaves nothing.
again_account_remove() {
    "${COMMAND[@]}" || grep -q 'there is no account' "$HOME_DIR/work/second"
    "${ADD[@]}" && "${COMMAND[@]}"
}
row_account_rename() {
    BASE=account DONE="there is no account work" BETWEEN=has_both_names
    COMMAND=("$SMARTCA" account rename work office)
}
has_both_names() { grep -q "^account-work.conf" "$1" && grep -q "^account-office.conf" "$1"; }
row_account_refresh() {
    BASE=account
    COMMAND=("$SMARTCA" account refresh work)
}
row_set_default() {
    BASE=firm
    COMMAND=("$SMARTCA" account set-default firm)
}
row_appearance() {
    BASE=account
    COMMAND=("$SMARTCA" account appearance work --text Signed --mode text)
}
row_business_add() {
    BASE=account DONE='there is an account'
    COMMAND=("$SMARTCA" account add firm --user-id "$COMPANY" --business "${SETUP[@]}" --password-file "$S/password"
        --secret-key-file "$S/key" --pin-file "$S/pin")
    LOOK=look_in_vault
}
look_in_vault() { ! is_vault_open || echo "the vault opens"; }
is_vault_open() { "$SMARTCA" account otp firm --pin-file "$S/pin" >/dev/null 2>&1; }
row_business_remove() {
    BASE=firm AGAIN=(again_account_remove) BETWEEN=has_no_secrets LOOK=look_for_secrets
    COMMAND=("$SMARTCA" account remove firm)
    ADD=("$SMARTCA" account add firm --user-id "$COMPANY" --business "${SETUP[@]}" --password-file "$S/password"
        --secret-key-file "$S/key" --pin-file "$S/pin")
}
# Its secrets go before its section, and it says that it has none.
has_no_secrets() { grep -q '^doctor: account firm' "$1" && grep -q '^account-firm.conf' "$1"; }
# None without an account.
look_for_secrets() {
    local file
    for file in "$STATE"/vault/*.token; do [ ! -e "$file" ] || echo "there are secrets"; done
}
row_account_pin() {
    BASE=firm AGAIN=(again_account_pin) BETWEEN=has_wrong_pins
    COMMAND=("$SMARTCA" account pin firm --pin-file "$S/both")
}
again_account_pin() {
    "$SMARTCA" account otp firm --pin-file "$S/new-pin" ||
        { "${COMMAND[@]}" && "$SMARTCA" account otp firm --pin-file "$S/new-pin"; }
}
row_vault_wrong() {
    BASE=firm_guessed EXPECTED=1
    COMMAND=("$SMARTCA" account otp firm --pin-file "$S/wrong")
    AGAIN=("$SMARTCA" account otp firm --pin-file "$S/pin")
}
row_vault_right() {
    BASE=firm_guessed BETWEEN=has_final_try
    COMMAND=("$SMARTCA" account otp firm --pin-file "$S/pin")
}

# Signatures, of which no person is asked twice.
look_at_signatures() {
    local file
    for file in "$LIVE/work"/?; do
        [ -e "$file.p7s" ] || continue
        openssl cms -verify -binary -inform DER -in "$file.p7s" -content "$file" -purpose any -noverify -out /dev/null \
            2>/dev/null && echo "${file##*/} is signed"
    done
}
again_sign() {
    local file missing=()
    for file in "$LIVE/work"/[ab]; do [ -e "$file.p7s" ] || missing+=("$file"); done
    [ ${#missing[@]} = 0 ] || "${SIGN[@]}" "${missing[@]}"
}
row_sign() {
    BASE=account PUSHES=1 LOOK=look_at_signatures AGAIN=(again_sign) BETWEEN=has_any
    SIGN=("$SMARTCA" sign) COMMAND=("${SIGN[@]}" "$LIVE/work/a" "$LIVE/work/b")
}

# What only looks, for tests/inject/tool_test.sh.
row_slots() { BASE=firm READS=1 COMMAND=("$SMARTCA" slots); }
row_account_list() { BASE=firm READS=1 COMMAND=("$SMARTCA" account list); }
row_selfsigned_list() { BASE=user READS=1 COMMAND=("$SMARTCA" selfsigned list); }
row_export() { BASE=user COMMAND=("$SMARTCA" selfsigned export --user an --out "$LIVE/work/an.pem" --force); }
row_audit_show() { BASE=signed READS=1 COMMAND=("$SMARTCA" audit show); }
row_audit_verify() { BASE=signed READS=1 COMMAND=("$SMARTCA" audit verify); }
row_pending() { BASE=account READS=1 COMMAND=("$SMARTCA" pending); }
row_doctor() { BASE=account READS=1 COMMAND=("$SMARTCA" doctor); }
base_contract() { from signed && ran "$SMARTCA" sign --slot an --pin-file "$S/pin" "$LIVE/work/a"; }
# Nobody vouches for the signer.
row_verify() { BASE=contract READS=1 EXPECTED=1 DONE='not trusted' COMMAND=("$SMARTCA" verify "$LIVE/work/a"); }

# eContract.
row_econtract_login() {
    BASE=empty
    COMMAND=("$SMARTCA" econtract login)
}
row_econtract_add() {
    BASE=empty DONE='exists|there is an account'
    COMMAND=("$SMARTCA" econtract add work --econtract-user 3 --user-id "$USER_ID")
}

# What a kill in the middle left is gone on with: no second key, and a certificate that has its key.
left_by_a_kill() {
    local id
    echo "== a key pair that has not its own CKA_ID yet, in both halves or in one"
    for half in both private; do
        from user
        id=$(id_of_key)
        ran mine --login --pin "$USER_PIN" --delete-object --type cert --id "$id"
        ran mine --login --pin "$USER_PIN" --set-id 77 --type pubkey --id "$id"
        [ $half = private ] || ran mine --login --pin "$USER_PIN" --set-id 77 --type privkey --id "$id"
        ran "$SMARTCA" selfsigned create --user an "${CREATE_OPTIONS[@]}"
        has_one_of_each "$id"
    done
    echo "== an import that stored the private key only"
    from empty
    row_import
    ran "${COMMAND[@]}"
    id=$(id_of_key)
    ran mine --login --pin "$USER_PIN" --delete-object --type cert --id "$id"
    ran mine --login --pin "$USER_PIN" --delete-object --type pubkey --id "$id"
    ran "${COMMAND[@]}"
    has_one_of_each "$id"
}
has_one_of_each() {
    local all
    all=$(objects_raw "$USER_PIN")
    [ "$(grep -cE '^(Private|Public|Certificate).* Object' <<<"$all") $(grep -c "ID: *$1$" <<<"$all")" = '3 3' ] ||
        fail "not a key pair and its certificate: $all"
}
