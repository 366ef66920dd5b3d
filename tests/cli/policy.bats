#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# policy: who gets the next one, shown and changed while it works.
load common.bash

HASH_KEY=000102030405060708090a0b0c0d0e0f

setup() {
	begin_test
}

teardown() {
	end_test
}

every_policy() {
	"$REUSEPORTCTL" policy --list | cut -d' ' -f1
}

# One of each kind: the kernel's hash, the table, queues, turns.
some_policies() {
	rounds policies "$(every_policy)" "hash consistent least-queue round-robin"
}

rules() {
	status 8080 "${2:-tcp}" ".rules | $1"
}

slots() {
	status 8080 "${1:-tcp}" '.workers[] | "\(.slot) \(.cookie)"' | sort -n
}

ask() {
	client --to 127.0.0.1:8080 --count "$@" >"$BATS_TEST_TMPDIR/answers"
}

# ----------------------------------------------------------------------- words

@test "policy: --list explains each policy once, in a line" {
	local name
	succeeds "$REUSEPORTCTL" policy --list
	equal "$(wc -l <<<"$output")" 9 lines
	equal "$(cut -d' ' -f1 <<<"$output" | sort | xargs)" \
		"consistent cpu hash least-queue linux39 numa random round-robin weighted"
	while read -r name text; do
		[ ${#text} -gt 20 ] || fail "$name is not explained: '$text'"
		[ $((${#name} + ${#text})) -lt 110 ] || fail "too long: $text"
	done <<<"$output"
	# Whatever there is or is not.
	succeeds "$REUSEPORTCTL" policy --list --port 9
}

@test "policy: --help" {
	local word
	succeeds "$REUSEPORTCTL" policy --help
	for word in "policy [OPTION]... [POLICY]" --port --proto --addr --netns --key --hash-key \
		--over --cpu-map --list; do
		[[ $output == *"$word"* ]] || fail "$word is not in: $output"
	done
	succeeds "$REUSEPORTCTL" attach --help
	for word in --policy --key --hash-key --over --cpu-map --table; do
		[[ $output == *"$word"* ]] || fail "$word is not in: $output"
	done
}

@test "policy: wrong usage" {
	local args
	for args in "policy" "policy hash" "policy --port 8080 hash linux39" "policy --port 0 hash" \
		"policy --port 8080 --slots 5" "policy --port 8080 --key" "policy --no-such-option"; do
		run --separate-stderr "$REUSEPORTCTL" $args
		equal "$status" 2 "exit status of '$args'"
		equal "$output" "" "standard output"
	done
}

@test "policy: nothing is attached" {
	refused 3 ctl policy --port 8080
	says "nothing is attached to tcp port 8080"
	refused 3 ctl policy --port 8080 consistent
	start_worker --port 8080
	refused 3 ctl policy --port 8080 consistent
	untouched 8080
	attach --port 8080
	refused 3 ctl policy --port 8081 consistent
	refused 3 ctl policy --port 8080 --proto udp consistent
	refused 3 ctl policy --port 8080 --addr 127.0.0.1 consistent
	refused 3 ctl policy --port 8080 --netns $$ consistent
	equal "$(rules .policy)" hash
}

@test "policy: wrong words change nothing" {
	local before words
	start_workers 2 --port 8080
	attach --port 8080 --policy weighted --key src
	ctl weight --port 8080 slot:1 5
	before=$(rules_and_workers 8080)
	for words in hsah Hash "''" "hash,linux39" \
		"--key source" "--key src-prefix/0" "--key src-prefix/129" "--key src-prefix/33,64" \
		"--key ''" "--hash-key 00" "--hash-key g${HASH_KEY:1}" "--hash-key ${HASH_KEY}00" \
		"--over linux39" "--over ''" "hash --over consistent" "consistent --over hash" \
		"random --key src" "round-robin --hash-key $HASH_KEY" "hash --cpu-map 0:0" \
		"--cpu-map 0:0" "cpu --over hash" "cpu --cpu-map 0" "cpu --cpu-map 0:256" \
		"cpu --cpu-map 8191:0" "cpu --cpu-map 8192:0" "numa --cpu-map 0:0,,1:0" \
		"numa --cpu-map ''" "cpu --cpu-map 0:0 --key nothing" \
		"consistent --key src --hash-key 1"; do
		eval "set -- $words"
		refused 2 ctl policy --port 8080 "$@"
		equal "$(rules_and_workers 8080)" "$before" "after '$words'"
	done
	# Nor does an attach with them.
	kill_keeper 8080 tcp
	for words in "--policy hsah" "--key source" "--hash-key 00" "--over linux39" \
		"--policy random --key src" "--policy cpu --cpu-map 0" "--table 1000" "--table 512" \
		"--table 2097152" "--table x"; do
		refused 2 ctl attach --port 8080 $words
		equal "$(rules_and_workers 8080)" "$before" "after attach '$words'"
	done
	serves 8080
}

@test "policy: what is said of wrong words" {
	start_worker --port 8080
	attach --port 8080
	refused 2 ctl policy --port 8080 consistant
	says "unknown policy 'consistant'" "did you mean 'consistent'?" "round-robin"
	refused 2 ctl policy --port 8080 --key source
	says "'source'" tuple src src-prefix/LEN dst
	refused 2 ctl policy --port 8080 --key src-prefix/200
	says "'src-prefix/200'" "1 to 128"
	refused 2 ctl policy --port 8080 --hash-key 12
	says "32 hexadecimal digits"
	refused 2 ctl policy --port 8080 hash --over consistent
	says "lie over another" weighted "(--over)" hash
	refused 2 ctl policy --port 8080 random --key src
	says random "a key has no meaning"
	refused 2 ctl policy --port 8080 hash --cpu-map 0:0
	says "a map of CPUs is for" cpu numa "(--cpu-map)"
	refused 2 ctl policy --port 8080 cpu --cpu-map 0:999
	says "slot 999" "0 to 255"
}

# ----------------------------------------------------------------------- shown

@test "policy: without a word it is shown" {
	start_worker --port 8080
	start_worker --port 8080 --addr :: --v6only
	start_worker --port 8080 --proto udp
	attach --port 8080
	attach --port 8080 --proto udp --policy weighted --over consistent --key src-prefix/24,56 \
		--hash-key $HASH_KEY
	succeeds ctl policy --port 8080
	equal "$(sort <<<"$output")" "$(sort <<-END
		tcp 0.0.0.0:8080  netns $NS  policy hash
		tcp [::]:8080  netns $NS  policy hash
		END
	)"
	succeeds ctl policy --port 8080 --addr ::
	equal "$output" "tcp [::]:8080  netns $NS  policy hash"
	succeeds ctl policy --port 8080 --proto udp
	equal "$output" "udp 0.0.0.0:8080  netns $NS  policy weighted over consistent, key src-prefix/24,56, hash key $HASH_KEY"
	# In the namespace itself it goes without saying.
	run in_ns "$REUSEPORTCTL" policy --port 8080 --addr ::
	equal "$output" "tcp [::]:8080  policy hash"
}

@test "policy: a change says what there is now" {
	start_worker --port 8080
	attach --port 8080
	succeeds ctl policy --port 8080 consistent --hash-key $HASH_KEY
	equal "$output" "tcp 0.0.0.0:8080  netns $NS  policy consistent, hash key $HASH_KEY"
	succeeds ctl policy --port 8080 cpu --cpu-map 0:0
	equal "$output" "tcp 0.0.0.0:8080  netns $NS  policy cpu, CPUs given"
	succeeds ctl policy --port 8080 least-queue
	equal "$output" "tcp 0.0.0.0:8080  netns $NS  policy least-queue"
}

@test "policy: status shows the same" {
	start_workers 2 --port 8080
	attach --port 8080
	equal "$(rules 'del(.plans) | tojson')" \
		'{"given_cpus":false,"key":"tuple","policy":"hash","table_entries":16384,"table_width":0}'
	ctl policy --port 8080 weighted --over consistent --key src --hash-key $HASH_KEY
	equal "$(rules 'del(.plans) | tojson')" \
		"{\"given_cpus\":false,\"hash_key\":\"$HASH_KEY\",\"key\":\"src\",\"over\":\"consistent\",\"policy\":\"weighted\",\"table_entries\":16384,\"table_width\":16384}"
	equal "$(status 8080 tcp .policy)" weighted
	succeeds ctl status --port 8080
	[[ $output == *"policy weighted over consistent, key src, hash key $HASH_KEY"* ]] ||
		fail "$output"
	ctl policy --port 8080 numa --cpu-map 0:1
	equal "$(rules '[.policy, .given_cpus, has("over"), has("hash_key")] | tojson')" \
		'["numa",true,false,false]'
}

@test "policy: only the groups that are meant" {
	start_worker --port 8080
	start_worker --port 8080 --addr :: --v6only
	start_worker --port 8080 --proto udp
	attach --port 8080
	attach --port 8080 --proto udp
	ctl policy --port 8080 --addr :: random
	equal "$(ctl status --port 8080 --json |
		jq -c '.groups | sort_by(.proto, .addr) | map([.proto, .addr, .policy])')" \
		'[["tcp","0.0.0.0","hash"],["tcp","::","random"],["udp","0.0.0.0","hash"]]'
	ctl policy --port 8080 consistent
	ctl policy --port 8080 --proto udp round-robin
	equal "$(ctl status --port 8080 --json |
		jq -c '.groups | sort_by(.proto, .addr) | map([.proto, .addr, .policy])')" \
		'[["tcp","0.0.0.0","consistent"],["tcp","::","consistent"],["udp","0.0.0.0","round-robin"]]'
}

@test "policy: of two groups that one word does not suit, neither is changed" {
	start_worker --port 8080
	start_worker --port 8080 --addr :: --v6only
	attach --port 8080
	ctl policy --port 8080 --addr :: random
	refused 2 ctl policy --port 8080 --key src
	says random "a key has no meaning"
	equal "$(ctl status --port 8080 --json |
		jq -c '.groups | sort_by(.addr) | map([.policy, .rules.key])')" \
		'[["hash","tuple"],["random","tuple"]]'
}

# --------------------------------------------------------------------- changes

# warned PROTO POLICY: that flows split, where they do, or that it makes no difference, as all
# workers have the same CPUs, and of nothing else.
warned() {
	case $1-$2 in
	udp-random | udp-round-robin | udp-least-queue)
		[[ $stderr == *"warning: $2 chooses for each datagram"*--sticky* ]] || fail "$stderr"
		;;
	*-cpu | *-numa)
		[[ $stderr == *"policy $2 makes no difference"* ]] || fail "$stderr"
		;;
	*) equal "$stderr" "" "standard error" ;;
	esac
}

