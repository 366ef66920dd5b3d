#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The pins: where, with which names, for whom.
load common.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

# Of what is in the directory; a "regular file" may be an empty one to stat.
modes() {
	stat -c '%F %a' "$1"/* | sed 's/ empty//' | sort -u | paste -sd,
}

@test "pins: names and mode" {
	local pin
	start_worker --port 8080
	attach --port 8080
	pin=$(pin_of 8080)
	equal "$pin" "$PINS/tcp-0_0_0_0-8080-$NS_INODE"
	equal "$(stat -c '%a %u' "$PINS")" "700 0" "mode and owner of the parent"
	equal "$(stat -c '%a %u' "$pin")" "700 0" "mode and owner"
	equal "$(ls "$pin" | xargs)" \
		"ages asked attachment changing control counters cpu_map events program sockets table totals workers"
	equal "$(modes "$pin")" "directory 700,regular file 600" "modes of the pins"
}

@test "pins: the caller's umask does not matter" {
	start_worker --port 8080
	(umask 0 && attach --port 8080)
	equal "$(stat -c %a "$(pin_of 8080)")" 700
	equal "$(modes "$(pin_of 8080)")" "directory 700,regular file 600" "modes of the pins"
}

# The kernel sets IPV6_V6ONLY for every IPv6 address but the wildcard.
@test "pins: a name for each group" {
	start_worker --port 8080
	start_worker --port 8080 --proto udp
	start_worker --port 8080 --addr ::1
	start_worker --port 8081 --addr ::
	start_worker --port 8082 --addr :: --v6only
	start_worker --port 8083 --addr 127.0.0.2
	attach --port 8080
	attach --port 8080 --proto udp
	attach --port 8081
	attach --port 8082
	attach --port 8083
	equal "$(pins_of "$NS_INODE" | xargs -n1 basename | sort)" "$(sort <<-END
		tcp-0_0_0_0-8080-$NS_INODE
		udp-0_0_0_0-8080-$NS_INODE
		tcp-::1-8080-$NS_INODE-v6only
		tcp-::-8081-$NS_INODE
		tcp-::-8082-$NS_INODE-v6only
		tcp-127_0_0_2-8083-$NS_INODE
		END
	)"
}

@test "pins: two namespaces do not collide" {
	local first=$NS_INODE
	start_worker --port 8080
	attach --port 8080
	new_netns
	NS=$new_ns NS_INODE=$new_ns_inode
	start_worker --port 8080
	attach --port 8080
	equal "$(basename "$(pin_of 8080)")" "tcp-0_0_0_0-8080-$NS_INODE"
	ctl detach --port 8080
	equal "$(pins_of "$NS_INODE")" ""
	equal "$(basename "$(pins_of "$first")")" "tcp-0_0_0_0-8080-$first"
}

@test "pins: a bound device is in the name" {
	local index
	in_ns ip link add rp-dummy type dummy 2>/dev/null ||
		in_ns ip tuntap add rp-dummy mode tun
	in_ns ip link set rp-dummy up
	index=$(in_ns ip -j link show rp-dummy | jq '.[0].ifindex')
	spawn "$BATS_TEST_TMPDIR/bound" python3 -c '
import socket, time
s = [socket.socket() for _ in range(2)]
for x in s:
    x.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    x.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"rp-dummy")
    x.bind(("0.0.0.0", 8080)); x.listen()
print("ready", flush=True); time.sleep(60)'
	wait_until 5 grep -q ready "$BATS_TEST_TMPDIR/bound"
	start_worker --port 8080
	attach --port 8080
	equal "$(pins_of "$NS_INODE" | xargs -n1 basename | sort | xargs)" \
		"tcp-0_0_0_0-8080-$NS_INODE tcp-0_0_0_0-8080-$NS_INODE-dev$index"
	equal "$(ctl status --port 8080 --json | jq -c '[.groups[].workers | length] | sort')" "[1,2]"
}

# Others may make and remove it between the two looks.
gone_or_in_use() {
	[ ! -d "$PINS" ] || [ -n "$(ls "$PINS" 2>/dev/null)" ]
}

@test "pins: the last detach takes the common directory along" {
	start_worker --port 8080
	attach --port 8080
	[ -d "$PINS" ]
	ctl detach --port 8080
	# Unless other tests have theirs there.
	wait_until 5 gone_or_in_use || fail "$PINS is left"
}
