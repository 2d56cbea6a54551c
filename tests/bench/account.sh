# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # the variables are the caller's
# Figures of an account at the emulator. Needs bench, MEMORY and what tests/lib/emulator.sh sets.

# service_start [OPTION...] and service_stop: an emulator whose phone approves at once.
service_start() {
    rm -f "$HOME_DIR/life" "$HOME_DIR/ready"
    emulator_start "$@"
    control phone '{"action":"approve"}' >/dev/null
    control reset '{}' >/dev/null
    export BENCH_SERVICE=$SERVICE/sca/sp769 BENCH_CA_FILE=$HOME_DIR/service/tls-ca.pem
    BENCH_SERIAL=$(curl -sS --cacert "$BENCH_CA_FILE" -H 'Content-Type: application/json' \
        -d "{\"sp_id\":\"$SP_ID\",\"sp_password\":\"test-password\",\"user_id\":\"$USER_ID\",\"transaction_id\":\"b\"}" \
        "$BENCH_SERVICE/v1/credentials/get_certificate" | jq -r '.data.user_certificates[0].serial_number')
    export BENCH_SERIAL
}

service_stop() {
    exec 9>&-
    wait "$EMULATOR_PID"
    EMULATOR_PID=
}

# account_at STATE_DIR [LINE...]: an account with these settings that asks again at once, with its journal in
# that folder.
account_at() {
    local state=$1
    shift
    account_write 'poll_interval = 0'
    # shellcheck disable=SC2031 # the other one is set for the stores alone
    printf '%s\n' "$@" '[module]' "state_dir = $state" >>"$SMARTCA_PKCS11_CONF"
}

# remote_part DELAY WHERE: P5 and P6 with the journal on disk or in memory, P7 on the way.
remote_part() {
    local state=$HOME_DIR/state/$1 where='on disk' before after
    [ "$2" = disk ] || { state=$MEMORY/$1 where='in memory'; }
    account_at "$state"
    before=$(control counters)
    "$bench" remote "$1" | sed "s/ ms:/ ms with the journal $where:/"
    after=$(control counters)
    # One connection was bare libcurl's, which made half of the signatures, and one asked for the counters.
    jq -rn --argjson a "$before" --argjson b "$after" --arg where "$where" --arg delay "$1" \
        '($b.connections - $a.connections - 2) as $n
         | "P7,connections for \(($b.sign - $a.sign) / 2) signatures at \($delay) ms with the journal \($where),<= 8,\($n),\($n),\($n),1"'
}

# otp_part DELAY: P5 of an account without the phone, and how many signatures a second 1 and 8 processes make.
# The one-time password is typed, and good for an hour and any number of times: computed ones are good for
# one signature in 30 s.
otp_part() {
    control user "{\"user_id\":\"$USER_ID\",\"totp_period\":3600}" >/dev/null
    control behaviour '{"otp_reuse":"allow"}' >/dev/null
    BENCH_OTP=$(control "otp?user_id=$USER_ID" | jq -r .otp)
    export BENCH_OTP
    printf '%s\n' user-password >"$HOME_DIR/user-password"
    chmod 600 "$HOME_DIR/user-password"
    account_at "$MEMORY/otp-$1" 'confirm = otp' 'otp_login = context' "password = file:$HOME_DIR/user-password"
    "$bench" remote "$1" | sed "s/ ms:/ ms with the journal in memory:/"
    [ "$1" != 5 ] || for who in ours bare; do
        for processes in 1 8; do
            for _ in $(seq $processes); do
                "$bench" rate $who 4 &
            done | awk -v n=$processes -v who=$who '{sum += $1} END {
                printf "P5,%s: signatures a second (v2) at 5 ms by %d processes,1/s,%.0f,%.0f,%.0f,1\n",
                    who == "bare" ? "bare libcurl" : "C_Sign", n, sum / 4, sum / 4, sum / 4}'
        done
    done
    unset BENCH_OTP
}

remote_figures() {
    local delay where
    for delay in 0 1 5 20; do
        service_start --delay-ms $delay
        for where in disk memory; do
            remote_part $delay $where
        done
        otp_part $delay
        service_stop
    done
}

# first_part: P19 with the emulator's authority alone, and with those of Debian before it.
first_part() {
    local one=$BENCH_CA_FILE all=$HOME_DIR/all-ca.pem
    "$bench" first 'one authority'
    cat /etc/ssl/certs/ca-certificates.crt "$one" >"$all"
    BENCH_CA_FILE=$all
    account_at "$MEMORY/account" "ca_file = $all"
    "$bench" first "Debian's authorities"
    BENCH_CA_FILE=$one
    account_at "$MEMORY/account"
}

# waits_part: P10, by people who take 1 to 7 seconds.
waits_part() {
    local times=${BENCH_ROUNDS-9} first=1000 step=750
    control phone "$(jq -n --arg user "$USER_ID" --argjson n "$times" --argjson first $first --argjson step $step \
        '{user_id: $user, queue: [range($n) | {action: "approve", after_ms: ($first + $step * .)}]}')" >/dev/null
    account_write
    printf '[module]\nstate_dir = %s\n' "$MEMORY/account" >>"$SMARTCA_PKCS11_CONF"
    "$bench" waits $first $step "$times"
}

# account_figures: of one account whose catalogue is there, at a service that answers at once.
account_figures() {
    service_start
    account_at "$MEMORY/account"
    "$bench" signatures 1
    ! wants P19 || first_part
    ! wants P22 || "$bench" idle-account
    ! wants P19 || strace_ca_file
    ! wants P23 || strace_account
    ! wants P9 || "$bench" growth-account
    ! wants P10 || waits_part
    service_stop
}

# crowd_figures: 1 000 calls in flight, in one transaction; P11 counts what the service saw of them. The account
# is new to the process: C_GetSlotList fetches it, and libcurl is there before memory is measured.
crowd_figures() {
    local before after
    service_start
    control behaviour '{"documents_max":1000}' >/dev/null
    control phone '{"action":"approve","after_ms":14000}' >/dev/null
    account_write 'batch_max = 1000' 'batch_window = 2000'
    before=$(control counters)
    "$bench" crowd 1000 16
    after=$(control counters)
    jq -rn --argjson a "$before" --argjson b "$after" \
        '["P11,transactions for 1000 calls at once,<= 1,\($b.transactions - $a.transactions)",
          "P11,pushes for 1000 calls at once,<= 1,\($b.pushes - $a.pushes)"][]' |
        awk -F, '{print $0 "," $4 "," $4 ",1"}'
    service_stop
}
