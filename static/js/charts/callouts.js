// @ts-check
// What is written on the curves themselves: peaks with value and time, ties between
// them, and the letter of each side at the end of its line.

import { pageTheme } from "../shared/tokens.js";
import { svgElement } from "../shared/page.js";
import { decode, isKnown } from "../shared/typed_arrays.js";
import { decimalsOf, numberText, timeText } from "../shared/words.js";
import { spread, widthOf } from "./labels.js";

const NARROW = 480;
const CLEAR = 12; // pixels between a text and the curves to its right
const LINES = 1.32; // height of both lines of a peak and the air below them, in sizes of their fonts
const HALF_TIE = 5; // a tie is at least ten pixels wide

/**
 * The value of a peak as it is written beside the curve: "640 ± 21°/s".
 * @param {Peak} peak
 */
export const peakText = ({ value, sd, unit = "" }) => {
  const digits = decimalsOf({}, unit);
  const around = sd === undefined ? "" : ` ± ${numberText(sd, digits)}`;
  return `${numberText(value, digits)}${around}${unit.startsWith("°") ? "" : " "}${unit}`;
};

/**
 * Whose a peak is and when it is: "Pelvis −86 ± 4 ms".
 * @param {Peak} peak
 * @param {string} [unit] of the axis
 */
export const whenText = ({ name, time, time_sd }, unit = "") => {
  if (time_sd === undefined) return `${name} ${timeText(time, unit)}`;
  const end = unit === "%" ? "%" : ` ${unit}`;
  return `${name} ${timeText(time)} ± ${numberText(time_sd, 0)}${end}`;
};

/**
 * A text with a rim in the color of the page, which keeps it readable over curves.
 * @param {string} kind of class
 * @param {string} text
 * @param {Record<string, string | number>} attributes
 */
const written = (kind, text, attributes) => {
  const element = svgElement("text", { class: `chart__${kind}`, ...attributes });
  element.textContent = text;
  return element;
};

/**
 * Pixels of the curves that are shown, left of a place and between two heights: the first.
 * @param {ChartView} view
 * @param {Frame} frame
 * @param {number} before pixels
 * @param {Span} between pixels from the top
 */
const firstCurve = ({ figure, hidden }, frame, before, [high, low]) => {
  let first = before;
  for (const trace of figure.data) {
    const { x0 = 0, dx = 1 } = trace;
    if (trace.x0 === undefined || !trace.y || hidden.has(trace.key)) continue;
    const values = decode(trace.y);
    const start = Math.max(0, Math.ceil((frame.value(frame.left) - x0) / dx));
    for (let k = start; k < values.length; k++) {
      const x = frame.pixel(x0 + k * dx);
      if (x >= first) break;
      const value = values[k];
      const y = isKnown(value) ? frame.pixelY(value) : NaN;
      if (y > high && y < low) first = x;
    }
  }
  return first;
};

/**
 * Peaks of the curves that are shown: a dot on each, and its text to the left, clear of
 * the curves, joined to the dot by a thin line.
 * @param {ChartView} view
 * @param {Frame} frame
 */
