# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# nsd and unbound for the tests, each with four sockets for UDP on port 5300.
#
#   load ../bash/lib.bash
#   load ../bash/servers.bash
#   load dns.bash

# launch_nsd DIR: sets $spawned, the main process.
launch_nsd() {
	local dir=$1
	cat >"$dir/nsd.conf" <<-END
		server:
			server-count: 4
			reuseport: yes
			rrl-ratelimit: 0
			ip-address: 127.0.0.1@5300
			username: ""
			chroot: ""
			database: ""
			zonesdir: "$dir"
			pidfile: ""
			xfrdfile: "$dir/xfrd.state"
			zonelistfile: "$dir/zone.list"
			xfrdir: "$dir"
		remote-control:
			control-enable: no
		zone:
			name: test
			zonefile: test.zone
	END
	cat >"$dir/test.zone" <<-END
		\$ORIGIN test.
		\$TTL 3600
		@ SOA ns.test. admin.test. 1 3600 600 86400 300
		@ NS ns.test.
		ns A 127.0.0.1
		host A 192.0.2.1
	END
	# To standard error, so in spawned.log, unless it is told where.
	spawn "$dir/nsd.log" nsd -d -l "$dir/nsd.messages" -c "$dir/nsd.conf"
}

nsd_ready() {
	grep -q 'nsd started' "$1/nsd.messages"
}

# launch_unbound DIR: sets $spawned.
launch_unbound() {
	local dir=$1
	cat >"$dir/unbound.conf" <<-END
		server:
			directory: "$dir"
			chroot: ""
			username: ""
			pidfile: ""
			use-syslog: no
			logfile: "$dir/unbound.messages"
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
	spawn "$dir/unbound.log" unbound -p -c "$dir/unbound.conf"
}

unbound_ready() {
	grep -q 'start of service' "$1/unbound.messages"
}
