#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# unbound, unmodified: UDP, one process with a socket for each thread.
load ../lib.bash
load ../servers.bash

setup() {
	begin_server_test
}

teardown() {
	end_server_test
}

# start_unbound: with four threads; sets $unbound.
start_unbound() {
	cat >"$BATS_TEST_TMPDIR/unbound.conf" <<-END
		server:
			directory: "$BATS_TEST_TMPDIR"
			chroot: ""
			username: ""
			pidfile: ""
			use-syslog: no
			do-daemonize: no
			interface: 0.0.0.0@5300
			access-control: 127.0.0.0/8 allow
			num-threads: 4
			so-reuseport: yes
			module-config: "iterator"
			local-zone: "test." static
			local-data: "host.test. A 192.0.2.1"
		remote-control:
			control-enable: no
	END
	spawn "$BATS_TEST_TMPDIR/unbound.log" unbound -p -c "$BATS_TEST_TMPDIR/unbound.conf"
	unbound=$spawned
	wait_until 5 sockets_are 5300 udp 4
}

@test "unbound: attach, keeper's death, adoption, detach under load" {
	start_unbound
	start_dns_load
	cycles 5300 udp 4
	stop_dns_load 5000
	no_keeper_error
}

@test "unbound: every socket is shown with its process" {
	start_unbound
	attach --port 5300 --proto udp
	equal "$(status 5300 udp '[.workers[] | [.pid, .pids, .comm]] | unique | tojson')" \
		"[[$unbound,[$unbound],\"unbound\"]]"
	# TCP on the same port is another group and is left alone.
	equal "$(ctl list --json | jq -c '[.groups[] | select(.port == 5300 and .netns == '"$NS_INODE"') |
		[.proto, .program.id != null]] | sort')" '[["tcp",false],["udp",true]]'
}
