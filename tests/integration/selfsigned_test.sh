#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An administrator issues self-signed certificates: company defaults, many users from a file with two bad
# lines, a local issuer, reissue, list, export, import. The same through our module and through SoftHSM2, since
# the tool speaks PKCS#11 only. OpenSSL judges every certificate.
#   selfsigned_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
home_start
pins_cheap
unset SMARTCA_PKCS11_MODULE
export LC_ALL=C.UTF-8
SOFTHSM=/usr/lib/softhsm/libsofthsm2.so
ISSUER='VNPT eContract Certificate'
out=$HOME_DIR/out
err=$HOME_DIR/err
failed=0

cat >"$SMARTCA_PKCS11_CONF" <<'END'
[selfsigned]
organization = VNPT Group
organizational_unit = VNPT-IT2
locality = Quận 3
state = TP Hồ Chí Minh
country = VN
years = 5
END
chmod 600 "$SMARTCA_PKCS11_CONF"

# keep NAME TEXT: a file for a secret.
keep() {
    printf '%s\n' "$2" >"$HOME_DIR/$1"
    chmod 600 "$HOME_DIR/$1"
}
keep so 87654321
keep pin first-pin
keep issuer issuer-pin
keep password file-password
SO=(--so-pin-file "$HOME_DIR/so")
PIN=(--pin-file "$HOME_DIR/pin")
BY=(--issuer-pin-file "$HOME_DIR/issuer")
PASSWORD=(--out-password-file "$HOME_DIR/password")

# run EXPECTED_STATUS VERB ARGUMENT...: `smartca selfsigned VERB` with the module that is looked at.
run() {
    local expected=$1 status=0
    shift
    "$SMARTCA" selfsigned "$@" "${THROUGH[@]}" >"$out" 2>"$err" </dev/null || status=$?
    [ "$status" = "$expected" ] || fail "selfsigned $* ended with $status, not $expected"
}
fail() {
    echo "FAILED: $*"
    sed 's/^/  out: /' "$out"
    sed 's/^/  err: /' "$err"
    failed=1
}
is() { [ "$2" = "$3" ] || fail "$1: expected '$2', is '$3'"; }
json() { is "$1" "$2" "$(jq -r "$1" "$out")"; }
# error CODE MESSAGE: in JSON on stderr.
error() {
    is "error code" "$1" "$(jq -r .error.code "$err")"
    is "error message" "$2" "$(jq -r .error.message "$err")"
}
# next TEXT: the next step, in JSON on stderr.
next() { is "next step" "$1" "$(jq -r .error.next_step "$err")"; }
says() { grep -qF -- "$2" "$1" || fail "no '$2'"; }
test_case() { echo "== $*"; }
users() { "$SMARTCA" selfsigned list --json "${THROUGH[@]}" | jq -r 'map(select(.kind == "user").user) | unique | join(" ")'; }

# judge USER ANCHOR: exports the certificate and has OpenSSL verify it.
judge() {
    run 0 export --user "$1" --out "$HOME_DIR/$1.pem" --force
    openssl verify -no_check_time -x509_strict -CAfile "$2" "$HOME_DIR/$1.pem" >"$out" 2>"$err" ||
        fail "OpenSSL does not verify $1"
}
field() { openssl x509 -in "$HOME_DIR/$1.pem" -noout -nameopt utf8,sep_comma_plus_space "${@:2}"; }

usage_and_fields() {
    test_case "wrong usage, and each field that is wrong by its name; nothing is created"
    local verb
    for verb in create reissue; do
        run 2 $verb --json
        error usage "--user or --csv is missing"
        run 2 $verb --user an --csv x --json
        error usage "--user and --csv exclude each other"
    done
    run 2 export --json
    error usage "give either --user, or --issued-by: a local issuer's name"
    run 2 export --user an --format jks --json
    error usage "--format is pem, der, p12 or pkcs8"
    run 2 import --user an --json
    error usage "--user or --from is missing"
    run 2 list --expiring soon --json
    error usage "--expiring is a number of days"
    local form=(create --user an --name 'Nguyễn Văn Ánh' "${SO[@]}" "${PIN[@]}" --json)
    local years="years must be a whole number from 1 to 30"
    for value in 0 -1 1.5 31 five; do
        run 1 "${form[@]}" --years=$value
        error invalid "$years"
    done
    run 1 create --user an --json
    error invalid "name is missing"
    next "give --name, or fill the column name"
    run 1 create --user '' --name A --json
    error invalid "user is missing"
    run 1 "${form[@]}" --years ''
    error invalid "years is missing"
    next "give --years, fill its column, or set years in [selfsigned]"
    run 1 "${form[@]}" --country VNM
    error invalid "country must be two letters, such as VN"
    run 1 "${form[@]}" --from 2026-02-30
    error invalid "from must be a day written YYYY-MM-DD, such as 2026-01-31"
    run 1 "${form[@]}" --from 9999-12-31
    error invalid "from must be at most 5 years from now"
    run 1 "${form[@]}" --key rsa:1024
    error invalid "key must be one of rsa:2048, rsa:3072, rsa:4096, ec:p256, ec:p384, ec:p521, ed25519"
    run 1 "${form[@]}" --locality "$(printf 'x%.0s' {1..129})"
    error invalid "locality must have at most 128 characters"
    for verb in reissue export list; do
        run 1 $verb --user nobody --json
        error not_found "user nobody is not known"
    done
    keep short 12345
    run 1 create --user an --name An "${SO[@]}" --pin-file "$HOME_DIR/short" --json
    error invalid "--pin-file: a PIN must have 6 to 64 bytes"
    chmod 644 "$HOME_DIR/short"
    run 1 create --user an --name An "${SO[@]}" --pin-file "$HOME_DIR/short" --json
    next "run chmod 600 on it"
    run 0 list
    says "$err" "there is no self-signed certificate yet; smartca selfsigned create makes one"
    run 1 create --user an --name An --json
    grep -q 'there is no terminal to ask at; --so-pin-file FILE is needed' "$err" || fail "not told: $(cat "$err")"
    is users "" "$(users)"
}

