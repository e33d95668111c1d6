"""The supervisor, over components that are real processes and do next to nothing."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lakebed.errors import ConfigurationError, Interrupted
from lakebed.local.platform.component import Component
from lakebed.local.platform.home import Home, Standing
from lakebed.local.platform.supervisor import Supervisor
from lakebed.store.cancellation import Cancellation

PATIENCE = 30.0
SERVES = (
    "import pathlib, signal, sys; log = pathlib.Path(sys.argv[1]); name = sys.argv[2]\n"
    "def say(word):\n"
    "    with log.open('a') as file: file.write(word + ' ' + name + '\\n')\n"
    "def end(*_):\n"
    "    say('ended'); sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, end); say('began')\n"
    "while True: signal.pause()\n"
)


class Scene:
    """Components that write into one diary when they begin and end."""

    def __init__(self, folder: Path) -> None:
        self.home = Home.at(folder / "home")
        self.diary = folder / "diary"
        self.cancellation = Cancellation()

    def component(self, name: str, script: str = SERVES) -> Component:
        before = [0]

        def began() -> int:
            return self.lines().count(f"began {name}")

        def prepare() -> None:
            before[0] = began()

        return Component(
            name,
            version="1",
            url=f"http://{name}",
            argv=(sys.executable, "-c", script, str(self.diary), name),
            environment=dict(os.environ),
            prepare=prepare,
            is_ready=lambda: began() > before[0],
        )

    def lines(self) -> list[str]:
        return self.diary.read_text().splitlines() if self.diary.exists() else []

    def run(
        self,
        components: Sequence[Component],
        ready: Callable[[Sequence[Standing]], None],
        clock: Callable[[], float] | None = None,
    ) -> None:
        given = (self.home, components, self.cancellation)
        supervisor = Supervisor(*given, clock) if clock else Supervisor(*given)
        hangs = threading.Timer(PATIENCE, self.cancellation.stop, [TimeoutError("it hangs")])
        hangs.start()
        try:
            supervisor.run(ready)
        finally:
            hangs.cancel()
            hangs.join()

    def stop(self) -> None:
        self.cancellation.stop(Interrupted("enough"))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_components_start_in_their_order_and_end_in_the_other(scene: Scene) -> None:
    told: list[Standing] = []

    def ready(standings: Sequence[Standing]) -> None:
        told.extend(standings)
        scene.stop()

    scene.run([scene.component("a"), scene.component("b")], ready)
    assert [(one.name, one.state) for one in told] == [("a", "ready"), ("b", "ready")]
    assert scene.lines() == ["began a", "began b", "ended b", "ended a"]
    assert [one.state for one in scene.home.told()] == ["stopped", "stopped"]


def test_one_that_ends_is_started_again_after_a_pause_that_doubles(scene: Scene) -> None:
    now = [0.0]

    def clock() -> float:
        now[0] += 0.25  # each look is some time later
        return now[0]

    kills = 0

    def ready(standings: Sequence[Standing]) -> None:
        os.kill(standings[0].pid, signal.SIGKILL)
        threading.Thread(target=watch, daemon=True).start()

    def watch() -> None:
        nonlocal kills
        while kills < 2:
            told = scene.home.told()[0]
            if told.state == "ready" and told.restarts == kills + 1:
                kills += 1
                os.kill(told.pid, signal.SIGKILL)
        scene.stop()

    component = scene.component("a")
    scene.run([component], ready, clock)
    assert scene.lines().count("began a") >= 3


def test_one_that_ends_while_it_starts_ends_all_with_its_last_words(scene: Scene) -> None:
    broken = scene.component("b", "import sys; sys.exit('no such thing')")
    with pytest.raises(
        ConfigurationError, match=r"b: it ended while it started.*\n.*no such thing"
    ):
        scene.run([scene.component("a"), broken], lambda _: scene.stop())
    assert scene.lines() == ["began a", "ended a"]


def test_a_program_that_is_not_there_is_named(scene: Scene) -> None:
    absent = Component("a", "1", "", (str(scene.diary / "absent"),), is_ready=lambda: False)
    with pytest.raises(ConfigurationError, match="a: it ended while it started"):
        scene.run([absent], lambda _: scene.stop())


def test_what_others_count_on_is_done_once_it_is_ready(scene: Scene) -> None:
    done: list[str] = []
    component = scene.component("a")
    settled = replace(component, settle=lambda: done.append(f"settled after {scene.lines()}"))
    scene.run([settled], lambda _: scene.stop())
    assert done == ["settled after ['began a']"]
