/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The pinned data: structures that the BPF programs, the library and bpftool
 * share. Everything in a map that outlives a process is described here.
 *
 * A change of layout or meaning raises REUSEPORT_ABI_VERSION; the library
 * refuses pins of another version.
 */
#ifndef REUSEPORT_ABI_H
#define REUSEPORT_ABI_H

#include <linux/types.h>

#define REUSEPORT_ABI_VERSION 1

/* As in the kernel (TASK_COMM_LEN), and long enough for any policy's name. */
#define REUSEPORT_NAME_LEN 16

enum worker_state {
	WORKER_FREE = 0,     /* no worker has this slot */
	WORKER_JOINING = 1,  /* known, gets nothing yet */
	WORKER_ACTIVE = 2,   /* in the socket array */
	WORKER_DRAINING = 3, /* known, gets nothing new */
};

/*
 * Map "counters": one per slot and CPU. Every run of the program that got as
 * far as a slot adds one to exactly one of these. They only ever grow, across
 * workers too: what one worker got is the value less struct worker_entry's base.
 */
struct slot_counters {
	__u64 selected; /* packets given to the worker (policy "hash": that the
			 * kernel's pick gives to it) */
	__u64 migrated; /* requests of a closing worker given to this one */
	__u64 empty;    /* slot had just been emptied: kernel's pick */
	__u64 refused;  /* slot's socket is of another group: kernel's pick */
};

/*
 * Map "totals": one per CPU. packets + migrations counts every run; the other
 * members are the runs that ended before a slot was known, all of them with
 * the kernel's own pick. At rest:
 *
 *   packets + migrations == sum over slots of every struct slot_counters
 *                         + unregistered + connected + incoming_cpu + unreadable
 */
struct group_counters {
	__u64 packets;      /* runs for a SYN or a datagram */
	__u64 migrations;   /* runs for a request of a closing worker */
	__u64 unregistered; /* the member picked is in no slot (yet) */
	__u64 connected;    /* the member picked is a connected UDP socket */
	__u64 incoming_cpu; /* a member set SO_INCOMING_CPU: the kernel's rule */
	__u64 unreadable;   /* the kernel's group could not be read */
};

/* Map "workers": one per slot, written by the keeper, read by everybody. */
struct worker_entry {
	__u64 cookie;            /* the socket's, its identity; 0 when free */
	__u32 pid;               /* of the process that serves the socket */
	enum worker_state state;
	__u32 weight;
	__u32 generation;
	__u64 joined_ns;         /* CLOCK_BOOTTIME */
	struct slot_counters base; /* of the slot when the worker took it */
	char comm[REUSEPORT_NAME_LEN];
};

/* IPPROTO_* and AF_*, by names that bpftool can print. */
enum attachment_proto { PROTO_TCP = 6, PROTO_UDP = 17 };
enum attachment_family { FAMILY_INET = 2, FAMILY_INET6 = 10 };

/* Map "attachment": one element, what is steered and who keeps it. */
struct attachment_entry {
	__u32 abi_version;
	__u32 slots;         /* entries of "sockets", "workers", "counters" */
	__u32 keeper_pid;    /* the last keeper's; it runs while it holds the
			      * lock on the pin directory */
	enum attachment_proto proto;
	enum attachment_family family;
	__u32 port;          /* host byte order */
	__u8 addr[16];       /* network byte order; IPv4 in the first four */
	__u32 ifindex;       /* SO_BINDTODEVICE, 0 for none */
	__u32 v6only;        /* IPV6_V6ONLY is set */
	__u64 netns_ino;     /* inode of the network namespace */
	__u64 netns_cookie;  /* SO_NETNS_COOKIE, 0 where the kernel has none */
	__u64 attached_ns;   /* CLOCK_BOOTTIME of the first attach */
	char policy[REUSEPORT_NAME_LEN];
};

_Static_assert(sizeof(struct slot_counters) == 32, "ABI");
_Static_assert(sizeof(struct group_counters) == 48, "ABI");
_Static_assert(sizeof(struct worker_entry) == 80, "ABI");
_Static_assert(sizeof(struct attachment_entry) == 88, "ABI");

/* What watch.bpf.c writes to its ring buffer. */
enum watch_kind {
	WATCH_JOIN = 1,  /* a socket starts to listen, or was bound (UDP) */
	WATCH_LEAVE = 2, /* a socket stops to listen, or is being closed */
};

struct watch_event {
	__u64 cookie;
	__u32 kind;     /* enum watch_kind */
	__u32 pid;      /* process that did it, in the initial PID namespace */
	__u32 inode;    /* the socket's, 0 if it was not to be had */
	__u32 pad;
};

/* What groups.bpf.c writes for each socket that is a member of a group. */
struct group_member {
	__u64 group;      /* equal for members of one group, within one dump */
	__u64 cookie;
	__u32 prog_id;    /* of the group's program, 0 for none or classic BPF */
	__u32 prog_type;  /* enum bpf_prog_type, if has_prog */
	__u32 num_socks;  /* members of the group */
	__u32 proto;
	__u32 family;
	__u32 port;       /* host byte order */
	__u8 addr[16];
	__u32 ifindex;
	__u32 uid;
	__u8 v6only;
	__u8 has_prog;
	__u8 pad[6];
};

_Static_assert(sizeof(struct group_member) == 72, "record size");

#endif
