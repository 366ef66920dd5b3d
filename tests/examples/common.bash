# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# For the tests of the examples, on top of lib.bash and servers.bash: each is started as its first
# comment says, and speaks on port 8080, or 5300 for UDP.
load ../bash/lib.bash
load ../bash/servers.bash

EXAMPLES=$(dirname "$REUSEPORTCTL")/examples
export PYTHONPATH=$RP_ROOT/python PYTHONDONTWRITEBYTECODE=1

setup() {
	begin_server_test
	[ -x "$EXAMPLES/worker" ] || fail "$EXAMPLES/worker is missing: make examples"
}

teardown() {
	end_server_test
}

# example NAME ARGS...: a program or a Python file; sets $example to the command.
example_of() {
	case $1 in
	*.py) example=("$PYTHON" "$RP_ROOT/examples/$1" "${@:2}") ;;
	*) example=("$EXAMPLES/$1" "${@:2}") ;;
	esac
}

# start_as_nobody NAME: likewise, of an ordinary user without capabilities, who need not be able to
# reach the file by its path.
start_as_nobody() {
	local example
	example_of "$1"
	spawn "$BATS_TEST_TMPDIR/example.$((started = ${started:-0} + 1))" \
		setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all --inh-caps=-all \
		--no-new-privs "${example[@]::${#example[@]}-1}" /proc/self/fd/9 9<"${example[-1]}"
	pid=$spawned
}

# start NAME ARGS...: sets $pid.
start() {
	local example
	example_of "$@"
	spawn "$BATS_TEST_TMPDIR/example.$((started = ${started:-0} + 1))" "${example[@]}"
	pid=$spawned
}

# start_tcp N NAME ARGS...: and waits until N sockets listen on the port.
start_tcp() {
	start "${@:2}"
	wait_until 10 sockets_are 8080 tcp "$1"
}

# ask [LINE]: a client's question on a connection; prints the answer.
ask() {
	in_ns "$PYTHON" -c 'import socket, sys
with socket.create_connection(("127.0.0.1", 8080), 5) as client:
    client.sendall(sys.argv[1].encode() + b"\n")
    print(client.recv(100).decode(), end="")' "${1:-hello}"
}

# ended PID: within the time that the examples give their clients. Sets $code.
ended() {
	wait_until 20 gone "$1"
	code=0
	wait "$1" || code=$?
}

# start_asking RATE: clients that ask on connections of their own; stop_load ends them.
start_asking() {
	load_out=$BATS_TEST_TMPDIR/asking.$((load_count = ${load_count:-0} + 1))
	spawn "$load_out" "$PYTHON" "$RP_ROOT/tests/examples/asking.py" "$(($1 / RP_THIN))"
	load_pid=$spawned
	wait_until 10 test -s "$load_out" || fail "nobody is answered"
}

# States of the workers of a port, sorted.
states() {
	status 8080 tcp '[.workers[].state] | sort | join(" ")'
}

states_are() {
	[ "$(states)" = "$1" ]
}
