#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# One guest, from its start until it powers off or has to be killed.
#   boot.sh [--shell] ACCEL SECONDS IMAGE INITRAMFS FOLDER [WORD...]
# ACCEL is kvm or tcg. Into FOLDER: console (the kernel's), tap and seen.tar (see
# init). WORDs are added to the kernel's command line. Exit status 124: killed after
# SECONDS. Whoever ends this process ends the guest.
set -eu

shell=
[ "$1" != --shell ] || { shell=yes; shift; }
accel=$1 seconds=$2 image=$3 initramfs=$4 folder=$5
shift 5

# A panic ends the guest at once.
words=(console=ttyS0 panic=-1 numa_balancing=disable "$@")
case $accel in
kvm)
	machine=(-accel kvm -cpu host)
	;;
tcg)
	# Processes start a fifth faster than on "max": that one has SMAP and five levels
	# of page tables, all to be emulated. It has what Debian needs.
	machine=(-accel "tcg,thread=multi" -cpu Nehalem)
	# No attacker in there, but each guard against one is emulated. Two processors
	# share an emulated clock; and a host that is busy is no stall of the guest.
	words+=(mitigations=off tsc=reliable init_on_alloc=0 nosoftlockup
		rcupdate.rcu_cpu_stall_suppress=1)
	;;
esac

if [ "$shell" ]; then
	first=(-chardev stdio,id=console,signal=off)
	words+=(rp.shell quiet)
else
	first=(-chardev file,id=console,path="$folder/console")
fi

# Two processors on two nodes, for the policies that go by these.
command=(qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none
	-machine q35 "${machine[@]}" -smp 2 -m 1024
	-object memory-backend-ram,id=near,size=512M -numa node,nodeid=0,cpus=0,memdev=near
	-object memory-backend-ram,id=far,size=512M -numa node,nodeid=1,cpus=1,memdev=far
	-kernel "$image" -initrd "$initramfs" -append "${words[*]}"
	"${first[@]}" -serial chardev:console
	-chardev file,id=tap,path="$folder/tap" -serial chardev:tap
	-chardev file,id=seen,path="$folder/seen.tar" -serial chardev:seen)

if [ "$shell" ]; then
	exec "${command[@]}"
fi
# Now and then (once in about a hundred starts, QEMU 7.2) a guest whose two processors are
# emulated stands still while its kernel starts, both spinning: that one is begun anew.
starts=3 start_seconds=60 hello=
start() {
	setpriv --pdeathsig KILL "${command[@]}" </dev/null 2>"$folder/qemu" &
	qemu=$!
	start_end=$((SECONDS + start_seconds))
	starts=$((starts - 1))
}

trap 'kill -KILL $qemu 2>/dev/null || true' EXIT
trap 'exit 1' INT TERM HUP
end=$((SECONDS + seconds))
start
while kill -0 $qemu 2>/dev/null; do
	[ "$SECONDS" -lt "$end" ] || exit 124
	[ "$hello" ] || ! grep -q hello "$folder/tap" 2>/dev/null || hello=yes
	if [ -z "$hello" ] && [ "$starts" -gt 0 ] && [ "$SECONDS" -ge "$start_end" ]; then
		echo "# $folder: the guest has not started in $start_seconds s, once more" >&2
		kill -KILL $qemu
		{ wait $qemu || true; } 2>/dev/null
		start
	fi
	sleep 0.5
done
# The caller tells how it ended.
{ wait $qemu; } 2>/dev/null
