# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # the variables are the caller's
# What else leads to SoftHSM2's token: our [token], p11-kit's proxy, a p11-kit server with its client. Needs
# STORES, softhsm and HOME_DIR.

RIVALS_SERVER=

# forward_configure: SoftHSM2's token of the store "keys" as a [token].
forward_configure() {
    printf '[module]\nstate_dir = %s\n[token usb]\nmodule = %s\n' "$HOME_DIR/state/forward" \
        "$softhsm" >"$STORES/keys/forward.conf"
    chmod 600 "$STORES/keys/forward.conf"
}

# rivals_start: p11-kit finds SoftHSM2 and no other module of this computer.
rivals_start() {
    local modules=$XDG_CONFIG_HOME/pkcs11/modules module
    mkdir -p "$modules"
    for module in "$(pkg-config --variable=p11_module_configs p11-kit-1)"/*.module; do
        echo 'enable-in: nothing' >"$modules/$(basename "$module")"
    done
    printf 'module: %s\n' "$softhsm" >"$modules/softhsm2.module"
    BENCH_PROXY=$(pkg-config --variable=proxy_module p11-kit-1)
    BENCH_CLIENT=$(pkg-config --variable=p11_module_path p11-kit-1)/p11-kit-client.so
    export BENCH_PROXY BENCH_CLIENT P11_KIT_SERVER_ADDRESS=unix:path=$HOME_DIR/p11-kit
    SOFTHSM2_CONF=$STORES/keys/softhsm2.conf p11-kit server --foreground --name "$HOME_DIR/p11-kit" \
        --provider "$softhsm" pkcs11: >/dev/null 9>&- &
    RIVALS_SERVER=$!
    until [ -S "$HOME_DIR/p11-kit" ]; do
        kill -0 "$RIVALS_SERVER" || { echo 'p11-kit server has ended' >&2; return 1; }
    done
}

rivals_stop() {
    [ -n "$RIVALS_SERVER" ] || return 0
    kill "$RIVALS_SERVER"
    wait "$RIVALS_SERVER" || true
    RIVALS_SERVER=
}
