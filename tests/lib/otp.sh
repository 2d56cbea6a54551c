# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# One-time passwords as an authenticator shows them.

# otp_of KEY STEP: KEY in base64. OpenSSL's HMAC over the number of the step, cut as RFC 4226 5.3 says.
otp_of() {
    local mac offset
    mac=$(printf '%016X' "$2" | basenc --base16 -d |
        openssl mac -digest SHA1 -macopt "hexkey:$(base64 -d <<<"$1" | basenc -w 0 --base16)" -in - HMAC)
    offset=$((16#${mac:39:1} * 2))
    printf '%06d' $(((16#${mac:offset:8} & 0x7fffffff) % 1000000))
}
