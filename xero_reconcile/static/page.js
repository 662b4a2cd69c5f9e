"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const names = ["one", "two", "three", "four", "five", "six"];
  const money = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

  const dataset = (kind, label, values, at) => {
    const main = colour(names[at % names.length]);
    const line = kind === "lines" || (kind === "profit" && label === "Net profit");
    return {
      label, data: values, type: line ? "line" : "bar", borderColor: main, backgroundColor: main,
      borderWidth: line ? 2 : 0, pointRadius: line ? 2 : 0, order: line ? 0 : 1,
      stack: kind === "stack" ? "all" : undefined,
    };
  };

  const options = (kind) => ({
    responsive: true, maintainAspectRatio: false, animation: false,
    interaction: { mode: "index", intersect: false },
    plugins: {
      legend: { display: kind !== "ages", labels: { color: colour("ink") } },
      tooltip: { callbacks: { label: (at) => `${at.dataset.label}: ${money.format(at.parsed.y)}` } },
    },
    scales: {
      x: { stacked: kind === "stack", ticks: { color: colour("soft") }, grid: { display: false } },
      y: { stacked: kind === "stack", ticks: { color: colour("soft"), callback: (value) => money.format(value) },
           grid: { color: colour("rule") } },
    },
  });

  let charts = [];
  const draw = () => {
    charts.forEach((chart) => chart.destroy());
    charts = Object.entries(data).map(([id, one]) => new Chart(document.getElementById(id), {
      data: {
        labels: one.labels,
        datasets: Object.entries(one.series).map(([label, values], at) => dataset(one.kind, label, values, at)),
      },
      options: options(one.kind),
    }));
    document.documentElement.dataset.charts = String(charts.length);
  };
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  matchMedia("print").addEventListener("change", draw);
  addEventListener("beforeprint", () => charts.forEach((chart) => chart.resize()));
  addEventListener("afterprint", () => charts.forEach((chart) => chart.resize()));
})();