# Through every policy under load: nobody loses a slot, a count or a request.
through_all() {
	local proto=$1 policy before packets program
	start_workers 4 --port 8080 --proto "$proto"
	attach --port 8080 --proto "$proto"
	before=$(slots "$proto")
	program=$(status 8080 "$proto" .program.id)
	start_load --proto "$proto" --to 127.0.0.1:8080 --rate 500
	for policy in $(every_policy) hash; do
		packets=$(packets 8080 "$proto")
		run -0 --separate-stderr ctl policy --port 8080 --proto "$proto" "$policy"
		warned "$proto" "$policy"
		equal "$(status 8080 "$proto" .policy)" "$policy"
		diff <(echo "$before") <(slots "$proto")
		wait_until 5 more_packets "$proto" "$packets" || fail "no packet under $policy"
	done
	stop_load
	no_failed_request
	balanced 8080 "$proto"
	equal "$(status 8080 "$proto" .counters.fallback)" 0 fallbacks
	# On a busy machine a SYN may be sent again.
	packets=$(($(packets 8080 "$proto") - $(jq .sent <<<"$load_result")))
	((packets >= 0 && packets <= 20)) || fail "$packets packets more than were sent"
	equal "$(status 8080 "$proto" .program.id)" "$program" "program"
}

more_packets() {
	[ "$(packets 8080 "$1")" -gt "$2" ]
}

