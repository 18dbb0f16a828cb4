// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/user_files.h"

#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "core/grow.h"
#include "core/intern.h"
#include "core/user_open.h"

#define MAX_FILES 65536
#define MAX_HELD 256
#define MAX_BYTES ((size_t)256 << 20)
#define MAX_TRIES 4 /* of a file that could not be opened, each by another process */

struct user_file {
	struct user_inode id;
	char *path;
	struct user_place seen; /* where it was mapped last, as far as we know */
	struct elf_symbols *symbols;
	bool shared;  /* symbols are those of a file before it with the same build id */
	bool settled; /* symbols, or their absence, are final */
	uint8_t tries;
	uint32_t seen_count;
	uint32_t tried_tgid;
	int held; /* descriptor of a file that its path does not lead to; -1: none */
};

struct user_files {
	struct user_file *at;
	size_t n, room;
	struct table index;
	size_t bytes;            /* of symbols */
	uint32_t held[MAX_HELD]; /* files with a descriptor */
	unsigned n_held;
	size_t unread;
};

struct user_files *user_files_new(void)
{
	return calloc(1, sizeof(struct user_files));
}

void user_files_free(struct user_files *files)
{
	size_t i;

	for (i = 0; files && i < files->n; i++) {
		struct user_file *file = &files->at[i];

		if (!file->shared)
			elf_symbols_free(file->symbols);
		if (file->held >= 0)
			close(file->held);
		free(file->path);
	}
	if (files) {
		free(files->index.slots);
		free(files->at);
	}
	free(files);
}

struct wanted {
	const struct user_files *files;
	const struct user_file_seen *seen;
};

/* Hard links have names of their own; memory without a file (inode 0) has nothing else. */
static bool same_file(uintptr_t ref, const void *want_)
{
	const struct wanted *want = want_;
	const struct user_file *file = &want->files->at[ref - 1];

	return file->id.inode == want->seen->inode && file->id.major == want->seen->major &&
	       file->id.minor == want->seen->minor && !strcmp(file->path, want->seen->path);
}

static uint64_t hash_of(const struct user_file_seen *seen)
{
	uint64_t hash = hash_word(seen->inode, (uint64_t)seen->major << 32 | seen->minor);
	const char *s;

	for (s = seen->path; *s; s++)
		hash = hash_word(hash, (unsigned char)*s);
	return hash;
}

/* What its path does not lead to goes with its process: a container's file, a deleted one. */
static void hold(struct user_files *files, uint32_t n)
{
	struct user_file *file = &files->at[n];
	char root[32];

	if (!file->id.inode || file->settled || file->held >= 0 || files->n_held == MAX_HELD)
		return;
	/* Each try takes system calls, and some programs start often: ever more seldom. */
	file->seen_count++;
	if (file->seen_count & (file->seen_count - 1) || user_is_ours(&file->id, file->path))
		return;
	file->held = user_open(&file->id, &file->seen, root, sizeof(root));
	if (file->held >= 0)
		files->held[files->n_held++] = n;
}

static void see(struct user_file *file, const struct user_file_seen *seen)
{
	file->seen.tgid = seen->tgid;
	file->seen.start = seen->start;
	file->seen.end = seen->end;
}

uint32_t user_files_note(struct user_files *files, const struct user_file_seen *seen)
{
	const struct wanted want = {files, seen};
	uint64_t hash = hash_of(seen);
	struct user_file *file;
	struct slot *slot;

	if (table_reserve(&files->index))
		return USER_FILE_NONE;
	slot = table_slot(&files->index, hash, same_file, &want);
	if (slot->ref) {
		see(&files->at[slot->ref - 1], seen);
		hold(files, (uint32_t)(slot->ref - 1));
		return (uint32_t)(slot->ref - 1);
	}
	if (files->n == MAX_FILES ||
	    grow((void **)&files->at, &files->room, files->n + 1, sizeof(*files->at), 64))
		return USER_FILE_NONE;
	file = &files->at[files->n];
	*file = (struct user_file){
	    .id = {seen->major, seen->minor, seen->inode}, .path = strdup(seen->path), .held = -1};
	if (!file->path)
		return USER_FILE_NONE;
	see(file, seen);
	file->seen.path = file->path;
	table_put(&files->index, slot, hash, ++files->n);
	hold(files, (uint32_t)(files->n - 1));
	return (uint32_t)(files->n - 1);
}

const char *user_files_name(const struct user_files *files, uint32_t n)
{
	const char *path = files->at[n].path, *slash = path[0] == '/' ? strrchr(path, '/') : NULL;

	if (slash)
		path = slash + 1;
	return *path ? path : "[anon]";
}