const peakMarks = (view, frame) => {
  const { scale } = pageTheme;
  const { figure, hidden, meta } = view;
  const shown = (figure.peaks ?? [])
    .filter(({ key, time }) => !hidden.has(key) && isWithin(frame.pixel(time), frame))
    .map((peak) => ({ ...peak, x: frame.pixel(peak.time), y: frame.pixelY(peak.value) }));
  if (!shown.length) return [];
  const narrow = frame.width < NARROW * scale;
  const [large, small] = narrow ? [17 * scale, 13 * scale] : [22 * scale, 15 * scale];
  const texts = shown.map((peak) => ({
    value: peakText(peak),
    words: whenText(peak, meta.x_unit),
  }));
  const room = (large + small) * LINES;
  const middles = spread(
    shown.map(({ y }) => y),
    room,
    [frame.top + 4, frame.bottom - 4],
  );
  return shown.flatMap(({ part, x, y }, i) => {
    const middle = middles[i];
    const { value, words } = texts[i];
    const width = Math.max(widthOf(value, large), widthOf(words, small));
    const clear = firstCurve(view, frame, x - CLEAR, [middle - large, middle + small * 1.3]) - CLEAR;
    const edge = Math.max(clear, frame.left + Math.min(width, x - CLEAR - frame.left));
    return [
      svgElement("path", {
        class: "chart__leader",
        d: `M${edge + 4} ${middle}L${x - 6} ${y}`,
        stroke: pageTheme.partColor(part),
      }),
      svgElement("circle", { class: "chart__peak", cx: x, cy: y, r: 5 * scale, fill: pageTheme.partColor(part) }),
      written("peak-value", value, { x: edge, y: middle, "font-size": large }),
      written("peak-words", words, { x: edge, y: middle + small * 1.05, "font-size": small }),
    ];
  });
};

/**
 * @param {number} x
 * @param {Frame} frame
 */
const isWithin = (x, { left, right }) => x >= left - 1 && x <= right + 1;

/**
 * Ties: a bracket over the times of the peaks, and the stretch below it shaded.
 * @param {ChartView} view
 * @param {Frame} frame
 */
const tieMarks = ({ figure }, { left, right, top, bottom, pixel }) => {
  const { scale } = pageTheme;
  return (figure.ties ?? []).flatMap(({ from, to }) => {
    const x1 = Math.max(pixel(from) - HALF_TIE, left);
    const x2 = Math.min(pixel(to) + HALF_TIE, right);
    if (x2 <= x1) return [];
    const y = top + 3;
    return [
      svgElement("rect", { class: "chart__tie", x: x1, y, width: x2 - x1, height: bottom - y }),
      svgElement("path", { class: "chart__tie-bracket", d: `M${x1} ${y + 9}V${y}H${x2}V${y + 9}` }),
      written("tie-words", "tie", { x: (x1 + x2) / 2, y: y + 9 + 12 * scale, "font-size": 13 * scale }),
    ];
  });
};

/**
 * The last known value of a curve that is inside the axes, and where it is.
 * @param {Trace} trace
 * @param {Frame} frame
 * @returns {[number, number] | null} in pixels
 */
const endOf = (trace, frame) => {
  const { x0 = 0, dx = 1 } = trace;
  const values = decode(trace.y);
  const last = Math.floor((frame.value(frame.right) - x0) / dx + 1e-6);
  for (let k = Math.min(last, values.length - 1); k >= 0; k--) {
    const value = values[k];
    if (!isKnown(value)) continue;
    const x = frame.pixel(x0 + k * dx);
    return x < frame.left ? null : [x, frame.pixelY(value)];
  }
  return null;
};

/**
 * The letter of each side at the end of its line.
 * @param {ChartView} view
 * @param {Frame} frame
 */
const endMarks = ({ figure, hidden }, frame) => {
  const size = 16 * pageTheme.scale;
  const ends = figure.data.flatMap((trace) => {
    const at = trace.tag && trace.y && !hidden.has(trace.key) ? endOf(trace, frame) : null;
    return at ? [{ tag: trace.tag ?? "", y: at[1] }] : [];
  });
  const middles = spread(
    ends.map(({ y }) => y),
    size * 1.1,
    [frame.top, frame.bottom],
  );
  return ends.map(({ tag }, i) =>
    written("end", tag, {
      x: frame.right + 5,
      y: middles[i] + size * 0.36,
      "font-size": size,
    }),
  );
};

/**
 * Writes peaks, ties and letters anew, where they belong now.
 * @param {ChartView} view
 * @param {Frame} frame
 */
export const placeCallouts = (view, frame) => {
  view.callouts?.replaceChildren(...tieMarks(view, frame), ...peakMarks(view, frame), ...endMarks(view, frame));
};
