// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A keeper in an event loop of one's own: here it waits with poll for its group, a timer and
 * signals. The library starts no thread and does not wait for events: it has a descriptor that is
 * readable when there is something to do, and a call that does a part of that. The group is steered
 * from its first worker on. This prints what workers do, and each second how many packets each was
 * given. SIGINT and SIGTERM detach.
 *
 *     c++ -o keeper keeper.cpp $(pkg-config --cflags --libs libreuseport-bpf)
 *     sudo ./keeper 8080 $(id -u) &           # port, and the user of the workers
 *     ./worker & ./worker &
 */
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <poll.h>
#include <reuseport_bpf.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace reuseport
{
// Each type of the library has a function that frees it and accepts NULL.
template <auto free> struct Free {
	template <typename T> void operator()(T *what) const
	{
		free(what);
	}
};
using Group = std::unique_ptr<reuseport_group, Free<reuseport_group__free>>;
using Statuses = std::unique_ptr<reuseport_status_list, Free<reuseport_status_list__free>>;

// Call one that returns 0 or a number, or -errno and a text.
template <typename Call, typename... Args> int checked(Call call, Args... args)
{
	reuseport_error err{};
	int ret = call(args..., &err);

	if (ret < 0)
		throw std::runtime_error(err.text);
	return ret;
}

// The same for one whose last argument returns what is then owned.
template <typename Owner, typename Call, typename... Args> Owner made(Call call, Args... args)
{
	typename Owner::pointer result = nullptr;

	checked(call, args..., &result);
	return Owner(result);
}
} // namespace reuseport

static reuseport::Group steer(uint16_t port, uint32_t uid)
{
	reuseport_key key{};
	reuseport_attach_opts opts{};

	key.sz = sizeof(key);
	key.proto = IPPROTO_TCP;
	key.family = AF_INET;
	key.port = port;
	key.uid = uid;
	key.has_uid = true;
	opts.sz = sizeof(opts);
	opts.policy = "least-queue";
	opts.events = 256;
	return reuseport::made<reuseport::Group>(reuseport_group__open, &key, &opts);
}

static void process(const reuseport::Group &group)
{
	reuseport::checked(reuseport_group__process, group.get());
	while (const reuseport_event *event = reuseport_group__next_event(group.get()))
		std::cout << reuseport_event_name(event->kind) << ": slot " << event->slot
			  << " pid " << event->pid << std::endl;
}

static void print(const reuseport::Group &group)
{
	auto list = reuseport::made<reuseport::Statuses>(reuseport_group__status, group.get());
	const reuseport_status *status = reuseport_status_list__get(list.get(), 0);

	for (size_t i = 0; i < status->n_workers; i++) {
		const reuseport_worker *worker = status->workers[i];

		std::cout << "slot " << worker->slot << " pid " << worker->pid << " selected "
			  << worker->selected << (i + 1 < status->n_workers ? ", " : "");
	}
	std::cout << std::endl;
}

static int signals()
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, nullptr);
	return signalfd(-1, &ends, 0);
}

static int each_second()
{
	itimerspec second = { { 1, 0 }, { 1, 0 } };
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);

	timerfd_settime(timer, 0, &second, nullptr);
	return timer;
}

static void keep(const reuseport::Group &group)
{
	enum { GROUP, TIMER, SIGNALS };
	pollfd on[] = { { reuseport_group__fd(group.get()), POLLIN, 0 },
			{ each_second(), POLLIN, 0 },
			{ signals(), POLLIN, 0 } };
	uint64_t times;

	while (poll(on, 3, -1) > 0 && !on[SIGNALS].revents) {
		if (on[GROUP].revents)
			process(group);
		if (on[TIMER].revents && read(on[TIMER].fd, &times, sizeof(times)) > 0)
			print(group);
	}
}

int main(int argc, char **argv)
try {
	auto group = steer(argc > 1 ? std::atoi(argv[1]) : 8080,
			   argc > 2 ? std::atoi(argv[2]) : geteuid());

	keep(group);
	reuseport::checked(reuseport_group__detach, group.get());
	return 0;
} catch (const std::exception &failure) {
	std::cerr << "keeper: " << failure.what() << std::endl;
	return 1;
}
