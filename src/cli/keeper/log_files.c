// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Log files: one for each name that "attach --log" gave, and one for all other messages. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "keeper/log_files.h"

static void log_files_shut(struct log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}

static struct log_file *log_files_find(struct log_files *files, const char *path)
{
	struct log_file *file;

	for (file = files->files; file < files->files + LOG_FILES_OPEN; file++)
		if (*file->path && !strcmp(file->path, path))
			return file;
	file = &files->files[files->next++ % LOG_FILES_OPEN];
	if (*file->path)
		log_files_shut(&file->log);
	*file = (struct log_file){ .log = { .fd = -1, .max_level = LOG_INFO } };
	snprintf(file->path, sizeof(file->path), "%s", path);
	return file;
}

/* Say once, with all other messages, that a file takes none. */
static void log_files_complain(struct log_files *files, struct log_file *file, int code)
{
	char line[400];

	if (file->log.error == code)
		return;
	file->log.error = code;
	snprintf(line, sizeof(line), "cannot write to --log %s: %s", file->path, strerror(code));
	log_line(&files->other, LOG_ERR, line);
}

void log_files_line(void *ctx, const char *path, int level, const char *line)
{
	struct log_files *files = ctx;
	struct log_file *file;
	int before, fd;

	if (!path) {
		log_line(&files->other, level, line);
		return;
	}
	file = log_files_find(files, path);
	if (file->log.fd < 0) {
		fd = log_open(path);
		/* To a pipe that is not read. */
		if (fd == -ENXIO)
			file->log.dropped++;
		else if (fd < 0)
			log_files_complain(files, file, -fd);
		if (fd < 0)
			return;
		file->log.fd = fd;
	}
	before = file->log.error;
	file->log.error = 0;
	log_line(&file->log, level, line);
	if (!file->log.error)
		return;
	/* The reader of a pipe has gone: there may be another. */
	if (file->log.error == EPIPE) {
		file->log.dropped++;
		log_files_shut(&file->log);
	}
	fd = file->log.error;
	file->log.error = before;
	log_files_complain(files, file, fd);
}

void log_files_reopen(struct log_files *files)
{
	int fd;

	for (int i = 0; i < LOG_FILES_OPEN; i++) {
		if (*files->files[i].path)
			log_files_shut(&files->files[i].log);
		files->files[i].log.error = 0;
	}
	fd = files->other_path ? log_open(files->other_path) : -1;
	if (fd < 0)
		return;
	close(files->other.fd);
	files->other.fd = fd;
}

void log_files_close(struct log_files *files)
{
	for (int i = 0; i < LOG_FILES_OPEN; i++)
		if (*files->files[i].path)
			log_files_shut(&files->files[i].log);
}
