#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nginx with its TLS key on a slot, through OpenSSL's pkcs11 engine: the master reads the key, workers sign.
#   nginx_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/clients/slots.sh
slots_start

# The environment reaches the workers only by name. They are the user whose slots these are.
configure() {
    cat >nginx.conf <<END
user root;
worker_processes 2;
daemon off;
pid $WORK/nginx.pid;
error_log $WORK/error.log;
env HOME; env XDG_CONFIG_HOME; env XDG_STATE_HOME; env SMARTCA_PKCS11_CONF; env PKCS11_MODULE_PATH;
env SOFTHSM2_CONF; env SMARTCA_SPOIL_MODULE; env SMARTCA_SPOIL_LOG;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $WORK/body;
    proxy_temp_path $WORK/proxy;
    fastcgi_temp_path $WORK/fastcgi;
    uwsgi_temp_path $WORK/uwsgi;
    scgi_temp_path $WORK/scgi;
    server {
        listen unix:$WORK/socket ssl;
        ssl_certificate $TLS_CERT;
        ssl_certificate_key "engine:pkcs11:$KEY;pin-source=file:$PIN_FILE";
        $1
        location / { return 200 "signed by \$ssl_protocol\n"; }
    }
}
END
}
# nginx itself does not initialise an engine: OpenSSL does, as its configuration says.
engine() {
    cat >openssl.cnf <<'END'
openssl_conf = init
[init]
engines = engines
[engines]
pkcs11 = pkcs11
[pkcs11]
engine_id = pkcs11
init = 1
END
    export OPENSSL_CONF=$WORK/openssl.cnf
}
get() { curl --cacert "$TLS_CA" --unix-socket "$WORK/socket" https://localhost/ "$@"; }
serve() {
    case $SLOT in
    smartca) configure 'ssl_protocols TLSv1.2; ssl_conf_command SignatureAlgorithms RSA+SHA256;' ;;
    *) configure 'ssl_protocols TLSv1.3;' ;;
    esac
    engine
    background nginx.log nginx -c "$WORK/nginx.conf" -e "$WORK/error.log"
    await [ -s nginx.pid ]
    for _ in 1 2 3 4 5 6; do
        OPENSSL_CONF='' ran get
        say 'signed by TLS'
    done
    works 'nginx: ssl_certificate_key "engine:pkcs11:..."'
}
for_each_slot serve
with_spoiled_module serve
without_pss() {
    configure 'ssl_protocols TLSv1.3;'
    engine
    background nginx.log nginx -c "$WORK/nginx.conf" -e "$WORK/error.log"
    await [ -s nginx.pid ]
    OPENSSL_CONF='' refused get
    grep -q 'Mechanism invalid' error.log
    cannot 'TLS 1.3 wants RSA-PSS, which the service does not make'
}
SLOTS=(smartca)
for_each_slot without_pss
