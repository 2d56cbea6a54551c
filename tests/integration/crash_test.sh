#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whatever changes something is killed (kill -9) or refused (a full disk, a broken one, no descriptor left) at its
# system calls, one after the other: what is found then is the old state or the new one, everything can be read, and
# the same command run again brings the new state, leaves nothing over, and asks nobody twice. The operations are the
# rows of crash_rows.sh, the faults the columns below.
#   crash_test.sh BUILD [ROW...]
# SMARTCA_CRASH: how many points of a row and fault are tried, evenly spread (1); "full": each, of all rows; "openat 12":
# that one. SMARTCA_CRASH_FAULTS: which columns ("KILL ENOSPC"). FULL and READONLY are real file systems, which need a mount
# namespace; where that is refused, they are skipped, and it says so. MEMORY, IO: allocations and system calls of the
# tool and its libraries, counted by tests/inject; OWN_: of our code alone. SMARTCA_CRASH_STEP: each so-many-th of these.
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
shift
# As root of its own, where it is nobody's: what is mounted then is seen by nobody else.
if [ -z "${SMARTCA_CRASH_INSIDE-}" ]; then
    own=(unshare --mount)
    [ "$(id -u)" = 0 ] || own+=(--user --map-root-user)
    export SMARTCA_CRASH_INSIDE=no
    if "${own[@]}" mount -t tmpfs tmpfs /mnt 2>/dev/null; then
        SMARTCA_CRASH_INSIDE=yes exec "${own[@]}" "$0" "$BUILD" "$@"
    fi
fi
. tests/lib/emulator.sh
home_start
pins_cheap
. tests/lib/programs.sh
export LC_ALL=C.UTF-8
# LeakSanitizer does not work below strace.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
mkdir "$HOME_DIR/work" "$HOME_DIR/bases"
POINTS=${SMARTCA_CRASH-1}
LIVE=$HOME_DIR/live
export XDG_CONFIG_HOME=$LIVE/config XDG_STATE_HOME=$LIVE/state SMARTCA_PKCS11_MODULE=$MODULE
export SMARTCA_PKCS11_CONF=$XDG_CONFIG_HOME/smartca-pkcs11/smartca-pkcs11.conf
STATE=$XDG_STATE_HOME/smartca-pkcs11
. tests/integration/crash_rows.sh

# Which calls a fault is injected into; the names they have differ between architectures. To be killed matters where
# something has been changed since the call before, so KILL leaves out the others, and opening but to create: KILL_ANY.
declare -A COLUMNS=(
    [KILL]='openat write pwrite64 writev rename renameat renameat2 ftruncate unlink unlinkat link linkat mkdir mkdirat
        fchmod utimensat sendto sendmsg'
    [KILL_ANY]='openat fsync fdatasync flock fcntl close recvfrom connect mmap pread64 read'
    [ENOSPC]='openat write pwrite64 fsync fdatasync rename renameat renameat2 ftruncate link linkat mkdir mkdirat'
    [EDQUOT]='openat write pwrite64 rename renameat renameat2 link linkat mkdir mkdirat'
    [EIO]='openat read pread64 write pwrite64 fsync fdatasync rename renameat renameat2 ftruncate unlink unlinkat link
        linkat close mmap flock getdents64 newfstatat'
    [EROFS]='openat rename renameat renameat2 ftruncate unlink unlinkat link linkat mkdir mkdirat fchmod utimensat'
    [EMFILE]='openat socket'
    [EINTR]='openat read pread64 write pwrite64 fsync fdatasync ftruncate flock sendto recvfrom poll connect'
)
# Stopped there, while another one begins to do the same, and killed then.
COLUMNS[RACE]=${COLUMNS[KILL]}
# KIND SCOPE of tests/inject/shim.h.
declare -A PLANS=([MEMORY]='1 0' [OWN_MEMORY]='1 1' [IO]='2 0' [OWN_IO]='2 1')
# Free pages of a disk that is full otherwise; the folder that cannot be written.
declare -A DISKS=([FULL]='0 1 2 3 4 5 6 8' [READONLY]='state config')
if [ "$POINTS" = full ]; then
    FAULTS=${SMARTCA_CRASH_FAULTS-KILL KILL_ANY RACE ENOSPC EIO EROFS EDQUOT EMFILE EINTR FULL READONLY}
else
    FAULTS=${SMARTCA_CRASH_FAULTS-KILL ENOSPC FULL READONLY}
fi

