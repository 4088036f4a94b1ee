// Draws the plots of a page with Chart.js, which unfold brings along: what is drawn stands in the
// data-plot of each canvas, and in the table beside it.
(() => {
  "use strict";
  const LIGHT = ["#2563eb", "#16a34a", "#d97706", "#9333ea", "#0891b2", "#dc2626", "#4d7c0f", "#be185d", "#6b7280"];
  const DARK = ["#60a5fa", "#4ade80", "#fbbf24", "#c084fc", "#22d3ee", "#f87171", "#a3e635", "#f472b6", "#9ca3af"];
  const charts = new Map();
  const shown = new WeakMap();
  const isDark = () => document.documentElement.classList.contains("dark");
  const number = new Intl.NumberFormat(document.documentElement.lang || "en", { maximumFractionDigits: 3 });

  const datasets = (plot, colours) =>
    plot.series.map((each, at) => ({
      label: each.name,
      data: each.points ?? each.values,
      backgroundColor: colours[at % colours.length],
      borderColor: colours[at % colours.length],
      yAxisID: each.axis ?? "y",
      borderWidth: plot.kind === "line" ? 2 : 0,
      stepped: each.stepped ? "before" : false,
      pointRadius: 0,
      pointHitRadius: 8,
      spanGaps: false,
    }));

  // Seconds of the day, which may be those of a later one.
  const clock = (seconds) => {
    const pad = (part) => String(part).padStart(2, "0");
    return `${pad(Math.floor(seconds / 3600) % 24)}:${pad(Math.floor(seconds / 60) % 60)}`;
  };

  const options = (plot, ink, lines) => {
    const byTime = plot.kind === "line";
    const scale = (unit, position, grid) => ({
      position,
      stacked: plot.stacked ?? false,
      beginAtZero: plot.zero ?? true,
      title: { display: true, text: unit, color: ink },
      ticks: { color: ink, maxTicksLimit: 6 },
      grid: { color: lines, drawOnChartArea: grid },
    });
    const scales = {
      x: {
        type: byTime ? "linear" : "category",
        min: byTime ? plot.min : undefined,
        max: byTime ? plot.max : undefined,
        stacked: plot.stacked ?? false,
        title: { display: Boolean(plot.zone), text: plot.zone, color: ink },
        ticks: {
          color: ink,
          maxRotation: 0,
          autoSkipPadding: 12,
          ...(byTime ? { stepSize: plot.step, callback: clock } : {}),
        },
        grid: { display: false },
      },
      y: scale(plot.unit, "left", true),
    };
    if (plot.unit2) scales.y1 = scale(plot.unit2, "right", false);
    return {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      interaction: { mode: byTime ? "nearest" : "index", axis: "x", intersect: false },
      plugins: {
        legend: { display: plot.series.length > 1, labels: { color: ink, boxWidth: 12 } },
        tooltip: {
          filter: (item) => item.parsed.y !== 0 || plot.series.length === 1 || byTime,
          callbacks: {
            title: (items) =>
              !items.length ? "" : byTime ? clock(items[0].parsed.x) : items[0].label,
            label: (item) => {
              const unit = item.dataset.yAxisID === "y1" ? plot.unit2 : plot.unit;
              return ` ${item.dataset.label}: ${number.format(item.parsed.y)} ${unit}`;
            },
          },
        },
      },
      scales,
    };
  };

  const draw = (canvas) => {
    const plot = JSON.parse(canvas.dataset.plot);
    const dark = isDark();
    shown.set(canvas, canvas.dataset.plot);
    charts.get(canvas)?.destroy();
    charts.set(
      canvas,
      new Chart(canvas, {
        type: plot.kind,
        data: { labels: plot.labels, datasets: datasets(plot, dark ? DARK : LIGHT) },
        options: options(plot, dark ? "#e5e7eb" : "#374151", dark ? "#374151" : "#e5e7eb"),
      }),
    );
  };

  const drawAll = () => {
    for (const [canvas, chart] of charts) {
      if (!canvas.isConnected) {
        chart.destroy();
        charts.delete(canvas);
      }
    }
    for (const canvas of document.querySelectorAll("canvas[data-plot]")) draw(canvas);
  };

  const drawNew = () => {
    for (const canvas of document.querySelectorAll("canvas[data-plot]")) {
      // (A renewal takes the size away that Chart.js has given it.)
      if (shown.get(canvas) !== canvas.dataset.plot || !canvas.hasAttribute("style")) draw(canvas);
    }
  };

  // In the language of the page (kit/words.py); English is what stands here.
  const said = (text) =>
    JSON.parse(document.getElementById("lv-live")?.dataset.words ?? "{}")[text] ?? text;

  // Plots that come after their page (the overview).
  const sayWhy = (event) => {
    const { xhr } = event.detail;
    const why = xhr?.status
      ? said("the server answered %(status)s.").replace("%(status)s", xhr.status)
      : said("the server does not answer.");
    for (const place of event.currentTarget.querySelectorAll(".lv-loading")) {
      place.textContent = `${said("Could not be loaded:")} ${why} ${said("Levity tries again within two minutes.")}`;
    }
  };

  const watchThoseToCome = () => {
    const later = document.getElementById("lv-plots");
    if (!later) return;
    for (const name of ["responseError", "sendError", "timeout"]) {
      later.addEventListener(`htmx:${name}`, sayWhy);
    }
    // Another page, such as the login, is no answer.
    later.addEventListener("htmx:beforeSwap", (event) => {
      const address = event.detail.xhr.responseURL;
      if (!address || new URL(address).pathname === location.pathname) return;
      event.detail.shouldSwap = false;
      for (const place of later.querySelectorAll(".lv-loading")) {
        place.textContent = said("You are logged out.");
      }
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    watchThoseToCome();
    if (typeof Chart === "undefined") return;
    drawNew();
    document.addEventListener("htmx:afterSwap", drawNew);
    document.addEventListener("lv-renewed", drawNew);
    new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["class"] });
  });
})();
