// @ts-check
// Ranges, ticks and curves of the first picture: arithmetic alone, nothing of the page.

import { decode, isKnown } from "../shared/typed_arrays.js";
import { numberText } from "../shared/words.js";

/**
 * Whether a chart is curves over numbers, which the first picture can draw.
 * @param {ChartFigure} figure
 */
export const canSketch = ({ data, layout }) =>
  data.length > 0 &&
  [layout?.xaxis?.type, layout?.yaxis?.type].every((type) => !type || type === "linear") &&
  data.every(
    (trace) =>
      trace.x0 !== undefined && !trace.error_y && (!trace.type || trace.type === "scatter") &&
      (!trace.mode || trace.mode === "lines") && trace.role !== "points" && trace.role !== "trend",
  );

/**
 * Lines of each trace: one for a curve, lower and upper for a band.
 * @param {ChartFigure} figure
 * @returns {Numbers[][]}
 */
export const curvesOf = (figure) =>
  figure.data.map((trace) => (trace.y ? [decode(trace.y)] : [decode(trace.lower), decode(trace.upper)]));

/**
 * Where the values of a trace stand on the axis.
 * @param {Trace} trace
 * @param {number} count
 * @returns {ArrayLike<number | string | null>}
 */
export const xOf = (trace, count) => {
  if (trace.x) return decode(trace.x);
  const { x0 = 0, dx = 1 } = trace;
  return Float64Array.from({ length: count }, (_, i) => x0 + i * dx);
};

/**
 * First and last place of all curves that are given by start and step.
 * @param {ChartFigure} figure
 * @returns {Span}
 */
export const extentOf = (figure) => {
  let low = Infinity;
  let high = -Infinity;
  for (const { x0, dx = 1, y, lower } of figure.data) {
    if (x0 === undefined) continue;
    low = Math.min(low, x0);
    high = Math.max(high, x0 + (decode(y ?? lower).length - 1) * dx);
  }
  return low <= high ? [low, high] : [0, 0];
};

/**
 * @param {Span} range
 * @returns {Span}
 */
const drawable = ([low, high]) => (low < high ? [low, high] : low === high ? [low - 1, high + 1] : [-1, 6]);

/**
 * Ranges of both axes as Plotly will choose them for the curves that are shown.
 * @param {ChartFigure} figure
 * @param {Numbers[][]} curves of `curvesOf`
 * @param {Set<string | undefined>} hidden keys that the legend has switched off
 * @returns {[Span, Span]}
 */
export const rangesOf = (figure, curves, hidden) => {
  /** @type {Span} */
  const x = [Infinity, -Infinity];
  /** @type {Span} */
  const y = [Infinity, -Infinity];
  figure.data.forEach(({ key, x0 = 0, dx = 1 }, i) => {
    if (hidden.has(key)) return;
    for (const values of curves[i]) {
      x[0] = Math.min(x[0], x0);
      x[1] = Math.max(x[1], x0 + (values.length - 1) * dx);
      for (let k = 0; k < values.length; k++) {
        const value = values[k];
        if (!isKnown(value)) continue;
        if (value < y[0]) y[0] = value;
        if (value > y[1]) y[1] = value;
      }
    }
  });
  const [low, high] = drawable(y);
  const room = ((high - low) * 0.05) / 0.9; // Plotly leaves a twentieth of the axis
  const { xaxis, yaxis } = figure.layout || {};
  return [xaxis?.range || drawable(x), yaxis?.range || [low - room, high + room]];
};

/**
 * Round values along an axis with their labels, spaced as Plotly spaces them.
 * @param {Span} range
 * @param {number} length of the axis in pixels
 * @param {number} apart wanted distance in pixels
 * @returns {[number, string][]}
 */
export const ticksOf = ([low, high], length, apart) => {
  const rough = (high - low) / (Math.min(Math.max(length / apart, 4), 9) + 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([2, 5, 10].find((many) => many >= rough / power - 1e-9) ?? 10);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  /** @type {[number, string][]} */
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    const text = numberText(Math.abs(i * step), digits);
    ticks.push([i * step, i < 0 ? `−${text}` : text]);
  }
  return ticks;
};

/**
 * Runs of consecutive values that are known in every line: pairs of first and end.
 * @param {Numbers[]} lines
 * @returns {Span[]}
 */
export const runsOf = (lines) => {
  const count = lines[0].length;
  /** @param {number} i */
  const isWhole = (i) => i < count && lines.every((values) => isKnown(values[i]));
  /** @type {Span[]} */
  const runs = [];
  for (let i = 0; i < count; i++) {
    if (!isWhole(i)) continue;
    const start = i;
    while (isWhole(i)) i++;
    runs.push([start, i]);
  }
  return runs;
};
