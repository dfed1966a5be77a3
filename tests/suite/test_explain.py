from __future__ import annotations

from gtr_bench.errors import Problem, SuiteError
from gtr_bench.suite import render_suite_error


def test_each_problem_shows_its_place_its_line_and_its_hint() -> None:
    source = '[suite]\nname = "x"\n\tsigma = 0\n'
    problems = [
        Problem(3, 10, "`sigma` should be greater than 0, not `0`"),
        Problem(2, 1, "unknown key `name`", "did you mean `names`?"),
        Problem(0, 0, "the suite has no `[[algorithm]]`"),
    ]
    assert render_suite_error(SuiteError("my/suite.toml", source, problems)) == (
        "my/suite.toml: the suite has no `[[algorithm]]`\n"
        "\n"
        "my/suite.toml:2:1: unknown key `name`\n"
        '    2 | name = "x"\n'
        "      | ^\n"
        "hint: did you mean `names`?\n"
        "\n"
        "my/suite.toml:3:10: `sigma` should be greater than 0, not `0`\n"
        "    3 |  sigma = 0\n"
        "      |          ^"
    )


def test_a_long_line_is_cut_around_the_place() -> None:
    source = "a = [" + "1, " * 400 + "nan]"
    column = source.index("nan") + 1
    text = render_suite_error(SuiteError("x.toml", source, [Problem(1, column, "no")]))
    _, line, caret = text.split("\n")
    assert len(line) <= 130
    assert line[caret.index("^") :].startswith("nan")


def test_a_place_at_the_end_of_the_file_has_no_line_to_show() -> None:
    assert render_suite_error(SuiteError("x.toml", "a = [\n", [Problem(2, 1, "no")])) == "x.toml:2:1: no"
