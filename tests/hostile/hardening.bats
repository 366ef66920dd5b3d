#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What an attacker finds who got a foot in: a hardened binary, and a command and a keeper
# that have no right which they do not need.
load ../cli/common.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

# -------------------------------------------------------------------- the build

@test "hardening: the command and the library are built with it" {
	local lib
	skip_if_sanitized "the sanitizers stand for some of it"
	lib=$(dirname "$REUSEPORTCTL")/libreuseport-bpf.so
	readelf -hW "$REUSEPORTCTL" | grep -q 'Type: *DYN'
	readelf -dW "$REUSEPORTCTL" | grep -q 'FLAGS_1.* PIE'
	for file in "$REUSEPORTCTL" "$lib"; do
		readelf -lW "$file" | grep -q GNU_RELRO || fail "$file: no RELRO"
		readelf -dW "$file" | grep -q 'FLAGS_1.* NOW' || fail "$file: not bound at start"
		readelf -lW "$file" | grep -q 'GNU_STACK.* RW ' || fail "$file: executable stack"
		! readelf -dW "$file" | grep -q TEXTREL || fail "$file: text relocations"
		nm -D "$file" | grep -q ' U __stack_chk_fail' || fail "$file: no stack protector"
		nm -D "$file" | grep -q ' U __snprintf_chk' || fail "$file: no _FORTIFY_SOURCE"
	done
}

# compile [VARIABLE=VALUE]...: how the command's main.c would be compiled and linked.
compile() {
	env -u CFLAGS -u CPPFLAGS -u LDFLAGS -u MAKEFLAGS make -C "$RP_ROOT" --no-print-directory \
		-n V=1 BUILD="$BATS_TEST_TMPDIR/build" "$@" "$BATS_TEST_TMPDIR/build/cli/main.o" \
		"$BATS_TEST_TMPDIR/build/reuseportctl" >"$BATS_TEST_TMPDIR/make"
	compiled=$(grep -- '-o [^ ]*/cli/main\.o' "$BATS_TEST_TMPDIR/make")
	linked=$(grep -- '-o [^ ]*/reuseportctl ' "$BATS_TEST_TMPDIR/make")
	[ -n "$compiled" ] && [ -n "$linked" ] || fail "make $*"
}

# has TEXT WORDS, has_not TEXT WORDS: the command line has them, or has none of them.
has() {
	local word
	for word in $2; do
		[[ " $1 " == *" $word "* ]] || fail "no $word in: $1"
	done
}

has_not() {
	local word
	for word in $2; do
		[[ $1 != *"$word"* ]] || fail "$word is in: $1"
	done
}

@test "hardening: what the packager gives wins" {
	compile
	has "$compiled" "-fPIE -fstack-protector-strong -fstack-clash-protection"
	[[ $compiled =~ -D_FORTIFY_SOURCE=[23]\  ]] || fail "$compiled"
	has "$linked" "-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack"

	compile CFLAGS="-O0 -g"
	has_not "$compiled" _FORTIFY_SOURCE
	compile CFLAGS="-O2 -O0"
	has_not "$compiled" _FORTIFY_SOURCE
	compile CFLAGS="-g"
	has_not "$compiled" _FORTIFY_SOURCE

	compile CPPFLAGS=-D_FORTIFY_SOURCE=1
	equal "$(grep -o '_FORTIFY_SOURCE[^ ]*' <<<"$compiled")" _FORTIFY_SOURCE=1
	compile CFLAGS="-O2 -U_FORTIFY_SOURCE"
	equal "$(grep -o '[^ ]*_FORTIFY_SOURCE[^ ]*' <<<"$compiled")" -U_FORTIFY_SOURCE

	compile CFLAGS="-O2 -fno-stack-protector"
	[[ $compiled == *-fstack-protector-strong*-fno-stack-protector* ]] || fail "$compiled"
	compile CFLAGS="-O2 -fno-pie" LDFLAGS=-no-pie
	has_not "$compiled" -fPIE
	has_not "$linked" "-pie\ "
	[[ $linked != *" -pie "* ]] || fail "$linked"
	compile LDFLAGS="-Wl,-z,lazy -Wl,-z,norelro"
	[[ $linked == *-z,now*-z,lazy* && $linked == *-z,relro*-z,norelro* ]] || fail "$linked"
	compile LDFLAGS=-static
	[[ $linked != *" -pie "* ]] || fail "$linked"

	compile HARDENING=
	has_not "$compiled $linked" "-fPIE -fstack _FORTIFY -z,now -z,relro"
	compile SANITIZE=1
	has_not "$compiled" _FORTIFY_SOURCE
}

