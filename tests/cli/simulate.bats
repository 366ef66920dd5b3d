#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# reuseportctl simulate: its options, its files, what it prints. The figures have
# their unit test, tests/unit/simulate.c.
load common.bash

setup() {
	begin_test
	FILE=$BATS_TEST_TMPDIR/packets
}

teardown() {
	end_test
}

simulate() {
	"$REUSEPORTCTL" simulate "$@"
}

# answers FILTER WANTED OPTION...: a value of the JSON document.
answers() {
	local filter=$1 wanted=$2
	shift 2
	succeeds simulate --json "$@"
	equal "$(jq -s length <<<"$output")" 1 documents
	equal "$(jq -c "$filter" <<<"$output")" "$wanted" "$filter of '$*'"
}

# Wrong usage: status 2, nothing on standard output.
wrong() {
	run --separate-stderr simulate "$@"
	message=$stderr
	equal "$status" 2 "exit status of '$*', with '$stderr'"
	equal "$output" "" "standard output"
	[[ $message == "reuseportctl"* ]] || fail "who speaks: '$message'"
}

# as_nobody CMD...: without any privilege.
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all "$@"
}

# ---------------------------------------------------------------------- output

@test "simulate: all policies side by side" {
	local word
	succeeds simulate --generate 10000
	for word in POLICY MIN/DUE MAX/DUE MAX/MEAN JOIN "LEAVE 0" "WEIGHT 0:2" LEAST NOTE \
		"10000 packets generated, each from a new client, seed 1; 4 workers" \
		"not the same packets"; do
		[[ $output == *"$word"* ]] || fail "'$word' is not in: $output"
	done
	for word in $("$REUSEPORTCTL" policy --list | cut -d' ' -f1) weighted/consistent; do
		equal "$(grep -c "^$word " <<<"$output")" 1 "lines of $word in: $output"
	done
}

@test "simulate: one policy, worker by worker" {
	succeeds simulate --generate 9000 --policy round-robin --cpus 1 --workers 1,1,2,5
	[[ $output == *"policy round-robin"* ]]
	equal "$(grep -cE '^ +[0-3] +[0-9]+ +[0-9]+ ' <<<"$output")" 4 "workers in: $output"
	[[ $output =~ 3\ +5\ +5000\ 55.56%\ 55.56% ]] || fail "$output"
	[[ $output == *"no key stays with a worker"* ]]
}

@test "simulate: --json has everything" {
	answers '.policies | length' 10 --generate 1000
	jq -e '.input == {from: "generated", packets: 1000, left_out: {others: 0,
			no_new_connection: 0, neither_tcp_nor_udp: 0, cut_short: 0}}
		and .seed == 1 and (.policies | all(
			(.policy | type == "string") and .key == "tuple" and .nobody == 0
			and (.exact | not) and (.notes | length > 0)
			and (.min_over_due | type == "number") and .max_over_due >= 1
			and .max_over_mean >= 1 and ([.workers[].packets] | add) == 1000
			and (.workers | length) == 4 and (.changes | map(.change) ==
				["join", "leave", "weight"])
			and (.changes | all(([.workers[].packets] | add) == 1000))))
		and (.policies | map(select(.keeps_keys | not)) | length == 3
			and all(.changes | all(.moved == null and .least == null)))
		and (.policies | map(select(.keeps_keys)) | all(.changes | all(
			.moved >= .least and .moved >= .needless)))' <<<"$output" >/dev/null ||
		fail "$output"
	answers '.policies[0].workers | map([.slot, .weight])' '[[0,1],[1,0],[2,1000]]' \
		--workers 1,0,1000 --policy weighted
}

@test "simulate: it needs no privilege and no group" {
	run --separate-stderr as_nobody "$REUSEPORTCTL" simulate --generate 1000
	equal "$status" 0 "exit status, with '$stderr'"
	[[ $output == *consistent* ]]
}

@test "simulate: equal seeds, equal answers" {
	succeeds simulate --json --generate 1000
	local first=$output
	succeeds simulate --json --generate 1000 --seed 1
	equal "$output" "$first"
	succeeds simulate --json --generate 1000 --seed 2
	[ "$output" != "$first" ] || fail "seed 2 makes up the same"
}

# --------------------------------------------------------------------- options

@test "simulate: changes that are asked for" {
	answers '.policies[0].changes | map([.change, .slot, .weight])' \
		'[["leave",3,0],["join",4,1],["weight",1,7],["leave",0,0]]' \
		--policy consistent --leave 3 --join --weight 1:7 --leave 0
	jq -e '.policies[0].changes | all(.needless == 0 and .moved == .least and .moved > 0)' \
		<<<"$output" >/dev/null || fail "$output"
	# A worker alone cannot leave.
	answers '.policies[0].changes | map(.change)' '["join","weight"]' --workers 1 --policy hash
}

