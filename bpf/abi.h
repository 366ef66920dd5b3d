/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The pinned data: structures that the BPF programs, the library and bpftool
 * share. This file describes everything in a map that outlives a process.
 *
 * A change of layout or meaning raises REUSEPORT_ABI_VERSION. An attach carries over
 * what older versions have pinned, from 4 on: see src/lib/state/old_abi.h.
 */
#ifndef REUSEPORT_ABI_H
#define REUSEPORT_ABI_H

#include <linux/types.h>

#define REUSEPORT_ABI_VERSION 5

#define REUSEPORT_NAME_LEN 16 /* as in the kernel, TASK_COMM_LEN */
#define REUSEPORT_LOG_LEN 256 /* of a path */

enum worker_state {
	WORKER_FREE = 0,     /* no worker has this slot */
	WORKER_JOINING = 1,  /* waits to be admitted, receives nothing yet */
	WORKER_ACTIVE = 2,   /* receives its share */
	WORKER_DRAINING = 3, /* receives nothing new; its sticky flows stay */
	WORKER_LEAVING = 4,  /* receives nothing at all; its flows go to others */
};

/* ----------------------------------------------------------------- the plan */

/*
 * Policies up to POLICY_RANDOM need a hash and one look into the table only. One byte
 * and no bit field, so that bpftool prints the name.
 */
enum __attribute__((packed)) steering_policy {
	POLICY_HASH = 0,
	POLICY_CONSISTENT = 1,
	POLICY_WEIGHTED = 2,
	POLICY_RANDOM = 3,
	POLICY_ROUND_ROBIN = 4,
	POLICY_CPU = 5,
	POLICY_NUMA = 6,
	POLICY_LEAST_QUEUE = 7,
	POLICY_LINUX39 = 8,
};

/* The part of a packet that a policy hashes. */
enum __attribute__((packed)) packet_key {
	KEY_TUPLE = 0,      /* both addresses, both ports */
	KEY_SRC = 1,        /* source address */
	KEY_SRC_PREFIX = 2, /* the first bits of the source address */
	KEY_DST = 3,        /* destination address */
};

enum plan_flag {
	PLAN_OWN_HASH = 1,        /* SipHash of the key, instead of the kernel's hash */
	PLAN_OVER_CONSISTENT = 2, /* policy "weighted": lies over "consistent" */
	PLAN_GIVEN_CPUS = 4,      /* "cpu", "numa": by map "cpu_map", not by affinity */
	PLAN_ADMIT_MANUAL = 8,    /* workers that join wait to be admitted */
	PLAN_GUARDED = 16,        /* some member must receive nothing, or may have to. The
				   * kernel's pick does not know that, so it is used
				   * only if no other worker is left */
};

/* All that decides beside the table; 24 bytes. */
struct plan {
	enum steering_policy policy;
	enum packet_key key;
	__u8 prefix4;      /* bits of an IPv4 address, with KEY_SRC_PREFIX */
	__u8 prefix6;      /* of an IPv6 address */
	__u32 width : 24;  /* entries of a row of the table. 0: no table, the
			    * policy picks a member of the kernel's group */
	__u8 flags;        /* enum plan_flag */
	__u64 hash_key[2]; /* of SipHash */
};

/*
 * Map "control": one element, mmapped; one cache line. A change is written into the
 * plan and the half of the table that are not in use. It takes effect when epoch is
 * stored.
 */
struct control {
	__u32 epoch;       /* plans published; plan[epoch & 1] is in use */
	__u16 members;     /* of the group, that the keeper knows of or was last told of */
	__u8 asked;        /* a word of the map "asked" says more than the plan; 1 or 0 */
	__u8 told;         /* in which epoch an empty slot was told: its lowest bits */
	__u64 first_entry; /* address of the first entry of "sockets", for the program */
	struct plan plan[2];
};

/*
 * Map "table": two halves of slot numbers, mmapped, packed by cache lines. Half
 * (epoch & 1) is in use. It has rows of plan.width entries: one row for most policies;
 * for "cpu" and "numa" one for each CPU or node, and a last one of all workers. After
 * attachment.table_entries entries come struct generations and, by slot, the weights
 * that the half was compiled from; 0: the worker receives no new work.
 */
