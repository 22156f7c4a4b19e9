// @ts-check
// A sheet's button that prints; without scripts the browser's own menu does.

document.addEventListener("click", ({ target }) => {
  if (target instanceof Element && target.closest("[data-print]")) window.print();
});

// On a phone the chart is wider than the screen, and its end is what is looked for.
for (const chart of document.querySelectorAll(".sheet__chart .sheet__scroll"))
  // Not quite its end: the names of the peaks stand before the swing.
  chart.scrollLeft = chart.scrollWidth - chart.clientWidth - 24;