@test "simulate: a key that is known makes it exact" {
	local key=000102030405060708090a0b0c0d0e0f
	answers '.policies[0] | [.exact, .hash_key, .key, .notes]' \
		"[true,\"$key\",\"src-prefix/24\",[]]" \
		--policy consistent --hash-key $key --key src-prefix/24
	# Of all policies, to those that hash.
	answers '[.policies[] | select(.hash_key) | .policy] | length' 8 --hash-key $key
	answers '[.policies[] | select(.key == "src") | .policy] | index("random")' null --key src
}

@test "simulate: clients" {
	# One client, by its address, has one worker.
	answers '[.policies[0].workers[] | select(.packets > 0) | .packets]' '[5000]' \
		--generate 5000 --clients 1 --key src --policy consistent
	equal "$(jq .input.clients <<<"$output")" 1
	answers '[.policies[0].workers[] | select(.packets > 0)] | length' 4 \
		--generate 5000 --clients 1 --policy consistent
}

@test "simulate: CPUs, nodes, the table" {
	answers '.policies[0] | [.workers[] | .packets > 0]' '[true,false,true,false]' \
		--policy cpu --cpus 4 --cpu-map 0-1:0,2-3:2
	answers '.policies[0].workers | map(.packets > 4000)' '[false,false,false,true]' \
		--policy numa --cpus 6 --nodes 2 --generate 10000
	answers '.policies[0].table_entries' 2048 --policy consistent --table 2048
	refused 1 simulate --policy cpu --cpus 2000 --table 1024
	says "1024 table entries" "2000 CPUs"
}

@test "simulate: wrong usage" {
	local bad
	for bad in "" 0 40000 x 1, ,1 1,,2 1,1001 -1 1,-1 "1 2" 1.5; do
		wrong --workers "$bad"
		says --workers
	done
	for bad in generate clients cpus nodes dport seed leave; do
		wrong --$bad x
		says "--$bad 'x'"
		wrong --$bad -1
		wrong --$bad 99999999999999999999
		wrong --$bad
		says "--$bad" "missing value"
	done
	for bad in "" : 1 :1 1: 1:1001 x:1 1:x 1:2:3 123456789012:1 1:-1; do
		wrong --weight "$bad"
		says "--weight"
	done
	wrong --policy hsah
	says "did you mean 'hash'"
	wrong --policy hash --over consistent
	wrong --policy random --key src
	wrong --key scr
	wrong --hash-key 12
	wrong --over random
	wrong --policy hash --cpu-map 0:0
	wrong --policy cpu --cpus 2 --cpu-map 0-2:0
	says "CPU 2"
	wrong --policy cpu --cpu-map 0:
	wrong --cpus 2 --nodes 3
	wrong --leave 4
	says "slot 4"
	wrong --weight 4:1
	wrong --workers 1 --leave 0
	says "only worker"
	wrong --join --join --join --join --join --join --join --join --join
	says "8 times"
	wrong extra
	says "'extra'"
	wrong --generate 5 --file "$FILE"
	wrong --file "$FILE" --pcap "$FILE"
	wrong --clients 5 --pcap "$FILE"
	wrong --port 8080 --workers 4
	wrong --addr 0.0.0.0
	wrong --netns "$NS"
	wrong --proto udp
}

@test "simulate: --help" {
	local word
	succeeds simulate --help
	for word in --port --workers --policy --key --hash-key --over --cpu-map --table --generate \
		--clients --seed --file --pcap --dport --cpus --nodes --join --leave --weight --json; do
		[[ $output == *" $word "* ]] || fail "$word is not in: $output"
	done
	succeeds "$REUSEPORTCTL" --help
	[[ $output == *simulate* ]]
}

@test "simulate: what cannot be written is an error" {
	local code=0
	simulate --generate 1000 --json >/dev/full 2>/dev/null || code=$?
	equal $code 1 "exit status with a full disk"
}

# ----------------------------------------------------------------------- files