/* The vdso is the kernel's: that of a process of our word size is ours. */
static int load_vdso(struct user_file *file)
{
	const ElfW(Ehdr) *image = (const ElfW(Ehdr) *)getauxval(AT_SYSINFO_EHDR);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), size;

	if (!image)
		return -ENOENT;
	size = image->e_shoff + (uint64_t)image->e_shnum * image->e_shentsize;
	if ((size + page - 1) / page * page != file->seen.end - file->seen.start)
		return -ENOEXEC;
	return elf_symbols_load_memory(&file->symbols, image, size);
}

static void let_go(struct user_files *files, struct user_file *file)
{
	unsigned i = 0;

	if (file->held < 0)
		return;
	close(file->held);
	file->held = -1;
	while (files->held[i] != (uint32_t)(file - files->at))
		i++;
	files->held[i] = files->held[--files->n_held];
}

/* A place to open it at: through who asks if it can, else where it was seen last. */
static int load_file(struct user_file *file, const struct user_place *asked)
{
	char root[32] = "", dir[4096];
	const char *slash = strrchr(file->path, '/');
	size_t len = slash ? (size_t)(slash - file->path) : 0;
	int fd = file->held, err;

	if (fd < 0)
		fd = user_open(&file->id, asked, root, sizeof(root));
	if (fd < 0 && file->seen.tgid != asked->tgid)
		fd = user_open(&file->id, &file->seen, root, sizeof(root));
	if (fd < 0)
		return fd;
	if (len < sizeof(dir))
		memcpy(dir, file->path, len);
	dir[len < sizeof(dir) ? len : 0] = '\0';
	err = elf_symbols_load(&file->symbols, fd, *dir ? dir : NULL, root);
	if (fd != file->held)
		close(fd);
	return err;
}

/* The same file in another container's layer: one copy of its symbols will do. */
static bool is_twin(const struct user_file *a, const struct user_file *b)
{
	uint8_t ours[BUILD_ID_MAX], theirs[BUILD_ID_MAX];
	size_t len = elf_symbols_build_id(a->symbols, ours);

	return len && len == elf_symbols_build_id(b->symbols, theirs) &&
	       !memcmp(ours, theirs, len) &&
	       elf_symbols_bytes(a->symbols) == elf_symbols_bytes(b->symbols);
}

static void share(struct user_files *files, struct user_file *file)
{
	size_t i;

	for (i = 0; i < files->n; i++) {
		struct user_file *other = &files->at[i];

		if (other == file || !other->symbols || other->shared || !is_twin(other, file))
			continue;
		elf_symbols_free(file->symbols);
		file->symbols = other->symbols;
		file->shared = true;
		return;
	}
	files->bytes += elf_symbols_bytes(file->symbols);
	if (files->bytes <= MAX_BYTES)
		return;
	files->bytes -= elf_symbols_bytes(file->symbols);
	elf_symbols_free(file->symbols);
	file->symbols = NULL;
	files->unread++;
}

static bool is_vdso(const struct user_file *file)
{
	return !file->id.inode && !strcmp(file->path, "[vdso]");
}

/* Loads what has not been loaded, and tries again what another process may open. */
static void load(struct user_files *files, struct user_file *file, const struct user_place *asked)
{
	int err;

	if (file->settled || (file->tries && file->tried_tgid == asked->tgid))
		return;
	file->tried_tgid = asked->tgid;
	if (!file->tries++)
		files->unread += file->id.inode != 0;
	if (is_vdso(file))
		err = load_vdso(file);
	else
		err = file->id.inode ? load_file(file, asked) : -ENOEXEC;
	let_go(files, file);
	file->settled = !err || err == -ENOEXEC || err == -EFBIG || file->tries == MAX_TRIES;
	if (err)
		return;
	files->unread -= file->id.inode != 0;
	share(files, file);
}

bool user_files_symbol(struct user_files *files, const struct mapping *map, uint32_t tgid,
		       uint64_t offset, struct elf_symbol *out)
{
	struct user_file *file = &files->at[map->file];
	const struct user_place asked = {tgid, map->start, map->end, file->path};

	load(files, file, &asked);
	return file->symbols && elf_symbols_find(file->symbols, offset, out);
}

bool user_files_is_code(const struct user_files *files, uint32_t n)
{
	return files->at[n].symbols;
}

void user_files_exited(struct user_files *files, uint32_t tgid)
{
	unsigned i;

	for (i = files->n_held; i-- > 0;) {
		struct user_file *file = &files->at[files->held[i]];

		if (file->seen.tgid == tgid) /* its descriptor would keep a file system in use */
			load(files, file, &file->seen);
	}
}

size_t user_files_unread(const struct user_files *files)
{
	return files->unread;
}
