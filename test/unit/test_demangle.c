/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/demangle.h"

static void assert_becomes(const char *name, const char *want)
{
	char buf[4096];

	assert_ptr_equal(demangle(name, buf, sizeof(buf)), buf);
	assert_string_equal(buf, want);
}

static void c_plus_plus_has_parameters_and_no_return_type(void **state)
{
	(void)state;
	assert_becomes("_ZN2ns5Class6methodEi", "ns::Class::method(int)");
	assert_becomes("_ZN3FooC1Ev", "Foo::Foo()");
	assert_becomes("_Znwm", "operator new(unsigned long)");
	assert_becomes("_ZSt4moveIRiEONSt16remove_referenceIT_E4typeEOS2_",
		       "std::move<int&>(int&)");
	assert_becomes("_ZN12_GLOBAL__N_13fooEv", "(anonymous namespace)::foo()");
	assert_becomes("_ZN3foo3barEv.cold", "foo::bar() [clone .cold]");
}

static void rust_has_no_hash(void **state)
{
	(void)state;
	assert_becomes("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE",
		       "core::fmt::Write::write_fmt");
	assert_becomes(
	    "_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$"
	    "3bar17h930b740aa94f1d3aE",
	    "<Test + 'static as foo::Bar<Test>>::bar");
	assert_becomes("_RINvNtC3std3mem8align_ofdE", "std::mem::align_of::<f64>");
	assert_becomes("_RNvCs1234_7mycrate3foo", "mycrate::foo");
}

static void so_has_d(void **state)
{
	(void)state;
	assert_becomes("_D3std5stdio7writelnFAyaZv", "std.stdio.writeln(immutable(char)[])");
	assert_becomes("_D4main3fooFiZ3barMFZv", "main.foo(int).bar()");
	assert_becomes("_Dmain", "D main");
}

static void other_names_stay(void **state)
{
	static const char *const names[] = {"",         "_",      "main",         "_start",
					    "_Z",       "_ZN",    "_R",           "_D",
					    "_DYNAMIC", "_Rinit", "_Z9",          "caml_main",
					    "$s4main",  "a@b",    "_ZN3fooE\xff", "\xff\xfe"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_becomes(names[i], names[i]);
}

static void what_does_not_fit_ends_in_dots(void **state)
{
	static const char *const short_ones[] = {"", "", ".", "..", "...", "n...", "ns..."};
	char buf[64];

	(void)state;
	for (size_t size = 1; size < 7; size++)
		assert_string_equal(demangle("_ZN2ns5Class6methodEi", buf, size), short_ones[size]);
	assert_string_equal(demangle("_ZN2ns5Class6methodEi", buf, 22), "ns::Class::method(...");
	assert_string_equal(demangle("_ZN2ns5Class6methodEi", buf, 23), "ns::Class::method(int)");
	assert_string_equal(demangle("a_plain_name", buf, 8), "a_pl...");
	assert_string_equal(demangle("a_plain_name", buf, 13), "a_plain_name");
	assert_string_equal(demangle("_D3std5stdio7writelnFAyaZv", buf, 16), "std.stdio.wr...");
}

static void a_character_is_not_cut_in_two(void **state)
{
	char buf[16];

	(void)state;
	assert_string_equal(demangle("na\xc3\xafve_and_more", buf, 7), "na...");
	assert_string_equal(demangle("na\xc3\xafve_and_more", buf, 8), "na\xc3\xaf...");
}

static void nothing_is_written_where_there_is_no_room(void **state)
{
	char buf[1] = {'x'};

	(void)state;
	assert_ptr_equal(demangle("_Z1fv", buf, 0), buf);
	assert_int_equal(buf[0], 'x');
}

/* Each pair holds the one before twice: its text would have 2^40 bytes. */
static void a_name_that_explodes_is_cut(void **state)
{
	char name[1024] = "_Z1fSt4pairIiiE", buf[256];

	(void)state;
	strcat(name, "S_IS0_S0_E");
	for (char seq = '1'; seq <= '9'; seq++)
		sprintf(name + strlen(name), "S_IS%c_S%c_E", seq, seq);
	for (char seq = 'A'; seq <= 'Z'; seq++)
		sprintf(name + strlen(name), "S_IS%c_S%c_E", seq, seq);
	demangle(name, buf, sizeof(buf));
	assert_int_equal(strlen(buf), sizeof(buf) - 1);
	assert_memory_equal(buf, "f(std::pair<int, int>, std::pair<", 33);
	assert_string_equal(buf + sizeof(buf) - 4, "...");
}

/* D's demangler would take hours. */
static void a_name_that_takes_too_long_is_copied(void **state)
{
	char name[1024] = "_D1a", want[1024];

	(void)state;
	for (unsigned i = 0; i < 60; i++)
		strcat(name, "MFT1a");
	strcpy(want, name);
	assert_becomes(name, want);
	strcpy(name, "_D1aFG1i"); /* arrays of arrays by reference */
	for (unsigned i = 0; i < 60; i++)
		strcat(name, "HQdQf");
	strcpy(want, name);
	assert_becomes(name, want);
}

static void a_name_that_is_too_long_is_copied(void **state)
{
	char name[DEMANGLE_MAX + 8] = "_ZN", buf[sizeof(name)];

	(void)state;
	while (strlen(name) < DEMANGLE_MAX)
		strcat(name, "1a");
	strcat(name, "Ev");
	assert_string_equal(demangle(name, buf, sizeof(buf)), name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(c_plus_plus_has_parameters_and_no_return_type),
	    cmocka_unit_test(rust_has_no_hash),
	    cmocka_unit_test(so_has_d),
	    cmocka_unit_test(other_names_stay),
	    cmocka_unit_test(what_does_not_fit_ends_in_dots),
	    cmocka_unit_test(a_character_is_not_cut_in_two),
	    cmocka_unit_test(nothing_is_written_where_there_is_no_room),
	    cmocka_unit_test(a_name_that_explodes_is_cut),
	    cmocka_unit_test(a_name_that_takes_too_long_is_copied),
	    cmocka_unit_test(a_name_that_is_too_long_is_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
