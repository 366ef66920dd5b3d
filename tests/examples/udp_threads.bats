#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# udp_threads.c: a client stays with its thread while threads are replaced, and a thread ends when
# its flows have ended.
load common.bash
load ../bash/policies.bash
load ../bash/flows.bash

udp_states_are() {
	[ "$(status 5300 udp '[.workers[].state] | sort | join(" ")')" = "$1" ]
}

# Numbers of the threads that answer new flows.
answering() {
	client --proto udp --to 127.0.0.1:5300 --count 60 --seed "$1" | cut -d' ' -f2 | sort -nu | xargs
}

@test "udp_threads.c: no flow leaves its thread while threads are replaced" {
	local to=127.0.0.1:5300
	start udp_threads 5300 3
	server=$pid
	wait_until 10 sockets_are 5300 udp 3
	attach --port 5300 --proto udp --sticky --idle 2
	start_flows --flows 60 --rate 300
	whole_round
	kill -HUP "$server"
	wait_until 10 udp_states_are "active active active draining"
	whole_round
	equal "$(answering 2)" "2 3 4" "threads that answer new flows"
	kill -HUP "$server"
	wait_until 10 udp_states_are "active active active draining draining"
	whole_round
	equal "$(answering 3)" "3 4 5" "threads that answer new flows"
	# Each old thread has flows, so it is there still.
	sockets_are 5300 udp 5
	stop_flows
	flows_are '.lost == 0 and .moved == 0 and .again == 0'
	wait_until 20 sockets_are 5300 udp 3
	udp_states_are "active active active"
	kill -TERM "$server"
	ended "$server"
	equal "$code" 0 "exit status"
}
