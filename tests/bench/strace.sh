# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # the variables are the caller's
# System calls of one piece of work: the difference between two runs that do it different numbers of
# times. Needs bench, MODULE, softhsm and STORES.

STRACE_FEW=200
STRACE_MANY=1200

# strace_calls WHOSE WHAT TIMES [OPTION...]
strace_calls() {
    local whose=$1 what=$2 times=$3
    shift 3
    strace -f -c -o "$HOME_DIR/strace" "$@" "$bench" repeat "$MODULE" "$softhsm" "$STORES" "$whose" "$what" "$times"
    awk '$NF == "total" {calls = $4} END {print calls + 0}' "$HOME_DIR/strace"
}

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
    strace_line "$1" "$2" "$3" "$(strace_each "$4" "$5")" "$(strace_each "$4" "$5")" "$(strace_each "$4" "$5")"
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
        strace_line P4 "system calls of $name: ours" '<= 0' "${ours[@]}"
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
    strace_line P12 'sockets of C_Initialize to C_Finalize: ours' '<= 0' \
        "$(strace_calls ours start 0 -e trace=socket,connect)"
}
