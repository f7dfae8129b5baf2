// The scorecard's filter. Everything else on these pages that moves is explorer.js.
document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector(".mw-filter");
  if (!form) return;
  const rows = [...document.querySelectorAll("#mw-scorecard tbody tr")];
  const count = form.querySelector("output");
  const apply = () => {
    const verdicts = new Set([...form.querySelectorAll("input:checked")].map((box) => box.value));
    const chapter = form.querySelector("select").value;
    let shown = 0;
    for (const row of rows) {
      const keep = verdicts.has(row.dataset.verdict) && (!chapter || row.dataset.chapter === chapter);
      row.hidden = !keep;
      shown += keep;
    }
    count.textContent = `${shown} of ${rows.length} claims`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
});