#define TABLE_LINE_ENTRIES 32
struct table_line {
	__u16 slot[TABLE_LINE_ENTRIES]; /* TABLE_NO_WORKER: none */
};
#define TABLE_NO_WORKER 0xffff

enum rollout_phase {
	ROLLOUT_NONE = 0,
	ROLLOUT_BEGUN = 1,    /* newcomers belong to generation "other" and wait */
	ROLLOUT_SWITCHED = 2, /* they serve; "other" is the previous generation */
};

/* Which generation of workers receives new work. */
struct generations {
	__u32 serving;
	__u32 other;  /* in a rollout, the generation that does not serve */
	__u32 latest; /* the highest number given so far */
	enum rollout_phase phase;
};
#define GENERATIONS_ENTRIES 8 /* entries of the table that it fills */

/* Map "cpu_map": one element for each CPU, written when a map of CPUs is given. */
struct given_cpu {
	__u32 given; /* 0: not given, slot has no meaning */
	__u32 slot;
};

/* ----------------------------------------------------------------- counters */

/*
 * Map "counters": one per slot and CPU. The counters never shrink, and a new worker in
 * the slot continues them: one worker's share is the value less its base in struct
 * worker_entry.
 */
struct slot_counters {
	__u64 selected; /* packets given to the worker; without a table, packets
			 * that the kernel's pick gives to it */
	__u64 migrated; /* requests of a closing worker given to this one */
	__u64 empty;    /* chosen, but the slot was empty: the chain went on */
	__u64 refused;  /* chosen, but its socket is in another group: likewise */
};

/*
 * Map "totals": one per CPU. While all goes well, only new flows write it. Every run
 * either gave a packet to a worker, which its slot's selected or migrated counts, or
 * left the pick to the kernel, which one of the members from "exhausted" on counts. So
 * the number of runs is
 *
 *   sum over slots of selected + migrated
 *     + exhausted + nobody + unregistered + connected + incoming_cpu + unreadable
 */
struct group_counters {
	__u64 turns;        /* turns that policy "round-robin" has taken */
	__u64 migrations;   /* runs for a request of a closing worker */
	__u64 next_best;    /* runs in which the first choice failed and the policy's
			     * next best was tried */
	__u64 exhausted;    /* every step of the fallback chain failed */
	__u64 nobody;       /* no worker in the table may receive work */
	__u64 unregistered; /* the member picked is in no slot (yet) */
	__u64 connected;    /* the member picked is a connected UDP socket */
	__u64 incoming_cpu; /* a member set SO_INCOMING_CPU: the kernel's rule applies */
	__u64 unreadable;   /* the kernel's group could not be read */
	__u64 flows;        /* sticky flows entered into the map "flows" */
	__u64 flows_moved;  /* flows given to another worker: the first had left, or the
			     * flow had been idle */
};

/* -------------------------------------------------------------------- flows */

/*
 * A flow of the map "flows", which an attachment with sticky flows has. It belongs to
 * one worker, by slot and cookie: the next worker in the slot does not inherit it.
 */
struct flow {
	__u32 tag;    /* of the 4-tuple, see decide/flow.h; 0: free */
	__u32 cookie; /* lower half of its worker's socket cookie */
	__u32 seen;   /* time of its last noted packet, in ticks (jiffies) */
	__u32 slot;
};

/* An element of map "flows", mmapped: the places where a 4-tuple can be. */
#define FLOW_BUCKET_FLOWS 8
struct flow_bucket {
	struct flow flow[FLOW_BUCKET_FLOWS];
};

/* ------------------------------------------------------------------ workers */

/* Map "workers": one per slot, mmapped, written under the change lock. */
struct worker_entry {
	__u64 cookie; /* the socket's, its identity; 0 when free */
	__u32 pid;    /* of the process that serves the socket */
	enum worker_state state;
	__u32 weight;              /* 0 to 1000; 0: no new work */
	__u32 generation;          /* it receives work if this is generations.serving */
	__u64 joined_ns;           /* CLOCK_BOOTTIME */
	struct slot_counters base; /* the slot's counters when the worker joined */
	char comm[REUSEPORT_NAME_LEN];
};

