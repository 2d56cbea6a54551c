# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# An emulated service and a home of its own for a script. Needs BUILD, the build folder. Sets HOME_DIR
# (removed at exit), SERVICE (https://127.0.0.1:PORT), MODULE, SMARTCA and the environment.
# shellcheck disable=SC2034 # the variables are for the script that sources this

BUILD=$(cd "$BUILD" && pwd)
MODULE=$BUILD/module/libsmartca-pkcs11.so
SMARTCA=$BUILD/remote/cli/smartca
USER_ID=012345678901
SP_ID=4184-637127995547330633.apps.signserviceapi.com
EMULATOR_PID=

# home_start: a folder that holds everything, and an environment that keeps programs inside it.
home_start() {
    HOME_DIR=$(mktemp -d)
    trap home_stop EXIT
    export HOME=$HOME_DIR XDG_CONFIG_HOME=$HOME_DIR/config XDG_STATE_HOME=$HOME_DIR/state
    export SMARTCA_PKCS11_CONF=$XDG_CONFIG_HOME/smartca-pkcs11/smartca-pkcs11.conf
    unset SMARTCA_PKCS11_LOG PKCS11_MODULE_PATH OPENSSL_CONF http_proxy https_proxy HTTPS_PROXY \
        all_proxy ALL_PROXY SSH_AUTH_SOCK SSH_AGENT_PID
    mkdir -p "$XDG_CONFIG_HOME/smartca-pkcs11" "$XDG_STATE_HOME"
    chmod 700 "$XDG_CONFIG_HOME/smartca-pkcs11"
}

# pins_cheap: PINs cost little to the programs that are started from here on.
pins_cheap() {
    local library
    library=$(realpath -m "$BUILD/tests/lib/libcheap.so")
    [ ! -e "$library" ] || export LD_PRELOAD=$library
}

# emulator_start [OPTION...]: its life hangs on descriptor 9, which ends with this script.
emulator_start() {
    mkfifo "$HOME_DIR/life" "$HOME_DIR/ready"
    "$BUILD/tests/emulator/smartca-emulator" --dir "$HOME_DIR/service" "$@" \
        <"$HOME_DIR/life" >"$HOME_DIR/ready" 2>"$HOME_DIR/emulator.log" 9>&- &
    EMULATOR_PID=$!
    exec 9>"$HOME_DIR/life"
    local word address
    read -r word address <"$HOME_DIR/ready" || true
    if [ "$word" != listening ]; then
        echo "the emulator did not start:" >&2
        cat "$HOME_DIR/emulator.log" >&2
        return 1
    fi
    SERVICE=https://$address
}

home_stop() {
    exec 9>&-
    [ -z "$EMULATOR_PID" ] || wait "$EMULATOR_PID" || true
    rm -rf "$HOME_DIR"
}

# account_write [LINE...]: the configuration of one account at the emulator, with extra lines for [smartca].
account_write() {
    printf '%s\n' test-password >"$XDG_CONFIG_HOME/smartca-pkcs11/sp-password"
    chmod 600 "$XDG_CONFIG_HOME/smartca-pkcs11/sp-password"
    {
        printf '%s\n' '[smartca]' "url = $SERVICE/sca/sp769" "sp_id = $SP_ID" \
            "sp_password = file:$XDG_CONFIG_HOME/smartca-pkcs11/sp-password" \
            "ca_file = $HOME_DIR/service/tls-ca.pem" "$@"
        printf '%s\n' '[account work]' "user_id = $USER_ID"
    } >"$SMARTCA_PKCS11_CONF"
    chmod 600 "$SMARTCA_PKCS11_CONF"
}

# control PATH [JSON]: talks to the emulator's control plane.
control() {
    curl -sS --fail-with-body --cacert "$HOME_DIR/service/tls-ca.pem" \
        ${2+-H 'Content-Type: application/json' --data-binary "$2"} "$SERVICE/control/$1"
}
