// Draws the line charts of the report with uPlot, again when the colours or the width of the page change.
"use strict";
(function () {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const style = () => getComputedStyle(document.documentElement);
  const colour = (name) => style().getPropertyValue("--" + name).trim();
  let drawn = [];

  function draw() {
    drawn.forEach((u) => u.destroy());
    drawn = charts.map((chart, place) => {
      const into = document.getElementById("chart-" + place);
      const short = (u, values) => values.map((v) => (v == null ? "" : String(Number(v.toPrecision(4)))));
      const axis = { values: short, stroke: colour("soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 }, font: "12px system-ui, sans-serif" };
      let strong = 0;
      const series = chart.series.map((s) => ({
        label: s.name,
        stroke: colour("c" + (s.faint ? 0 : 1 + (strong++ % 8))),
        width: s.faint ? 1 : 2,
        paths: s.dots ? () => null : undefined,
        points: s.dots ? { show: true, size: 5 } : { show: chart.x.length < 3 },
        spanGaps: true,
        value: (u, v) => (v == null ? "" : Number(v.toPrecision(5)).toString()),
      }));
      return new uPlot({
        width: into.clientWidth,
        height: 240,
        scales: { x: { time: false, distr: chart.logx ? 3 : 1 }, y: { distr: chart.log ? 3 : 1 } },
        axes: [Object.assign({}, axis, { label: chart.xlabel, labelSize: 20, labelFont: "12px system-ui, sans-serif" }), Object.assign({ size: 56 }, axis)],
        legend: { show: chart.series.length <= 6 },
        cursor: { points: { size: 6 } },
        series: [{ label: chart.xlabel }].concat(series),
      }, [chart.x].concat(chart.series.map((s) => s.y)), into);
    });
  }
  let waiting = 0;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(draw, 150); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
})();
