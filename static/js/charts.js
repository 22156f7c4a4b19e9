// @ts-check
// Draws every [data-chart] from the JSON beside it (docs/design.md, "Chart").
//
// The server names what a curve is (part, side, role); colors and dashes come from the
// tokens, so that both themes and the figure agree. The parts are in charts/.

import { followAxis, followCursor, refreshBox } from "./charts/cursor.js";
import { savePicture, saveTable } from "./charts/export.js";
import { paper } from "./charts/layout.js";
import { show, unwatch, waitForReader, watch } from "./charts/loading.js";
import { placeCursor, placeOverlay, xUnder } from "./charts/overlay.js";
import { draw, resize, showWholeRange } from "./charts/plotly.js";
import { sketch } from "./charts/sketch.js";
import { isTimed, makeView, showReadout, toTime, toX, views } from "./charts/view.js";
import { tellTime, whileOnPage } from "./shared/page.js";
import { forgetTokens } from "./shared/tokens.js";

/**
 * Draws again what is on the screen, by whichever of the two has drawn it.
 * @param {ChartView} view
 */
const drawAgain = (view) => {
  if (view.drawn) draw(view);
  else if (view.canvas) sketch(view);
};

const sizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    /** @type {HTMLElement | null} */
    const element = target.closest("[data-chart]");
    const view = element?.swingChart;
    const { width, height } = contentRect;
    if (!view || !(view.drawn || view.canvas) || paper.isPrinting || !width) continue;
    if (width === view.width && height === view.height) continue;
    view.width = width;
    view.height = height;
    requestAnimationFrame(() => {
      if (!view.plot.isConnected) return;
      if (view.drawn) resize(view);
      else sketch(view);
    });
  }
});

/** @type {{time_s: number, source: string} | null} */
let pointed = null;

/**
 * Tells the moment under the pointer: once for each picture on the screen, however fast
 * the pointer moves.
 * @param {number} time_s
 * @param {string} source
 */
const tellPointed = (time_s, source) => {
  const first = pointed === null;
  pointed = { time_s, source };
  if (!first) return;
  requestAnimationFrame(() => {
    const last = pointed;
    pointed = null;
    if (last) tellTime(last.time_s, last.source);
  });
};

/**
 * Shows or hides the curves of a box of the legend.
 * @param {ChartView} view
 * @param {HTMLInputElement} box
 */
const applyBox = (view, box) => {
  if (box.checked) view.hidden.delete(box.value);
  else view.hidden.add(box.value);
};

/** @param {HTMLElement} element */
const start = (element) => {
  if (element.swingChart) return;
  const view = makeView(element);
  if (!view) return;
  for (const box of document.querySelectorAll(`[data-chart-toggle="${CSS.escape(element.id)}"]`))
    if (box instanceof HTMLInputElement) applyBox(view, box);
  element.swingChart = view;
  views.add(view);
  view.reset?.addEventListener("click", () => showWholeRange(view));
  element.querySelector("[data-chart-save]")?.addEventListener("click", async () => {
    await show(view);
    if (view.drawn) savePicture(view);
  });
  element.querySelector("[data-chart-table]")?.addEventListener("click", () => saveTable(view));
  followCursor(view);
  view.plot.addEventListener("pointermove", (event) => {
    if (view.box) return; // the cursor tells it
    if (event.buttons && event.pointerType === "mouse") return; // a zoom box is drawn
    const x = xUnder(view, event.clientX);
    if (x !== null && isTimed(view.meta)) tellPointed(toTime(view.meta, x), element.id);
  });
  watch(view);
  sizes.observe(view.plot);
};

/** @param {HTMLElement} element */
const stop = (element) => {
  const view = element.swingChart;
  if (!view) return;
  unwatch(view);
  sizes.unobserve(view.plot);
  if (view.drawn) window.Plotly.purge(view.plot);
  views.delete(view);
  delete element.swingChart;
};

// --- What the page tells us -----------------------------------------------------------

document.addEventListener("swing:time", ({ detail }) => {
  for (const view of views) {
    if (!isTimed(view.meta)) continue;
    view.at = toX(view.meta, detail.time_s);
    placeCursor(view);
    if (!detail.isWritten) continue;
    showReadout(view);
    refreshBox(view);
  }
});

document.addEventListener("axis:at", (event) => followAxis(event.detail));

document.addEventListener("swing:event-moved", (event) => {
  for (const view of views) {
    if (!isTimed(view.meta)) continue;
    const moved = view.events.find((one) => one.name === event.detail.event);
    if (!moved) continue;
    moved.time = toX(view.meta, event.detail.time_s);
    placeOverlay(view);
  }
});

document.addEventListener("theme:change", () => {
  forgetTokens();
  views.forEach(drawAgain);
});

document.addEventListener("change", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || !box.dataset.chartToggle) return;
  const view = document.getElementById(box.dataset.chartToggle)?.swingChart;
  if (!view) return;
  applyBox(view, box);
  drawAgain(view);
  showReadout(view);
  refreshBox(view);
});

// Paper is white and shows charts that were never scrolled to.
/** @type {string | undefined} */
let screenTheme;

/** @param {string | undefined} theme */
const setTheme = (theme) => {
  document.documentElement.dataset.theme = theme;
};

window.addEventListener("beforeprint", () => {
  paper.isPrinting = true;
  screenTheme = document.documentElement.dataset.theme;
  setTheme("light");
  forgetTokens();
  for (const view of views)
    if (!view.drawn) {
      if (window.Plotly) draw(view);
      else sketch(view);
    }
  document.dispatchEvent(new CustomEvent("theme:change"));
});

window.addEventListener("afterprint", () => {
  paper.isPrinting = false;
  setTheme(screenTheme);
  document.dispatchEvent(new CustomEvent("theme:change"));
});

waitForReader();
whileOnPage("[data-chart]", start, stop);
