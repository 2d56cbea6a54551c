# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# install_packages SET...: installs what of tests/packages is missing, with apt.

# apt_install PACKAGE...: as root, without starting the services among them (nginx, sshd): tests run their own.
apt_install() {
    local policy=/usr/sbin/policy-rc.d status=0 is_ours=
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod 755 "$policy"
        is_ours=1
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null || status=$?
    [ -z "$is_ours" ] || "${as_root[@]}" rm -f "$policy"
    return "$status"
}

install_packages() {
    local here set package missing=()
    here=$(dirname "${BASH_SOURCE[0]}")
    for set in "$@"; do
        while read -r package; do
            dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
                missing+=("$package")
        done < <(awk -v set="$set" '$1 == set { print $2 }' "$here/../packages")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || {
            echo "These packages are missing, and there is no sudo to install them: ${missing[*]}" >&2
            return 1
        }
        as_root=(sudo)
    fi
    echo "Installing ${#missing[@]} packages: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    apt_install "${missing[@]}"
}
