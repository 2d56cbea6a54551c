# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2153,SC2154 # the variables are the caller's
# Stores to measure with: each a folder with a configuration and a token "bench" for SoftHSM2 and for our
# module. Needs BUILD, MODULE, softhsm and HOME_DIR. Cloned, not filled: README.md.

STORES=$BUILD/bench-stores
STORE_SO_PIN=12345678
STORE_PIN=123456

hex() { printf '%s' "$1" | od -An -tx1 | tr -d ' \n'; }
store_tool() { pkcs11-tool "$@" >"$HOME_DIR/tool.log" 2>&1 || { cat "$HOME_DIR/tool.log" >&2; return 1; }; }

# The certificate whose numbers are replaced in the copies.
store_certificate() {
    [ ! -f "$HOME_DIR/certificate.der" ] || return 0
    openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -days 3650 -outform DER \
        -subj "/C=VN/O=bench/CN=bench holder 00000" -out "$HOME_DIR/certificate.der" 2>/dev/null
}

# store_token MODULE_PATH: a token with PIN and certificate in the empty slot.
store_token() {
    local slot
    slot=$(pkcs11-tool --module "$1" --list-slots | awk '/^Slot /{gsub(/[():]/, ""); id=$3} /uninitialized/{print id; exit}')
    store_tool --module "$1" --init-token --slot "$slot" --label bench --so-pin $STORE_SO_PIN
    store_tool --module "$1" --token-label bench --init-pin --login --login-type so --so-pin $STORE_SO_PIN --new-pin $STORE_PIN
    store_tool --module "$1" --token-label bench --login --pin $STORE_PIN --write-object "$HOME_DIR/certificate.der" \
        --type cert --id "$(hex 'bench number 00000')" --label 'bench label 00000'
}

# store_keys MODULE_PATH: with the certificate five objects.
store_keys() {
    local id=1 type
    for type in rsa:2048 EC:prime256v1; do
        store_tool --module "$1" --token-label bench --login --pin $STORE_PIN --keypairgen --key-type $type --id 0$id
        id=$((id + 1))
    done
}

# store_raw_keys DIR: those that raw OpenSSL signs with.
store_raw_keys() {
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1/rsa.pem" 2>/dev/null
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1/ec.pem"
}

# stores_make NAME: keys, slots, or a number of certificates.
stores_make() {
    local name=$1 dir=$STORES/$1 tool=$BUILD/tests/bench/bench-stores
    [ ! "$dir/made" -nt "$MODULE" ] || [ ! "$dir/made" -nt "$tool" ] || return 0
    [ "$name" != slots ] || stores_make 10
    echo "# making the store $name" >&2
    rm -rf "$dir"
    mkdir -p "$dir/tokens"
    printf 'directories.tokendir = %s\n' "$dir/tokens" >"$dir/softhsm2.conf"
    printf '[module]\nstate_dir = %s\n' "$dir/state" >"$dir/smartca.conf"
    chmod 600 "$dir/smartca.conf"
    if [ "$name" = slots ]; then
        "$tool" slots "$STORES/template/state" "$dir/state" 10000
    else
        store_certificate
        store_fill "$name" "$dir" "$tool"
    fi
    touch "$dir/made"
}

# store_fill NAME DIR TOOL
store_fill() {
    (
        export SOFTHSM2_CONF=$2/softhsm2.conf SMARTCA_PKCS11_CONF=$2/smartca.conf
        local module
        for module in "$softhsm" "$MODULE"; do
            store_token "$module"
            [ "$1" != keys ] || store_keys "$module"
        done
        if [ "$1" = keys ]; then
            store_raw_keys "$2"
            return 0
        fi
        if [ ! -d "$STORES/template" ] || [ "$MODULE" -nt "$STORES/template" ]; then
            rm -rf "$STORES/template"
            cp -r "$2" "$STORES/template"
            touch "$STORES/template"
        fi
        "$3" softhsm "$(dirname "$(find "$2/tokens" -name token.object)")" "$1"
        "$3" local "$2/state" "$1"
    )
}
