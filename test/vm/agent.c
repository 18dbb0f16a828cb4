// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * agent TTY: runs sh scripts that come in frames over a serial line, in a guest
 * where it is process 1. One frame at a time, either way:
 *
 *   "KTF1" type:1 seq:4 length:4 crc32-of-payload:4 payload
 *
 * numbers little endian. From the host 'R': timeout in seconds:4, script. From
 * here 'H' (hello: the kernel's release, again and again until asked something),
 * 'A' (answer: exit code:4, lengths of stdout and stderr:4 each, with bit 31 set
 * when compressed by gzip, stdout, stderr), 'N' (a frame came damaged: send it
 * again). Who asks a second time with the same seq gets the same answer without
 * another run, so that nothing runs twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define HEADER 17
#define MAX_SCRIPT (1u << 20)
#define MAX_OUT (8u << 20) /* of each, after compression */
#define PLAIN_OUT 4096
#define GZIPPED (1u << 31)
#define ANSWER_HEADER 12
#define HELLO_MS 2000
#define TIMED_OUT 1000 /* no exit code */

/* Four characters, no string. */
static const uint8_t magic[4] = {'K', 'T', 'F', '1'};

static int line;
static uint32_t crc_table[256];

static void crc_init(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
		crc_table[i] = c;
	}
}

static uint32_t crc32(const uint8_t *p, size_t n)
{
	uint32_t c = ~0u;

	while (n--)
		c = crc_table[(c ^ *p++) & 0xff] ^ (c >> 8);
	return ~c;
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint32_t get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void write_all(const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t done = write(line, p, n);

		if (done > 0) {
			p += done;
			n -= (size_t)done;
		} else if (done < 0 && errno != EINTR && errno != EAGAIN) {
			return; /* the host notices that nothing came */
		}
	}
}

static void send_frame(char type, uint32_t seq, const uint8_t *payload, uint32_t n)
{
	uint8_t header[HEADER];

	memcpy(header, magic, sizeof(magic));
	header[4] = (uint8_t)type;
	put32(header + 5, seq);
	put32(header + 9, n);
	put32(header + 13, crc32(payload, n));
	write_all(header, HEADER);
	write_all(payload, n);
}

/* One byte, or -1 after so many ms without. */
static int read_byte(int ms)
{
	static uint8_t buffer[4096];
	static ssize_t have, at;
	struct pollfd p = {line, POLLIN, 0};

	while (at == have) {
		if (poll(&p, 1, ms) <= 0)
			return -1;
		at = 0;
		have = read(line, buffer, sizeof(buffer));
		if (have < 0)
			have = 0;
	}
	return buffer[at++];
}

static bool read_bytes(uint8_t *p, size_t n)
{
	for (; n; n--) {
		int byte = read_byte(2000);

		if (byte < 0)
			return false;
		*p++ = (uint8_t)byte;
	}
	return true;
}

/* Everything before the next magic is noise. */
static bool find_magic(int ms)
{
	size_t matched = 0;

	while (matched < 4) {
		int byte = read_byte(ms);

		if (byte < 0)
			return false;
		matched = byte == magic[matched] ? matched + 1 : byte == magic[0];
	}
	return true;
}

/* The next request; 0: none came yet, or it came damaged. */
static uint32_t read_request(uint8_t *payload, uint32_t *seq)
{
	uint8_t header[HEADER];
	uint32_t n;

	if (!find_magic(HELLO_MS))
		return 0;
	if (!read_bytes(header + 4, HEADER - 4))
		goto damaged;
	*seq = get32(header + 5);
	n = get32(header + 9);
	if (header[4] != 'R' || n < 4 || n > MAX_SCRIPT || !read_bytes(payload, n) ||
	    crc32(payload, n) != get32(header + 13))
		goto damaged;
	payload[n] = '\0';
	return n;
damaged:
	send_frame('N', 0, NULL, 0);
	return 0;
}

