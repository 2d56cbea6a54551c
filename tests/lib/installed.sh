# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Installed files: which there are to be, and running them at the paths that are compiled into them.

# installed_files PREFIX LIBDIR [.gz]: what is installed, sorted; the suffix is that of manual pages.
installed_files() {
    local share=$1/share page kit
    kit=$(pkg-config --variable=p11_module_path p11-kit-1)
    {
        printf '%s\n' "$1/bin/smartca" "$kit/libsmartca-pkcs11.so" "$2/smartca-pkcs11/smartca-remote.so" \
            "$2/pkgconfig/smartca-pkcs11.pc" "$share"/doc/smartca-pkcs11/{README.vi.md,smartca-pkcs11.conf.sample} \
            "$share/locale/vi/LC_MESSAGES/smartca-pkcs11.mo" \
            "$(pkg-config --variable=p11_module_configs p11-kit-1)/smartca-pkcs11.module" \
            "$share/bash-completion/completions/smartca" "$1/lib/sysusers.d/smartca-share.conf" \
            "$1"/lib/systemd/{system,user}/smartca-share{.socket,@.service}
        for page in conf/man/*.[157]; do
            echo "$share/man/man${page##*.}/${page##*/}${3-}"
        done
    } | sort
}

# over_usr ROOT COMMAND...: runs it with ROOT/usr laid over this computer's /usr, for itself alone. Fails with 77
# where overlays may not be mounted, as in most containers.
over_usr() {
    local root=$1 namespaces=-m
    shift
    [ "$(id -u)" = 0 ] || namespaces=-rm
    unshare $namespaces true 2>/dev/null || return 77
    # shellcheck disable=SC2016 # the inner shell's arguments
    unshare $namespaces sh -c 'mount -t overlay overlay -o "lowerdir=$0/usr:/usr" /usr 2>/dev/null || exit 77
        exec "$@"' "$root" "$@"
}