one_user() {
    test_case "one user with the company's defaults"
    run 0 create --user anh.nv --name 'Nguyễn Văn Ánh' --from 2024-02-29 --years 30 "${SO[@]}" "${PIN[@]}" --json
    json '[.user, .result, .not_before, .not_after] | join(" ")' \
        "anh.nv created 2024-02-29T00:00:00Z 2054-02-28T00:00:00Z"
    is "digits of the serial number" 32 "$(jq -r .serial "$out" | tr -d '\n' | wc -c)"
    run 0 export --user anh.nv --out "$HOME_DIR/anh.nv.pem"
    judge anh.nv "$HOME_DIR/anh.nv.pem"
    is subject 'subject=C=VN, ST=TP Hồ Chí Minh, L=Quận 3, O=VNPT Group, OU=VNPT-IT2, CN=Nguyễn Văn Ánh, UID=anh.nv' \
        "$(field anh.nv -subject)"
    is issuer "$(field anh.nv -subject | sed s/subject/issuer/)" "$(field anh.nv -issuer)"
    field anh.nv -ext basicConstraints,keyUsage | tr -d '\n' >"$out"
    says "$out" 'X509v3 Basic Constraints: critical    CA:FALSE'
    says "$out" 'X509v3 Key Usage: critical    Digital Signature, Non Repudiation'
    openssl asn1parse -in "$HOME_DIR/anh.nv.pem" >"$out"
    says "$out" 'UTCTIME           :240229000000Z'
    says "$out" 'GENERALIZEDTIME   :20540228000000Z'
    run 1 create --user anh.nv --name 'Nguyễn Văn Ánh' "${SO[@]}" "${PIN[@]}" --json
    error exists "user anh.nv has a certificate already"
    run 1 export --user anh.nv --out "$HOME_DIR/anh.nv.pem" --json
    error exists "--out $HOME_DIR/anh.nv.pem is there already"
    pkcs11-tool --module "$PATH_OF_MODULE" --token-label anh.nv --login --pin first-pin --list-objects >"$out" 2>"$err"
    says "$out" 'sensitive'
    printf 'Hợp đồng' >"$HOME_DIR/contract"
    pkcs11-tool --module "$PATH_OF_MODULE" --token-label anh.nv --login --pin first-pin --sign --mechanism SHA256-RSA-PKCS \
        --input-file "$HOME_DIR/contract" --output-file "$HOME_DIR/signature" >"$out" 2>"$err"
    openssl x509 -in "$HOME_DIR/anh.nv.pem" -noout -pubkey >"$HOME_DIR/public.pem"
    openssl dgst -sha256 -verify "$HOME_DIR/public.pem" -signature "$HOME_DIR/signature" "$HOME_DIR/contract" >"$out"
}

many_users() {
    test_case "many users from a file: the good lines are kept, the bad ones are told"
    {
        printf '\xef\xbb\xbfNAME,User,issued-By,from,years,key,organization\r\n'
        printf 'Trần Thị Bình,binh.tt,%s,2026-01-01,3,ec:p256,\r\n' "$ISSUER"
        printf 'Lê Văn Cường,cuong.lv,%s,2026-01-01,30,rsa:2048,"Công ty ""A"", B"\r\n' "$ISSUER"
        printf 'Phạm Dung,dung.p,,2026-01-01,0,,\r\n'
        printf 'Đỗ Văn Em,em.dv,,2026-01-01,1,ed25519,\r\n'
        printf 'Khác,binh.tt,,2026-01-01,1,,\r\n'
        printf 'Hồ Giang,giang.h,,%s,5,ec:p384,\r\n' "$(date -u -d '2 years' +%F)"
    } >"$HOME_DIR/users.csv"
    run 1 create --csv "$HOME_DIR/users.csv" "${SO[@]}" "${BY[@]}" --json
    json '[.[].reason] | unique | length' 3
    is users "anh.nv" "$(users)"
    local batch=(create --csv "$HOME_DIR/users.csv" "${SO[@]}" "${BY[@]}")
    run 1 "${batch[@]}" --pins-out "$HOME_DIR/pins.csv" --json
    error incomplete "2 of 6 lines failed"
    json 'map("\(.line) \(.user) \(.result)") | join(",")' \
        "2 binh.tt created,3 cuong.lv created,4 dung.p refused,5 em.dv created,6 binh.tt refused,7 giang.h created"
    json '.[2].reason' "years must be a whole number from 1 to 30"
    json '.[4].reason' "user binh.tt: the same user as line 2"
    is users "anh.nv binh.tt cuong.lv em.dv giang.h" "$(users)"
    is "mode of the PINs" 600 "$(stat -c %a "$HOME_DIR/pins.csv")"
    # Several are made at a time: whose PIN is written first is chance.
    is "lines of the PINs" "user,pin binh.tt cuong.lv em.dv giang.h" "$(sed 's/,[a-hjkmnp-z2-9]\{14\}$//' "$HOME_DIR/pins.csv" |
        { read -r head && echo "$head" && sort; } | tr '\n' ' ' | sed 's/ $//')"

    test_case "run again, nothing is done twice"
    run 1 "${batch[@]}" --pins-out "$HOME_DIR/pins.csv"
    says "$err" "users.csv:4: years must be a whole number from 1 to 30"
    says "$err" "users.csv:6: user binh.tt: the same user as line 2; leave one of the two lines out"
    run 1 "${batch[@]}" --pins-out "$HOME_DIR/pins.csv" --json
    json 'map(.result) | join(" ")' "exists exists refused exists refused exists"
    sed -i '/,0,/s/,0,/,2,/; /Khác/d' "$HOME_DIR/users.csv"
    printf 'name,phone\n' >"$HOME_DIR/other.csv"
    chmod 600 "$HOME_DIR/other.csv"
    run 1 "${batch[@]}" --pins-out "$HOME_DIR/other.csv" --json
    error exists "--pins-out $HOME_DIR/other.csv is there already, and its first line is not user,pin"
    is "the other file" name,phone "$(cat "$HOME_DIR/other.csv")"
    chmod 640 "$HOME_DIR/pins.csv"
    run 1 "${batch[@]}" --pins-out "$HOME_DIR/pins.csv" --json
    error invalid "--pins-out $HOME_DIR/pins.csv is open to others"
    chmod 600 "$HOME_DIR/pins.csv"
    truncate -s -1 "$HOME_DIR/pins.csv" # a disk that was full
    run 0 "${batch[@]}" --pins-out "$HOME_DIR/pins.csv" --json
    json 'map(.result) | join(" ")' "exists exists created exists exists"
    is "users of the PINs" "binh.tt cuong.lv dung.p em.dv giang.h" \
        "$(sed 1d "$HOME_DIR/pins.csv" | cut -d, -f1 | sort | paste -sd' ')"
    is "the newest of the PINs" dung.p "$(tail -n 1 "$HOME_DIR/pins.csv" | cut -d, -f1)"

    test_case "whatever the issuer, OpenSSL verifies every certificate"
    run 0 list --json
    json 'map(select(.kind == "user" and .status == "active")) | length' 5
    json 'map(select(.kind == "issuer") | "\(.user) \(.label) \(.status) \(.expires_soon)") | join(",")' "$ISSUER $ISSUER active false"
    json 'map(select(.user == "giang.h").status) | join(" ")' not_yet_valid
    pkcs11-tool --module "$PATH_OF_MODULE" --token-label binh.tt --read-object --type cert --label "$ISSUER" \
        --output-file "$HOME_DIR/issuer.der" >"$out" 2>"$err"
    openssl x509 -inform DER -in "$HOME_DIR/issuer.der" -out "$HOME_DIR/issuer.pem"
    is "issuer of issuer" "C=VN, O=VNPT Group, CN=$ISSUER" "$(field issuer -issuer | sed s/issuer=//)"
    field issuer -ext basicConstraints,keyUsage | tr -d '\n' >"$out"
    says "$out" 'CA:TRUE, pathlen:0'
    says "$out" 'Certificate Sign, CRL Sign'
    for user in binh.tt cuong.lv; do
        judge $user "$HOME_DIR/issuer.pem"
    done
    field cuong.lv -subject >"$out"
    says "$out" 'O=Công ty "A", B, OU='
    for user in dung.p em.dv giang.h; do
        run 0 export --user $user --out "$HOME_DIR/$user.pem"
        judge $user "$HOME_DIR/$user.pem"
    done

    test_case "a file that is wrong as a whole does nothing"
    printf 'user,nme\nx,X\n' >"$HOME_DIR/bad.csv"
    run 1 create --csv "$HOME_DIR/bad.csv" --json
    error invalid "line 1: unknown column nme"
    printf 'name\nX\n' >"$HOME_DIR/bad.csv"
    run 1 create --csv "$HOME_DIR/bad.csv" --json
    error invalid "line 1: the column user is missing"
    printf 'user,name\nx,"X\n' >"$HOME_DIR/bad.csv"
    run 1 create --csv "$HOME_DIR/bad.csv" --json
    error invalid "$HOME_DIR/bad.csv:2: a quotation mark has no partner"
    run 1 create --csv "$HOME_DIR/none.csv" --json
    error not_found "--csv $HOME_DIR/none.csv: not there"
    printf 'user,name,pin\nlan,Lan\nmai,Mai,12345\n' >"$HOME_DIR/bad.csv"
    run 1 create --csv "$HOME_DIR/bad.csv" "${SO[@]}" --json
    json 'map(.reason) | join("; ")' "the line has 2 fields, the first line has 3; pin must have 6 to 64 bytes"
}

