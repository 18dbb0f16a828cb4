// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the kernel's types are, and what is asked of them by name. */
#include "core/kernel_btf.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/read_all.h"

#define KERNEL_TYPES "/sys/kernel/btf/vmlinux"
#define MAX_BYTES (256U << 20)

struct kernel_btf {
	void *mapped;
	char *read;
	struct btf *parsed; /* by libbpf */
	size_t len;
	struct btf_types types;
	struct btf_names asked;
	uint32_t *answer; /* to each that is asked, as far as looked for */
	size_t n_answers;
};

static struct kernel_btf *kept;

void kernel_btf_close(struct kernel_btf *kernel)
{
	if (!kernel)
		return;
	btf_types_close(&kernel->types);
	btf_names_free(&kernel->asked);
	free(kernel->answer);
	if (kernel->mapped)
		munmap(kernel->mapped, kernel->len);
	free(kernel->read);
	btf__free(kernel->parsed);
	free(kernel);
}

/* The file can be mapped from 6.16 on, which saves a call for each page and a copy of all. */
static const void *map_kernel(struct kernel_btf *kernel)
{
	int fd = open(KERNEL_TYPES, O_RDONLY | O_CLOEXEC);
	void *mapped = MAP_FAILED;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && st.st_size > 0)
		mapped = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (mapped == MAP_FAILED)
		return NULL;
	kernel->len = (size_t)st.st_size;
	return kernel->mapped = mapped;
}

static const void *raw_bytes(struct kernel_btf *kernel, struct btf *parsed)
{
	uint32_t len = 0;
	const void *bytes;

	kernel->parsed = parsed;
	bytes = parsed ? btf__raw_data(parsed, &len) : NULL;
	kernel->len = len;
	return bytes;
}

static int open_bytes(struct kernel_btf *kernel, const void *bytes)
{
	return bytes ? btf_types_open(&kernel->types, bytes, kernel->len) : -ENOENT;
}

static struct kernel_btf *open_kernel(void)
{
	struct kernel_btf *kernel = calloc(1, sizeof(*kernel));
	const void *bytes;

	if (!kernel)
		return NULL;
	bytes = map_kernel(kernel);
	if (!bytes && !read_path(KERNEL_TYPES, MAX_BYTES, &kernel->read, &kernel->len))
		bytes = kernel->read;
	if (!bytes) /* it knows other places */
		bytes = raw_bytes(kernel, btf__load_vmlinux_btf());
	if (!open_bytes(kernel, bytes))
		return kernel;
	kernel_btf_close(kernel);
	return NULL;
}

struct kernel_btf *kernel_btf(void)
{
	if (!kept)
		kept = open_kernel();
	return kept;
}

void kernel_btf_drop(void)
{
	kernel_btf_close(kept);
	kept = NULL;
}

int kernel_btf_open_file(struct kernel_btf **out, const char *path)
{
	struct kernel_btf *kernel = calloc(1, sizeof(*kernel));
	const void *bytes;
	int err;

	*out = NULL;
	if (!kernel)
		return -ENOMEM;
	bytes = raw_bytes(kernel, btf__parse(path, NULL));
	err = bytes ? open_bytes(kernel, bytes) : -errno;
	if (err)
		kernel_btf_close(kernel);
	else
		*out = kernel;
	return err;
}

struct btf_types *kernel_btf_types(struct kernel_btf *kernel)
{
	return &kernel->types;
}

/* Which of those that are asked; n: none. */
static size_t which(const struct kernel_btf *kernel, const char *name, uint32_t kind)
{
	const struct btf_names *asked = &kernel->asked;
	size_t i;

	for (i = 0; i < asked->n; i++)
		if (asked->name[i].kinds == BTF_BIT(kind) && !strcmp(asked->name[i].text, name))
			return i;
	return asked->n;
}

int kernel_btf_expect(struct kernel_btf *kernel, const char *name, uint32_t kind)
{
	if (which(kernel, name, kind) < kernel->asked.n)
		return 0;
	return btf_names_add(&kernel->asked, name, strlen(name), BTF_BIT(kind), BTF_EXACT);
}

static int answer(void *context, const struct btf_name *name, uint32_t id,
		  const struct btf_type *type)
{
	struct kernel_btf *kernel = context;
	uint32_t *to = &kernel->answer[name - kernel->asked.name];

	(void)type;
	if (!*to)
		*to = id;
	return 0;
}

int kernel_btf_look(struct kernel_btf *kernel)
{
	uint32_t *answers;
	int err;

	if (kernel->n_answers == kernel->asked.n)
		return 0;
	answers = calloc(kernel->asked.n, sizeof(*answers));
	if (!answers)
		return -ENOMEM;
	free(kernel->answer);
	kernel->answer = answers;
	err = btf_types_match(&kernel->types, &kernel->asked, answer, kernel);
	kernel->n_answers = err ? 0 : kernel->asked.n;
	return err;
}

uint32_t kernel_btf_find(struct kernel_btf *kernel, const char *name, uint32_t kind)
{
	size_t i;

	if (kernel_btf_expect(kernel, name, kind) || kernel_btf_look(kernel))
		return 0;
	i = which(kernel, name, kind);
	return i < kernel->n_answers ? kernel->answer[i] : 0;
}

const uint32_t *kernel_btf_found(const struct kernel_btf *kernel, size_t *n)
{
	*n = kernel->n_answers;
	return kernel->answer;
}
