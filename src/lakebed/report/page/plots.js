// Plots: how they look, and their numbers as people write them.
const Plots = (() => {
  "use strict";
  const HEIGHT = 240;
  // Colours that can be read on white and on black, so that a page may be printed from either.
  const AXIS = "#7b848e", GRID = "rgba(128, 136, 144, .18)";
  const BLUE = "#3b7dd8", GREEN = "#1f9d75";
  const FONT = "12px system-ui, sans-serif";
  const TIMES = [.1, .2, .5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400,
    21600, 43200, 86400, 172800, 432000, 864000, 2592000];
  const POWERS = Array.from({ length: 61 }, (_, n) => 2 ** (n - 10));

  const size = (value) => {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = 0;
    while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
    return `${+value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
  };
  const count = (value) => value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 2 : 0 });
  const clock = (seconds) => {
    if (seconds < 60) return `${+seconds.toFixed(2)} s`;
    const two = (n) => String(Math.floor(n)).padStart(2, "0");
    if (seconds < 3600) return `${Math.floor(seconds / 60)}:${two(seconds % 60)} min`;
    return `${Math.floor(seconds / 3600)}:${two(seconds % 3600 / 60)} h`;
  };

  const axis = (more) => ({
    stroke: AXIS, font: FONT, grid: { stroke: GRID, width: 1 },
    ticks: { show: false }, ...more,
  });
  const base = (series, axes, scales) => ({
    height: HEIGHT, series, axes, scales,
    padding: [8, 14, 0, 0],
    cursor: { drag: { x: false, y: false }, y: false, points: { size: 6 } },
  });

  function steps({ edges, rates }, { label, colour, value, incrs, per = "/s" }) {
    const options = base(
      [
        { label: "at", value: (_, at) => at === null ? "–" : clock(at) },
        {
          label, stroke: colour, width: 1.5, fill: `${colour}26`, points: { show: false },
          paths: uPlot.paths.stepped({ align: 1 }),
          value: (_, rate) => rate === null ? "–" : `${value(rate)}${per}`,
        },
      ],
      [
        axis({ values: (_, at) => at.map(clock), incrs: TIMES, space: 70 }),
        axis({ values: (_, all) => all.map(value), incrs, size: 64, space: 36 }),
      ],
      { x: { time: false }, y: { range: (_, least, most) => [0, (most || 1) * 1.05] } },
    );
    // A step lasts until the next point: the last one is drawn up to the end.
    return [options, [edges, [...rates, rates[rates.length - 1]]]];
  }

  function bars({ names, counts }, { label, colour }) {
    const from = names.map((name) => name.split(" to ")[0]);
    const options = base(
      [
        { label: "from", value: (_, at) => at === null ? "–" : names[at] },
        {
          label, stroke: colour, width: 0, fill: `${colour}cc`, points: { show: false },
          paths: uPlot.paths.bars({ size: [.86, 64] }),
          value: (_, held) => held === null ? "–" : count(held),
        },
      ],
      [
        axis({
          grid: { show: false },
          splits: (plot) => {
            const every = Math.ceil(names.length * 62 / Math.max(plot.width - 80, 62));
            return names.map((_, at) => at).filter((at) => at % every === 0);
          },
          values: (_, all) => all.map((at) => from[at]),
        }),
        axis({ values: (_, all) => all.map((n) => Number.isInteger(n) ? count(n) : ""), size: 64, space: 36 }),
      ],
      {
        x: { time: false, range: [-.6, names.length - .4] },
        y: { range: (_, least, most) => [0, (most || 1) * 1.05] },
      },
    );
    return [options, [names.map((_, at) => at), counts]];
  }

  // Drawn into a place, as wide as the place is. What is drawn is in a table of the page too.
  function draw(place, [options, data]) {
    document.documentElement.classList.add("drawn");
    const width = () => Math.max(place.clientWidth, 240);
    const plot = new uPlot({ ...options, width: width() }, data, place);
    new ResizeObserver(() => plot.setSize({ width: width(), height: HEIGHT })).observe(place);
    return plot;
  }

  return { BLUE, GREEN, POWERS, bars, count, draw, size, steps };
})();
