"use strict";
// Tables are sorted by a click on a column's name.
for (const button of document.querySelectorAll("table.sortable th button")) {
  button.addEventListener("click", () => {
    const head = button.parentElement, table = head.closest("table");
    const column = [...head.parentElement.children].indexOf(head);
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = row => {
      const cell = row.children[column], number = cell.dataset.order;
      return number === undefined ? cell.textContent : Number(number);
    };
    const body = table.tBodies[0], rows = [...body.rows];
    rows.sort((one, other) => {
      const a = value(one), b = value(other);
      const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
      return up ? order : -order;
    });
    body.append(...rows);
  });
}

const ONE_LINE = 30;  // pixels of a legend of one line, which a figure has room for

// Figures come alive where they are seen; until then, and on paper, they are drawn.
(async () => {
  const packed = document.getElementById("plotly");
  if (!packed || typeof DecompressionStream === "undefined") return;
  const bytes = Uint8Array.from(atob(packed.textContent.trim()), c => c.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const code = document.createElement("script");
  code.textContent = await new Response(unpacked).text();
  document.head.append(code);
  if (typeof Plotly === "undefined") return;
  const show = async figure => {
    const live = figure.querySelector(".live"), chart = JSON.parse(figure.querySelector("script").textContent);
    const place = live.appendChild(document.createElement("div"));
    place.style.minWidth = `${chart.least}px`;  // where there is less, the figure is scrolled
    live.hidden = false;
    const least = chart.layout.height;  // the layout is changed in place
    // Where nothing hovers the buttons would always be there, over the legend.
    const buttons = matchMedia("(hover: hover)").matches ? {} : { displayModeBar: false };
    await Plotly.newPlot(place, chart.data, chart.layout, { responsive: true, displaylogo: false, ...buttons });
    const fit = () => {  // as many lines as a legend has at this width, so much higher is the figure
      const legend = place.querySelector(".legend .bg");
      const lines = legend ? Math.max(0, legend.getBoundingClientRect().height - ONE_LINE) : 0;
      const height = least + lines;
      if (Math.abs(height - place.layout.height) > 2) Plotly.relayout(place, { height });
    };
    place.on("plotly_afterplot", fit);
    fit();
    figure.querySelector(".drawn").style.display = "none";
  };
  const seen = new IntersectionObserver(entries => {
    for (const entry of entries) if (entry.isIntersecting) { seen.unobserve(entry.target); show(entry.target); }
  }, { rootMargin: "300px" });
  for (const figure of document.querySelectorAll("figure")) seen.observe(figure);
})();
