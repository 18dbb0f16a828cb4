/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strings of unknown origin, made safe for where they are printed. Any local
 * user chooses the bytes of a task name, so nothing is taken on trust: not the
 * encoding, not the absence of control sequences.
 */
#include <string.h>

#include "core/fmt.h"

struct range {
	uint32_t first, last;
};

static bool in_ranges(uint32_t code, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

#define IN(code, ranges) in_ranges(code, ranges, sizeof(ranges) / sizeof(ranges[0]))

/* Characters that steer a terminal or reorder the text around them. */
static bool is_control(uint32_t code)
{
	static const struct range controls[] = {
	    {0x00, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},
	    {0x200e, 0x200f}, {0x202a, 0x202e}, {0x2066, 0x2069},
	};

	return IN(code, controls);
}

/* wcwidth() would need a locale, which a static executable does not carry. */
static unsigned char_width(uint32_t code)
{
	static const struct range zero[] = {
	    {0x300, 0x36f},   {0x200b, 0x200d}, {0x20d0, 0x20ff},
	    {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff},
	};
	static const struct range wide[] = {
	    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xac00, 0xd7a3},
	    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
	    {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
	};

	if (code < 0x300)
		return 1;
	return IN(code, zero) ? 0 : IN(code, wide) ? 2 : 1;
}

/*
 * Decodes one UTF-8 character of a NUL-terminated string. Returns its length,
 * 0 when it is none: cut short, longer than needed, a surrogate, out of range.
 */
static unsigned utf8_decode(const char *s, uint32_t *code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char lead = (unsigned char)s[0];
	unsigned n = lead < 0x80 ? 1 : (lead >> 5) == 6 ? 2 : (lead >> 4) == 14 ? 3 : 4;

	if (n == 4 && (lead >> 3) != 30)
		return 0;
	*code = n == 1 ? lead : lead & (0x7fU >> n);
	for (unsigned i = 1; i < n; i++) {
		/* A NUL is no continuation byte, so this never reads past the end. */
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (*code < smallest[n] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return n;
}

/* Bytes that every target takes as they are: of ASCII all but controls, ", ; and \. */
static const bool plain[256] = {
    [0x20] = true, true, [0x23 ... 0x3a] = true, [0x3c ... 0x5b] = true, [0x5d ... 0x7e] = true,
};

static bool is_plain(char c)
{
	return plain[(unsigned char)c];
}

/* Such bytes at the start of s. */
static size_t plain_run(const char *s)
{
	size_t n = 0;

	while (is_plain(s[n]))
		n++;
	return n;
}

bool fmt_is_plain(const char *s)
{
	return !s[plain_run(s)];
}

/* Puts them and returns what follows. Names are short: a call for each would cost more. */
static const char *put_plain(FILE *f, const char *s)
{
	for (; is_plain(*s); s++)
		putc_unlocked(*s, f);
	return s;
}

/* One character as a terminal gets it. */
struct piece {
	unsigned taken, columns;
	char out[4 * 4 + 1];
};

static struct piece next_piece(const char *s)
{
	struct piece p = {0};
	uint32_t code = 0;
	unsigned n = utf8_decode(s, &code);

	p.taken = n ? n : 1;
	if (n && code == '\\') {
		strcpy(p.out, "\\\\");
		p.columns = 2;
	} else if (n && !is_control(code)) {
		memcpy(p.out, s, n);
		p.columns = char_width(code);
	} else {
		for (unsigned i = 0; i < p.taken; i++)
			sprintf(p.out + 4 * i, "\\x%02x", (unsigned char)s[i]);
		p.columns = 4 * p.taken;
	}
	return p;
}

void fmt_put_text(FILE *f, const char *s)
{
	while (*(s = put_plain(f, s))) {
		struct piece p = next_piece(s);

		fputs(p.out, f);
		s += p.taken;
	}
}

size_t fmt_text_width(const char *s)
{
	size_t columns = 0;

	while (*s) {
		size_t run = plain_run(s);

		if (run) {
			columns += run;
			s += run;
		} else {
			struct piece p = next_piece(s);

			columns += p.columns;
			s += p.taken;
		}
	}
	return columns;
}

size_t fmt_put_text_cut(FILE *f, const char *s, size_t columns)
{
	size_t width = fmt_text_width(s), used = 0;

	if (width <= columns) {
		fmt_put_text(f, s);
		return width;
	}
	if (columns == 0)
		return 0;
	for (;;) {
		struct piece p = next_piece(s);

		if (used + p.columns > columns - 1)
			break;
		fputs(p.out, f);
		used += p.columns;
		s += p.taken;
	}
	fputs("…", f);
	return used + 1;
}

/* What a character of n bytes, or a byte that is none (n is 0), takes at most for each byte. */
#define JSON_GROWTH 6

static char *put_json_char(char *to, uint32_t code, const char *bytes, unsigned n)
{
	if (n == 0)
		return stpcpy(to, "\xef\xbf\xbd");
	if (code == '"' || code == '\\' || code == '\n' || code == '\t') {
		*to++ = '\\';
		*to = (char)(code == '\n' ? 'n' : code == '\t' ? 't' : code);
		return to + 1;
	}
	if (is_control(code))
		return to + sprintf(to, "\\u%04x", (unsigned)code);
	return mempcpy(to, bytes, n);
}

void fmt_put_json(struct buffer *b, const char *s)
{
	char *to;

	if (!buffer_reserve(b, strlen(s) * JSON_GROWTH + sizeof("\"\"")))
		return;
	to = b->at + b->n;
	*to++ = '"';
	for (;;) {
		uint32_t code = 0;
		unsigned n;

		while (is_plain(*s))
			*to++ = *s++;
		if (!*s)
			break;
		n = utf8_decode(s, &code);
		to = put_json_char(to, code, s, n);
		s += n ? n : 1;
	}
	*to++ = '"';
	b->n = (size_t)(to - b->at);
}

/*
 * The blank in front of a number that ends s, or NULL. A decimal fraction
 * counts: flamegraph.pl takes it for a value.
 */
static const char *number_blank(const char *s)
{
	const char *p = s + strlen(s), *digits;
	const char *const set = "0123456789";

	while (p > s && (strchr(set, p[-1]) || p[-1] == '.'))
		p--;
	if (p == s || p[-1] != ' ' || *p == '\0')
		return NULL;
	digits = p + strspn(p, set);
	if (digits == p)
		return NULL;
	if (*digits == '.')
		digits += 1 + strspn(digits + 1, set);
	return *digits ? NULL : p - 1;
}

void fmt_put_folded(FILE *f, const char *s, bool last)
{
	const char *join = last ? number_blank(s) : NULL;

	while (*s) {
		size_t run = plain_run(s);

		if (join && s <= join && run > (size_t)(join - s))
			run = (size_t)(join - s);
		if (run) {
			fwrite(s, 1, run, f);
			s += run;
		} else if (s == join || *s == ';') {
			putc(s == join ? '_' : ':', f);
			s++;
		} else {
			struct piece p = next_piece(s);

			fputs(p.out, f);
			s += p.taken;
		}
	}
}
