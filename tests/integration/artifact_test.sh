#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the finished files look like: exports, libraries, hardening, layers, headers.
#   artifact_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$1
module=$build/module/libsmartca-pkcs11.so
remote=$build/module/smartca-remote.so
failed=0

# check WHAT EXPECTED ACTUAL
check() {
    if [ "$2" = "$3" ]; then
        echo "ok: $1"
    else
        printf 'FAILED: %s\n--- expected\n%s\n--- is\n%s\n' "$1" "$2" "$3"
        failed=1
    fi
}

exports() { nm -D --defined-only "$1" | awk '{ print $3 }' | sed 's/@.*//' | sort; }
needed() { readelf -d "$1" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -v 'san\|ld-linux' | sort; }

check "the module exports the three entry points of Cryptoki and nothing else" \
    "$(printf '%s\n' C_GetFunctionList C_GetInterface C_GetInterfaceList)" "$(exports "$module")"
check "the network half exports its table and nothing else" smartca_remote "$(exports "$remote")"
check "the module needs libcrypto and the INI parser, and no network library" \
    "$(printf '%s\n' libc.so.6 libcrypto.so.3 libinih.so.1)" "$(needed "$module")"
check "the network half uses the OpenSSL flavour of libcurl" libcurl.so.4 \
    "$(needed "$remote" | grep curl)"

# What changes the process, or libraries that the host uses as well; signals and _exit are for the command that
# on_confirm names, in its own process. "_chk" is what the compiler makes of the same.
guests=$(printf '|%s' curl_global_cleanup curl_global_sslset curl_global_init_mem curl_global_trace cJSON_InitHooks \
    CRYPTO_set_mem_functions CRYPTO_secure_malloc_init OPENSSL_cleanup OPENSSL_config 'CONF_modules_[a-z_]*' 'ENGINE_[a-z_]*' \
    'EVP_set_default[a-z_]*' EVP_default_properties_enable_fips OSSL_PROVIDER_set_default_search_path RAND_set_rand_method \
    setlocale uselocale umask chdir fchdir setenv putenv unsetenv clearenv openlog closelog setlogmask \
    srand srandom prctl setrlimit setpriority fesetround fesetenv signal sigvec alarm setitimer \
    pthread_create thrd_create fork vfork exit quick_exit abort atexit on_exit at_quick_exit \
    printf puts putchar perror fprintf vfprintf vprintf fputs fputc fwrite psignal err warn)
for file in "$module" "$remote"; do
    check "$(basename "$file") uses nothing that changes the host" "" \
        "$(nm -D --undefined-only "$file" | awk '{ print $NF }' | sed 's/@.*//; s/^__\(.*\)_chk$/\1/' |
            grep -xE "${guests#|}|stdout|stderr" || true)"
done

# It only asks whether libcurl, which does not ask for privileges, would read a variable.
check "variables are read with secure_getenv, but for one" remote/http/engine.c \
    "$(grep -rlw --include='*.c' --exclude-dir=cli getenv module remote)"

for file in "$module" "$remote"; do
    name=$(basename "$file")
    flags=$(readelf -d "$file" | sed -n 's/.*FLAGS_1.*Flags: //p')
    check "$name stays loaded and is bound at once" "yes" \
        "$([[ $flags == *NOW* && $flags == *NODELETE* ]] && echo yes || echo "$flags")"
    check "$name has read-only relocations" 1 "$(readelf -lW "$file" | grep -c GNU_RELRO)"
    check "$name has no executable stack" "RW" \
        "$(readelf -lW "$file" | awk '/GNU_STACK/ { print $7 }')"
    check "$name has no text relocations" 0 "$(readelf -d "$file" | grep -c TEXTREL || true)"
    check "$name allocates nothing when a thread first uses it" "" \
        "$(nm -D --undefined-only "$file" | grep -o __tls_get_addr || true)"
    check "$name leaves other libraries room for their threads' data: 64 bytes at most" "yes" \
        "$(size=$(readelf -lW "$file" | awk '$1 == "TLS" { print $6 }') && ((size <= 64)) && echo yes || echo "$size")"
done

# Layers: a folder includes only what the list allows it. FOLDER ALLOWED...
layer() {
    local folder=$1 seen allowed
    shift
    allowed=$(printf '|%s' "$@")
    seen=$(grep -rhoE '#include "(module|remote)/[^"]+/' "$folder" --include='*.[ch]' |
        sed 's/#include "//; s,/$,,' | sort -u | grep -vxE "${allowed#|}" || true)
    check "$folder includes only its own and lower layers" "" "$seen"
}
layer remote/base remote/base
layer remote/config remote/config remote/base
layer remote/catalogue remote/catalogue remote/base
layer remote/keystore remote/keystore remote/base
layer remote/vault remote/vault remote/keystore remote/config remote/base
layer remote/econtract remote/econtract remote/smartca remote/keystore remote/http remote/config remote/base
layer remote/audit remote/audit remote/base
layer remote/http remote/http remote/base
layer remote/smartca remote/smartca remote/audit remote/http remote/catalogue remote/config remote/base remote
layer module/backend module/backend module remote remote/catalogue remote/config remote/vault remote/keystore remote/base
layer module/token module/token module/backend module remote/audit remote/config remote/base
layer module/entry module/entry module/token module remote/base
check "only one file includes curl" 1 "$(grep -rlE '#include <curl/' module remote | wc -l)"
check "libcurl is never told to talk about what it sends" "" \
    "$(grep -rlE 'CURLOPT_(VERBOSE|DEBUGFUNCTION|STDERR)' module remote || true)"
check "no CK_ type below the backends" "" "$(grep -rlE '\bCK_(RV|ULONG|BYTE|ATTRIBUTE|MECHANISM)' remote/base \
    remote/config remote/catalogue remote/keystore remote/vault remote/audit remote/http remote/smartca \
    remote/econtract --include='*.[ch]' || true)"

includes=(-I. -isystem /usr/include/p11-kit-1 -DSMARTCA_PIN_COST=17)
while read -r header; do
    gcc -std=c11 -D_GNU_SOURCE= -fsyntax-only -Werror "${includes[@]}" -x c "$header" ||
        check "$header compiles alone" yes no
done < <(find module remote -name '*.h')
echo "ok: every header compiles alone"
exit $failed
