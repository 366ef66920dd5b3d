#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What explain says is what packets do.
load ../bash/lib.bash

HASH_KEY=00112233445566778899aabbccddeeff

setup() {
	begin_test
	# To explain one takes some milliseconds.
	rounds tuples 500 50
	rounds few 50 10
}

teardown() {
	end_test
}


explained() {
	in_ns "$LIBRARY_HELPERS/explain_lines" "$@"
}

# compare PROTO TO COUNT [CLIENT_OPTION...]: each tuple reaches whom explain names.
compare() {
	local proto=$1 to=$2 count=$3 reached=$BATS_TEST_TMPDIR/reached said=$BATS_TEST_TMPDIR/said
	shift 3
	client --proto "$proto" --to "$to" --count "$count" "$@" >"$reached"
	explained --proto "$proto" --to "$to" <"$reached" >"$said"
	equal "$(wc -l <"$said")" "$count" "explained"
	diff "$reached" "$said" || fail "$proto to $to: reached <, said >"
}

# A group on every address of both families and next to it a more specific one.
layout() {
	local proto=$1

	start_workers 4 --port 8080 --proto "$proto"
	start_workers 2 --port 8080 --proto "$proto" --addr 127.0.0.2
	start_workers 3 --port 8080 --proto "$proto" --addr :: --v6only
	start_workers 2 --port 8080 --proto "$proto" --addr ::1
}

everywhere() {
	local proto=$1 count=$((tuples / RP_THIN + 1))
	shift
	layout "$proto"
	attach --port 8080 --proto "$proto" --hash-key "$HASH_KEY" "$@"
	compare "$proto" 127.0.0.1:8080 "$count"
	compare "$proto" 127.0.0.2:8080 "$count"
	compare "$proto" "[::1]:8080" "$count"
	in_ns ip addr add fd00::7/128 dev lo nodad
	compare "$proto" "[fd00::7]:8080" "$count"
}

@test "explain: consistent, TCP" {
	everywhere tcp --policy consistent
}

@test "explain: consistent, UDP" {
	everywhere udp --policy consistent
}

# As on kernels before 6.6 and 6.13.
@test "explain: UDP, without the iterator's order and the table of connected sockets" {
	export REUSEPORT_DISABLE=udp-iter-order,udp-hash4
	everywhere udp --policy consistent
}

@test "explain: weighted over consistent, with weights" {
	layout tcp
	attach --port 8080 --policy weighted --over consistent --hash-key "$HASH_KEY"
	ctl weight --port 8080 --addr 0.0.0.0 slot:1 5
	ctl weight --port 8080 --addr 0.0.0.0 slot:2 0
	compare tcp 127.0.0.1:8080 $((2 * tuples))
	compare tcp 127.0.0.2:8080 $((2 * tuples))
}

@test "explain: every policy that hashes, every key" {
	local policy key

	start_workers 5 --port 8080 --addr ::
	attach --port 8080
	for policy in hash linux39 consistent weighted; do
		for key in tuple src dst src-prefix/13 src-prefix/20,77; do
			ctl policy --port 8080 "$policy" --key "$key" --hash-key "$HASH_KEY"
			compare tcp 127.0.0.1:8080 "$few" --seed $RANDOM
			compare tcp "[::1]:8080" "$few" --seed $RANDOM
		done
	done
}

@test "explain: the walk of 3.9 over more members than are walked in a line" {
	start_worker --port 8080 --sockets 60
	attach --port 8080 --policy linux39 --hash-key "$HASH_KEY"
	compare tcp 127.0.0.1:8080 "$tuples"
}

@test "explain: probe reads take the same keys" {
	start_workers 4 --port 8080 --proto udp --addr ::
	REUSEPORT_DISABLE=plain-reads attach --port 8080 --proto udp --policy consistent
	compare udp 127.0.0.1:8080 "$tuples"
	compare udp "[::1]:8080" "$tuples"
	ctl policy --port 8080 --proto udp consistent --key src-prefix/9,100
	compare udp 127.0.0.1:8080 "$tuples"
	compare udp "[::1]:8080" "$tuples"
}

# The kernel takes out a leaver at once; the keeper, which logs it, computes the policy's new
# table a moment later.
keeper_counts() {
	[[ $(grep -E '[0-9] workers' "$BATS_TEST_TMPDIR/keeper.log" | tail -n 1) == *": $1 workers"* ]]
}

