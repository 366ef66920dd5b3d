# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# haproxy for the tests: its configuration, master and worker.
#
#   load ../bash/lib.bash
#   load ../bash/servers.bash
#   load haproxy.bash

# shellcheck disable=SC2154 # variables from lib.bash

# configure THREADS
configure() {
	cat >"$BATS_TEST_TMPDIR/haproxy.cfg" <<-END
		global
			nbthread $1
			stats socket $BATS_TEST_TMPDIR/stats mode 600 level admin expose-fd listeners
		defaults
			mode http
			timeout client 10s
			timeout connect 10s
			timeout server 10s
			${HAPROXY_DEFAULTS:-}
		frontend web
			bind :8080 shards by-thread
			http-request return status 200 content-type text/plain string ok
	END
}

# start_haproxy THREADS: sets $haproxy, the master.
start_haproxy() {
	configure "$1"
	spawn "$BATS_TEST_TMPDIR/haproxy.log" haproxy -W -db -f "$BATS_TEST_TMPDIR/haproxy.cfg" \
		-p "$BATS_TEST_TMPDIR/haproxy.pid"
	haproxy=$spawned
	wait_until 5 sockets_are 8080 tcp "$1"
	wait_until 5 one_child
}

children() {
	children_named "$haproxy" '.*'
}

one_child() {
	[ "$(children | wc -l)" -eq 1 ]
}

# reload THREADS: until the old process has gone.
reload() {
	local old
	old=$(children)
	configure "$1"
	kill -USR2 "$haproxy"
	wait_until 10 reloaded "$1" "$old"
}

reloaded() {
	one_child && [ "$(children)" != "$2" ] && sockets_are 8080 tcp "$1"
}
