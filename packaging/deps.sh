#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Installs the Debian packages that are missing.
#   deps.sh build|demo|test|compilers|kernels...
set -eu

build="clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev libmnl-dev libcap-dev
	libsmartcols-dev libjansson-dev libpcap-dev scdoc pkg-config gcc make libc6-dev"
demo="iproute2 procps python3"
test="$demo bats gojq jq strace libcmocka-dev g++ clang-format universal-ctags nginx-light haproxy
	unbound nsd gunicorn wrk dnsperf util-linux nftables
	iptables"
# The newest clang that Debian 12 has besides its own, 14, and its security updates'; and
# libFuzzer, for its own.
compilers="clang-19 llvm-19 libclang-rt-14-dev"
# Guests with other kernels.
kernels="qemu-system-x86 seabios busybox-static cpio kmod xz-utils"

wanted=
for set in "$@"; do
	case $set in
	build) wanted="$wanted $build" ;;
	demo) wanted="$wanted $demo" ;;
	test) wanted="$wanted $test" ;;
	compilers) wanted="$wanted $compilers" ;;
	kernels) wanted="$wanted $kernels" ;;
	*) echo "deps.sh: no package set '$set'" >&2; exit 2 ;;
	esac
done

missing=
for package in $wanted; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
	echo "deps.sh: packages are missing; as root, run: apt-get install$missing" >&2
	exit 1
fi
if ! command -v apt-get >/dev/null; then
	echo "deps.sh: not a Debian system; install the equivalents of:$missing" >&2
	exit 1
fi
echo "installing:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# RUNLEVEL=1 keeps the servers among them from being started. A nameless
# failure helps nobody, so the log is shown when there is one.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
# shellcheck disable=SC2086 # a list
{ apt-get -qq update && apt-get -qq install -y --no-install-recommends $missing; } >"$log" 2>&1 || {
	cat "$log" >&2
	echo "deps.sh: could not install:$missing" >&2
	exit 1
}
