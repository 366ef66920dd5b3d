#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The examples where nothing steers: each serves all the same, and ends when it is told to.
load common.bash

# serves SOCKETS NAME ARGS...: as "PID ...", and ends with status 0 at SIGTERM.
serves() {
	local answer
	start_tcp "$@"
	answer=$(ask)
	[[ $answer =~ ^[0-9]+( |$) ]] || fail "$2: '$answer'"
	kill -TERM "$pid"
	ended "$pid"
	equal "$code" 0 "exit status of $2"
	wait_until 10 sockets_are 8080 tcp 0
}

@test "without steering: restart.c, restart.py, tcp_epoll.c and asyncio_server.py" {
	serves 1 restart
	serves 1 restart.py
	serves 3 tcp_epoll 8080 3
	serves 1 asyncio_server.py 8080
}

@test "without steering: worker.c and worker.py" {
	local name
	for name in worker worker.py; do
		start_tcp 1 "$name"
		equal "$(ask)" hello "$name"
		stop "$pid"
		wait_until 10 sockets_are 8080 tcp 0
	done
}

@test "without steering: a worker of tcp_epoll.c that died is replaced, all end together" {
	local child
	start_tcp 2 tcp_epoll 8080 2
	child=$(children_named "$pid" '.*tcp_epoll.*' | head -n 1)
	kill -KILL "$child"
	wait_until 10 gone "$child"
	wait_until 10 sockets_are 8080 tcp 2
	equal "$(children_named "$pid" '.*tcp_epoll.*' | wc -l)" 2 workers
	# A second one of another user may not have the port: it says so and ends.
	example_of tcp_epoll 8080 2
	run in_ns setpriv --reuid 65534 --clear-groups /proc/self/fd/9 8080 2 9<"${example[0]}"
	equal "$status" 1
	[[ $output == *"Address already in use"* ]] || fail "$output"
	kill -TERM "$pid"
	ended "$pid"
}

@test "without steering: udp_threads.c" {
	start udp_threads 5300 3
	wait_until 10 sockets_are 5300 udp 3
	client --proto udp --to 127.0.0.1:5300 --count 50
	kill -HUP "$pid"
	wait_until 10 sockets_are 5300 udp 3
	client --proto udp --to 127.0.0.1:5300 --count 50
	kill -TERM "$pid"
	ended "$pid"
	equal "$code" 0 "exit status"
}

@test "without steering: activation.py without systemd says what is missing" {
	example_of activation.py 4
	run in_ns "${example[@]}"
	equal "$status" 1
	equal "$output" "activation.py: systemd has passed no socket"
}

@test "examples/README.md has each example, with its number of lines" {
	local name
	cd "$RP_ROOT/examples"
	for name in *.c *.cpp *.py; do
		grep -q "^| \[$name\]($name) | .* | $(wc -l <"$name") | " README.md ||
			fail "$name has $(wc -l <"$name") lines"
	done
	[ "$(wc -l <worker.c)" -lt 20 ] && [ "$(wc -l <worker.py)" -lt 20 ]
}