bring_back() {
    find "$LIVE" -mindepth 1 -delete
    cp -a "$HOME_DIR/bases/$1/." "$LIVE"
    service_reset
}
# The names of files, without what is random in them. The locks of a vault stay, empty: its name comes again;
# a note of sign goes after a day.
listing() {
    (cd "$LIVE" && find . -mindepth 1 -printf '%y %m %P\n') | sed 's/[0-9a-f]\{16,\}/HEX/g' |
        grep -vE '/vault/HEX\.(lock|login)$|/signing/HEX$' | sort
}
# What is there, as people and programs see it, without what is random.
look() { look_at_all | sed -E 's/[0-9a-f]{16,}(-[0-9]+)?/HEX/g' | if [ -n "$IS_UNORDERED" ]; then sort; else cat; fi; }
look_at_all() {
    local file
    "$SMARTCA" slots --json | jq -rc '.[] | [.kind, .account, .label, .serial != null, .key_type, .state, .pin]'
    { "$SMARTCA" doctor --json || [ $? = 1 ]; } | jq -r '.[] | select(.result == "fail") | "doctor: \(.check)"'
    for file in "$XDG_CONFIG_HOME"/smartca-pkcs11/conf.d/*.conf; do
        [ ! -e "$file" ] || { echo "$(basename "$file"):" && cat "$file"; }
    done
    [ ! -e "$STATE/audit.jsonl" ] || "$SMARTCA" audit verify >/dev/null || echo "the audit log is wrong"
    [ -z "${LOOK-}" ] || "$LOOK"
}
found() { look >"$HOME_DIR/work/found" 2>"$HOME_DIR/work/found-err" || { cat "$HOME_DIR/work/found-err"; return 1; }; }
is_found() { diff -q "$HOME_DIR/work/$1" "$HOME_DIR/work/found" >/dev/null; }
# The same but for a PIN that was noted as tried, and not yet as right.
is_nearly_found() { sed 's/"wrong_pins"]/"ok"]/' "$HOME_DIR/work/found" | diff -q "$HOME_DIR/work/$1" - >/dev/null; }
is_new_but_for_later() { [ -n "$LATER" ] && grep -v "$LATER" "$HOME_DIR/work/new" | diff -q "$HOME_DIR/work/found" - >/dev/null; }
whine() { # ROW TEXT
    echo "FAILED: $1: $2"
    failures=$((failures + 1))
}

# again: the command is run again, and does its work or says that it is done.
again() {
    "${AGAIN[@]}" >"$HOME_DIR/work/second" 2>&1 </dev/null ||
        { [ -n "$DONE" ] && grep -qE "$DONE" "$HOME_DIR/work/second"; }
}

# row_begin ROW: what it is like before and after, and the trace of the calls that touch our files or the network.
row_begin() {
    COMMAND=() AGAIN=() BETWEEN='' READS='' LOOK='' DONE='' LATER='' IS_UNORDERED='' EXPECTED=0 PUSHES=0
    "row_$1"
    [ ${#AGAIN[@]} -gt 0 ] || AGAIN=("${COMMAND[@]}")
    base_make "$BASE"
    bring_back "$BASE"
    found || fail "$1: the base cannot be looked at"
    mv "$HOME_DIR/work/found" "$HOME_DIR/work/old"
    bring_back "$BASE"
    local status=0
    strace -f -y -s 0 -o "$HOME_DIR/work/trace" "${COMMAND[@]}" >"$HOME_DIR/work/out" 2>&1 </dev/null || status=$?
    [ $status = "$EXPECTED" ] || { cat "$HOME_DIR/work/out"; fail "$1: ended with $status"; }
    cp "$HOME_DIR/work/out" "$HOME_DIR/work/undisturbed"
    found || fail "$1: the result cannot be looked at"
    mv "$HOME_DIR/work/found" "$HOME_DIR/work/new"
    again || { cat "$HOME_DIR/work/second"; fail "$1: a second time"; }
    found || fail "$1: twice cannot be looked at"
    mv "$HOME_DIR/work/found" "$HOME_DIR/work/again"
    listing >"$HOME_DIR/work/listing"
    # Counted for each thread, as strace does.
    awk -v live="$LIVE" '
        / resumed>/ { next }
        match($2, /^[a-z0-9_]+\(/) {
            call = substr($2, 1, RLENGTH - 1)
            n = ++count[$1, call]
            if ((index($0, live) || /<(socket|TCP|UNIX)/ || call == "connect" || call == "socket") && !seen[call, n]++)
                print call, n, call == "openat" && !/O_CREAT|O_TMPFILE/ ? "reads" : "changes"
        }' "$HOME_DIR/work/trace" >"$HOME_DIR/work/points"
}
# injected PLAN COMMAND...: below the library that counts and lets fail.
injected() {
    local plan=$1
    shift
    rm -f "$HOME_DIR/work/report"
    timeout -k 5 100 env LD_PRELOAD="$BUILD/tests/inject/libinject.so" SMARTCA_INJECT_PLAN="$plan" \
        SMARTCA_INJECT_REPORT="$HOME_DIR/work/report" "$@"
}
# counted FAULT: "FAULT K" for each K there is.
counted() {
    bring_back "$BASE"
    injected "${PLANS[$1]} 0 0 0" "${COMMAND[@]}" >/dev/null 2>&1 </dev/null || true
    seq -f "$1 %.0f" $(((${SMARTCA_CRASH_STEP-1} + 1) / 2)) "${SMARTCA_CRASH_STEP-1}" "$(cat "$HOME_DIR/work/report")"
}
# points FAULT: those of this row to try.
points() {
    local call
    for call in ${DISKS[$1]-}; do echo "$1 $call"; done >"$HOME_DIR/work/chosen"
    [ -z "${PLANS[$1]-}" ] || counted "$1" >>"$HOME_DIR/work/chosen"
    for call in ${COLUMNS[$1]-}; do
        awk -v call="$call" -v fault="$1" '$1 == call && (fault !~ /^(KILL|RACE)$/ || $3 == "changes") { print $1, $2 }' \
            "$HOME_DIR/work/points"
    done >>"$HOME_DIR/work/chosen"
    if [ "$POINTS" = full ]; then
        cat "$HOME_DIR/work/chosen"
    elif [[ $POINTS = *" "* ]]; then
        echo "$POINTS"
    else
        awk -v all="$(wc -l <"$HOME_DIR/work/chosen")" -v wanted="$POINTS" \
            'int((NR - 0.5) * wanted / all + 0.5) != int((NR - 1.5) * wanted / all + 0.5)' "$HOME_DIR/work/chosen"
    fi
}
# What a command said, without the time at which it did.
timeless() { sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/TIME/g' "$1"; }
# check_end ROW POINT FAULT STATUS: how the command ended is one of the ways it may.
check_end() {
    local out=$HOME_DIR/work/first
    if [ -n "$READS" ] && [[ $3:$4 = *MEMORY:0 ]] &&
        ! diff <(timeless "$HOME_DIR/work/undisturbed") <(timeless "$out"); then
        whine "$1" "$2 $3: it says something else, and that all is well"
    fi
    ! grep -qE 'Sanitizer|runtime error|core dumped' "$out" || { cat "$out"; whine "$1" "$2 $3: a sanitizer speaks"; }
    case $3:$4 in
    KILL*:137 | RACE:137 | *:0 | [!K]*:1) ;;
    *:127) grep -q 'loading shared libraries' "$out" || { cat "$out"; whine "$1" "$2 $3: was not started"; } ;;
    *) [ "$4" = "$EXPECTED" ] || { cat "$out"; whine "$1" "$2 $3: ended with $4"; } ;;
    esac
    [ "$4" != 1 ] || [ -s "$out" ] || whine "$1" "$2 $3: failed without a word"
}
# race CALL N: two commands, of which the first is stopped at that call until the second one runs, and killed. Its status.
race() {
    local first second child='' status=0
    strace -f -o /dev/null -e "trace=$1" -e "inject=$1:signal=STOP:when=$2" \
        "${COMMAND[@]}" >"$HOME_DIR/work/first" 2>&1 </dev/null &
    first=$!
    while [ -e "/proc/$first/stat" ]; do
        [ -n "$child" ] || child=$(pgrep -P "$first" | head -1) || true
        ! grep -q '^State:.[tT]' "/proc/${child:-none}/status" 2>/dev/null || break
        read -r -t 0.01 _ <>"$HOME_DIR/work/nothing" || true
    done
    again &
    second=$!
    kill -KILL "${child:-$first}" 2>/dev/null || true
    wait "$first" 2>/dev/null || status=$?
    wait "$second" || { cat "$HOME_DIR/work/second"; whine "$row" "$point $fault: the one beside it fails"; }
    return "$status"
}
# run CALL N FAULT: the command, and what becomes of the disk meanwhile; its status.
run() {
    local call=$1 n=$2 how=error=$3 words=() status=0
    case $3 in
    RACE)
        race "$call" "$n" || return $?
        return 0
        ;;
    FULL)
        dd if=/dev/zero of="$LIVE/filler" bs=4096 2>/dev/null || true
        truncate -s "-$((n * 4096))" "$LIVE/filler"
        ;;
    MEMORY | IO | OWN_*) words=(injected "${PLANS[$3]} $n 0 0") ;;
    READONLY)
        mount --bind "$LIVE/$n" "$LIVE/$n"
        mount -o remount,bind,ro "$LIVE/$n"
        ;;
    *)
        [ "${3%_ANY}" != KILL ] || how=signal=KILL
        words=(timeout -k 5 100 strace -f -o /dev/null -e "trace=$call" -e "inject=$call:$how:when=$n")
        ;;
    esac
    [ ${#words[@]} -gt 0 ] || words=(timeout -k 5 100)
    { "${words[@]}" "${COMMAND[@]}" >"$HOME_DIR/work/first" 2>&1 </dev/null || status=$?; } 2>/dev/null
    case $3 in
    FULL) rm "$LIVE/filler" ;;
    READONLY)
        found || whine "$row" "$point $fault: cannot be looked at"
        umount "$LIVE/$n"
        [ "$n" != state ] || [ "$(control counters | jq .pushes)" = 0 ] ||
            whine "$row" "somebody was asked, and nothing could be written down"
        ;;
    esac
    return "$status"
}
# try ROW CALL N FAULT
try() {
    local row=$1 call=$2 n=$3 fault=$4 status=0
    local point="$call $n"
    bring_back "$BASE"
    run "$call" "$n" "$fault" || status=$?
    tried=$((tried + 1))
    check_end "$row" "$point" "$fault" "$status"
    found || { whine "$row" "$point $fault: cannot be read"; return 0; }
    if is_found new; then
        new=$((new + 1))
    elif [ "$status" = 0 ] && ! is_nearly_found new && ! is_new_but_for_later; then
        diff "$HOME_DIR/work/new" "$HOME_DIR/work/found" || true
        cat "$HOME_DIR/work/first"
        whine "$row" "$point $fault: it said all is well"
    elif is_found old; then
        old=$((old + 1))
    elif is_nearly_found old || is_nearly_found new; then
        between=$((between + 1))
    elif [ -n "$BETWEEN" ] && "$BETWEEN" "$HOME_DIR/work/found"; then
        between=$((between + 1))
    else
        diff "$HOME_DIR/work/old" "$HOME_DIR/work/found" || true
        cat "$HOME_DIR/work/first"
        whine "$row" "$point $fault: ended with $status, and neither the old nor the new state is there"
    fi
    again || { cat "$HOME_DIR/work/second"; whine "$row" "$point $fault: the next one fails"; return 0; }
    found || { whine "$row" "$point $fault: cannot be read after the next one"; return 0; }
    is_found new || is_found again || is_nearly_found again || {
        diff "$HOME_DIR/work/again" "$HOME_DIR/work/found" || true
        whine "$row" "$point $fault: the next one does not bring the new state"
    }
    service_is_right "$fault" || whine "$row" "$point $fault: the service was asked too often"
    [[ $fault = KILL* || $call != unlink* ]] || return 0 # what could not be removed then is removed later
    listing | comm -13 "$HOME_DIR/work/listing" - >"$HOME_DIR/work/left"
    [ ! -s "$HOME_DIR/work/left" ] || { cat "$HOME_DIR/work/left"; whine "$row" "$point $fault: leftovers"; }
}

mkdir "$LIVE"
mkfifo "$HOME_DIR/work/nothing"
if [ "$SMARTCA_CRASH_INSIDE" = yes ]; then
    mount -t tmpfs -o size=8m,mode=700 tmpfs "$LIVE"
    trap 'umount "$LIVE" || true; home_stop' EXIT
else
    echo "skipped: FULL and READONLY, for which there is no mount namespace here"
    FAULTS=${FAULTS/FULL/}
    FAULTS=${FAULTS/READONLY/}
fi
failures=0
begin
[ $# -gt 0 ] || left_by_a_kill
[ "$POINTS" = full ] || ROWS=$ROWS_EVERY_DAY
# shellcheck disable=SC2086 # several words
[ $# -gt 0 ] || set -- $ROWS
for row; do
    row_begin "$row"
    for fault in $FAULTS; do
        tried=0 old=0 new=0 between=0
        points "$fault" >"$HOME_DIR/work/now"
        while read -r call n <&6; do
            try "$row" "$call" "$n" "$fault"
        done 6<"$HOME_DIR/work/now"
        echo "$row $fault: $tried; found the old state $old times, the new one $new, between them $between"
    done
done
[ $failures = 0 ] || fail "$failures failures"
echo "ok"
