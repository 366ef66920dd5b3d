#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Look-ups that are not the plain one: the kernel looks a connection up several times, or gives
# a packet to a socket without the program (TPROXY), or to another port's (sk_lookup).
load ../bash/lib.bash
load ../cli/common.bash

setup_file() {
	build_foreign
}

setup() {
	begin_test
}

teardown() {
	end_test
}

# shows WORDS...: in the output of the last run.
shows() {
	local word
	for word; do
		[[ $output == *"$word"* ]] || fail "'$word' is not in: $output"
	done
}

rules() {
	in_ns nft -f - || skip "this kernel has no such nftables rule"
}

# spread COUNT N: of so many connections, each of n workers gets what is due, within a fifth.
spread() {
	client --to 127.0.0.1:8080 --count "$1" | cut -d' ' -f2 | sort | uniq -c |
		awk -v due=$(($1 / $2)) -v n="$2" '
			{ if ($1 < due * 0.8 || $1 > due * 1.2) bad = bad " " $1 }
			END { if (NR != n || bad) { print NR " workers, " bad " instead of " due; exit 1 } }'
}

# in_turns: two workers, then three to five.
in_turns() {
	local n
	start_worker --port 8080
	for n in 2 3 4 5; do
		start_worker --port 8080
		[ "$n" -gt 2 ] || attach --port 8080 --policy round-robin
		wait_until 5 in_sync 8080 tcp
		spread 600 "$n"
	done
}

@test "lookups: round-robin, each connection once" {
	in_turns
}

@test "lookups: round-robin, looked up by the firewall before TCP" {
	rules <<-'END'
		table ip rp {
			chain pre {
				type filter hook prerouting priority mangle
				tcp dport 8080 socket wildcard 0 counter
				tcp dport 8080 socket transparent 1 counter
			}
		}
	END
	in_turns
	[ "$(packets 8080 tcp)" -ge 4800 ] || fail "no connection was looked up twice: $(packets 8080 tcp)"
}

@test "lookups: round-robin, with SYN cookies" {
	in_ns sysctl -qw net.ipv4.tcp_syncookies=2
	in_turns
}

# A second namespace, whose datagrams to port 53 of any address TPROXY gives to port 8080 here.
tproxy() {
	new_netns
	CLIENT=$new_ns
	in_ns ip link add v0 type veth peer name v1 netns "$CLIENT"
	in_ns sh -c 'ip addr add 10.9.0.1/24 dev v0 && ip link set v0 up &&
		ip rule add fwmark 1 lookup 100 && ip route add local 0.0.0.0/0 dev lo table 100 &&
		sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.v0.rp_filter=0'
	in_netns "$CLIENT" sh -c 'ip addr add 10.9.0.2/24 dev v1 && ip link set v1 up &&
		ip route add default via 10.9.0.1'
	rules <<-'END'
		table ip rp {
			chain pre {
				type filter hook prerouting priority mangle
				iifname v0 udp dport 53 tproxy to 10.9.0.1:8080 meta mark set 1 accept
			}
		}
	END
}

# datagrams COUNT: prints how many different workers answered.
datagrams() {
	in_netns "$CLIENT" python3 - "$1" <<-'END'
		import socket, sys
		who = set()
		for i in range(int(sys.argv[1])):
		    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		    s.settimeout(2)
		    s.sendto(b"x", ("10.8.0.1", 53))
		    who.add(s.recvfrom(100)[0])
		print(len(who))
	END
}

@test "lookups: UDP behind TPROXY is seen by no program, and nothing says otherwise" {
	tproxy
	start_workers 3 --port 8080 --proto udp --addr 10.9.0.1 --transparent
	attach --port 8080 --proto udp
	equal "$(datagrams 60)" 3 "workers that answered"
	equal "$(packets 8080 udp)" 0 "packets that the program saw"
	equal "$(status 8080 udp .transparent)" true
	run -0 ctl status --port 8080 --proto udp
	shows "IP_TRANSPARENT" "not steered"
	# All three go on to be fed.
	run -1 ctl drain --wait --timeout 3 --port 8080 --proto udp slot:0
	shows "cannot be told" "TPROXY"
	[[ $output != *empty* ]] || fail "$output"
	equal "$(datagrams 60)" 3 "workers that answered"
	run -1 ctl explain --proto udp --src 10.9.0.2:4000 --dst 10.8.0.1:53
	shows "not known" "TPROXY"
}

@test "lookups: UDP behind TPROXY to the same port: the kernel picks" {
	start_workers 3 --port 53 --proto udp --transparent
	attach --port 53 --proto udp --policy round-robin
	run -0 ctl explain --proto udp --src 10.9.0.2:4000 --dst 10.8.0.1:53
	shows "no program steers the group: the kernel picks" "TPROXY"
}

@test "lookups: a sk_lookup program, and members in a sockmap" {
	start_worker --port 8080
	spawn "$BATS_TEST_TMPDIR/redirect" "$BATS_FILE_TMPDIR/foreign" "$worker_pid" sockmap \
		"$BATS_FILE_TMPDIR/foreign.bpf.o"
	wait_until 5 grep -q ready "$BATS_TEST_TMPDIR/redirect" || skip "no sk_lookup here"
	refused 1 ctl attach --port 8080
	says "process $worker_pid (worker)" SOCKMAP
	start_workers 2 --port 8080
	refused 1 ctl attach --port 8080
	says "1 of 3 members" SOCKMAP "(--partial)"
	[[ $output != *sockarray* ]] || fail "$output"
	run -0 ctl attach --port 8080 --partial
	shows "steering 2 workers"
	equal "$(ctl status --port 8080 --json | jq -r '.groups[].workers[] |
		select(.slot == null).reason')" sockmap
	run -1 ctl explain --src 127.0.0.1:4000 --dst 127.0.0.1:53
	shows "not known" "sk_lookup program" foreign_lookup
	run -0 ctl explain --src 127.0.0.1:4000 --dst 127.0.0.1:8080
	shows "note:" "sk_lookup program"
	run -0 ctl explain --json --src 127.0.0.1:4000 --dst 127.0.0.1:8080
	equal "$(jq -r .certain <<<"$output")" false
	equal "$(in_ns "$HELPERS/client" --to 127.0.0.1:53 --count 5 | wc -l)" 5
}