@test "explain: through a leave and a join, and with the keeper gone" {
	local n=$((tuples < 500 ? 3 * tuples : 500))
	start_workers 4 --port 8080
	attach --port 8080 --policy consistent
	stop "${worker_pids[1]}"
	# Of a leave the next packet tells, and there is none.
	wait_until 10 keeper_counts 3
	compare tcp 127.0.0.1:8080 "$tuples"
	start_worker --port 8080
	wait_until 5 keeper_counts 4
	compare tcp 127.0.0.1:8080 "$tuples"
	kill -KILL "$(keeper_pid 8080 tcp)"
	stop "${worker_pids[2]}"
	# Whose keys those were, the next best by the policy have. One in 256 finds
	# the leaver four times: the kernel picks, and explain does not know whom.
	client --to 127.0.0.1:8080 --count "$n" >"$BATS_TEST_TMPDIR/reached"
	explained --to 127.0.0.1:8080 <"$BATS_TEST_TMPDIR/reached" >"$BATS_TEST_TMPDIR/said"
	equal "$(wc -l <"$BATS_TEST_TMPDIR/said")" "$n"
	[ "$(grep -c '?$' "$BATS_TEST_TMPDIR/said")" -le 15 ] || fail "too many are not certain"
	grep -v '?$' "$BATS_TEST_TMPDIR/said" >"$BATS_TEST_TMPDIR/certain"
	equal "$(grep -cxF -f "$BATS_TEST_TMPDIR/reached" "$BATS_TEST_TMPDIR/certain")" \
		"$(wc -l <"$BATS_TEST_TMPDIR/certain")"
}

@test "explain: cpu, for a packet on a given CPU" {
	local cpu reached=$BATS_TEST_TMPDIR/reached

	start_workers 4 --port 8080
	attach --port 8080 --policy cpu --cpu-map 0:0,1:2 --hash-key "$HASH_KEY"
	for cpu in 0 1; do
		[ "$cpu" -lt "$(nproc)" ] || skip "there is no CPU $cpu"
		in_ns taskset -c "$cpu" "$HELPERS/client" --to 127.0.0.1:8080 --count 50 >"$reached"
		diff "$reached" <(explained --to 127.0.0.1:8080 --cpu "$cpu" <"$reached")
	done
}

# compare_on CPU PROTO COUNT: what that CPU handles reaches whom explain names for it.
compare_on() {
	local reached=$BATS_TEST_TMPDIR/reached said=$BATS_TEST_TMPDIR/said
	in_ns taskset -c "$1" "$HELPERS/client" --proto "$2" --to 127.0.0.1:8080 --count "$3" \
		>"$reached"
	explained --proto "$2" --to 127.0.0.1:8080 --cpu "$1" <"$reached" >"$said"
	diff "$reached" "$said" || fail "$2 on CPU $1: reached <, said >"
}

# said_on CPU PROTO JQ: of the explanation for a packet on that CPU, "": on any.
said_on() {
	in_ns "$REUSEPORTCTL" explain --proto "$2" --src 127.9.9.9:4000 --dst 127.0.0.1:8080 \
		${1:+--cpu "$1"} --json | jq -c "$3"
}

