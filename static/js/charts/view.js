// @ts-check
// One chart of the page: what the server said, what is shown of it, and its clock.

import { decode, isKnown } from "../shared/typed_arrays.js";
import { decimalsOf, numberText, timeText } from "../shared/words.js";
import { canSketch, extentOf } from "./axes.js";
import { xUnder } from "./overlay.js";

const READOUT_PARTS = 6; // the time and five values; more do not fit the line

/** Every chart that the page shows now. @type {Set<ChartView>} */
export const views = new Set();

/**
 * Whether a chart's x axis is time on the clock of the file.
 * @param {ChartMeta} meta
 */
export const isTimed = (meta) => typeof meta.time_per_x_s === "number";

/**
 * Seconds on the clock of the file for a place on the x axis.
 * @param {ChartMeta} meta
 * @param {number} x
 */
export const toTime = ({ time_zero_s = 0, time_per_x_s = 1 }, x) => (time_zero_s || 0) + x * time_per_x_s;

/**
 * Place on the x axis for seconds on the clock of the file.
 * @param {ChartMeta} meta
 * @param {number} time_s
 */
export const toX = ({ time_zero_s = 0, time_per_x_s = 1 }, time_s) => (time_s - (time_zero_s || 0)) / time_per_x_s;

/**
 * Time and values of the shown curves at one place of the axis, as one line of text.
 * @param {{at: number, meta: ChartMeta, series: Trace[], hidden: Set<string | undefined>}} shown
 */
export const readoutText = ({ at, meta, series, hidden }) => {
  const parts = [timeText(at, meta.x_unit)];
  for (const trace of series) {
    if (parts.length >= READOUT_PARTS || hidden.has(trace.key)) continue;
    const { x0 = 0, dx = 1 } = trace;
    const value = decode(trace.y)[Math.round((at - x0) / dx)];
    if (!isKnown(value)) continue;
    const digits = decimalsOf(trace, trace.unit ?? meta.y_unit ?? "");
    const name = trace.name?.includes(" − ") ? trace.name : (trace.tag ?? trace.name);
    parts.push(`${name} ${value < 0 ? "−" : ""}${numberText(Math.abs(value), digits)}`);
  }
  return parts.join(" · ");
};

/**
 * Writes the values at the cursor below the chart.
 * @param {ChartView} view
 */
export const showReadout = ({ readout, at, meta, series, hidden }) => {
  if (readout && at !== null) readout.textContent = readoutText({ at, meta, series, hidden });
};

/**
 * The view of a chart element, made from the JSON beside it; null where parts are missing.
 * @param {HTMLElement} element
 * @returns {ChartView | null}
 */
export const makeView = (element) => {
  const source = document.getElementById(element.dataset.figureId ?? "");
  /** @type {PlotElement | null} */
  const plot = element.querySelector("[data-chart-plot]");
  if (!source || !plot) return null;
  /** @type {ChartFigure} */
  const figure = JSON.parse(source.textContent ?? "");
  const meta = figure.meta || {};
  /** @type {ChartView} */
  const view = {
    element,
    figure,
    plot,
    meta,
    events: (figure.events || []).map((event) => ({ ...event })),
    marks: [],
    editable: "chartEditable" in element.dataset,
    extent: extentOf(figure),
    hidden: new Set(figure.data.filter((trace) => trace.hidden).map((trace) => trace.key)),
    series: figure.data.filter(
      (trace) => trace.x0 !== undefined && trace.y && trace.name && (trace.role || "line") !== "single",
    ),
    readout: element.querySelector("[data-chart-readout]"),
    reset: element.querySelector("[data-chart-reset]"),
    at: null,
    drawn: false,
    wanted: null,
    canSketch: canSketch(figure),
    canvas: null,
    curves: null,
    frame: null,
    unified: false,
    overlay: null,
    callouts: null,
    signs: null,
    box: null,
    keys: null,
    pinned: false,
    cursor: null,
    cursorTop: null,
    cursorBottom: null,
    width: 0,
    height: 0,
    step_s: (figure.data[0]?.dx || 1) * (meta.time_per_x_s || 0.001),
    timeFromClientX(clientX) {
      const x = xUnder(view, clientX);
      return x === null || !isTimed(meta) ? null : toTime(meta, x);
    },
    eventTime(name) {
      const event = view.events.find((one) => one.name === name);
      return event && isTimed(meta) ? toTime(meta, event.time) : null;
    },
  };
  return view;
};
