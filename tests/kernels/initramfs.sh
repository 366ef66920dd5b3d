#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The guest's file system, the same for every kernel: this machine's own tools,
# and the project as it was built here.
#   initramfs.sh BUILD OUT
# Writes OUT, a cpio archive that is not compressed: to unpack one takes an emulated
# processor longer than to read it.
set -eu
cd "$(dirname "$0")/../.."
build=$1 out=$2

# What init, bats and the tests call. Not in the list is not in the guest: then the
# test says which command it did not find.
tools=(
	bash sh bats env
	awk basename cat chmod chown comm cp cut date diff dirname echo find flock grep head id
	kill ln ls mkdir mkfifo mktemp mv nproc nl paste printf ps readlink realpath rm rmdir
	sed seq sleep sort stat stty sync tail tar tee test timeout touch tr true tty uname
	uniq wc xargs
	gojq ip ss nstat sysctl bpftool
	nsenter unshare setpriv setsid mount umount mountpoint taskset chrt
	dmesg insmod rmmod
	iptables-{legacy,nft} iptables-{legacy,nft}-{restore,save}
)
# Debian's bats is these beside /usr/bin/bats; and iptables' parts.
folders=(/usr/lib/bats-core /usr/libexec/bats-core /usr/lib/bats /usr/lib/*/xtables)

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

mkdir -p "$tree"/usr/{bin,lib,lib64,sbin} \
	"$tree"/{dev,etc,proc,root,run,seen,sys,tmp,modules,rp}
for folder in bin sbin lib lib64; do
	ln -s "usr/$folder" "$tree/$folder"
done
echo "root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/:/bin/sh" >"$tree/etc/passwd"
echo "root:x:0:
nogroup:x:65534:" >"$tree/etc/group"
echo "127.0.0.1 localhost" >"$tree/etc/hosts"

programs=()
for tool in "${tools[@]}"; do
	# Debian installs some where a plain user's PATH does not look.
	path=$(PATH=$PATH:/usr/sbin:/sbin type -P "$tool") || {
		echo "initramfs.sh: no '$tool' on this machine" >&2
		exit 1
	}
	cp -L "$path" "$tree/usr/bin/$tool"
	programs+=("$path")
done
cp -L "$(type -P busybox)" "$tree/usr/bin/busybox"
for folder in "${folders[@]}"; do
	[ -e "$folder" ] || continue
	mkdir -p "$tree$(dirname "$folder")"
	cp -a "$folder" "$tree$folder"
done

cp -a tests "$tree/rp"
# Of the build with another clang it is the BPF programs that matter.
for file in "$build"/{reuseportctl,helpers,bench/runtime,*/helpers/verify}; do
	[ -e "$file" ] || continue
	mkdir -p "$tree/rp/$(dirname "$file")"
	cp -a "$file" "$tree/rp/$(dirname "$file")"
	programs+=("$file")
done
cp tests/kernels/init "$tree/init"

# The libraries of all of them, where they look for them.
find "${programs[@]}" -type f -o -type l | while read -r program; do
	ldd "$program" 2>/dev/null || true
done | grep -o '/[^ ]*' | sort -u | while read -r library; do
	# ldd says "PROGRAM:" of each when it is given several.
	[ -f "$library" ] || continue
	mkdir -p "$tree$(dirname "$library")"
	cp -L "$library" "$tree$library"
done

(cd "$tree" && find . | cpio --quiet -o -H newc -R 0:0) >"$out.new"
mv "$out.new" "$out"