@test "policy: TCP, through all of them under load" {
	through_all tcp
}

@test "policy: UDP, through all of them under load" {
	through_all udp
}

@test "policy: each of them uses every worker, and counts right" {
	local policy before=0
	start_workers 4 --port 8080
	attach --port 8080
	# By default both CPUs of a worker are as good.
	for policy in $(every_policy); do
		ctl policy --port 8080 "$policy"
		ask 200
		equal "$(answered "$BATS_TEST_TMPDIR/answers" | wc -l)" 4 "workers used by $policy"
		before=$((before + 200))
		equal "$(status 8080 tcp .counters.selected)" $before "selected, with $policy"
	done
	balanced 8080 tcp
}

@test "policy: a change to what there is is none" {
	local plans
	start_workers 2 --port 8080
	attach --port 8080 --policy consistent --key src
	plans=$(rules .plans)
	ctl policy --port 8080 consistent --key src
	equal "$(rules .plans)" "$plans" plans
	ctl policy --port 8080 consistent
	equal "$(rules .plans)" $((plans + 1)) plans
	equal "$(rules .key)" tuple
}

@test "policy: without a keeper" {
	local before policy
	start_workers 3 --port 8080
	attach --port 8080
	before=$(slots)
	ask 50
	kill_keeper 8080 tcp
	for policy in $(every_policy); do
		run -0 --separate-stderr ctl policy --port 8080 "$policy"
		warned tcp "$policy"
		ask 50
		equal "$(status 8080 tcp .policy)" "$policy"
	done
	diff <(echo "$before") <(slots)
	equal "$(status 8080 tcp .counters.selected)" 500
	equal "$(status 8080 tcp .keeper.running)" false
	balanced 8080 tcp
	# The next keeper keeps the last one.
	attach --port 8080
	equal "$(status 8080 tcp .policy)" "$policy"
	equal "$(packets 8080 tcp)" 500
}