# pin_of USER: the last line counts.
pin_of() {
    sed -n "s/^$1,//p" "$HOME_DIR/pins.csv" | tail -n 1 >"$HOME_DIR/pin-of"
    chmod 600 "$HOME_DIR/pin-of"
    echo "$HOME_DIR/pin-of"
}

reissues() {
    test_case "reissue: new dates and data, the old certificate archived and exportable"
    run 0 list --user binh.tt --json
    local old new
    old=$(jq -r '.[0].serial' "$out")
    local reissue=(reissue --user binh.tt --pin-file "$(pin_of binh.tt)" "${BY[@]}")
    run 0 "${reissue[@]}" --from 2026-06-01 --years 2 --locality 'Quận 1' --json
    json '[.result, .not_before, .not_after] | join(" ")' "reissued 2026-06-01T00:00:00Z 2028-06-01T00:00:00Z"
    new=$(jq -r .serial "$out")
    judge binh.tt "$HOME_DIR/issuer.pem"
    is subject 'C=VN, ST=TP Hồ Chí Minh, L=Quận 1, O=VNPT Group, OU=VNPT-IT2, CN=Trần Thị Bình, UID=binh.tt' \
        "$(field binh.tt -subject | sed s/subject=//)"
    run 0 list --user binh.tt --json
    json 'map("\(.serial) \(.status) \(.key_type)") | sort | join(",")' \
        "$(printf '%s archived ec:p256\n%s active ec:p256\n' "$old" "$new" | sort | paste -sd,)"
    run 0 export --user binh.tt --serial "$old" --json
    jq -r .certificate "$out" >"$HOME_DIR/old.pem"
    is "archived serial" "serial=${old^^}" "$(openssl x509 -in "$HOME_DIR/old.pem" -noout -serial)"
    run 0 export --user binh.tt --serial "${old^^}"
    is "archived serial" "serial=${old^^}" "$(openssl x509 -in "$out" -noout -serial)"
    run 1 export --user binh.tt --serial 1234 --json
    error not_found "user binh.tt has no such certificate"
    run 1 "${reissue[@]}" --key rsa:2048 --json
    error invalid "key can be changed together with --new-key only"
    run 1 reissue --user binh.tt "${PIN[@]}" "${BY[@]}" --json
    error user_auth "PIN of token binh.tt: The password or PIN is incorrect"
    run 1 reissue --user binh.tt "${PIN[@]}" --issuer-pin-file "$HOME_DIR/none" --json
    error user_auth "PIN of token binh.tt: The password or PIN is incorrect"
    run 1 reissue --user binh.tt --pin-file "$(pin_of binh.tt)" "${PIN[@]/#--pin-file/--issuer-pin-file}" --json
    error user_auth "PIN of token $ISSUER: The password or PIN is incorrect"
    run 0 list --user binh.tt --json
    json length 2

    test_case "reissue with a new key keeps the old one, unless it is to be destroyed"
    run 0 "${reissue[@]}" --new-key --key ed25519 --json
    run 0 list --user binh.tt --json
    json 'map(select(.status == "active").key_type) | join(" ")' ed25519
    json 'map(select(.status == "archived")) | length' 2
    judge binh.tt "$HOME_DIR/issuer.pem"
    keys() {
        pkcs11-tool --module "$PATH_OF_MODULE" --token-label binh.tt --login --pin "$(cat "$(pin_of binh.tt)")" \
            --list-objects --type privkey 2>/dev/null | grep -c 'Private Key Object'
    }
    is "private keys" 2 "$(keys)"
    run 0 "${reissue[@]}" --new-key --key ec:p384 --destroy-old-key
    is "private keys" 2 "$(keys)"

    test_case "reissue of many: what is done is not done again"
    {
        printf 'user,pin,from,years\n'
        printf 'em.dv,%s,2026-02-01,4\n' "$(cat "$(pin_of em.dv)")"
        printf 'cuong.lv,%s,2026-02-01,4\n' "$(cat "$(pin_of cuong.lv)")"
        printf 'nobody,123456,2026-02-01,4\n'
        printf 'giang.h,,2026-02-01,4\n'
    } >"$HOME_DIR/again.csv"
    run 1 reissue --csv "$HOME_DIR/again.csv" "${BY[@]}" --json
    json 'map(.result) | join(" ")' "reissued reissued refused refused"
    json '.[2].reason' "user nobody is not known"
    json '.[3].reason' "pin is missing"
    run 1 reissue --csv "$HOME_DIR/again.csv" "${BY[@]}" --json
    json 'map(.result) | join(" ")' "exists exists refused refused"
    run 0 list --user em.dv --json
    json 'map(.status) | sort | join(" ")' "active archived"
}