@test "simulate: a file" {
	cat >"$FILE" <<-'EOF'
		# a comment, then nothing

		192.0.2.1:1000 192.0.2.9:53
		192.0.2.1:1000	192.0.2.9:53 udp  # another one
		  [2001:db8::1]:1000 [2001:db8::2]:53 udp
		[::ffff:192.0.2.1]:1000 [::ffff:192.0.2.9]:53 tcp
		192.0.2.3:7 192.0.2.9:80 tcp
	EOF
	answers '.input' "{\"file\":\"$FILE\",\"from\":\"file\",\"left_out\":{\"cut_short\":0,\
\"neither_tcp_nor_udp\":0,\"no_new_connection\":0,\"others\":0},\"packets\":5}" --file "$FILE"
	# The mapped address is the IPv4 address: three are equal.
	answers '[.policies[0].workers[].packets] | max >= 3' true --file "$FILE" --policy consistent
	answers '[.input.packets, .input.left_out.others]' '[4,1]' --file "$FILE" --dport 53
	# Lines without a protocol are of both.
	answers .input.packets 3 --file "$FILE" --dport 53 --proto udp
	answers .input.packets 5 --file - <"$FILE"
	printf '192.0.2.1:1 192.0.2.9:2' >"$FILE"
	answers .input.packets 1 --file "$FILE"
}