@test "policy: without a keeper the next best stands in for who has left" {
	local policy policies most i before=0 now
	skip_if_sanitized "the program in the kernel decides"
	some_policies
	start_workers 12 --port 8080
	attach --port 8080
	for policy in $policies; do
		kill_keeper 8080 tcp
		ctl policy --port 8080 "$policy"
		for i in 0 1 2 3 4 5; do
			stop "${worker_pids[i]}"
		done
		ask 300
		# Half of the table is empty: four tries fail for one in 16, four of
		# two for hardly any, four turns in a row for up to a quarter.
		case $policy in
		least-queue) most=8 ;;
		round-robin) most=80 ;;
		*) most=40 ;;
		esac
		now=$(status 8080 tcp .counters.fallback)
		[ $((now - before)) -le $most ] || fail "$policy: $((now - before)) fallbacks"
		before=$now
		balanced 8080 tcp
		equal "$(status 8080 tcp .counters.fallbacks.nobody)" 0 "nobody, with $policy"
		attach --port 8080
		worker_pids=("${worker_pids[@]:6}")
		for i in 0 1 2 3 4 5; do
			start_worker --port 8080
			worker_pids+=("$worker_pid")
		done
		wait_until 2 in_sync 8080 tcp
	done
}

@test "policy: a keeper follows the workers under the new one" {
	local policy policies
	some_policies
	start_workers 2 --port 8080
	attach --port 8080
	for policy in $policies; do
		ctl policy --port 8080 "$policy"
		start_worker --port 8080
		wait_until 2 in_sync 8080 tcp
		# The table follows a moment after the slot.
		wait_until 2 uses_all
		stop "$worker_pid"
		wait_until 2 in_sync 8080 tcp
		wait_until 2 uses_all
	done
	balanced 8080 tcp
}

uses_all() {
	ask 120
	[ "$(cut -d' ' -f2 "$BATS_TEST_TMPDIR/answers" | sort -nu)" = "$(shown 8080)" ]
}

@test "policy: round-robin takes turns" {
	start_workers 4 --port 8080 --proto udp
	attach --port 8080 --proto udp --policy round-robin
	in_ns taskset -c 0 "$HELPERS/client" --proto udp --to 127.0.0.1:8080 --count 400 \
		>"$BATS_TEST_TMPDIR/answers"
	equal "$(answered "$BATS_TEST_TMPDIR/answers" | cut -d' ' -f2 | xargs)" "100 100 100 100"
}