/*
 * Map "ages": mmapped: since when, CLOCK_BOOTTIME; 0: not known, or it is not so. An element for
 * each slot: its worker's state, combined with that of its generation. After them those of the
 * group.
 */
struct age {
	__u64 since_ns;
};

enum group_age {
	AGE_ROLLOUT = 0,  /* the phase of the rollout */
	AGE_LOOK = 1,     /* the keeper's last look at the group's program */
	AGE_LEFT_OUT = 2, /* members have no slot although there was a search for their owners */
	AGE_SETTLED = 3,  /* no time: the last epoch that every running program has surely seen */
	GROUP_AGES = 4,
};

/* IPPROTO_* and AF_*, by names that bpftool can print. */
enum attachment_proto { PROTO_TCP = 6, PROTO_UDP = 17 };
enum attachment_family { FAMILY_INET = 2, FAMILY_INET6 = 10 };

/* Map "attachment": one element: the group that is steered, and its keeper. */
struct attachment_entry {
	__u32 abi_version;
	__u32 slots;      /* entries of "sockets", "workers", "counters" */
	__u32 keeper_pid; /* of the last keeper; it runs while it holds the lock on
			   * the pin directory */
	enum attachment_proto proto;
	enum attachment_family family;
	__u32 port;          /* host byte order */
	__u8 addr[16];       /* network byte order; IPv4 in the first four */
	__u32 ifindex;       /* SO_BINDTODEVICE, 0 for none */
	__u32 v6only;        /* IPV6_V6ONLY is set */
	__u64 netns_ino;     /* inode of the network namespace */
	__u64 netns_cookie;  /* SO_NETNS_COOKIE, 0 where the kernel has none */
	__u64 attached_ns;   /* CLOCK_BOOTTIME of the first attach */
	__u32 table_entries; /* of each half of "table", a power of two */
	__u32 cpus;          /* elements of "cpu_map" */
	__u32 flows;         /* room in "flows", 0: flows are not sticky */
	__u32 idle_ticks;    /* after that long an idle flow is new again; 0: never */
	__u64 flow_key[2];   /* of SipHash, for the flows' tags */
	/* Which optional kernel features this attachment uses; 1 or 0. */
	__u8 migrates;     /* the program is attached as select-or-migrate */
	__u8 plain_reads;  /* it reads sockets by plain loads, not by probe reads */
	__u8 events;       /* the kernel reports joins and leaves; the keeper does not poll */
	__u8 iterators;    /* the keeper can read which program a group has */
	__u32 uid_plus_1;  /* effective uid of the members plus 1; 0: not known */
	__u8 tells;        /* the program tells its keeper of changes, through map "events" */
	__u8 own_keeper;   /* a process that keeps nothing else has kept it last */
	__u8 partial;      /* it was attached although members could not be taken */
	__u8 keep_weights; /* who takes a slot has the weight of the one before */
	__u8 no_sockopt;   /* workers may not control themselves by socket options */
	__u8 unused[7];
	char log[REUSEPORT_LOG_LEN]; /* the file for its keeper's messages, or "" */
};

/* How the host's keeper came to be. */
enum keeper_kind {
	KEEPER_LEFT_BEHIND = 1, /* by an attach; it ends with the last attachment */
	KEEPER_SERVICE = 2,     /* it stays */
};

/* Map "keeper" beside the attachments: one element: the last process that kept all of those
 * that have no keeper of their own. It runs while it holds the lock on that directory. */
struct keeper_entry {
	__u32 pid;
	enum keeper_kind kind;
	__u64 started_ns; /* CLOCK_BOOTTIME */
	__u64 failed;     /* inode of the directory of what it could not keep last, 0: none, */
	char reason[240]; /* and why */
};

