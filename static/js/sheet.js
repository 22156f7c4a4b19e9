/* A sheet's buttons: print, copy a new link. Without scripts the browser's own menu
   prints, and a link is copied by hand. */
(() => {
  "use strict";

  async function copy(button) {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = "Copied";
    } catch {
      // No permission, or no https: it is selected, the keyboard does the rest.
      button.textContent = "Press Ctrl+C";
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-print], [data-copy]");
    if (!button) return;
    if (button.dataset.copy) copy(button);
    else window.print();
  });

  // On a phone the chart is wider than the screen, and its end is what is looked for.
  for (const chart of document.querySelectorAll(".sheet__chart .sheet__scroll"))
    // Not quite its end: the names of the peaks stand before the swing.
    chart.scrollLeft = chart.scrollWidth - chart.clientWidth - 24;

  document.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-select]")) event.target.select();
  });
})();
