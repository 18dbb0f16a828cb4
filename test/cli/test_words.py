# SPDX-License-Identifier: GPL-2.0-or-later
"""Good and bad command lines. Walks `ktrace list`: a new tool is tested before it has a test."""

import re

import pytest

from probes import PATTERNS, call

# DESIGN A1: one letter, one meaning.
SHARED = {
    "p": "pid", "t": "tid", "C": "comm", "G": "cgroup", "u": "user-threads", "k": "kernel-threads",
    "U": "user-stacks", "K": "kernel-stacks", "s": "stack-depth", "m": "min", "M": "max", "n": "top",
    "S": "sort", "g": "group-by", "d": "duration", "i": "interval", "T": "timestamp", "o": "output",
    "f": "folded", "j": "json", "v": "verbose", "h": "help",
}
SHARED_LONG = ["hook", "btf", "self", "ready-fd", "explain"]
# letters whose absence in a tool needs a reason: all tools have these
EVERYWHERE = ["duration", "interval", "output", "json", "timestamp", "verbose", "help", "explain", "ready-fd"]
OPTION = re.compile(r"^ +(?:-(?P<letter>\w), )?--(?P<name>[a-z][a-z0-9-]*)(?P<arg>[ =][A-Z][^ ]*)?", re.M)
GOOD_ARGUMENT = {
    "pid": "1", "tid": "1", "comm": "x", "cgroup": "1", "stack-depth": "5", "min": "1us", "max": "1s", "top": "3",
    "duration": "1", "interval": "1", "output": "json", "hook": "tp_btf", "btf": "/sys/kernel/btf/vmlinux",
    "ready-fd": "1", "chain": "2", "stack-storage-size": "100", "row-storage-size": "100",
    "unwind": "check", "max-overhead": "2.5", "budget": "1ms", "sample": "10",
}
BESIDE = {"mmap": " -p 1"}  # what an option has no meaning without


def help_options(lab, tool):
    result = lab.ktrace(f"{call(tool)} --help")
    assert result.rc == 0 and not result.err, result
    return {m["name"]: (m["letter"], bool(m["arg"])) for m in OPTION.finditer(result.out)}


def refused(result):
    """Exit 2, one line on stderr, nothing on stdout."""
    assert result.rc == 2, result
    assert not result.out, result
    assert len(result.err.splitlines()) == 1 and result.err.strip(), result
    assert all(char.isprintable() for char in result.err.rstrip("\n")), repr(result.err)


def test_list_names_and_summarises_each_tool(lab):
    result = lab.ktrace("list")
    assert result.rc == 0 and not result.err
    for line in result.out.splitlines():
        name, summary = line.split(None, 1)
        assert re.fullmatch(r"[a-z]+", name) and summary.strip(), line
    tools = lab.tools()
    assert len(tools) == len(set(tools))
    assert {"offcputime", "wakeuptime", "offwaketime", "workq", "kmem", "kpages", "slabratetop", "loads"} <= set(tools)


def test_help_is_on_stdout_and_names_the_tool(lab, tool):
    for words in ("--help", "-h", "-d 1 --help"):
        result = lab.ktrace(f"{call(tool)} {words}")
        assert result.rc == 0 and not result.err and tool in result.out, result


def test_letters_mean_what_the_contract_says(lab, tool):
    options = help_options(lab, tool)
    for name, (letter, _) in options.items():
        if letter in SHARED:
            assert SHARED[letter] == name, f"{tool} -{letter} is --{name}"
    for letter, name in SHARED.items():
        if name in options:
            assert options[name][0] == letter, f"{tool} --{name} has lost -{letter}"
    letters = [letter for letter, _ in options.values() if letter]
    assert len(letters) == len(set(letters)), "a letter twice"
    assert set(EVERYWHERE) <= set(options), set(EVERYWHERE) - set(options)


def test_help_shows_the_positional_form(lab, tool):
    text = lab.ktrace(f"{call(tool)} --help").out
    assert ("[DURATION]" in text) != ("[INTERVAL [COUNT]]" in text), text
    assert "COMMAND" in text


def outcomes(lab, tool, all_words, timeout=120):
    """Runs the tool with each of these words: [(words, exit code, bytes on stdout, stderr)]."""
    script = "$KTRACE caps >caps 2>/dev/null\n" + "".join(
        f"$KTRACE {call(tool)} {words} >out 2>err </dev/null; echo $? $(wc -c <out) $(wc -l <err); cat err; echo\n"
        for words in all_words)
    lines = iter(lab.run(script, timeout).out.splitlines())
    for words in all_words:
        rc, size, n_lines = map(int, next(lines).split())
        err = [next(lines) for _ in range(n_lines)]
        assert not next(lines), "stderr ends with a newline"
        yield words, rc, size, err


def test_every_letter_is_in_help_or_refused(lab, tool):
    known = {letter for letter, _ in help_options(lab, tool).values()}
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    unknown = [f"-{letter} --explain" for letter in letters if letter not in known]
    for words, rc, size, err in outcomes(lab, tool, unknown):
        assert (rc, size, len(err)) == (2, 0, 1), (words, rc, err)


