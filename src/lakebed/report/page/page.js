// Draws the plots of a report.
(() => {
  "use strict";
  const plots = JSON.parse(document.getElementById("plots").textContent);
  const { BLUE, GREEN, POWERS, bars, count, draw, size, steps } = Plots;
  const DRAWN = {
    bytes: (plot) => steps(plot, { label: "bytes", colour: BLUE, value: size, incrs: POWERS }),
    objects: (plot) => steps(plot, { label: "objects", colour: GREEN, value: count }),
    sizes: (plot) => bars(plot, { label: "objects", colour: BLUE }),
    durations: (plot) => bars(plot, { label: "objects", colour: GREEN }),
  };

  for (const [id, made] of Object.entries(DRAWN)) {
    const place = document.getElementById(`plot-${id}`);
    if (place) draw(place, made(plots[id]));
  }
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details")) one.open = true;
  });
})();
