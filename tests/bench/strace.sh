# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # the variables are the caller's
# System calls of one piece of work: the difference between two runs that do it different numbers of
# times. Needs bench and HOME_DIR, and inherit_errexit: a command that fails makes no calls, and that must not pass
# for none.

STRACE_FEW=200
STRACE_MANY=1200

# strace_count CALLS COMMAND...: how many of these (a list, or all) the command makes.
strace_count() {
    local calls=$1
    shift
    strace -f -qq -c -o "$HOME_DIR/strace" -e trace="$calls" "$@" >/dev/null
    awk '$NF == "total" {calls = $4} END {print calls + 0}' "$HOME_DIR/strace"
}

# strace_calls WHOSE WHAT TIMES [CALLS]
strace_calls() { strace_count "${4-all}" "$bench" repeat "$1" "$2" "$3"; }

# strace_line GOAL NAME TARGET VALUE...: what the programs print for a series.
strace_line() {
    local head="$1,$2,$3"
    shift 3
    printf '%s\n' "$@" | sort -g | awk -v head="$head" '{v[NR] = $1} END {printf "%s,%.4g,%.4g,%.4g,%d\n", head, v[int(NR / 2) + 1], v[1], v[NR], NR}'
}

# strace_each WHOSE WHAT: of one time.
strace_each() {
    local few many
    few=$(strace_calls "$1" "$2" $STRACE_FEW)
    many=$(strace_calls "$1" "$2" $STRACE_MANY)
    awk -v d=$((many - few)) -v n=$((STRACE_MANY - STRACE_FEW)) 'BEGIN {print d / n}'
}

# strace_figure GOAL NAME TARGET WHOSE WHAT
strace_figure() {
    local values=()
    for _ in 1 2 3; do
        values+=("$(strace_each "$4" "$5")")
    done
    strace_line "$1" "$2" "$3" "${values[@]}"
}

# OpenSSL's random numbers ask for the process id: one call a P-256 signature, one in 32 of RSA's (blinding).
# No module that signs with EVP_PKEY_sign has fewer; what it adds is told apart.
strace_signatures() {
    local kind name ours evp added
    for kind in rsa ec; do
        [ $kind = rsa ] && name='an RSA-2048 signature' || name='a P-256 signature'
        ours=() evp=() added=()
        for _ in 1 2 3; do
            ours+=("$(strace_each ours $kind)")
            evp+=("$(strace_each evp $kind)")
            added+=("$(awk -v a="${ours[-1]}" -v b="${evp[-1]}" 'BEGIN {d = a - b; printf "%.1f", d * d < 0.0025 ? 0 : d}')")
        done
        strace_line P4 "system calls of $name: ours" calls "${ours[@]}"
        strace_line P4 "system calls of $name: ours beyond EVP's" '<= 0' "${added[@]}"
        strace_line P4 "system calls of $name: EVP" calls "${evp[@]}"
        strace_figure P4 "system calls of $name: SoftHSM2" calls softhsm $kind
    done
}

strace_questions() {
    strace_figure P16 'system calls of C_GetSessionInfo: ours' '<= 0' ours info
    strace_figure P16 'system calls of C_GetSlotList(NULL): ours' '<= 0' ours slots
}

strace_sockets() {
    local count
    count=$(strace_calls ours start 0 socket,connect)
    strace_line P12 'sockets of C_Initialize to C_Finalize: ours' '<= 0' "$count"
}

# strace_durable WHAT REPLACES FEW MANY COMMAND...: what waits for the disk, by the difference between FEW and MANY
# times, which is the command's last argument. A durable replace is a rename and two fsyncs, of the file and of
# its folder.
strace_durable() {
    local what=$1 replaces=$2 few=$3 many=$4 row name calls each less more
    shift 4
    for row in "renames rename,renameat,renameat2,link,linkat 1" "fsyncs fsync,fdatasync,sync_file_range,msync 2"; do
        read -r name calls each <<<"$row"
        less=$(strace_count "$calls" "$@" "$few")
        more=$(strace_count "$calls" "$@" "$many")
        strace_line P23 "$name of $what" "<= $((replaces * each))" \
            "$(awk -v d=$((more - less)) -v n=$((many - few)) 'BEGIN {print d / n}')"
    done
}

# The right PIN comes after the wrong ones: once in both runs.
strace_wrong_pins() { strace_durable 'a failed login' 1 2 7 "$bench" repeat ours wrong; }

strace_account() { strace_durable 'a SmartCA signature' 2 20 120 "$bench" signatures; }

# strace_ca_file: one process, one connection for each signature. Never read would be a mistake of this script.
strace_ca_file() {
    local count
    strace -f -qq -o "$HOME_DIR/strace" -e trace=open,openat "$bench" lives 20 >/dev/null
    count=$(grep -cF "\"$BENCH_CA_FILE\"" "$HOME_DIR/strace")
    strace_line P19 'times the CA file is read by 20 connections of a process' '<= 1' "$count"
}
