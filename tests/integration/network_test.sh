#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_network in a network of its own, with a black hole in it, an address without a route, and names for both.
#   network_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/machines.sh
machines_enter "$0" "$@"
folder=$(mktemp -d)
trap 'umount /etc/hosts /etc/resolv.conf; rm -rf "$folder"' EXIT

# What goes to these two neighbours leaves by the cable, and nobody at its other end is called so.
ip link add cable type veth peer name end
ip address add 10.99.0.1/24 dev cable
ip -6 address add fd99::1/64 dev cable nodad
ip link set cable up
ip link set end up
ip neighbour add 10.99.0.2 lladdr 02:00:00:00:00:01 dev cable nud permanent
ip -6 neighbour add fd99::2 lladdr 02:00:00:00:00:01 dev cable nud permanent
printf '%s\n' '127.0.0.1 localhost' '10.99.0.2 hole.test' '10.98.0.2 away.test' 'fd99::2 both.test' \
    '127.0.0.1 both.test' >"$folder/hosts"
: >"$folder/resolv.conf"
mount --bind "$folder/hosts" /etc/hosts
mount --bind "$folder/resolv.conf" /etc/resolv.conf
NETWORK_RESOLV=$folder/resolv.conf "$BUILD/tests/integration/test_network"