@test "policy: round-robin without a keeper passes nobody over" {
	start_workers 5 --port 8080
	attach --port 8080 --policy round-robin
	kill_keeper 8080 tcp
	stop "$(status 8080 tcp '.workers[0].pid')"
	in_ns taskset -c 0 "$HELPERS/client" --to 127.0.0.1:8080 --count 400 >/dev/null
	# A turn of the one that is gone takes the turn after with it.
	equal "$(status 8080 tcp '[.workers[].selected] | tojson')" "[100,100,100,100]"
	# Where a round ends and the next begins with the empty slot, one packet meets it twice.
	equal "$(status 8080 tcp .counters.chain.empty)" 100
	[ "$(status 8080 tcp .counters.chain.next_best)" -ge 90 ]
}

@test "policy: the key decides who goes together" {
	start_workers 4 --port 8080
	attach --port 8080
	ctl policy --port 8080 consistent --key dst
	ask 100
	equal "$(answered "$BATS_TEST_TMPDIR/answers" | wc -l)" 1 "workers for one destination"
	# The client's sources differ within 127.0.0.0/16.
	ctl policy --port 8080 consistent --key src-prefix/16
	ask 100
	equal "$(answered "$BATS_TEST_TMPDIR/answers" | wc -l)" 1 "workers for one prefix"
	ctl policy --port 8080 consistent --key src
	ask 100
	equal "$(answered "$BATS_TEST_TMPDIR/answers" | wc -l)" 4 "workers for many sources"
	ctl policy --port 8080 random
	ask 100
	equal "$(answered "$BATS_TEST_TMPDIR/answers" | wc -l)" 4
}

@test "policy: the map of CPUs decides" {
	local cpus
	start_workers 3 --port 8080
	attach --port 8080
	cpus=0-$(($(bpftool -j map show pinned "$(pin_of 8080)/cpu_map" | jq .max_entries) - 1))
	ctl policy --port 8080 cpu --cpu-map "$cpus:2"
	ask 60
	equal "$(status 8080 tcp '[.workers[].selected] | tojson')" "[0,0,60]"
	ctl policy --port 8080 numa --cpu-map "$cpus:0"
	ask 60
	equal "$(status 8080 tcp '[.workers[].selected] | tojson')" "[60,0,60]"
	# A slot that nobody has: anybody.
	ctl policy --port 8080 cpu --cpu-map "$cpus:200"
	ask 60
	equal "$(status 8080 tcp .counters.selected)" 180
	equal "$(status 8080 tcp .counters.fallback)" 0
	# And by affinity again.
	ctl policy --port 8080 cpu
	equal "$(rules .given_cpus)" false
}

@test "policy: more words for the policy that there is" {
	start_workers 2 --port 8080
	attach --port 8080 --policy weighted
	succeeds ctl policy --port 8080 --over consistent
	equal "$(rules '[.policy, .over] | tojson')" '["weighted","consistent"]'
	run -0 --separate-stderr ctl policy --port 8080 cpu
	warned tcp cpu
	succeeds ctl policy --port 8080 --cpu-map 0:1
	equal "$(rules '[.policy, .given_cpus] | tojson')" '["cpu",true]'
	# Without the map again.
	run -0 --separate-stderr ctl policy --port 8080 --key src
	warned tcp cpu
	equal "$(rules '[.policy, .key] | tojson')" '["cpu","src"]'
}

@test "policy: two changes at once are one after the other" {
	local policy i pids
	start_workers 3 --port 8080
	attach --port 8080
	for i in 1 2 3 4 5; do
		pids=()
		for policy in consistent weighted random round-robin; do
			ctl policy --port 8080 $policy >/dev/null &
			pids+=($!)
		done
		for pid in "${pids[@]}"; do
			wait "$pid"
		done
		ask 30
	done
	balanced 8080 tcp
	equal "$(status 8080 tcp .counters.fallback)" 0
}

# ---------------------------------------------------------- attach, hash keys

@test "policy: attach with all that goes with it" {
	start_workers 2 --port 8080
	attach --port 8080 --policy weighted --over consistent --key src-prefix/20 \
		--hash-key ${HASH_KEY^^} --table 4096 --slots 16
	equal "$(rules 'del(.plans) | tojson')" \
		"{\"given_cpus\":false,\"hash_key\":\"$HASH_KEY\",\"key\":\"src-prefix/20\",\"over\":\"consistent\",\"policy\":\"weighted\",\"table_entries\":4096,\"table_width\":4096}"
	ctl detach --port 8080
	attach --port 8080 --policy numa --cpu-map 0:1 --key dst
	equal "$(rules '[.policy, .given_cpus, .key] | tojson')" '["numa",true,"dst"]'
}