@test "explain: SO_INCOMING_CPU, where the kernel picks" {
	local proto cpu first
	taskset -c 1 true || skip "there is no CPU 1"
	skip_without_incoming_cpu
	for proto in tcp udp; do
		start_worker --port 8080 --proto $proto --incoming-cpu 0
		first=$worker_cookies
		start_worker --port 8080 --proto $proto --incoming-cpu 1
		start_worker --port 8080 --proto $proto
		equal "$(said_on 0 $proto '[.decider, .by_incoming_cpu, .certain, .workers[0].cookie,
			.workers[0].incoming_cpu]')" "[\"kernel\",true,true,$first,0]"
		for cpu in 0 1; do compare_on $cpu $proto "$few"; done
		# On any CPU one of those, or on a third CPU also the last.
		equal "$(said_on "" $proto '[.certain, .lookup_by_cpu, (.workers | length >= 2),
			(.why | contains("name a CPU")), ([.workers[].share] | add | . * 1000 | round)]')" \
			'[false,false,true,true,1000]'
		equal "$(said_on 4095 $proto '[.certain, (.workers | map(.share * 3 | round))]')" \
			'[false,[1,1,1]]'
		# Of two for one CPU the hash chooses, and the third gets nothing there.
		start_worker --port 8080 --proto $proto --incoming-cpu 0
		equal "$(said_on 0 $proto ".workers | map([.cookie, .share]) | sort ==
			([[$first,0.5],[$worker_cookies,0.5]] | sort)")" true
		equal "$(in_ns taskset -c 0 "$HELPERS/client" --proto $proto --to 127.0.0.1:8080 \
			--count 40 | cut -d' ' -f2 | sort -u)" "$(printf '%s\n' "$first" "$worker_cookies" | sort)"

		# The program of "hash" leaves the pick to the kernel, and so the CPU counts. A
		# policy that selects knows nothing of it.
		attach --port 8080 --proto $proto
		equal "$(said_on 1 $proto '[.decider, .by_incoming_cpu]')" '["policy",true]'
		compare_on 1 $proto "$few"
		ctl policy --port 8080 --proto $proto weighted --hash-key "$HASH_KEY"
		equal "$(said_on 1 $proto '[.by_incoming_cpu, .certain]')" '[false,true]'
		for cpu in 0 1; do compare_on $cpu $proto "$few"; done
		# But where nobody may get work, the kernel picks.
		ctl drain --port 8080 --proto $proto --force "comm:worker"
		equal "$(said_on 1 $proto '[.by_incoming_cpu, .policy.rules.policy]')" '[true,"weighted"]'
		compare_on 1 $proto "$few"
	done
}

@test "explain: SO_INCOMING_CPU, between sockets that share a port by SO_REUSEADDR" {
	local cpu
	taskset -c 1 true || skip "there is no CPU 1"
	start_worker --port 8080 --proto udp --reuseaddr --incoming-cpu 0
	start_worker --port 8080 --proto udp --reuseaddr --incoming-cpu 1
	for cpu in 0 1; do compare_on $cpu udp "$few"; done
	run -1 in_ns "$REUSEPORTCTL" explain --proto udp --src 127.0.0.1:1 --dst 127.0.0.1:8080
	[[ $output == *"not known"*"--cpu"* ]] || fail "$output"
	equal "$(said_on "" udp '[.winner, .certain, .lookup_by_cpu, .workers]')" \
		'[true,false,true,[]]'
	equal "$(said_on 1 udp '[.certain, .lookup_by_cpu, .candidates[0].score_parts.cpu]')" \
		'[true,false,1]'
	equal "$(said_on 4095 udp '[.certain, .candidates[0].score_parts.cpu]')" '[true,0]'
}

# said JQ: of the explanation as JSON.
said() {
	in_ns "$REUSEPORTCTL" explain --src 127.9.9.9:4000 --dst 127.0.0.1:8080 --json | jq -c "$1"
}

@test "explain: what cannot be predicted is not, and what holds is said" {
	local policy

	start_workers 4 --port 8080
	start_workers 2 --port 8080 --addr 127.0.0.2
	equal "$(said '[.decider, .certain, (.workers | length), .workers[0].share]')" \
		'["kernel",false,4,0.25]'
	attach --port 8080
	for policy in hash linux39 weighted random round-robin least-queue cpu numa; do
		ctl policy --port 8080 "$policy"
		equal "$(said '[.decider, .policy.rules.policy, .policy.hash, .certain,
			(.workers | length), ([.workers[].share] | add == 1)]')" \
			"[\"policy\",\"$policy\",null,false,4,true]" "$policy"
	done
	ctl policy --port 8080 weighted
	ctl weight --port 8080 --addr 0.0.0.0 slot:3 5
	equal "$(said '.workers[0] | [.slot, .weight, .share]')" '[3,5,0.625]'
	# One worker left is certain, whatever the hash.
	for slot in 0 1 2; do ctl weight --port 8080 --addr 0.0.0.0 "slot:$slot" 0; done
	equal "$(said '[.certain, .workers[0].slot]')" '[true,3]'
	ctl weight --port 8080 --addr 0.0.0.0 slot:3 0
	equal "$(said '[.certain, (.workers | length)]')" '[false,4]'
}

@test "explain: candidates, scores and why the others do not get it" {
	start_workers 2 --port 8080
	start_workers 2 --port 8080 --addr 127.0.0.1
	start_workers 2 --port 8080 --addr ::
	start_workers 2 --port 8080 --addr ::1
	equal "$(said '.candidates | map([.addr, .table, .score, (.verdict == "wins")])')" \
		'[["127.0.0.1","exact address",2,true],["0.0.0.0","wildcard",2,false],["::","wildcard",1,false],["::1","none",-1,false]]'
	equal "$(said .decider)" '"kernel"'
	attach --port 8080 --addr 127.0.0.1 --policy consistent
	equal "$(said '[.candidates[0].steered, .candidates[1].steered, .decider, .certain,
		(.policy.tries | length), .policy.taken_by]')" '[true,false,"policy",true,4,0]'
}

