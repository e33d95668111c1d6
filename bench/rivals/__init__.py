"""The rivals, one file each, all of one shape."""

from bench.rivals import aws, executor, juicefs, lakebed, loops, mc, planning, rclone, s5cmd
from bench.rivals.rival import Rival

_ALL: tuple[Rival, ...] = (
    *lakebed.RIVALS,
    *loops.RIVALS,
    *rclone.RIVALS,
    *s5cmd.RIVALS,
    *aws.RIVALS,
    *mc.RIVALS,
    *juicefs.RIVALS,
    *planning.RIVALS,
    *executor.RIVALS,
)
RIVALS = {rival.name: rival for rival in _ALL}
"""Each rival by its name."""
