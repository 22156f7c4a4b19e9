// @ts-check
// Charts as Plotly draws them: zoom, and hover text where there is no box at the cursor.

import { pageTheme } from "../shared/tokens.js";
import { layoutOf, paper } from "./layout.js";
import { axisOf, buildOverlay, placeOverlay, raiseOverlay } from "./overlay.js";
import { isUnified, plotlyTrace } from "./traces.js";

/** What every chart is drawn with. */
export const CONFIG = {
  displayModeBar: false,
  displaylogo: false,
  showSendToCloud: false,
  showLink: false,
  responsive: false, // a ResizeObserver of ours does it
  doubleClick: "reset",
  scrollZoom: false,
  showTips: false,
};

/** Address of Plotly, which the page names (components/chart_assets.html). */
export const plotlyAddress = () => {
  const script = document.querySelector("script[data-plotly]");
  return (script instanceof HTMLElement && script.dataset.plotly) || "";
};

/** @type {Promise<void> | null} */
let loading = null;

/** Whether Plotly was asked for. */
export const isPlotlyWanted = () => loading !== null;

/**
 * Loads Plotly once; it is a script of the old kind, which puts itself into the window.
 * @returns {Promise<void>} rejected when it could not be loaded; the next call tries again
 */
export const loadPlotly = () => {
  loading ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve();
    const script = document.createElement("script");
    script.src = plotlyAddress();
    script.addEventListener("load", () => resolve());
    script.addEventListener("error", () => {
      loading = null;
      reject(new Error("Plotly could not be loaded."));
    });
    document.head.append(script);
  });
  return loading;
};

/**
 * The traces of a chart as Plotly takes them.
 * @param {ChartView} view
 */
export const tracesOf = ({ figure, meta, hidden, unified }) =>
  figure.data.map((trace) =>
    plotlyTrace(trace, { chartUnit: meta.y_unit, visible: !hidden.has(trace.key), unified }, pageTheme),
  );

/**
 * Whether a chart with a range of its own shows another one.
 * @param {ChartView} view
 */
const isZoomed = (view) => {
  const want = view.figure.layout?.xaxis?.range;
  const range = axisOf(view)?.range;
  return Boolean(want && range && (Math.abs(want[0] - range[0]) > 1e-6 || Math.abs(want[1] - range[1]) > 1e-6));
};

/**
 * Draws a chart with Plotly, in place of its first picture, or draws it again.
 * @param {ChartView} view
 */
export const draw = (view) => {
  const { plot } = view;
  if (!window.Plotly || !plot.isConnected) return;
  const first = !view.drawn;
  view.unified = isUnified(view.figure, view.hidden);
  if (!view.overlay) {
    plot.replaceChildren();
    buildOverlay(view);
  }
  window.Plotly.react(plot, tracesOf(view), layoutOf(view), CONFIG);
  view.canvas?.remove();
  view.canvas = view.curves = null;
  view.drawn = true;
  raiseOverlay(view);
  placeOverlay(view);
  const { width, height } = plot._fullLayout;
  for (const picture of plot.querySelectorAll(".main-svg, .chart__overlay"))
    if (paper.isPrinting) picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    else picture.removeAttribute("viewBox");
  if (!first) return;
  plot.on?.("plotly_relayout", () => {
    placeOverlay(view);
    if (!view.reset) return;
    const isWhole = view.figure.layout?.xaxis?.range && !isZoomed(view);
    view.reset.hidden = axisOf(view)?.autorange !== false || Boolean(isWhole);
  });
  view.element.dataset.drawn = "true";
  view.element.dispatchEvent(new CustomEvent("chart:drawn", { bubbles: true }));
};

/**
 * Shows the whole range again after a zoom.
 * @param {ChartView} view
 */
export const showWholeRange = (view) => {
  const range = view.figure.layout?.xaxis?.range;
  window.Plotly.relayout(view.plot, range ? { "xaxis.range": [...range] } : { "xaxis.autorange": true });
  if (view.reset) view.reset.hidden = true;
};

/**
 * Fits a drawn chart to its new place.
 * @param {ChartView} view
 */
export const resize = (view) => {
  window.Plotly.Plots.resize(view.plot);
  raiseOverlay(view);
  placeOverlay(view);
};
