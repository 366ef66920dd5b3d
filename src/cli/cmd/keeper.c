// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl keeper: one process that follows the workers of all attachments. */
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "command.h"
#include "keeper/host.h"
#include "keeper/notify.h"
#include "message.h"

static int keeper_open_log(const struct options *options, struct log_files *logs)
{
	int fd = options->log ? log_open(options->log) : STDERR_FILENO;

	if (fd < 0) {
		message("cannot open --log %s: %s", options->log, strerror(-fd));
		return EXIT_FAILED;
	}
	*logs = (struct log_files){
		.other = { .fd = fd, .never_waits = true, .max_level = LOG_INFO },
		.other_path = options->log
	};
	return EXIT_DONE;
}

static int keeper_exec(const struct options *options)
{
	struct log_files logs;
	REUSEPORT_OPTS(reuseport_keeper_opts, opts, .log = log_files_line, .log_ctx = &logs,
		       .service = true);
	struct reuseport_keeper *keeper;
	struct reuseport_error error;
	int supervisor = notify_open(), status = keeper_open_log(options, &logs);

	if (status == EXIT_DONE)
		status = host_prepare();
	if (status == EXIT_DONE && reuseport_keeper_open(&opts, &keeper, &error))
		status = exit_failed(&error);
	if (status == EXIT_DONE)
		status = host_run(keeper, &logs, supervisor);
	if (supervisor >= 0)
		close(supervisor);
	return status;
}

const struct command cmd_keeper = {
	.name = "keeper",
	.summary = "Follow the workers of all attachments, in one process",
	.details = "It keeps every attachment that no other process keeps, in every network "
		   "namespace, and stays until SIGTERM. It takes over from a keeper that "
		   "attach left behind.",
	.takes = OPT_LOG,
	.exec = keeper_exec,
};