# ----------------------------------------------------------------- capabilities

# field PID NAME: of its status file.
field() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# caps NAME...: them as the mask of a status file.
caps() {
	local name mask=0
	for name in "$@"; do
		case $name in
		dac_override) mask=$((mask | 1 << 1)) ;;
		dac_read_search) mask=$((mask | 1 << 2)) ;;
		net_admin) mask=$((mask | 1 << 12)) ;;
		sys_chroot) mask=$((mask | 1 << 18)) ;;
		sys_ptrace) mask=$((mask | 1 << 19)) ;;
		sys_admin) mask=$((mask | 1 << 21)) ;;
		sys_resource) mask=$((mask | 1 << 24)) ;;
		perfmon) mask=$((mask | 1 << 38)) ;;
		bpf) mask=$((mask | 1 << 39)) ;;
		*) fail "capability $name" ;;
		esac
	done
	# Root itself may have fewer here.
	printf '%016x\n' $((mask & 0x$(field self CapPrm)))
}

KEEPER_CAPS="dac_read_search net_admin sys_ptrace sys_admin perfmon bpf"

# has_only PID CAP...: these are its capabilities, and it can gain no other ones.
has_only() {
	local pid=$1 set
	shift
	for set in CapPrm CapEff; do
		equal "$(field "$pid" $set)" "$(caps "$@")" $set
	done
	for set in CapInh CapBnd CapAmb; do
		equal "$(field "$pid" $set)" 0000000000000000 $set
	done
	equal "$(field "$pid" NoNewPrivs)" 1 NoNewPrivs
}

@test "hardening: a keeper has only the capabilities that it needs" {
	start_worker --port 8080
	attach --port 8080
	has_only "$(keeper_pid 8080 tcp)" $KEEPER_CAPS
	equal "$(field "$(keeper_pid 8080 tcp)" Umask)" 0077 umask
}

@test "hardening: so has one in the foreground, and a command that waits" {
	local keeper
	spawn "$BATS_TEST_TMPDIR/keeper" "$REUSEPORTCTL" attach --netns "$NS" --port 8080 --wait \
		--foreground
	keeper=$spawned
	# What it has while it waits.
	wait_until 5 reduced "$keeper"
	has_only "$keeper" $KEEPER_CAPS sys_resource sys_chroot
	start_worker --port 8080
	wait_until 5 grep -q keeper "$BATS_TEST_TMPDIR/keeper"
	record_bpf
	wait_until 5 kept
	has_only "$keeper" $KEEPER_CAPS
}

reduced() {
	[ "$(field "$1" CapBnd)" = 0000000000000000 ]
}

kept() {
	[ -n "$(keeper_pid 8080 tcp)" ]
}

