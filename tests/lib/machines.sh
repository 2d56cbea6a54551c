# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Computers of their own for a script, made of namespaces: nobody else sees anything of them, and the kernel takes
# them away when the script has ended.
#   machines_enter SCRIPT ARGUMENT...   runs the script again as the computer "office", with a network, mounts and
#                         a name of its own; SMARTCA_SKIP_MACHINES=1 skips it (exit 77)
#   machines_start        once MACHINES, a folder, is there. The user of every computer is "signer", who has a
#                         home, MACHINES/COMPUTER, and a key for ssh; all know the office by name
#   machine_start NAME    another computer, with a cable to the office
#   on NAME COMMAND...    runs COMMAND there, or here (office), as signer; machine_words NAME: the same as the array
#                         WORDS, for what runs in the background and is killed by its number
#   sshd_start [LINE...]  the office's sshd, with more lines in its configuration, in the background (slots.sh)
# shellcheck disable=SC2034 # WORDS is for the script that sources this
MACHINES_COUNT=0
declare -A MACHINE_PID=()

machines_enter() {
    if [ -n "${MACHINES_INSIDE-}" ]; then
        ip link set lo up
        return
    fi
    if [ -n "${SMARTCA_SKIP_MACHINES-}" ]; then
        echo "skipped: SMARTCA_SKIP_MACHINES is set"
        exit 77
    fi
    local own=(unshare --net --mount --uts)
    [ "$(id -u)" = 0 ] || own+=(--user --map-root-user)
    "${own[@]}" true || {
        echo "FAILED: this test needs namespaces (${own[*]}), and they are refused here;" \
            "SMARTCA_SKIP_MACHINES=1 skips it"
        exit 1
    }
    MACHINES_INSIDE=$(id -u)
    export MACHINES_INSIDE
    exec "${own[@]}" "$@"
}

# machine_own NAME ADDRESS: this process is that computer from now on, and the office has ADDRESS.
machine_own() {
    local home=$MACHINES/$1
    mkdir -p "$home/.ssh"
    chmod 700 "$home" "$home/.ssh"
    { echo "signer:x:1000:1000::$home:/bin/bash"; grep -v '^[^:]*:[^:]*:1000:' /etc/passwd; } >"$home.passwd"
    { grep -v office /etc/hosts; echo "$2 office"; } >"$home.hosts"
    mount --bind "$home.passwd" /etc/passwd
    mount --bind "$home.hosts" /etc/hosts
    hostname "$1"
    ip link set lo up
    printf '%s\n' 'Host office' 'Port 2222' "UserKnownHostsFile $MACHINES/known_hosts" 'BatchMode yes' \
        >"$home/.ssh/config"
    ssh-keygen -q -t ed25519 -N '' -C "signer@$1" -f "$home/.ssh/id_ed25519"
}

machines_start() {
    mkdir -p "$MACHINES"
    machine_own office 127.0.0.1
    ssh-keygen -q -t ed25519 -N '' -f "$MACHINES/host-key"
    printf '[office]:2222 %s\n' "$(<"$MACHINES/host-key.pub")" >"$MACHINES/known_hosts"
}

machine_start() {
    local name=$1 n=$((++MACHINES_COUNT)) holder
    mkfifo "$MACHINES/$name.ready"
    # Ends when the last copy of the pipe to it is closed, with this script.
    # shellcheck disable=SC2016 # expanded over there
    exec {holder}> >(exec unshare --net --mount --uts bash -ec '. tests/lib/machines.sh
        machine_own "$1" "$2"; echo $$ >"$MACHINES/$1.ready"; exec cat' machine "$name" "10.77.$n.1" 9>&-)
    read -r "MACHINE_PID[$name]" <"$MACHINES/$name.ready"
    ip link add "$name" type veth peer name cable netns "${MACHINE_PID[$name]}"
    ip address add "10.77.$n.1/24" dev "$name"
    ip link set "$name" up
    nsenter --target "${MACHINE_PID[$name]}" --net sh -c "ip address add 10.77.$n.2/24 dev cable && ip link set cable up"
}

# Without rights: sshd needs neither root nor /run nor PAM then, and nobody's files are the client's.
machine_words() {
    WORDS=()
    [ "$1" = office ] || WORDS=(nsenter --target "${MACHINE_PID[$1]}" --net --mount --uts "--wdns=$PWD" --)
    WORDS+=(unshare --user --map-user=1000 --map-group=1000 -- env)
    [ "$1" = office ] || WORDS+=(-u XDG_CONFIG_HOME -u XDG_STATE_HOME -u SMARTCA_PKCS11_CONF -u SOFTHSM2_CONF)
    WORDS+=("HOME=$MACHINES/$1")
}
on() {
    local WORDS
    machine_words "$1"
    "${WORDS[@]}" "${@:2}"
}

sshd_start() {
    printf '%s\n' 'Port 2222' "HostKey $MACHINES/host-key" 'PidFile none' 'UsePAM no' 'LogLevel VERBOSE' \
        'KbdInteractiveAuthentication no' 'PasswordAuthentication no' \
        "$@" >"$MACHINES/sshd_config"
    local WORDS
    machine_words office
    background "$MACHINES/sshd.log" "${WORDS[@]}" /usr/sbin/sshd -D -e -f "$MACHINES/sshd_config"
    expect "$MACHINES/sshd.log" 'Server listening on 0.0.0.0'
}