in_and_out() {
    test_case "a key leaves the token only if it was made so"
    local pkcs12=(--format p12 "${PASSWORD[@]}")
    run 1 export --user anh.nv --out "$HOME_DIR/anh.p12" "${PIN[@]}" "${pkcs12[@]}" --json
    error not_permitted "the private key does not leave its token"
    run 1 export --user anh.nv --out "$HOME_DIR/anh.p12" "${PIN[@]}" --format p12 --json
    error not_permitted "the private key does not leave its token"
    [ ! -e "$HOME_DIR/anh.p12" ] || fail "a file was left"
    local key
    for key in rsa:2048 ec:p256 ec:p384 ec:p521 ed25519; do
        local user=out.${key//:/.}
        run 0 create --user "$user" --name 'Đặng Thị Hoa' --issued-by "$ISSUER" --key $key --exportable "${SO[@]}" "${PIN[@]}" "${BY[@]}"
        run 0 export --user "$user" --out "$HOME_DIR/$user.p12" "${PIN[@]}" "${pkcs12[@]}" --json
        json '[.user, .format, .file] | join(" ")' "$user p12 $HOME_DIR/$user.p12"
        is "mode of the key" 600 "$(stat -c %a "$HOME_DIR/$user.p12")"
        openssl pkcs12 -in "$HOME_DIR/$user.p12" -passin "file:$HOME_DIR/password" -nodes >"$HOME_DIR/$user.all" 2>"$err"
        is "certificates in the file" 2 "$(grep -c BEGIN.CERTIFICATE "$HOME_DIR/$user.all")"
        run 0 export --user "$user" --out "$HOME_DIR/$user.p8" --format pkcs8 "${PIN[@]}" "${PASSWORD[@]}"
        says "$HOME_DIR/$user.p8" 'BEGIN ENCRYPTED PRIVATE KEY'
        openssl pkey -in "$HOME_DIR/$user.p8" -passin "file:$HOME_DIR/password" -pubout >"$HOME_DIR/public.pem"
        run 0 export --user "$user" --out "$HOME_DIR/$user.pem"
        is "public key of $user" "$(openssl x509 -in "$HOME_DIR/$user.pem" -noout -pubkey)" "$(cat "$HOME_DIR/public.pem")"
    done

    test_case "an issuer's certificate goes out for whoever is to trust it, its key does not"
    run 0 export --issued-by "$ISSUER" --out "$HOME_DIR/trusted.pem" --json
    json '[.issuer, .format, .file] | join(" ")' "$ISSUER pem $HOME_DIR/trusted.pem"
    openssl verify -x509_strict -CAfile "$HOME_DIR/trusted.pem" "$HOME_DIR/$user.pem" >"$out" 2>&1 || fail "$user.pem is not trusted by it"
    run 1 export --issued-by 'Nobody CA' --json
    error not_found "there is no local issuer Nobody CA with such a certificate"
    run 2 export --issued-by "$ISSUER" --format p12 --out "$HOME_DIR/issuer.p12" --json
    error usage "an issuer's key does not leave its token"
    run 2 export --issued-by "$ISSUER" --user "$user" --json
    error usage "give either --user, or --issued-by: a local issuer's name"

    test_case "import from PKCS#12 and PEM, and out again"
    run 1 import --user someone --from "$HOME_DIR/out.rsa.2048.p12" --password-file "$HOME_DIR/password" "${SO[@]}" "${PIN[@]}" --json
    error invalid "user: the certificate is of user out.rsa.2048"
    run 1 import --user out.ec.p256 --from "$HOME_DIR/out.ec.p256.p12" --password-file "$HOME_DIR/password" "${SO[@]}" "${PIN[@]}" --json
    error exists "user out.ec.p256 has this certificate already"
    run 1 import --user someone --from "$HOME_DIR/out.ec.p256.p12" --password-file "$HOME_DIR/so" "${SO[@]}" "${PIN[@]}" --json
    error invalid "the file has no private key that the password opens"
    run 1 import --user someone --from "$HOME_DIR/out.ec.p256.p8" --password-file "$HOME_DIR/password" "${SO[@]}" "${PIN[@]}" --json
    error invalid "the file has no certificate of its private key"
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$HOME_DIR/key.pem" 2>"$err"
    openssl req -x509 -new -key "$HOME_DIR/key.pem" -subj '/C=VN/CN=Bùi Thị Kim' -utf8 -days 40 -out "$HOME_DIR/own.pem"
    cat "$HOME_DIR/key.pem" "$HOME_DIR/own.pem" >"$HOME_DIR/both.pem"
    run 1 import --user someone --from "$HOME_DIR/own.pem" "${SO[@]}" "${PIN[@]}" --json
    error invalid "the file has no private key, only certificates"
    run 1 import --user someone --from "$HOME_DIR/contract" --password-file "$HOME_DIR/password" "${SO[@]}" "${PIN[@]}" --json
    error invalid "the file is neither PEM nor PKCS#12"

    test_case "nobody's certificate comes under another person's PIN by a slip"
    run 1 import --user anh.nv --from "$HOME_DIR/both.pem" "${PIN[@]}" --json
    error exists "user: the token anh.nv is of Nguyễn Văn Ánh, the certificate is of Bùi Thị Kim"
    run 1 import --user "$ISSUER" --from "$HOME_DIR/both.pem" "${PIN[@]}" --json
    error exists "user: there is a token of somebody else with the label $ISSUER"
    run 0 import --user anh.nv --from "$HOME_DIR/both.pem" "${PIN[@]}" --force --json
    json .result imported

    test_case "a file of an old program says how to convert it"
    if openssl pkcs12 -export -legacy -in "$HOME_DIR/both.pem" -out "$HOME_DIR/old.p12" -passout "file:$HOME_DIR/password" 2>"$err"; then
        run 1 import --user old --from "$HOME_DIR/old.p12" --password-file "$HOME_DIR/password" "${SO[@]}" "${PIN[@]}" --json
        error unsupported "the file is encrypted in an obsolete way (RC2 or RC4)"
        next "openssl pkcs12 -legacy -in OLD.p12 -out NEW.pem, then import NEW.pem"
        cp "$HOME_DIR/password" "$HOME_DIR/password.new"
        openssl pkcs12 -legacy -in "$HOME_DIR/old.p12" -out "$HOME_DIR/new.pem" \
            -passin "file:$HOME_DIR/password" -passout "file:$HOME_DIR/password.new"
        run 0 import --user old --from "$HOME_DIR/new.pem" --password-file "$HOME_DIR/password" "${SO[@]}" "${PIN[@]}" --json
        json .result imported
    else
        echo "skipped: this OpenSSL has no legacy provider"
    fi

    test_case "every kind of key comes in and goes out"
    local type
    for type in 'RSA -pkeyopt rsa_keygen_bits:2048' 'EC -pkeyopt ec_paramgen_curve:P-256' 'EC -pkeyopt ec_paramgen_curve:P-384' ED25519; do
        user=in.$RANDOM$RANDOM
        # shellcheck disable=SC2086 # several words
        openssl genpkey -algorithm $type -out "$HOME_DIR/key.pem" 2>"$err"
        openssl req -x509 -new -key "$HOME_DIR/key.pem" -subj '/C=VN/CN=Bùi Thị Kim' -utf8 -days 20 -out "$HOME_DIR/own.pem"
        cat "$HOME_DIR/key.pem" "$HOME_DIR/own.pem" >"$HOME_DIR/both.pem"
        run 0 import --user "$user" --from "$HOME_DIR/both.pem" --exportable "${SO[@]}" "${PIN[@]}" --json
        json .result imported
        run 0 list --user "$user" --json
        json '[.[0].status, .[0].expires_soon, .[0].user] | join(" ")' "active true $user"
        run 0 export --user "$user" --out "$HOME_DIR/$user.p12" "${PIN[@]}" "${pkcs12[@]}"
        openssl pkcs12 -in "$HOME_DIR/$user.p12" -passin "file:$HOME_DIR/password" -nodes -nocerts 2>"$err" | openssl pkey -out "$HOME_DIR/back.pem"
        is "the key of $user" "$(openssl pkey -in "$HOME_DIR/key.pem")" "$(cat "$HOME_DIR/back.pem")"
    done
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out "$HOME_DIR/key.pem" 2>"$err"
    openssl req -x509 -new -key "$HOME_DIR/key.pem" -subj '/CN=x' -out "$HOME_DIR/own.pem"
    cat "$HOME_DIR/key.pem" "$HOME_DIR/own.pem" >"$HOME_DIR/both.pem"
    run 1 import --user weak --from "$HOME_DIR/both.pem" "${SO[@]}" "${PIN[@]}" --json
    error unsupported "the key is none of rsa:2048, rsa:3072, rsa:4096, ec:p256, ec:p384, ec:p521, ed25519"
}

rest() {
    test_case "names that would share a token, and issuers that are people"
    local long=nguyen-thi-hoang-anh.phong-ky-thuat
    run 0 create --user $long-1 --name 'Một' "${SO[@]}" "${PIN[@]}"
    run 1 create --user $long-2 --name 'Hai' "${SO[@]}" "${PIN[@]}" --json
    error exists "user: there is a token of somebody else with the label ${long:0:32}"
    printf 'user,name,pin,key\n%s,X,123456,ec:p256\n%s,Y,123456,ec:p256\n' x-$long-1 x-$long-2 >"$HOME_DIR/twins.csv"
    run 1 create --csv "$HOME_DIR/twins.csv" "${SO[@]}" --json
    json '.[1].reason' "user x-$long-2 has the same token as line 2, user x-$long-1"
    run 1 create --user "$ISSUER" --name 'Ba' "${SO[@]}" "${PIN[@]}" --json
    error exists "user: there is a token of somebody else with the label $ISSUER"
    run 1 create --user khoa --name 'Khoa' --issued-by anh.nv "${SO[@]}" "${PIN[@]}" --issuer-pin-file "$HOME_DIR/pin" --json
    error exists "issued_by: there is a token of somebody else with the label of anh.nv"

    test_case "an issuer that would end before what it issues is renewed under the same name and key"
    run 0 create --user late --name 'Muộn' --issued-by "$ISSUER" --from 2030-01-01 --years 30 --key ec:p256 "${SO[@]}" "${PIN[@]}" "${BY[@]}"
    says "$err" "the local issuer $ISSUER has a new certificate, of the same key, until 2060-01-01T00:00:00Z: give it to those who verify"
    pkcs11-tool --module "$PATH_OF_MODULE" --token-label "$ISSUER" --read-object --type cert --label "$ISSUER" \
        --output-file "$HOME_DIR/issuer.der" >"$out" 2>"$err"
    openssl x509 -inform DER -in "$HOME_DIR/issuer.der" -out "$HOME_DIR/renewed.pem"
    is "end of the issuer" "notAfter=Jan  1 00:00:00 2060 GMT" "$(field renewed -enddate)"
    is "key of the issuer" "$(field issuer -pubkey)" "$(field renewed -pubkey)"
    for user in late binh.tt cuong.lv; do
        run 0 export --user $user --out "$HOME_DIR/$user.pem" --force
        judge $user "$HOME_DIR/renewed.pem"
    done

    test_case "no second issuer is made of a name whose key is lost, unless somebody says so"
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$HOME_DIR/ca.key" -out "$HOME_DIR/ca.pem" -subj '/CN=Old CA' -days 40 2>"$err"
    openssl req -newkey rsa:2048 -nodes -keyout "$HOME_DIR/key.pem" -out "$HOME_DIR/csr.pem" -subj '/CN=Lan' 2>"$err"
    openssl x509 -req -in "$HOME_DIR/csr.pem" -CA "$HOME_DIR/ca.pem" -CAkey "$HOME_DIR/ca.key" -CAcreateserial -days 40 \
        -out "$HOME_DIR/own.pem" 2>"$err"
    cat "$HOME_DIR/key.pem" "$HOME_DIR/own.pem" "$HOME_DIR/ca.pem" >"$HOME_DIR/both.pem"
    run 0 import --user lan --from "$HOME_DIR/both.pem" "${SO[@]}" "${PIN[@]}"
    local under=(--name Mai --issued-by 'Old CA' --key ec:p256 "${SO[@]}" "${PIN[@]}" "${BY[@]}")
    run 1 create --user mai "${under[@]}" --json
    error exists "issued_by: token lan has a certificate of issuer Old CA, whose key is not here"
    next "restore the issuer's token from a backup, choose another name, or make a new issuer of that name with --force"
    run 1 list --user mai --json
    error not_found "user mai is not known"
    run 0 create --user mai "${under[@]}" --force
    run 0 create --user mia "${under[@]}"

    test_case "what ends within a time"
    run 0 list --expiring 25 --json
    json 'map(.user | startswith("in.")) | unique | join(" ")' true
    run 0 list --expiring 99999 --json
    json 'map(select(.kind == "issuer").label) | index("'"$ISSUER"'") != null' true
    run 0 list --expiring 0 --json
    json length 0
    run 0 list --expiring 0
    says "$err" "no certificate ends within 0 days"
    run 0 list --expiring 1
    says "$err" "no certificate ends within 1 day"

    test_case "slots shows the tokens"
    "$SMARTCA" slots --json "${THROUGH[@]}" >"$out" 2>"$err"
    json 'map(select(.state == "uninitialized")) | length' 1
    json 'map(select(.label == "anh.nv") | "\(.state) \(.key_type) \(.login_required) \(.account)") | join(",")' "ready rsa:2048 true null"
    ! grep -rqE 'first-pin|issuer-pin|file-password|87654321' "$out" "$err" || fail "a secret is shown"
}

# rows FILE: the lines of a CSV file under its header, 0 while there is none.
rows() { grep -vc '^user,' "$1" 2>/dev/null || true; }

# killed_after SECONDS VERB ARGUMENT...: it may be faster.
killed_after() {
    local seconds=$1
    shift
    (timeout -s KILL "$seconds" "$SMARTCA" selfsigned "$@" "${THROUGH[@]}" >"$out" </dev/null || true) 2>/dev/null
}

interrupted() {
    test_case "a run that is interrupted finishes the user in hand; the next one does the rest"
    local status=0 pid i
    {
        echo 'user,name,key'
        for i in {1..9}; do echo "many$i,Người $i,ec:p256"; done
    } >"$HOME_DIR/many.csv"
    "$SMARTCA" selfsigned create --csv "$HOME_DIR/many.csv" "${SO[@]}" --pins-out "$HOME_DIR/many-pins.csv" --json \
        "${THROUGH[@]}" >"$out" 2>"$err" &
    pid=$!
    until [ "$(rows "$HOME_DIR/many-pins.csv")" -ge 1 ] 2>/dev/null || ! kill -0 $pid 2>/dev/null; do :; done
    kill -INT $pid 2>/dev/null || true
    wait $pid || status=$?
    is "status" "$([ "$(jq 'map(select(.result != "created")) | length' "$out")" = 0 ] && echo 0 || echo 1)" "$status"
    json 'map(select(.result != "created") | "\(.result) \(.reason)") | unique | join(",") | . == "" or . == "failed the run was ended before"' true
    is "PINs of those that are there" "$(jq 'map(select(.result == "created")) | length' "$out")" "$(rows "$HOME_DIR/many-pins.csv")"
    run 0 create --csv "$HOME_DIR/many.csv" "${SO[@]}" --pins-out "$HOME_DIR/many-pins.csv" --json
    json 'map(.result == "created" or .result == "exists") | all' true
    run 0 list --json
    json 'map(select(.user | startswith("many"))) | length' 9

    test_case "whenever it is killed, no user is left without a certificate, and a new run completes it"
    printf 'user,from,years\n' >"$HOME_DIR/killed.csv"
    for i in {1..3}; do
        run 0 create --user "kill$i" --name "Người $i" --key ec:p256 "${SO[@]}" "${PIN[@]}"
        echo "kill$i,2026-03-01,2" >>"$HOME_DIR/killed.csv"
    done
    for i in 0.05 0.15 0.3 0.45 0.6 0.8 1; do
        killed_after $i reissue --csv "$HOME_DIR/killed.csv" "${PIN[@]}"
        run 0 list --json
        json 'map(select(.user | startswith("kill")) | select(.status == "active") | .user) | unique | length' 3
    done
    run 0 reissue --csv "$HOME_DIR/killed.csv" "${PIN[@]}" --json
    run 0 list --json
    json 'map(select(.user | startswith("kill")) | select(.status == "active") | .not_before) | join(" ")' \
        "2026-03-01T00:00:00Z 2026-03-01T00:00:00Z 2026-03-01T00:00:00Z"
    for i in 1 2 3; do
        killed_after 0.$((2 * i)) create --user "half$i" --name "Người $i" --key ec:p256 "${SO[@]}" "${PIN[@]}"
        "$SMARTCA" selfsigned create --user "half$i" --name "Người $i" --key ec:p256 "${SO[@]}" "${PIN[@]}" "${THROUGH[@]}" \
            >"$out" 2>"$err" </dev/null || says "$err" "user half$i has a certificate already"
    done
    is "halves" "half1 half2 half3" "$(users | tr ' ' '\n' | grep half | paste -sd' ')"

    test_case "a bar on a terminal shows how far it is"
    script -qec "$SMARTCA selfsigned create --csv $HOME_DIR/many.csv ${SO[*]} --pins-out $HOME_DIR/many-pins.csv ${THROUGH[*]}" \
        /dev/null </dev/null >"$out" 2>"$err" || fail "a run with nothing to do failed"
    ! grep -qF '9/9' "$out" || fail "there was nothing to do"
    rm "$HOME_DIR/many-pins.csv"
    sed -i 's/many/more/' "$HOME_DIR/many.csv"
    script -qec "$SMARTCA selfsigned create --csv $HOME_DIR/many.csv ${SO[*]} --pins-out $HOME_DIR/many-pins.csv ${THROUGH[*]}" \
        /dev/null </dev/null >"$out" 2>"$err" || fail "it did not end well"
    says "$out" '[########################################] 9/9'
    rm -f "$HOME_DIR/many-pins.csv"
}

# typed EXPECTED_STATUS "ANSWER..." ARGUMENT...: at a terminal; what it shows is in $out.
typed() {
    local expected=$1 answers=$2 status=0
    shift 2
    # shellcheck disable=SC2086 # several answers
    python3 tests/integration/answer.py $answers -- "$SMARTCA" selfsigned "$@" >"$out" 2>"$err" || status=$?
    [ "$status" = "$expected" ] || fail "selfsigned $* with $answers ended with $status, not $expected"
}
times() { is "times of '$2'" "$1" "$(grep -cF -- "$2" "$out" || true)"; }

prompts() {
    test_case "an interrupted prompt ends the tool, as a signal does"
    typed 254 "^C" create --user interrupted --name Interrupted --key ec:p256
    grep -q 'half a PIN' "$out" && fail "what was typed is seen"

    test_case "nor is an interruption lost between the prompt and the wait for an answer"
    local status=0
    timeout 60 python3 tests/integration/answer.py "^C" -- \
        /usr/bin/strace -o /dev/null -e trace=write -e inject=write:delay_exit=200000 \
        "$SMARTCA" selfsigned create --user interrupted --name Interrupted --key ec:p256 >"$out" 2>"$err" || status=$?
    is "the tool's status" 254 "$status"

    test_case "a new PIN that is too short or mistyped is asked for again, three times at most"
    local form=(create --user typed --name Typed --key ec:p256)
    typed 1 "12345 54321 4321" "${form[@]}"
    times 0 "The same again"
    times 3 "a PIN must have 6 to 64 bytes"
    times 1 "smartca: SO PIN of the tokens (6 to 64 bytes): a PIN must have 6 to 64 bytes"
    typed 1 "123456 1 123456 2 123456 3" "${form[@]}"
    times 3 "the two are not the same"
    times 0 "--so-pin-file"
    run 1 list --user typed --json
    error not_found "user typed is not known"
    typed 0 "1 123456 12345x 123456 123456 typed-pin typed-pin" "${form[@]}" --exportable
    times 1 "a PIN must have 6 to 64 bytes"
    times 1 "the two are not the same"
    times 1 "New PIN of the user (6 to 64 bytes):"

    test_case "a PIN that there is already is asked for once, and a password only for a key that leaves"
    typed 1 "wrong-pin" reissue --user typed
    times 1 "PIN of the user:"
    times 1 "PIN of token typed"
    typed 1 "wrong-pin" reissue --user typed --issued-by 'Old CA'
    times 0 "PIN of the local issuer"
    typed 1 "first-pin" export --user anh.nv --format p12 --out "$HOME_DIR/typed.p12"
    times 0 "Password of the new file"
    typed 0 "typed-pin pw pw" export --user typed --format p12 --out "$HOME_DIR/typed.p12"
    times 1 "Password of the new file:"
}

locked() {
    test_case "a locked PIN is no state, but it is told, with what unlocks it"
    run 0 create --user stuck --name Stuck --key ec:p256 "${SO[@]}" "${PIN[@]}"
    local i pin unlock=(pkcs11-tool --module "$MODULE" --token-label stuck --login --login-type so --init-pin)
    signing() { # by the manual's own words
        "$SMARTCA" slots --json | jq -r '.[] | select(.state == "ready" and .key_type != null and .pin != "locked") | .label'
    }
    is "stuck may sign" 1 "$(signing | grep -cx stuck)"
    for i in 0 1 2 3 4 5 6 7 8 9; do
        case $i in 0) pin=ok ;; 9) pin=final_try ;; *) pin=wrong_pins ;; esac
        is "PIN after $i wrong ones" $pin "$("$SMARTCA" slots --json | jq -r '.[] | select(.label == "stuck").pin')"
        if [ $i = 1 ] || [ $i = 9 ]; then
            "$SMARTCA" doctor --json >"$out" 2>"$err" || fail "doctor fails"
            json 'map(select(.detail | startswith("stuck: ")) | "\(.result) \(.detail)") | join(",")' \
                "warn stuck: $([ $i = 1 ] && echo wrong PINs were tried since the last right one || echo one more wrong PIN locks it)"
        fi
        ! pkcs11-tool --module "$MODULE" --token-label stuck --login --pin "wrong-pin-$i" --list-objects >"$out" 2>&1 ||
            fail "a wrong PIN is taken"
    done
    "$SMARTCA" slots --json >"$out" 2>"$err"
    json 'map(select(.label == "stuck") | "\(.state) \(.login_required) \(.pin) \(keys | length)") | join(",")' \
        "ready true locked 12"
    is "stuck may sign" 0 "$(signing | grep -cx stuck || true)"
    ! "$SMARTCA" sign "$HOME_DIR/so" --slot stuck "${PIN[@]}" --json >"$out" 2>"$err" || fail "a locked token signs"
    error pin_locked "the PIN of slot stuck is locked"
    next "its SO PIN unlocks it: pkcs11-tool --module $MODULE --token-label 'stuck' --login --login-type so --init-pin"
    "$SMARTCA" slots >"$out" 2>"$err"
    says "$err" "stuck: the PIN is locked; its SO PIN unlocks it: pkcs11-tool --module $MODULE --token-label 'stuck' --login --login-type so --init-pin"
    is "LOGIN of stuck" locked "$(awk '$4 == "stuck" { print $8 }' "$out")"
    is "LOGIN of mai" yes "$(awk '$4 == "mai" { print $8 }' "$out")"
    ! "$SMARTCA" doctor --json >"$out" 2>"$err" || fail "doctor is content"
    json 'map(select(.result == "fail") | .detail) | join(",")' "stuck: its PIN is locked, nobody can sign"
    json 'map(select(.result == "fail") | .next_step | endswith("--login --login-type so --init-pin")) | join(",")' true
    run 1 export --user stuck --out "$HOME_DIR/stuck.p12" --format p12 "${PIN[@]}" --json
    error user_auth "PIN of token stuck: The password or PIN is locked"
    "${unlock[@]}" --so-pin 87654321 --new-pin first-pin >"$out" 2>"$err" || fail "it is not unlocked"
    "$SMARTCA" slots >"$out" 2>"$err"
    is "stderr" "" "$(cat "$err")"
}

