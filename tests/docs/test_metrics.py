"""The page of metrics and spans names what the code names."""

import re

import pytest

from lakebed.observe.observing import Exposure
from lakebed.settings.observe import ObserveSettings
from tests.docs.pages import DOCS, text_of, words

PAGE = DOCS / "metrics.md"
TRACES = DOCS.parent / "src" / "lakebed" / "observe" / "traces.py"


def test_each_attribute_of_a_span_is_named() -> None:
    used = set(
        re.findall(r'"((?:lakebed|rpc|aws|server|http|error)\.[a-z0-9_.]+)"', text_of(TRACES))
    )
    assert used - {"error.type"} <= words(PAGE)


@pytest.mark.parametrize("setting", list(ObserveSettings.model_fields))
def test_each_setting_is_shown_and_heeded(setting: str) -> None:
    assert f"\n{setting} = " in text_of(PAGE)
    assert setting in Exposure.__dataclass_fields__