@test "policy: an attach whose words do not suit leaves nothing" {
	start_workers 2 --port 8080
	refused 1 ctl attach --port 8080 --over consistent
	says "lie over another" weighted "(--over)"
	untouched 8080
	refused 1 ctl attach --port 8080 --policy cpu --cpu-map 0:16 --slots 16
	says "slot 16" "0 to 15"
	untouched 8080
}

@test "policy: an adoption without words keeps everything" {
	local before
	start_workers 2 --port 8080
	attach --port 8080 --policy weighted --over consistent --key src --hash-key $HASH_KEY
	ctl weight --port 8080 slot:0 7
	before=$(rules_and_workers 8080)
	kill_keeper 8080 tcp
	attach --port 8080
	sleep 0.3
	equal "$(rules_and_workers 8080)" "$before"
	ctl policy --port 8080 cpu --cpu-map 0:1
	before=$(rules_and_workers 8080)
	kill_keeper 8080 tcp
	attach --port 8080
	sleep 0.5
	equal "$(rules_and_workers 8080)" "$before"
}

@test "policy: an adoption with words changes it as they say" {
	start_workers 2 --port 8080
	attach --port 8080 --hash-key $HASH_KEY
	ask 40
	kill_keeper 8080 tcp
	attach --port 8080 --policy consistent
	# With the hash key of before.
	equal "$(rules '[.policy, .key, .hash_key] | tojson')" \
		"[\"consistent\",\"tuple\",\"$HASH_KEY\"]"
	kill_keeper 8080 tcp
	attach --port 8080 --key dst
	equal "$(rules '[.policy, .key, .hash_key] | tojson')" \
		"[\"consistent\",\"dst\",\"$HASH_KEY\"]"
	kill_keeper 8080 tcp
	attach --port 8080 --policy weighted --over consistent --hash-key ${HASH_KEY//0/f}
	equal "$(rules '[.policy, .over, .key, .hash_key] | tojson')" \
		"[\"weighted\",\"consistent\",\"tuple\",\"${HASH_KEY//0/f}\"]"
	kill_keeper 8080 tcp
	attach --port 8080 --policy hash
	equal "$(rules '[.policy, has("hash_key"), .table_width] | tojson')" '["hash",false,0]'
	equal "$(packets 8080 tcp)" 40
}

@test "policy: another table needs a detach" {
	start_worker --port 8080
	attach --port 8080 --table 1024
	kill_keeper 8080 tcp
	refused 1 ctl attach --port 8080 --table 2048
	says "1024 table entries" 2048 detach
	attach --port 8080 --table 1024 --policy consistent
	equal "$(rules '[.table_entries, .table_width] | tojson')" "[1024,1024]"
}

@test "policy: a hash key is random, shown, and gives the same again" {
	local first second
	start_workers 4 --port 8080
	attach --port 8080 --policy consistent
	first=$(rules .hash_key)
	[[ $first =~ ^[0-9a-f]{32}$ ]] || fail "hash key '$first'"
	slots >"$BATS_TEST_TMPDIR/slots"
	ask 300
	cp "$BATS_TEST_TMPDIR/answers" "$BATS_TEST_TMPDIR/first"
	# It stays through other policies.
	ctl policy --port 8080 random
	ctl policy --port 8080 consistent
	equal "$(rules .hash_key)" "$first"
	ctl detach --port 8080

	attach --port 8080 --policy consistent
	second=$(rules .hash_key)
	[ "$first" != "$second" ] || fail "not random: $first"
	ask 300
	! cmp -s "$BATS_TEST_TMPDIR/answers" "$BATS_TEST_TMPDIR/first" || fail "all the same"
	ctl detach --port 8080

	attach --port 8080 --policy consistent --hash-key "$first"
	diff "$BATS_TEST_TMPDIR/slots" <(slots)
	ask 300
	diff "$BATS_TEST_TMPDIR/answers" "$BATS_TEST_TMPDIR/first"
}