bare() {
    test_case "a token without a key, and a local issuer's, sign nothing: what is the matter is told"
    local key="smartca selfsigned create --user 'bare' --name NAME makes a key and its certificate"
    pkcs11-tool --module "$MODULE" --slot "$("$SMARTCA" slots --json | jq '.[] | select(.state == "uninitialized").slot_id')" \
        --init-token --label bare --so-pin 87654321 >"$out" 2>"$err" || fail "no token"
    "$SMARTCA" slots --json >"$out" 2>"$err"
    json '.[] | select(.label == "bare") | "\(.state) \(.key_type) \(.pin)"' "ready null not_set"
    ! "$SMARTCA" sign "$HOME_DIR/so" --slot bare "${PIN[@]}" --json >"$out" 2>"$err" || fail "it signs without a key"
    error not_found "slot bare has no key yet"
    next "$key"
    "$SMARTCA" doctor --json >"$out" 2>"$err" || fail "doctor fails"
    json '.[] | select(.detail | startswith("bare: ")) | "\(.result) \(.detail) \(.next_step)"' "warn bare: it has no key yet $key"
    run 0 create --user bare --name Bare --key ec:p256 "${SO[@]}" "${PIN[@]}"
    "$SMARTCA" slots --json >"$out" 2>"$err"
    json '.[] | select(.label == "bare") | "\(.state) \(.key_type) \(.pin)"' "ready ec:p256 ok"
    "$SMARTCA" sign "$HOME_DIR/so" --slot bare "${PIN[@]}" --out-dir "$HOME_DIR" --force >"$out" 2>"$err" || fail "it does not sign"
    ! "$SMARTCA" sign "$HOME_DIR/password" --slot "$ISSUER" "${PIN[@]}" --json >"$out" 2>"$err" || fail "an issuer signs a document"
    error unsupported "slot $ISSUER is a local issuer's: it signs certificates, not documents"
    ! "$SMARTCA" sign "$HOME_DIR/pin" "${PIN[@]}" --json >"$out" 2>"$err" || fail "one of several signs"
    says "$err" '"code":	"ambiguous"'
    ! grep -qF "$ISSUER" "$err" || fail "an issuer is offered"
}

