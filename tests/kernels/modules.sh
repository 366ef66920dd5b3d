#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The modules that the tests need, with those that these need, as a cpio archive
# that is appended to the initramfs: what differs from kernel to kernel.
#   modules.sh FOLDER OUT
# FOLDER is a /lib/modules/RELEASE. What is not there is built in, or not to be had;
# then a test says so.
set -eu
folder=$1 out=$2
wanted="veth inet_diag tcp_diag udp_diag tun iptable_filter xt_tcpudp nf_tables nft_compat"

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/modules"
declare -A done=()
number=10

unpacked() {
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.gz) gzip -dc "$1" ;;
	*.zst) zstd -qdc "$1" ;;
	*) cat "$1" ;;
	esac
}

# take NAME: after those that it depends on; the number is the order.
take() {
	local name=${1//-/_} file depends one
	[ -z "${done[$name]:-}" ] || return 0
	done[$name]=yes
	# A module's file may have - where its name has _.
	file=$(find "$folder/" -name "${name//_/[-_]}.ko*" -print -quit)
	[ -n "$file" ] || return 0
	depends=$(modinfo -F depends "$file")
	for one in ${depends//,/ }; do
		take "$one"
	done
	unpacked "$file" >"$tree/modules/$number-$name.ko"
	number=$((number + 1))
}

for name in $wanted; do
	take "$name"
done
(cd "$tree" && find . | cpio --quiet -o -H newc -R 0:0) >"$out.new"
mv "$out.new" "$out"
