"""The changelog speaks of this version first."""

import re

import lakebed
from tests.docs.pages import CHANGELOG, text_of


def test_the_first_version_is_this_one() -> None:
    versions = re.findall(
        r"^## \[(.+?)\] - (unreleased|\d{4}-\d\d-\d\d)$", text_of(CHANGELOG), re.M
    )
    assert versions[0][0] == lakebed.__version__


def test_each_change_stands_under_a_heading_of_its_kind() -> None:
    kinds = set(re.findall(r"^### (.+)$", text_of(CHANGELOG), re.M))
    assert kinds
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