_Static_assert(sizeof(struct slot_counters) == 32, "ABI");
_Static_assert(sizeof(struct group_counters) == 88, "ABI");
_Static_assert(sizeof(struct worker_entry) == 80, "ABI");
_Static_assert(sizeof(struct age) == 8, "ABI");
_Static_assert(sizeof(struct attachment_entry) == 384, "ABI");
_Static_assert(sizeof(struct keeper_entry) == 264, "ABI");
_Static_assert(sizeof(struct generations) == GENERATIONS_ENTRIES * sizeof(__u16), "ABI");
_Static_assert(sizeof(struct flow_bucket) == 128, "two cache lines");
_Static_assert(sizeof(struct plan) == 24, "ABI");
_Static_assert(sizeof(struct control) == 64, "a cache line");
_Static_assert(sizeof(struct table_line) == 64, "a cache line");

/* -------------------------------------------------------------------- hooks */

/*
 * The set of hooks, which all attachments share, is pinned beside them: the links of its
 * programs and the maps below. One process at a time changes it, the one that holds the
 * lock on its directory.
 */
#define HOOK_PLACES 64 /* processes that can be told of binds at the same time */
#define INTEREST_MAX 8192
#define EVENT_RING_BYTES (256 * 1024)

/* A key of the map "interest": whose binds are told. Its value has a bit for each place
 * that follows them. */
struct interest {
	__u64 netns_cookie; /* 0 where the kernel has none: any namespace */
	__u16 port;         /* host byte order */
	__u8 proto;         /* IPPROTO_* */
	__u8 unused[5];
};

/* An element of the map "places": beside the ring buffer that "rings" has there. A process
 * that has a place holds the lock on a directory "placeN". */
struct hook_place {
	__u64 lost; /* events that found the ring buffer full; mmapped by the keeper */
	__u32 pid;  /* of the process, in its own PID namespace; for people */
	__u32 unused;
};

/* ----------------------------------------------------------- socket options */

/*
 * What workers ask for by socket options (include/reuseport_sockopt.h). The programs of the hooks
 * write "sockopt_storage", "requests", the words of the maps "asked", and control.asked; user
 * space writes all else. Each socket's requests are counted: a worker's request is in effect
 * when its count has reached the member's seq.
 */

/* An element of the map "sockopt_storage", which is the socket's from its first request on, and of
 * the map "requests" by the socket's cookie, for members only. A member of *_at is the number of
 * the request that has set it last; 0: never. */
struct request {
	__u32 count; /* of the requests */
	__u32 ready_at, drain_at, weight_at, id_at;
	__u32 ready;  /* 0 or 1 */
	__u32 drain;  /* 0, 1, or 2: release its flows */
	__u32 weight; /* 0 to 1000 */
	__u32 id;
};

/* An element of the map "members" by the socket's cookie: a worker as the keeper knows it. */
struct member {
	__u64 attachment; /* attachment_entry.attached_ns */
	__u64 seq;        /* requests in effect: no packet goes by an older plan */
	__u32 taken;      /* requests that the keeper has read: of a later one it is told */
	__u32 slot;
	__u32 generation;
	enum worker_state state; /* combined with its generation's */
	__u32 weight;
	__u32 id;
	__u32 flows; /* sticky flows, when they were counted last */
	__u8 has_id;
	__u8 no_sockopt; /* as of its group */
	__u8 unused[2];
};

/* A key of the map "steered": a group that has an attachment. */
struct steered_key {
	__u64 netns_cookie;
	__u8 addr[16]; /* network byte order; IPv4 in the first four */
	__u32 ifindex;
	__u16 port; /* host byte order */
	__u8 proto;
	__u8 family;
	__u8 v6only;
	__u8 unused[7];
};
struct steered {
	__u64 attachment; /* attachment_entry.attached_ns */
	__u32 no_sockopt;
	__u32 unused;
};

/* A key of the map "worker_ids", whose value is the cookie of the worker that has the id. */
struct worker_id {
	__u64 attachment;
	__u32 generation;
	__u32 id;
};

/*
 * An element of an attachment's map "asked", by slot, mmapped: what the slot's worker has asked
 * for and the plan may not have yet. The program looks there while control.asked is set. The
 * keeper clears it before the slot gets a worker, and when the plan has it, if it still is the
 * same then.
 */
struct asked_slot {
	__u32 what;  /* enum asked_what */
	__u32 count; /* of the request */
};
enum asked_what {
	ASKED_NOTHING_MORE = 0, /* than the plan has */
	ASKED_DRAIN = 1,        /* nothing new */
	ASKED_RELEASE = 2,      /* nothing at all: its flows go to others */
};