def test_every_option_of_help_is_taken(lab, tool):
    spellings = []
    for name, (letter, has_arg) in help_options(lab, tool).items():
        if name == "caps" or has_arg and name not in GOOD_ARGUMENT:
            continue
        value = GOOD_ARGUMENT.get(name, "")
        spellings += [f"--{name}={value}", f"--{name} {value}"] if has_arg else [f"--{name}{BESIDE.get(name, '')}"]
        if letter:
            spellings += [f"-{letter}{value}", f"-{letter} {value}"] if has_arg else [f"-{letter}"]
    assert len(spellings) > 15
    for words, rc, _, err in outcomes(lab, tool, [f"{words} --explain --caps caps" for words in spellings]):
        assert rc in (0, 3), (words, rc, err)


BAD = [
    "--no-such-option", "--dur 1", "--json=1", "-d", "-d x", "-d ''", "-d -1", "-d 1x", "-d ' 1'", "-d +1", "-d nan",
    "-d inf", "-d 99999999999999999999999", "-d 1e999", "-i x", "-i -1", "-i 99999999999999999999999", "x", "-1",
    "1 2 3", "1 x", "99999999999999999999999", "-n x", "-n -1", "-n 0", "-n 99999999999", "-S nosuch", "-S ''",
    "-g nosuch", "-g ''", "-g ,", "-o nosuch", "-o ''", "-o json=", "-o JSON", "-p x", "-p ''", "-p 0", "-p -1",
    "-p 1,", "-p 1,,2", "-p 99999999999999999999", "-p 4194304", "-t x", "-t 0", "-t 4194304", "-m x", "-m -1",
    "-m 5parsecs", "-m 99999999999999999999s", "-M 0", "-m 2ms -M 1ms", "-s x", "-s -1", "-s 128",
    "-s 99999999999999999999", "--hook nosuch", "--hook ''", "-C ''", "-C 0123456789abcdef", "-G /no/such/cgroup",
    "-G ''", "-u -k", "-U -K", "-j -o text", "-f -j", "--ready-fd x", "--stack-storage-size 0",
    "--row-storage-size x", "--row-storage-size 0",
    "--unwind x", "--max-overhead 0", "--max-overhead 101", "--max-overhead x",
]


def test_bad_words_are_refused_in_one_line(lab, tool):
    """Exit 2, one printable line on stderr, nothing on stdout."""
    bad = [words for words in BAD if words != "x" or tool not in PATTERNS]  # x is a pattern
    wrong = [(words, rc, size, err) for words, rc, size, err in outcomes(lab, tool, bad)
             if (rc, size, len(err)) != (2, 0, 1) or not err[0].isprintable()]
    assert not wrong, wrong


@pytest.mark.parametrize("words", ["--ready-fd 777", "-j --", "-d 1 --ready-fd 777"])
def test_descriptor_that_is_not_open_and_missing_command_are_refused(lab, words):
    refused(lab.ktrace(f"offcputime {words}", timeout=20))


def test_bad_words_name_what_was_bad(lab):
    for words, name in (("-d squid", "squid"), ("-S squid", "squid"), ("-o squid", "squid"), ("--squid", "squid"),
                        ("-p squid", "squid"), ("-m squid", "squid"), ("--hook squid", "squid")):
        assert name in lab.ktrace(f"offcputime {words}").err, words


def test_bad_words_cannot_write_escapes_to_the_terminal(lab):
    for words in ("\"$(printf '\\033[31m')\"", "-S \"$(printf '\\033]0;x\\007')\"", "-o \"$(printf 'a\\nb')\"",
                  "-p \"$(printf '\\377')\""):
        result = lab.ktrace(f"offcputime {words}")
        refused(result)


@pytest.mark.parametrize("words", ["", "nosuchtool", "--no-such-option", "links", "links a b", "list x",
                                   "doctor nosuchtool", "offcputimex"])
def test_bad_subcommands_are_refused(lab, words):
    result = lab.ktrace(words)
    assert result.rc == 2 and not result.out and result.err.strip(), result


def test_version(lab):
    result = lab.ktrace("--version")
    assert result.rc == 0 and not result.err
    assert re.fullmatch(r"ktrace \d+\.\d+\.\d+.*", result.out.splitlines()[0]), result


def test_help_of_the_program_names_every_tool_and_subcommand(lab):
    result = lab.ktrace("--help")
    assert result.rc == 0 and not result.err
    for word in lab.tools() + ["list", "doctor", "caps", "links", "--version"]:
        assert word in result.out, word


def test_pid_that_was_is_refused_once_it_is_gone(lab):
    refused(lab.run("sh -c 'echo $$' >pid; $KTRACE offcputime -j -d 1 -p $(cat pid)"))


def test_command_that_cannot_be_run_is_refused(lab, tool):
    result = lab.ktrace(f"{call(tool)} -j -- /no/such/command")
    assert result.rc in (1, 2) and not result.out, result
    assert len(result.messages) == 1 and "/no/such/command" in result.messages[0], result
