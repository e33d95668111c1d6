"""`python -m bench.report docs`: make the page and its plots again from the results kept there."""

import sys
from pathlib import Path

from bench.report.page import KEPT, publish
from bench.results import read

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    print(publish(folder, read(folder / KEPT)))