folders() {
    test_case "a folder in which nothing can be read or written is named by all that need it"
    local state=$XDG_STATE_HOME/smartca-pkcs11 told verb
    # looked_at FOLDER TEXT CHECK
    looked_at() {
        told="$1 $2"
        run 1 create --user x --name X "${SO[@]}" "${PIN[@]}" --json
        error io "$told"
        run 1 import --user x --from "$HOME_DIR/both.pem" "${SO[@]}" "${PIN[@]}" --json
        error io "$told"
        ! "$SMARTCA" slots --json >"$out" 2>"$err" || fail "slots are shown as if there were no more"
        error io "$told"
        ! "$SMARTCA" doctor --json >"$out" 2>"$err" || fail "doctor is content"
        json "map(select(.result == \"fail\" and .check == \"$3\").detail) | join(\",\")" "$told"
    }
    chmod 755 "$state/tokens"
    looked_at "$state/tokens" "is open to other users" tokens
    chmod 700 "$state/tokens"
    mv "$state/tokens" "$state/away"
    touch "$state/tokens"
    looked_at "$state/tokens" "is no folder" tokens
    rm "$state/tokens"
    mv "$state/away" "$state/tokens"
    if [ "$(id -u)" = 0 ]; then
        echo "skipped: root may read and write everything"
    else
        chmod 500 "$state/tokens"
        run 1 create --user x --name X "${SO[@]}" "${PIN[@]}" --json
        error io "$state/tokens cannot be read and written by its own user"
        chmod 700 "$state/tokens"
        chmod 0 "$state"
        looked_at "$state" "cannot be read and written by its own user" state
        chmod 700 "$state"
    fi
    run 0 list
}

