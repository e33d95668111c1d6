"""What a process that runs takes over."""

from lakebed.settings import Settings
from lakebed.settings.restart import until_restart


def of(**keys: object) -> Settings:
    return Settings.model_validate({"state": "/a", **keys})


def test_what_takes_a_restart_stays_and_is_named() -> None:
    old = of(ledger="sqlite:////a", observe={"traces": "http://a"})
    new = of(state="/b", ledger="sqlite:////b", observe={"traces": "http://b"}, log="info")
    kept, names = until_restart(old, new)
    assert names == ["state", "ledger", "observe"]
    assert (kept.state, kept.ledger, kept.observe) == (old.state, old.ledger, old.observe)
    assert kept.log == "info"


def test_all_else_is_taken_over() -> None:
    new = of(executor={"running": 9}, stores={"lake": {"region": "r"}}, bandwidth=20_000)
    assert until_restart(of(), new) == (new, [])


def test_the_same_again_needs_nothing() -> None:
    assert until_restart(of(), of()) == (of(), [])
