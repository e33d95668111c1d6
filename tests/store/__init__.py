"""Tests of the stores. The conformance suite's own asserts are to explain themselves too."""

import pytest

pytest.register_assert_rewrite("tests.store.conformance")
