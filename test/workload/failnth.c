// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failnth N ERRNO [--cmd BPF_CMD | --perf] [--from] -- COMMAND...
 *
 * Runs COMMAND and makes its Nth bpf(2) call fail with that errno number (with
 * --cmd: the Nth of that bpf command; with --perf: the Nth perf_event_open(2);
 * with --from: the Nth and all after it).
 * N = 0 fails none. Works by seccomp user notification, so it needs no library
 * and no debugger in the traced program. Ends as COMMAND ended; the last line
 * on stderr says how many calls were seen.
 */
#include "workload.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static struct {
	uint64_t nth, seen, failed;
	int err;
	int64_t cmd; /* -1: every command */
	uint32_t call;
	bool from;
} plan = {.cmd = -1, .call = SYS_bpf};

/* Every such call of this task and its children asks the listener. */
static int install_filter(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, plan.call, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(*code), code};

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &prog);
}

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static struct msghdr message(struct iovec *iov, union control *control)
{
	return (struct msghdr){.msg_iov = iov,
			       .msg_iovlen = 1,
			       .msg_control = control,
			       .msg_controllen = sizeof(*control)};
}

static void send_fd(int sock, int fd)
{
	union control control = {0};
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr m = message(&iov, &control);

	control.header = (struct cmsghdr){
	    .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(sock, &m, 0) != 1)
		die("sendmsg");
}

static int receive_fd(int sock)
{
	union control control = {0};
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr m = message(&iov, &control);
	int fd;

	if (recvmsg(sock, &m, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&m))
		die("recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

static pid_t start(char **command, int sock[2])
{
	pid_t pid = fork_or_die();
	int listener;

	if (pid)
		return pid;
	listener = install_filter();
	if (listener < 0)
		die("seccomp");
	send_fd(sock[1], listener);
	close(listener);
	close(sock[0]);
	close(sock[1]);
	execvp(command[0], command);
	die("cannot run %s", command[0]);
}

static bool to_fail(const struct seccomp_data *call)
{
	if (plan.cmd >= 0 && (uint32_t)call->args[0] != (uint32_t)plan.cmd)
		return false;
	plan.seen++;
	return plan.nth && (plan.from ? plan.seen >= plan.nth : plan.seen == plan.nth);
}

static void answer(int listener)
{
	struct seccomp_notif call = {0};
	struct seccomp_notif_resp reply = {0};

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
		return; /* a signal took the caller away */
	reply.id = call.id;
	if (to_fail(&call.data)) {
		plan.failed++;
		reply.error = -plan.err;
	} else {
		reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	}
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
}

/*
 * Answers until the command has ended. What it leaves behind (slabs --leave) may live on:
 * bpf(2) fails there with ENOSYS once the listener is closed.
 */
static void supervise(int listener, pid_t pid)
{
	struct pollfd p[] = {{.fd = listener, .events = POLLIN},
			     {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN}};

	if (p[1].fd < 0)
		die("pidfd_open");
	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			die("poll");
		if (p[0].revents & POLLIN)
			answer(listener);
		else if (p[1].revents)
			return;
	}
}

int main(int argc, char **argv)
{
	const char *cmd = take_option(&argc, argv, "--cmd", true);
	int sock[2], status;
	char **command;
	pid_t pid;

	plan.from = take_option(&argc, argv, "--from", false);
	if (take_option(&argc, argv, "--perf", false))
		plan.call = SYS_perf_event_open;
	if (cmd)
		plan.cmd = (int64_t)number(cmd);
	if (argc < 4)
		die("usage: failnth N ERRNO [--cmd CMD | --perf] [--from] -- COMMAND...");
	plan.nth = number(argv[1]);
	plan.err = (int)number(argv[2]);
	command = command_or_die(argc - 2, argv + 2);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		die("socketpair");
	pid = start(command, sock);
	close(sock[1]);
	supervise(receive_fd(sock[0]), pid);
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	fprintf(stderr, "{\"workload\":\"failnth\",\"seen\":%lu,\"failed\":%lu}\n", plan.seen,
		plan.failed);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