#define MEMBERS_MAX 65536
#define ATTACHMENTS_MAX 4096 /* whose members can ask */

/* ------------------------------------------------------------ not pinned */

enum socket_event_kind {
	SOCKET_EVENT_BOUND = 1,   /* a socket was bound; a TCP socket does not listen yet */
	SOCKET_EVENT_MEMBERS = 2, /* a group has another number of members than before */
	SOCKET_EVENT_EMPTY = 3,   /* a slot that its table has is empty */
	SOCKET_EVENT_ASKED = 4,   /* the worker in the slot "members" has asked for something */
};

/* A record of a keeper's ring buffer. */
struct socket_event {
	__u64 cookie;       /* the socket's; of the other kinds, attachment_entry.attached_ns */
	__u64 netns_cookie; /* 0: not known */
	__u32 kind;         /* enum socket_event_kind */
	__u32 pid;          /* of the process that bound it, in the initial PID namespace */
	__u32 inode;        /* of the socket, 0 if it has none */
	__u32 members;      /* of the group, with SOCKET_EVENT_MEMBERS; a slot with _ASKED */
	/* What a socket was bound to: */
	__u32 uid;
	__u32 ifindex;
	__u8 addr[16];
	__u16 port;
	__u8 proto;
	__u8 family;
	__u8 v6only;
	__u8 unused[3];
};

/* The record that group_iter.bpf.c writes for each socket that is a member of a group,
 * or for each socket on one port. */
struct group_member {
	__u64 group; /* equal for members of one group, within one dump; 0: no group */
	__u64 cookie;
	__u32 prog_id;   /* of the group's program, 0 for none or classic BPF */
	__u32 prog_type; /* enum bpf_prog_type, if has_prog */
	__u32 num_socks; /* members of the group */
	__u32 proto;
	__u32 family;
	__u32 port; /* host byte order */
	__u8 addr[16];
	__u32 ifindex;
	__u32 uid;
	__s32 cpu; /* SO_INCOMING_CPU, -1 for none */
	__u8 v6only;
	__u8 has_prog;
	__u8 has_conns; /* a member was connected while in the group (UDP) */
	__u8 user_data; /* low bits of sk_user_data: whose it is, see SK_USER_DATA_*; MEMBER_* */
};

/* Beside them: the kernel's pick in this group goes by SO_INCOMING_CPU, or not. Iterators that an
 * older version has pinned say neither. */
#define MEMBER_BY_CPU 8
#define MEMBER_BY_HASH 16

/* As the kernel has them (include/net/sock.h). A member of a sockarray has both, one of a sockmap
 * the first alone, and since 5.19 a third. */
#define SK_USER_DATA_NOCOPY 1
#define SK_USER_DATA_BPF 2

/* What queue_depth.bpf.c reads of a TCP worker. */
struct queue_depth {
	__u64 cookie;    /* of the socket in the slot, 0 if it is empty */
	__u32 queue;     /* connections to accept */
	__u32 half_open; /* handshakes that have begun */
};

/* What slot_sockets.bpf.c reads of the socket in a slot. */
#define SLOT_SOCKETS_MAX 64 /* of one run */
struct slot_socket {
	__u64 waiters; /* who waits at it: another word when others do; 0: nobody at this moment */
	__s32 cpu;     /* SO_INCOMING_CPU, -1 for none */
	__u32 unused;
};

_Static_assert(sizeof(struct group_member) == 72, "record size");
_Static_assert(sizeof(struct interest) == 16, "ABI");
_Static_assert(sizeof(struct request) == 36, "ABI");
_Static_assert(sizeof(struct member) == 48, "ABI");
_Static_assert(sizeof(struct steered_key) == 40, "ABI");
_Static_assert(sizeof(struct steered) == 16, "ABI");
_Static_assert(sizeof(struct worker_id) == 16, "ABI");
_Static_assert(sizeof(struct asked_slot) == 8, "one store");
_Static_assert(sizeof(struct hook_place) == 16, "ABI");
_Static_assert(sizeof(struct socket_event) == 64, "record size");

#endif
