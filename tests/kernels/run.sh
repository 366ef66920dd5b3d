#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The kernel matrix: runs a selection of the tests, with the binaries as built on this
# machine, on other kernels in virtual machines. Prints TAP; the last line is "N
# passed, N failed, N skipped".
#   run.sh [--tap]           on each of $KERNELS, default "6.1 6.12 host"
#   run.sh --shell KERNEL    a shell in a guest
# "host" is the kernel of this machine, without a guest; see fetch.sh for the others.
# --tap leaves the last line out. What was seen of a kernel stays in
# build/kernels/NAME: console, tap, and seen/ with what the tests wrote into $RP_SEEN.
set -u
cd "$(dirname "$0")/../.." || exit 1

usage() {
	echo "tests/kernels/run.sh [--tap] | --shell KERNEL"
}

total=yes shell=
while [ $# -gt 0 ]; do
	case $1 in
	--tap) total= ;;
	--shell) shell=${2:-}; shift
		[ -n "$shell" ] || { usage >&2; exit 2; } ;;
	--help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
read -r -a kernels <<<"${shell:-${KERNELS:-6.1 6.12 host}}"
[ "$(id -u)" -eq 0 ] || { echo "run.sh: the tests need root" >&2; exit 1; }

source tests/bash/left_over.bash
at_once=2
# After that a guest is killed. Where KVM does not work one takes about seven minutes,
# on a machine that is busy or slow twice as long.
limit=${RP_GUEST_SECONDS:-1800}
folder=build/kernels
passed=0 failed=0 skipped=0 number=0
declare -A guests=() started=()

# The sanitized run's, if it is that which calls.
unset RP_SANITIZED RP_REPORTS ASAN_OPTIONS UBSAN_OPTIONS
export RP_RUN=$$-$RANDOM REUSEPORTCTL=$PWD/build/reuseportctl WERROR=1

mkdir -p "$folder"
exec 9>"$folder/lock"
flock -n 9 || { echo "run.sh: the matrix runs already, in $PWD" >&2; exit 1; }