@test "simulate: a bad line of a file is told, and nothing is done" {
	local good='192.0.2.1:1000 192.0.2.9:53' bad
	while read -r bad; do
		printf '%s\n# comment\n%s\n%s\n' "$good" "$bad" "$good" >"$FILE"
		refused 1 simulate --file "$FILE"
		says "$FILE, line 3: "
	done <<-'EOF'
		192.0.2.1:1000
		192.0.2.1:1000 192.0.2.9:53 tcp more
		192.0.2.1:1000 192.0.2.9:53 sctp
		192.0.2.1 192.0.2.9:53
		192.0.2.1:1000 192.0.2.9
		192.0.2.1:65536 192.0.2.9:53
		192.0.2.1:-1 192.0.2.9:53
		192.0.2.1: 192.0.2.9:53
		192.0.2.256:1 192.0.2.9:53
		:1 192.0.2.9:53
		2001:db8::1:1 2001:db8::2:2
		[2001:db8::1:1 [2001:db8::2]:2
		[192.0.2.1]:1 192.0.2.9:53
		[]:1 [::1]:53
		[:1 [::1]:53
		[::1]:1000 192.0.2.9:53
		example.net:80 192.0.2.9:53
	EOF
	printf '%s\n\0\n' "$good" >"$FILE"
	refused 1 simulate --file "$FILE"
	says "line 2" "zero byte"
}

@test "simulate: files that are not there, or empty" {
	refused 1 simulate --file "$BATS_TEST_TMPDIR/none"
	says "$BATS_TEST_TMPDIR/none" "No such file"
	refused 1 simulate --pcap "$BATS_TEST_TMPDIR/none"
	says "$BATS_TEST_TMPDIR/none" "No such file"
	refused 1 simulate --file "$BATS_TEST_TMPDIR"
	says "Is a directory"
	: >"$FILE"
	refused 3 simulate --file "$FILE"
	refused 1 simulate --pcap "$FILE"
	echo '192.0.2.1:1 192.0.2.9:53' >"$FILE"
	refused 3 simulate --file "$FILE" --dport 80
	says --dport "1 other"
}

# -------------------------------------------------------------------- captures

capture() {
	python3 "$RP_ROOT/tests/helpers/make_capture.py" "$@" >"$FILE"
}

@test "simulate: captures, of each link type" {
	local link
	for link in ether vlan qinq sll sll2 raw null; do
		capture $link
		answers '.input | [.from, .packets, .left_out.no_new_connection,
			.left_out.neither_tcp_nor_udp, .left_out.cut_short]' '["pcap",7,3,4,3]' \
			--pcap "$FILE"
	done
	answers .input.packets 4 --pcap "$FILE" --dport 80
	answers .input.packets 3 --pcap "$FILE" --proto udp
	answers .input.packets 7 --pcap - <"$FILE"
	refused 3 simulate --pcap "$FILE" --dport 81
	succeeds simulate --pcap "$FILE"
	[[ $output == "7 packets from $FILE; skipped 3 of TCP that do not open a connection, "* ]] ||
		fail "$output"
}

# The same tuples, so the same workers, to the packet.
@test "simulate: a capture and a file of the same say the same" {
	local key=000102030405060708090a0b0c0d0e0f from_capture
	capture ether
	succeeds simulate --json --policy consistent --hash-key $key --pcap "$FILE" --workers 64
	from_capture=$(jq -c '.policies' <<<"$output")
	cat >"$FILE" <<-'EOF'
		192.0.2.7:1000 192.0.2.1:80 tcp
		192.0.2.7:1001 192.0.2.1:80 tcp
		[2001:db8::7]:1002 [2001:db8::1]:80 tcp
		[2001:db8::7]:1003 [2001:db8::1]:80 tcp
		192.0.2.7:2000 192.0.2.1:53 udp
		[2001:db8::7]:2001 [2001:db8::1]:53 udp
		192.0.2.7:2002 192.0.2.1:53 udp
	EOF
	succeeds simulate --json --policy consistent --hash-key $key --file "$FILE" --workers 64
	equal "$(jq -c '.policies' <<<"$output")" "$from_capture"
}

@test "simulate: captures that cannot be read are refused whole" {
	capture ether cut
	refused 1 simulate --pcap "$FILE"
	says "cannot read $FILE"
	capture wifi
	refused 1 simulate --pcap "$FILE"
	says "link type IEEE802_11"
	echo '192.0.2.1:1 192.0.2.9:53' >"$FILE"
	refused 1 simulate --pcap "$FILE"
	says "--file"
	capture ether
	refused 1 simulate --file "$FILE"
	says "--pcap"
}

# ------------------------------------------------------------ of an attachment

@test "simulate: the workers and the policy of an attachment" {
	local key=000102030405060708090a0b0c0d0e0f
	start_workers 3 --port 8080
	attach --port 8080 --policy consistent --key src --hash-key $key --table 4096
	succeeds ctl weight --port 8080 slot:1 3
	succeeds ctl simulate --port 8080 --json
	equal "$(jq -c '.policies | map([.policy, .key, .hash_key, .exact, .table_entries])' \
		<<<"$output")" "[[\"consistent\",\"src\",\"$key\",true,4096]]"
	equal "$(jq -c '.policies[0].workers | map([.slot, .weight])' <<<"$output")" \
		'[[0,1],[1,3],[2,1]]'
	# A slot that is free stays so.
	stop "$(status 8080 tcp '.workers[] | select(.slot == 0) | .pid')"
	wait_until 5 in_sync 8080 tcp
	succeeds ctl simulate --port 8080 --policy all --json
	equal "$(jq -c '[.policies[].workers | map(.slot)] | unique' <<<"$output")" '[[1,2]]'
	equal "$(jq -c '[.policies[].changes[0].slot] | unique' <<<"$output")" '[0]'
	equal "$(jq -c '.policies | length' <<<"$output")" 10
	equal "$(jq -c '[.policies[] | select(.policy == "hash") | .key]' <<<"$output")" '["src"]'
	# Of the options instead.
	succeeds ctl simulate --port 8080 --policy weighted --key tuple --json
	equal "$(jq -c '.policies | map([.policy, .key])' <<<"$output")" '[["weighted","tuple"]]'
	refused 2 ctl simulate --port 8080 --leave 0
	says "slot 0"
	# Of a file, what is for this group.
	printf '192.0.2.1:1 192.0.2.9:%s\n' 8080 '8080 tcp' '8080 udp' 8081 >"$FILE"
	succeeds ctl simulate --port 8080 --json --file "$FILE"
	equal "$(jq .input.packets <<<"$output")" 2
}

# What is said of tuples is what happens to them.
@test "simulate: it says what real connections do" {
	local key=000102030405060708090a0b0c0d0e0f policy
	start_workers 4 --port 8080
	attach --port 8080
	for policy in hash linux39 consistent weighted; do
		succeeds ctl policy --port 8080 $policy --hash-key $key
		status 8080 tcp '.workers | map(.selected) | tojson' >"$BATS_TEST_TMPDIR/before"
		client --to 127.0.0.1:8080 --count 200 >"$BATS_TEST_TMPDIR/answers"
		sed 's/ .*/ 127.0.0.1:8080/' "$BATS_TEST_TMPDIR/answers" >"$FILE"
		succeeds ctl simulate --port 8080 --file "$FILE" --json
		equal "$(jq -c '.policies[0] | [.policy, .exact]' <<<"$output")" "[\"$policy\",true]"
		equal "$(jq -c '.policies[0].workers | map(.packets)' <<<"$output")" \
			"$(status 8080 tcp ".workers | [map(.selected),
				$(<"$BATS_TEST_TMPDIR/before")] | transpose | map(.[0] - .[1]) | tojson")" \
			"packets of the workers, $policy"
	done
}

@test "simulate: nothing attached" {
	refused 3 ctl simulate --port 8080
	says "nothing is attached"
}

@test "simulate: an attachment of two families is two" {
	start_worker --port 8080
	start_worker --port 8080 --addr :: --v6only
	attach --port 8080
	refused 1 ctl simulate --port 8080
	says --addr
	succeeds ctl simulate --port 8080 --addr 0.0.0.0
}