static void exec_script(const char *script)
{
	int null = open("/dev/null", O_RDONLY);
	int out = open("/run/out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int err = open("/run/err", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (null < 0 || out < 0 || err < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(err, 2) < 0)
		_exit(125);
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	execl("/bin/sh", "sh", "-c", script, (char *)NULL);
	_exit(126);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Waits for the script and, as process 1, buries everybody's children. */
static int wait_script(pid_t pid, uint32_t seconds)
{
	uint64_t end = now_ms() + seconds * 1000ull;
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	for (;;) {
		uint64_t now = now_ms(), left = now < end ? end - now : 0;
		struct timespec t = {(time_t)(left / 1000), (long)(left % 1000) * 1000000};
		pid_t gone;
		int status;

		while ((gone = waitpid(-1, &status, WNOHANG)) > 0) {
			if (gone == pid)
				return WIFEXITED(status) ? WEXITSTATUS(status)
							 : 128 + WTERMSIG(status);
		}
		if (!left)
			return TIMED_OUT;
		sigtimedwait(&child, NULL, &t);
	}
}

/* Nothing that a script left behind may disturb the next one. */
static void kill_all(void)
{
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static size_t read_file(FILE *f, uint8_t *to)
{
	size_t n = fread(to, 1, MAX_OUT, f);

	while (getc(f) != EOF) /* too much of it: cut, which the host finds out */
		;
	return n;
}

/* Puts a file there, compressed when it is long, for the line is slow. Returns its length. */
static uint32_t put_file(const char *path, uint8_t *to, uint8_t *length)
{
	bool zip = false;
	char command[64];
	struct stat st;
	size_t n = 0;
	FILE *f;

	if (!stat(path, &st) && st.st_size > PLAIN_OUT)
		zip = true;
	snprintf(command, sizeof(command), "gzip -c <%s", path);
	f = zip ? popen(command, "re") : fopen(path, "re");
	if (f) {
		n = read_file(f, to);
		zip ? pclose(f) : fclose(f);
	}
	put32(length, (uint32_t)n | (zip ? GZIPPED : 0));
	return (uint32_t)n;
}

static uint32_t run(uint8_t *request, uint8_t *answer)
{
	uint32_t n = ANSWER_HEADER;
	pid_t pid = fork();
	int rc = 125;

	if (!pid)
		exec_script((const char *)request + 4);
	if (pid > 0)
		rc = wait_script(pid, get32(request));
	kill_all();
	put32(answer, (uint32_t)rc);
	n += put_file("/run/out", answer + n, answer + 4);
	n += put_file("/run/err", answer + n, answer + 8);
	return n;
}

static void open_line(const char *path)
{
	struct termios raw;

	line = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (line < 0 || tcgetattr(line, &raw)) {
		fprintf(stderr, "agent: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	cfmakeraw(&raw);
	raw.c_cflag |= CLOCAL | CREAD;
	cfsetspeed(&raw, B115200);
	tcsetattr(line, TCSAFLUSH, &raw);
}

int main(int argc, char **argv)
{
	static uint8_t request[MAX_SCRIPT + 1], answer[ANSWER_HEADER + 2 * MAX_OUT];
	uint32_t seq, last_seq = 0, n = 0;
	bool asked = false;
	struct utsname uts;
	sigset_t child;

	if (argc != 2 || uname(&uts))
		return 2;
	if (getpid() != 1) { /* kill_all() would mean it */
		fprintf(stderr, "agent: only as the first process of a guest\n");
		return 2;
	}
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL); /* for sigtimedwait */
	crc_init();
	open_line(argv[1]);
	for (;;) {
		if (!asked)
			send_frame('H', 0, (uint8_t *)uts.release, (uint32_t)strlen(uts.release));
		if (!read_request(request, &seq))
			continue;
		if (!asked || seq != last_seq)
			n = run(request, answer);
		asked = true;
		last_seq = seq;
		send_frame('A', seq, answer, n);
	}
}