@test "explain: nobody on the port, a single socket, a connected one" {
	run -3 in_ns "$REUSEPORTCTL" explain --src 127.0.0.1:1 --dst 127.0.0.1:9
	[[ $output == *"=> no socket"* ]] || fail "$output"
	start_worker --port 8080 --no-reuseport
	equal "$(said '[.decider, .certain, .candidates[0].group]')" '["socket",true,false]'
	equal "$(said '.workers[0].cookie')" "$worker_cookies"
	# Two that share a port by SO_REUSEADDR are not the only socket.
	start_worker --port 8081 --proto udp --reuseaddr
	start_worker --port 8081 --proto udp --reuseaddr
	run -0 in_ns "$REUSEPORTCTL" explain --proto udp --src 127.0.0.1:1 --dst 127.0.0.1:8081
	[[ $output == *"without SO_REUSEPORT"*"gives all to one"* ]] || fail "$output"
}

@test "explain: the text names the worker too" {
	start_workers 4 --port 8080
	attach --port 8080 --policy consistent --hash-key "$HASH_KEY"
	run -0 in_ns "$REUSEPORTCTL" explain --src 127.9.9.9:4000 --dst 127.0.0.1:8080
	for word in "steered group" wildcard wins "policy consistent" "hash: 0x" "selected: entry" \
		"next if it were gone" "100.0%" "$(said '.workers[0].cookie')"; do
		[[ $output == *"$word"* ]] || fail "no '$word' in: $output"
	done
}

# The kernel adds IPv6 sockets with SO_REUSEPORT at the end of its lists, all others ahead.
@test "explain: the order of two UDP groups, also without iterators" {
	local older newer without to
	for to in 0.0.0.0/127.0.0.1 ::/[::1]; do
		start_worker --port 5300 --proto udp --addr "${to%/*}" --sockets 2
		older=$worker_cookies
		start_worker --port 5300 --proto udp --addr "${to%/*}" --sockets 2 --bind-dev lo
		newer=$worker_cookies
		client --proto udp --to "${to#*/}:5300" --count 1 >"$BATS_TEST_TMPDIR/answer"
		read -r _ answer <"$BATS_TEST_TMPDIR/answer"
		case " $older " in *" $answer "*) device=0 ;; *) device=1 ;; esac
		equal "$device" "$([ "$to" = "::/[::1]" ]; echo $?)" "who gets it: $older, $newer, $answer"
		for without in none iterators udp-iter-order; do
			REUSEPORT_DISABLE=${without/none/} in_ns "$REUSEPORTCTL" explain --proto udp \
				--src "${to#*/}:40000" --dst "${to#*/}:5300" --dev lo --json \
				>"$BATS_TEST_TMPDIR/explained"
			equal "$(jq '.candidates[0].ifindex' "$BATS_TEST_TMPDIR/explained")" "$device" \
				"$to, without $without: $(cat "$BATS_TEST_TMPDIR/explained")"
		done
	done
}

@test "explain: what makes no sense is refused" {
	local args

	for args in "--src 1.2.3.4:5" "--src 1.2.3.4 --dst 1.2.3.4:5" \
		"--src 1.2.3.4:0 --dst 1.2.3.4:5" "--src 1.2.3.4:70000 --dst 1.2.3.4:5" \
		"--src [::1]:5 --dst 1.2.3.4:5" "--src ::1:5 --dst ::1:5" "--src [::1:5 --dst [::1]:5" \
		"--src 1.2.3.4:5 --dst 1.2.3.4:5 --cpu x" "--src 1.2.3.4:5 --dst 1.2.3.4:5 more"; do
		run -2 in_ns "$REUSEPORTCTL" explain $args
	done
	run -1 in_ns "$REUSEPORTCTL" explain --src 1.2.3.4:5 --dst 127.0.0.1:5 --dev nosuch
	[[ $output == *nosuch* ]] || fail "$output"
	run -1 in_ns "$REUSEPORTCTL" explain --proto udp --src 127.0.0.1:5 --dst 224.0.0.1:5
	[[ $output == *multicast* ]] || fail "$output"
}