@test "hardening: with these a keeper follows workers of other users, in other namespaces" {
	local proto folder
	folder=$(mktemp -d)
	chmod 755 "$folder"
	cp "$HELPERS/worker" "$folder"
	for proto in tcp udp; do
		spawn "$BATS_TEST_TMPDIR/first.$proto" setpriv --reuid 65534 --regid 65534 \
			--clear-groups "$folder/worker" --port 8080 --proto $proto
		wait_until 10 grep -q ^ready "$BATS_TEST_TMPDIR/first.$proto"
		attach --port 8080 --proto $proto
		has_only "$(keeper_pid 8080 $proto)" $KEEPER_CAPS
		spawn "$BATS_TEST_TMPDIR/second.$proto" setpriv --reuid 65534 --regid 65534 \
			--clear-groups "$folder/worker" --port 8080 --proto $proto
		wait_until 10 grep -q ^ready "$BATS_TEST_TMPDIR/second.$proto"
		wait_until 3 in_sync 8080 $proto
		equal "$(status 8080 $proto '[.workers[].pids | length] | tojson')" "[1,1]" "$proto"
		serves 8080 $proto
		# A new group, with a new program.
		stop_named "$BATS_TEST_TMPDIR/first.$proto" "$BATS_TEST_TMPDIR/second.$proto"
		spawn "$BATS_TEST_TMPDIR/third.$proto" setpriv --reuid 65534 --regid 65534 \
			--clear-groups "$folder/worker" --port 8080 --proto $proto
		wait_until 10 grep -q ^ready "$BATS_TEST_TMPDIR/third.$proto"
		wait_until 8 attached_again $proto
		succeeds ctl detach --port 8080 --proto $proto
	done
	rm -r "$folder"
}

# stop_named FILE...: the workers that wrote them.
stop_named() {
	local file
	for file in "$@"; do
		stop "$(awk '$1 == "ready" { print $2 }' "$file")"
	done
}

attached_again() {
	in_sync 8080 "$1" && [ "$(status 8080 "$1" .program.attached)" = true ]
}

@test "hardening: with fewer to begin with, it gains none" {
	local keeper
	start_worker --port 8080
	in_ns setpriv --inh-caps -sys_admin --bounding-set -sys_admin \
		"$REUSEPORTCTL" attach --port 8080 3>&-
	record_bpf
	keeper=$(keeper_pid 8080 tcp)
	has_only "$keeper" ${KEEPER_CAPS/sys_admin/}
	# Without CAP_SETPCAP the bounding set stays, and nothing else.
	succeeds ctl detach --port 8080
	in_ns setpriv --inh-caps -setpcap --bounding-set -setpcap "$REUSEPORTCTL" attach \
		--port 8080 3>&-
	record_bpf
	keeper=$(keeper_pid 8080 tcp)
	equal "$(field "$keeper" CapEff)" "$(caps $KEEPER_CAPS)" CapEff
	equal "$(field "$keeper" NoNewPrivs)" 1 NoNewPrivs
}

# ------------------------------------------------------------------------ files

@test "hardening: other users cannot read what it writes, whatever the umask" {
	local pin
	start_worker --port 8080
	(umask 0; attach --port 8080 >"$BATS_TEST_TMPDIR/attached")
	record_bpf
	equal "$(stat -c %a "$BATS_TEST_TMPDIR/keeper.log")" 600 "mode of the log"
	pin=$(pin_of 8080)
	equal "$(find "$pin" -perm /077)" "" "pins that others can use"
	(umask 0; ctl policy --port 8080 weighted >"$BATS_TEST_TMPDIR/policy")
	equal "$(find "$pin" -perm /077)" "" "pins that others can use, after a change"
}

@test "hardening: the log is written where only another user may" {
	local folder=$BATS_TEST_TMPDIR/logs
	start_worker --port 8080
	mkdir "$folder"
	chown 65534:65534 "$folder"
	chmod 755 "$folder"
	succeeds ctl attach --port 8080 --log "$folder/log"
	grep -q "tcp 0.0.0.0:8080: 1 worker" "$folder/log"
	has_only "$(keeper_pid 8080 tcp)" $KEEPER_CAPS
}

@test "hardening: a log that is a pipe without a reader stops nothing" {
	start_worker --port 8080
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	refused 1 timeout 5 "$REUSEPORTCTL" attach --netns "$NS" --port 8080 \
		--log "$BATS_TEST_TMPDIR/pipe"
	says "cannot open --log" "No such device"
	untouched 8080
}