story() {
    usage_and_fields
    one_user
    many_users
    reissues
    in_and_out
    interrupted
    rest
}

if [ -e "$SOFTHSM" ]; then
    echo "==== through SoftHSM2"
    mkdir "$HOME_DIR/softhsm"
    export SOFTHSM2_CONF=$HOME_DIR/softhsm.conf
    printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$HOME_DIR/softhsm" >"$SOFTHSM2_CONF"
    THROUGH=(--module "$SOFTHSM")
    PATH_OF_MODULE=$SOFTHSM
    # It leaks with Ed25519, which is not our fault to report.
    sanitizer=${ASAN_OPTIONS-}
    export ASAN_OPTIONS=$sanitizer${sanitizer:+:}detect_leaks=0
    story
    export ASAN_OPTIONS=$sanitizer
    rm -f "$HOME_DIR"/*.pem "$HOME_DIR"/*.p12 "$HOME_DIR"/*.p8 "$HOME_DIR"/pins.csv
else
    echo "skipped: there is no SoftHSM2"
fi
echo "==== through our own module"
THROUGH=()
PATH_OF_MODULE=$MODULE
story
"$SMARTCA" slots --json >"$out" 2>"$err"
json 'map(.kind) | unique | join(" ")' selfsigned
prompts
locked
bare
folders
exit $failed
