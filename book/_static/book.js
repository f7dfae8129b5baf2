// What the theme leaves to be said better, and the filter of the scorecard and of the accuracy page. What moves is explorer.js and reader.js.
document.addEventListener("DOMContentLoaded", () => {
  // a button is called what it shows
  document.querySelectorAll(".search-button-field").forEach((button) => button.removeAttribute("aria-label"));
  const side = document.querySelector(".bd-sidebar-primary");
  if (side && !side.closest("main")) { side.setAttribute("role", "region"); side.setAttribute("aria-label", "The book"); }
  // an equation wider than its column is scrolled with the arrow keys too
  const equations = () => document.querySelectorAll("div.math, div.math mjx-container").forEach((e) => {
    if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "visible") e.tabIndex = 0;
  });
  if (window.MathJax) addEventListener("load", () => window.MathJax.startup?.promise?.then(equations));
});
// one button for all the code of a page, and it stays as it was left
document.addEventListener("DOMContentLoaded", () => {
  const all = [...document.querySelectorAll("details.mw-code")], bar = document.querySelector(".article-header-buttons");
  if (!all.length || !bar) return;
  const button = Object.assign(document.createElement("button"), { className: "btn btn-sm mw-all-code", title: "Show or hide all code", innerHTML: '<i class="fas fa-code"></i>' });
  const set = (open) => { all.forEach((one) => { one.open = open; }); button.setAttribute("aria-pressed", open); };
  const kept = (() => { try { return localStorage; } catch { return {}; } })();
  button.onclick = () => { const open = button.getAttribute("aria-pressed") !== "true"; set(open); kept["mw-code"] = open ? 1 : ""; };
  bar.prepend(button);
  set(!!kept["mw-code"]);
});
document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector(".mw-filter");
  if (!form) return;
  const rows = [...document.querySelectorAll(`#${form.dataset.table} tbody tr`)];
  const count = form.querySelector("output");
  const apply = () => {
    const verdicts = new Set([...form.querySelectorAll("input:checked")].map((box) => box.value));
    const lists = [...form.querySelectorAll("select")];
    let shown = 0;
    for (const row of rows) {
      const keep = verdicts.has(row.dataset.verdict) && lists.every((list) => !list.value || row.dataset[list.name] === list.value);
      row.hidden = !keep;
      shown += keep;
    }
    count.textContent = `${shown} of ${rows.length} ${form.dataset.rows}`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
});
