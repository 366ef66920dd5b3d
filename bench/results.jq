# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Puts the parts together into one document and holds them against the bars.
# Input: every part's document, slurped, each with the name of its file.

def bar($what; $limit; $value; $holds):
	{ what: $what, limit: $limit, value: $value, holds: $holds };

def at_most($what; $limit; $value): bar($what; "at most \($limit)"; $value; $value <= $limit);

def rounded($digits): pow(10; $digits) as $scale | (. * $scale | round) / $scale;

# Of UDP at full rate, 4 workers, to the bare select.
def limits:
	{ hash: 1.35, linux39: 1.35, consistent: 1.5, weighted: 1.5, cpu: 1.5, "least-queue": 1.8 };

# From 4 workers to so many, to the bare select each. linux39 walks all; "random" and
# "round-robin" reach every worker, and so more memory than 64 flows make bare reach.
def growth($members):
	([.[] | select(.packets == "udp" and .members == 4) | .rows[]
	  | { key: .program, value: .ratio.median }] | from_entries) as $few
	| [.[] | select(.packets == "udp" and .members == $members) | .rows[]
	   | select(.ours and ([.program] | inside(["linux39", "random", "round-robin"]) | not))
	   | { program, times: (.ratio.median / $few[.program]) }] | max_by(.times);

def slowest: max_by(.ms.median);

# What a host with 200 attachments pays, to none.
def host_bars:
	def held($what; $limit; $value): at_most("200 attachments, \($what)"; $limit; $value);
	bar("200 attachments"; "at least 200"; .attachments; .attachments >= 200),
	held("UDP bind and close elsewhere, to none"; 1.15; .udp_bind_close.ratio.median),
	held("TCP listen and close elsewhere, to none"; 1.15; .tcp_listen_close.ratio.median),
	held("TCP connection elsewhere, to none"; 1.01; .tcp_connection.ratio.median),
	(.join | to_entries[] | .key as $proto | .value
	 | bar("200 attachments, join, \($proto), p99 in us, idle machine"; "at most 5000"; .p99_us;
	       .p99_us <= 5000 and .missed == 0)),
	held("processes"; 1; .keepers),
	held("memory (PSS) in MB"; 30; .pss_mb),
	held("descriptors beside the maps'"; 200; .descriptors - .map_descriptors),
	held("idle CPU in %"; 0.5; .idle_percent),
	held("all attached, in s"; 30; .attach_s),
	held("status of all, in s"; 0.5; .status_s);

# With the hooks of the socket options, to without.
def sockopt_bars:
	(.rows[] | select(.what | IN("setsockopt, TCP_NODELAY", "getsockopt, SO_ERROR"))
	 | at_most("\(.what), with the hooks to without"; 2; .ratio.median)),
	(.elsewhere[] | select(.what == "tcp_connection")
	 | at_most("TCP connection elsewhere, with an attachment to without"; 1.02; .ratio.median));

def bars:
	(.runtime[] | select(.packets == "udp" and .members == 4) | .rows[]
	 | select(limits[.program])
	 | at_most("run time, UDP, 4 workers, \(.program) to bare select"; limits[.program];
		   .ratio.median)),
	(.runtime | select(length > 0) | (64, 1024) as $members | growth($members)
	 | at_most("the same, \($members) to 4 workers, most: \(.program)"; 1.5;
		   .times | rounded(4))),
	(.runtime[] | select(.packets == "known" or .packets == "new") | .rows[]
	 | {"sticky, known flow": 2, "sticky, new flow, table full": 3}[.program] as $limit
	 | select($limit)
	 | at_most("run time, UDP, 4 workers, \(.program) to bare select"; $limit; .ratio.median)),
	(.build // empty | [.rows[] | select(.workers == 4096)]
	 | (map(select(.change | not)) | slowest
	    | at_most("table for 4096 workers in ms, slowest: \(.table)"; 100; .ms.median)),
	   (map(select(.change)) | slowest
	    | at_most("one change of it in ms, slowest: \(.table)"; 10; .ms.median))),
	(.endtoend[]? | .what as $what | .rows[] | select(.ours)
	 | bar("end to end, \($what), \(.arm) to kernel"; "at least 0.97"; .ratio_cpu.median;
	       .ratio_cpu.median >= 0.97)),
	(.join[]? | select(.members < 1000)
	 | bar("join, \(.proto), \(.members) members, p99 in us, idle machine"; "at most 5000"; .p99_us;
	       .p99_us <= 5000 and .missed == 0)),
	(.host // empty | .rows[] | select(.wanted == 200) | host_bars),
	(.sockopt // empty | sockopt_bars);

def part($name): [.[] | select(.file | startswith("part-" + $name)) | .data];

{
	command: $command, date: $date, kernel: $kernel, cpu: $cpu, cpus: $cpus,
	load_before: $load,
	runtime: part("runtime") | sort_by(.packets == "new", .packets == "known", .packets == "flows", .packets == "tcp",
					   .members),
	build: part("build")[0],
	change: part("change")[0],
	host: part("host")[0],
	sockopt: part("sockopt")[0],
	large: part("large") | sort_by(.proto),
	endtoend: part("endtoend") | sort_by(.traffic == "flood", .traffic),
	join: part("join") | sort_by(.members, .proto),
}
| . + { bars: [bars] }
