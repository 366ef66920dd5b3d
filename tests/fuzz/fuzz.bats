#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Noise for everything that reuseportctl reads: captures, files, words, environment, pins.
# Each run is judged by judge.py. RP_FUZZ_SEED is the seed, otherwise the same one always;
# RP_FUZZ_TIMES says how many times as long it takes.
load ../bash/lib.bash

setup() {
	begin_test
	mkdir "$BATS_TEST_TMPDIR/work"
	cd "$BATS_TEST_TMPDIR/work"
	SEED=${RP_FUZZ_SEED:-1}
}

teardown() {
	cd /
	end_test
}

seconds() {
	rounds some $(($1 * 10)) "$1"
	echo $((some * ${RP_FUZZ_TIMES:-1}))
}

# alone CMD...: in namespaces of its own, so that no word names what is outside: it sees no
# process, no network namespace and no pin but those that it makes. The port 8080 has groups.
alone() {
	export REUSEPORTCTL HELPERS
	unshare --net --mount --pid --fork --mount-proc --kill-child bash -euc '
		mount -t tmpfs none /run
		mount -t bpf -o mode=0700 none /sys/fs/bpf
		ip link set lo up
		for proto in tcp udp; do
			"$HELPERS/worker" --port 8080 --sockets 2 --proto $proto >ready.$proto &
			until grep -q ^ready ready.$proto; do sleep 0.05; done
		done
		"$@"' alone "$@" 3>&-
}

# The readers alone, with every branch that they took for a guide. One that fails is printed.
@test "fuzz: captures and files, by what the readers do" {
	local link make=$RP_ROOT/tests/helpers/make_capture.py
	mkdir corpus
	for link in ether vlan qinq sll sll2 raw null wifi; do
		{ printf '\0'; python3 "$make" $link 3>&-; } >"corpus/$link"
	done
	printf '\001192.0.2.7:1000 192.0.2.1:80 udp\n[2001:db8::7]:1002 [2001:db8::1]:80\n' >corpus/text
	"$RP_ROOT/build/fuzz/packets" -seed="$SEED" -max_total_time="$(seconds 10)" -timeout=60 \
		-max_len=4096 -rss_limit_mb=2048 -close_fd_mask=2 -print_final_stats=1 corpus 3>&- \
		>fuzzed 2>&1 || { tail -n 60 fuzzed; od -c crash-* timeout-* leak-* | head -n 40; false; }
}

@test "fuzz: captures" {
	python3 "$RP_ROOT/tests/fuzz/inputs.py" capture "$(seconds 5)" "$SEED" 3>&-
}

@test "fuzz: files of packets" {
	python3 "$RP_ROOT/tests/fuzz/inputs.py" text "$(seconds 3)" "$SEED" 3>&-
}

@test "fuzz: words of the command line" {
	alone python3 "$RP_ROOT/tests/fuzz/inputs.py" words "$(seconds 12)" "$SEED"
}

@test "fuzz: environment" {
	alone python3 "$RP_ROOT/tests/fuzz/inputs.py" environment "$(seconds 6)" "$SEED"
}

@test "fuzz: pins" {
	alone python3 "$RP_ROOT/tests/fuzz/pins.py" "$(seconds 12)" "$SEED"
}
