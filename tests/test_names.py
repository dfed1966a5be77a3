"""Names that become files are usable on Windows too."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtr_bench.names import file_name, why_unusable
from gtr_bench.suite import group, load_suite

DEVICE = re.compile(r"(CON|PRN|AUX|NUL|COM\d|LPT\d)(\..*)?", re.IGNORECASE)
NAMES = st.one_of(
    st.text(max_size=150),
    st.text(alphabet="conNUL1.-_ <>:/\\|?*lpt", max_size=8),
    st.from_regex(r"[a-z][a-z0-9.]{0,120}", fullmatch=True),
)


def is_safe(name: str) -> bool:
    """Microsoft's rules for file names, and a length that leaves room for the folder."""
    return bool(
        0 < len(name) <= 100
        and not re.search(r'[<>:"/\\|?*\x00-\x1f]', name)
        and name[-1] not in ". "
        and not DEVICE.fullmatch(name)
        and name.isascii()
    )


@given(NAMES)
def test_a_name_is_refused_unless_windows_takes_it(name: str) -> None:
    assert why_unusable(name) is not None or is_safe(name)


@given(NAMES)
def test_any_text_becomes_a_name_windows_takes_and_usable_ones_stay(text: str) -> None:
    name = file_name(text)
    assert is_safe(name)
    assert why_unusable(name) is None
    assert (name == text) == (why_unusable(text) is None)


@given(NAMES, NAMES)
def test_different_texts_become_different_names(one: str, other: str) -> None:
    assert (file_name(one) == file_name(other)) == (one == other)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("CON", "Windows keeps `CON` for a device"),
        ("com1.toml", "Windows keeps `com1` for a device"),
        ("end.", "it ends in a dot"),
        ("a" * 101, "it has 101 characters, more than 100"),
        ("../up", "letters, digits, `_`, `.`, `+` and `-`, a letter or digit first"),
        ("", "letters, digits, `_`, `.`, `+` and `-`, a letter or digit first"),
    ],
)
def test_what_is_refused_says_why(name: str, reason: str) -> None:
    sentence = why_unusable(name)
    assert sentence is not None
    assert sentence.endswith(f"is not a usable name: {reason}")


@pytest.mark.parametrize("name", ["gtr", "a2c", "console", "a.b", "swap+1", "a" * 100])
def test_ordinary_names_stay_usable(name: str) -> None:
    assert why_unusable(name) is None


def test_jobs_and_cohorts_are_named_by_hexadecimal_digits() -> None:
    suite = load_suite("quickstart")
    ids = [*(job.id for job in suite.jobs()), *(cohort.id for cohort in group(suite.jobs()))]
    assert all(re.fullmatch("[0-9a-f]{16}", each) for each in ids)