ended() {
	local pid
	for pid in "${!guests[@]}" ${host_pid:-}; do
		kill -TERM "$pid" 2>/dev/null
	done
	wait
	if [ "${host_pid:-}" ]; then
		tests_end
		left_over
	fi
	rm -f "$folder"/*.cpio*
}
trap ended EXIT
trap 'exit 130' INT TERM HUP

# name KERNEL: short, and good for a folder.
name() {
	local name
	case $1 in
	*:*) name=$(basename "${1#*:}") ;;
	*.deb) name=$(basename "$1" .deb) name=${name%%_*} ;;
	*) name=$1 ;;
	esac
	echo "${name#linux-image-}"
}

# ------------------------------------------------------------------- the output

# print FILE NAME: TAP without plans, numbered on, each test named by its kernel; and
# counts it.
print() {
	awk -v number="$number" -v name="$2" '
		/^(not )?ok / {
			start = /^not / ? "not ok " : "ok "
			sub(/^(not )?ok ([0-9]+ )?(- )?/, "")
			print start (++number) " " name ": " $0
			next
		}
		!/^1\.\./' "$1"
	local ok bad skip
	ok=$(grep -c '^ok ' "$1")
	bad=$(grep -c '^not ok ' "$1")
	skip=$(grep -ci '^ok .*# skip' "$1")
	number=$((number + ok + bad))
	passed=$((passed + ok - skip))
	failed=$((failed + bad))
	skipped=$((skipped + skip))
}

# complete TAP: it has its plan, as many tests as that says, and at least one.
complete() {
	local plan
	plan=$(sed -n 's/^1\.\.//p' "$1")
	[ "${plan:-0}" -gt 0 ] && [ "$(grep -Ec '^(not )?ok ' "$1")" -eq "$plan" ]
}

# What a kernel says when something in it is wrong.
trouble() {
	grep -aE 'WARNING:|BUG:|Oops|verifier bug|general protection|Kernel panic|UBSAN:|KASAN:|refcount_t:' "$1"
}

# judge NAME STATUS: adds to a guest's TAP what its tests could not say.
judge() {
	local at=$folder/$1 why
	if ! complete "$at/tap"; then
		case $2 in
		124) why="killed after $limit s" ;;
		*) why="ended early, status $2" ;;
		esac
		echo "not ok the guest's tests: $why"
		{ cat "$at/qemu"; tail -n 30 "$at/console"; } | sed 's/^/# /'
	fi
	if trouble "$at/console" >"$at/trouble"; then
		echo "not ok kernel log"
		sed 's/^/# /' "$at/trouble"
	else
		echo "ok kernel log"
	fi
	mkdir -p "$at/seen"
	tar -C "$at/seen" -xf "$at/seen.tar" 2>/dev/null ||
		echo "not ok what the tests have seen did not arrive"
}

# --------------------------------------------------------------------- guests

# prepare KERNEL: sets image, and $folder/NAME.cpio.
prepare() {
	local places
	[ "$(uname -m)" = x86_64 ] || {
		echo "guests are for x86_64 only, this is $(uname -m): KERNELS=host works here" >&2
		return 1
	}
	places=$(tests/kernels/fetch.sh "$1" "$folder/packages") || return
	{ read -r image; read -r modules; } <<<"$places"
	if [ ! -e "$folder/tools.cpio" ]; then
		tests/kernels/initramfs.sh build "$folder/tools.cpio" || return
	fi
	tests/kernels/modules.sh "$modules" "$folder/modules.cpio" || return
	cat "$folder"/{tools,modules}.cpio >"$folder/$(name "$1").cpio"
}

# Whether a guest under KVM gets as far as its first process; on some machines
# /dev/kvm is there and guests do not start. Once for all of them.
kvm_works() {
	local at=$folder/kvm pid try
	[ -w /dev/kvm ] || return 1
	rm -rf "$at"
	mkdir -p "$at"
	setpriv --pdeathsig TERM tests/kernels/boot.sh kvm 8 "$1" "$2" "$at" 9>&- &
	pid=$!
	guests[$pid]=kvm
	while kill -0 $pid 2>/dev/null && ! grep -q hello "$at/tap" 2>/dev/null; do
		sleep 0.2
	done
	kill -TERM $pid 2>/dev/null
	wait $pid
	unset "guests[$pid]"
	grep -q hello "$at/tap"
}

# start KERNEL: a guest, in the background.
start() {
	local at
	at=$folder/$(name "$1")
	rm -rf "$at"
	mkdir -p "$at"
	if ! prepare "$1" 2>"$at/prepare"; then
		{ echo "not ok it cannot be had"; sed 's/^/# /' "$at/prepare"; } >"$at/judged"
		print "$at/judged" "$(name "$1")"
		return
	fi
	if [ -z "${accel:-}" ]; then
		accel=tcg
		! kvm_works "$image" "$folder/$(name "$1").cpio" || accel=kvm
	fi
	# All takes ten times as long where it is emulated.
	local patience=1 thin=1
	[ "$accel" = kvm ] || patience=10 thin=20
	setpriv --pdeathsig TERM tests/kernels/boot.sh "$accel" "$limit" "$image" "$folder/$(name "$1").cpio" "$at" \
		"rp.patience=$patience" "rp.thin=$thin" "rp.name=$(name "$1")" "rp.accel=$accel" 9>&- &
	guests[$!]=$(name "$1")
	started[$!]=$SECONDS
}

# Prints those that have ended.
reap() {
	local pid at status
	for pid in "${!guests[@]}"; do
		! kill -0 "$pid" 2>/dev/null || continue
		wait "$pid"
		status=$?
		at=$folder/${guests[$pid]}
		touch "$at"/{tap,console,qemu,seen.tar}
		{ cat "$at/tap"; judge "${guests[$pid]}" "$status"; } >"$at/judged"
		echo "# kernel ${guests[$pid]} ($(sed -n 's/^# hello from //p' "$at/tap")), $accel"
		print "$at/judged" "${guests[$pid]}"
		echo "# kernel ${guests[$pid]} took $((SECONDS - ${started[$pid]})) s"
		unset "guests[$pid]"
	done
}

# --------------------------------------------------------------------- this one

run_host() {
	local at=$PWD/$folder/host start=$SECONDS
	rm -rf "$at"
	mkdir -p "$at/seen"
	echo "# kernel host ($(uname -r))"
	RP_SEEN=$at/seen RP_THIN=5 tests/kernels/selected.sh >"$at/tap" 2>&1 </dev/null 9>&- &
	host_pid=$!
	wait $host_pid
	host_pid=
	{
		cat "$at/tap"
		complete "$at/tap" || echo "not ok the tests ended early"
		left_over
	} >"$at/judged"
	print "$at/judged" host
	echo "# kernel host took $((SECONDS - start)) s"
}

# ------------------------------------------------------------------------- all

make --no-print-directory -s -f bench/bench.mk all helpers build/bench/runtime || exit 1
make --no-print-directory -s BUILD=build/clang-19 CLANG=clang-19 build/clang-19/helpers/verify || exit 1
rm -f "$folder"/*.cpio

if [ "$shell" ]; then
	mkdir -p "$folder/shell"
	prepare "$shell" || exit 1
	accel=tcg
	! kvm_works "$image" "$folder/$(name "$shell").cpio" || accel=kvm
	tests/kernels/boot.sh --shell "$accel" 0 "$image" "$folder/$(name "$shell").cpio" \
		"$folder/shell"
	exit
fi

for kernel in "${kernels[@]}"; do
	[ "$kernel" != host ] || continue
	while [ ${#guests[@]} -ge "$at_once" ]; do
		sleep 0.5
		reap
	done
	start "$kernel"
done
while [ ${#guests[@]} -gt 0 ]; do
	sleep 0.5
	reap
done
case " ${kernels[*]} " in
*" host "*) run_host ;;
esac

echo "1..$number"
[ -z "$total" ] || echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
