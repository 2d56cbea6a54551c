# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Web servers that demand a certificate, for browsers. Sourced after slots.sh.
# shellcheck disable=SC2034 # the variables are for the script that sources this

# server_start [OPTION...]: a server of OpenSSL at URL, whose issuer is server-ca.pem; its page shows what it
# has learnt of the browser. The certificates of SmartCA are for e-mail (EKU): any purpose will do here.
server_start() {
    openssl req -new -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server-ca.key \
        -out server-ca.pem -subj '/CN=Test server CA' -days 2 2>>server.err
    openssl req -new -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key \
        -out server.pem -CA server-ca.pem -CAkey server-ca.key -subj '/CN=localhost' -days 2 \
        -addext 'basicConstraints = critical, CA:FALSE' -addext 'subjectAltName = DNS:localhost' 2>>server.err
    background server.log openssl s_server -accept 127.0.0.1:0 -cert server.pem -key server.key -www \
        -Verify 3 -verify_return_error -CAfile "$CA" -purpose any "$@"
    expect server.log '^ACCEPT '
    URL=https://localhost:$(sed -n 's/^ACCEPT .*://p' server.log | head -n 1)/
}

# page_check FILE PROTOCOL: the server's page says so and has the certificate.
page_check() {
    grep -qF "Protocol  : $2" "$1" || { cat "$1" server.log; fail "the page was not had by $2"; }
    sed -n '/^-----BEGIN CERTIFICATE/,/^-----END CERTIFICATE/p' "$1" >client.pem
    [ "$(openssl x509 -in client.pem -outform DER | sha256sum)" = "$(openssl x509 -in "$CERT" -outform DER | sha256sum)" ] ||
        { cat "$1" server.log; fail "the server has another certificate"; }
}

# service_certify: from here on the service's certificate is also for client authentication. VNPT issues them for
# e-mail and documents, and browsers offer such a one to no server; the key is the same.
service_certify() {
    local users=$HOME_DIR/service/users/$USER_ID-1.pem files=$HOME_DIR/slots/smartca
    exec 9>&-
    wait "$EMULATOR_PID"
    rm -f "$HOME_DIR"/{life,ready}
    openssl req -new -utf8 -newkey rsa:2048 -nodes -keyout /dev/null 2>/dev/null -subj \
        "/C=VN/ST=Thành phố Hồ Chí Minh/L=Quận 3/CN=$(slot_label smartca)/UID=CCCD:$USER_ID" |
        openssl x509 -req -force_pubkey "$files/public.pem" -CA "$HOME_DIR/service/ca.pem" \
            -CAkey "$HOME_DIR/service/ca.key" -set_serial "0x1$(openssl rand -hex 8)" -days 30 -extfile <(printf '%s\n' \
            'basicConstraints = critical, CA:FALSE' 'keyUsage = critical, digitalSignature, nonRepudiation' \
            'extendedKeyUsage = emailProtection, clientAuth') -out "$files/cert.pem" 2>/dev/null
    cp "$files/cert.pem" "$users"
    # shellcheck disable=SC2119 # no options
    emulator_start
    control phone '{"action":"approve"}' >/dev/null
    slots_configure
}
