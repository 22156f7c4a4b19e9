// @ts-check
// What a chart shows, to take away: a picture with title and legend, and a table (CSV).
// Both are made here of what the page holds; nothing is asked of a server.

import { pageTheme } from "../shared/tokens.js";
import { decode, isKnown } from "../shared/typed_arrays.js";
import { xOf } from "./axes.js";
import { peakText, whenText } from "./callouts.js";
import { eventLabels, joinedSigns, spread } from "./labels.js";
import { labelSize, layoutFor } from "./layout.js";
import { axisOf } from "./overlay.js";
import { CONFIG, tracesOf } from "./plotly.js";

const [WIDTH, HEIGHT] = [1200, 720];
const DIGITS = 6; // significant ones: finer than a float32 holds is noise

// --- The table ------------------------------------------------------------------------

/**
 * A cell of the table. A text that a spreadsheet would take for a formula gets an
 * apostrophe before it.
 * @param {string} text
 */
const quoted = (text) => {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** @param {number | null | undefined} value */
const numberCell = (value) => (isKnown(value) ? String(Number(value.toPrecision(DIGITS))) : "");

/**
 * Columns of a trace: its values, or half the height of a band.
 * @param {Trace} trace
 * @param {string} unit
 * @returns {{head: string, values: ArrayLike<number | null>}}
 */
const columnOf = (trace, unit) => {
  const inUnit = `${trace.n ? `, ${trace.n} ${trace.n === 1 ? "swing" : "swings"}` : ""}${unit ? ` (${unit})` : ""}`;
  if (trace.y) return { head: `${trace.name || trace.key || ""}${inUnit}`, values: decode(trace.y) };
  const [lower, upper] = [decode(trace.lower), decode(trace.upper)];
  const half = Array.from(lower, (low, i) => {
    const high = upper[i];
    return isKnown(low) && isKnown(high) ? (high - low) / 2 : null;
  });
  const name = trace.name || trace.key || "";
  return { head: `${name.replace(" ± SD", ", SD")}${inUnit}`, values: half };
};

/** @typedef {{head: string, values: ArrayLike<number | null>}} Column */

/**
 * Further columns of a trace of points: their spread, and over how many swings each is.
 * @param {Trace} trace
 * @param {Column} column of the points themselves
 * @returns {Column[]}
 */
const besides = ({ name, key, error_y: spread, counts }, { head }) => {
  const columns = [];
  const own = name || key || "";
  const sd = spread && !Array.isArray(spread) ? spread.array : spread;
  // Without a spread, as of one swing, there is no bar, which is one of zero.
  if (sd?.some(Boolean))
    columns.push({ head: `${own}, SD${head.slice(own.length)}`, values: sd.map((value) => value || null) });
  if (counts) columns.push({ head: `${own}, n`, values: counts });
  return columns;
};

/**
 * Whether curves have places of their own on the axis: a way, or days.
 * @param {Trace[]} traces
 */
const hasPlaces = (traces) => traces.some((trace) => trace.x);

/**
 * The curves that are shown as a table: a row for each place of the axis, or for each
 * sample in its order where curves have places of their own (two may be at one).
 * @param {{figure: ChartFigure, meta: ChartMeta, hidden: Set<string | undefined>}} view
 * @param {Span | null} range only what lies between is seen; null for all
 */
export const csvOf = ({ figure, meta, hidden }, range) => {
  // A line without a name only makes another one thicker.
  const shown = figure.data.filter((trace) => !hidden.has(trace.key) && (trace.name || !trace.y));
  const isApart = hasPlaces(shown);
  const groups = shown.map((trace) => {
    const column = columnOf(trace, trace.unit ?? meta.y_unit ?? "");
    return isApart ? [column, ...besides(trace, column)] : [column];
  });
  const columns = groups.flat();
  /** @type {Map<string | number, string[]>} */
  const rows = new Map();
  /** @type {[string | number, string[]][]} */
  const samples = [];
  shown.forEach((trace, which) => {
    const group = groups[which];
    const first = columns.indexOf(group[0]);
    const { values } = group[0];
    const places = xOf(trace, values.length);
    for (let k = 0; k < values.length; k++) {
      const place = places[k];
      if (place === null || (typeof place === "number" && !Number.isFinite(place))) continue;
      if (range && typeof place === "number" && (place < range[0] - 1e-6 || place > range[1] + 1e-6)) continue;
      const at = typeof place !== "number" ? place : Number(isApart ? place.toPrecision(DIGITS) : place.toFixed(2));
      const row = (isApart ? null : rows.get(at)) ?? columns.map(() => "");
      group.forEach((column, i) => (row[first + i] = numberCell(column.values[k])));
      if (isApart) samples.push([at, row]);
      else rows.set(at, row);
    }
  });
  // Days are in order; a way goes back and forth, and a sample stays after the one before it.
  const isDated = samples.some(([at]) => typeof at === "string");
  const sorted =
    isApart && !isDated ? samples : [...samples, ...rows].sort(([one], [two]) => (one < two ? -1 : one > two ? 1 : 0));
  const title = figure.layout?.xaxis?.title?.text ?? "";
  const unit = meta.x_unit ?? "";
  const axis = !title ? unit || "Date" : !unit || title.includes(`(${unit})`) ? title : `${title} (${unit})`;
  const head = [axis, ...columns.map((column) => column.head)];
  const lines = [head.map(quoted), ...sorted.map(([at, cells]) => [String(at), ...cells])];
  return `${lines.map((line) => line.join(",")).join("\r\n")}\r\n`;
};

/**
 * From and to where a chart shows; null where it shows all.
 * @param {ChartView} view
 * @returns {Span | null}
 */
const seenRange = (view) => {
  const range = axisOf(view)?.range ?? view.figure.layout?.xaxis?.range;
  return range && typeof range[0] === "number" ? [range[0], range[1]] : null;
};

/**
 * Gives the reader a file.
 * @param {string} name
 * @param {Blob} content
 */
const hand = (name, content) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};

/**
 * Gives the reader what a chart shows as a table.
 * @param {ChartView} view
 */
export const saveTable = (view) => {
  // A spreadsheet takes a file for UTF-8 by the mark at its beginning.
  const text = `\uFEFF${csvOf(view, seenRange(view))}`;
  hand(`${view.element.id || "chart"}.csv`, new Blob([text], { type: "text/csv;charset=utf-8" }));
};

// --- The picture ----------------------------------------------------------------------

// A picture is drawn apart from the page, where its own font is not known: text is
// measured and drawn in one that every machine has.
const FONT = "Arial, Helvetica, sans-serif";

/** The look of the page, in usual size. @type {Theme} */
const PICTURE = {
  token: (name) => (name === "font" ? FONT : pageTheme.token(name)),
  partColor: (part) => pageTheme.partColor(part),
  scale: 1,
};

/**
 * A text that Plotly writes as it is: it takes some of HTML for its own.
 * @param {string} text
 */
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/**
 * Peaks with their texts to the left, moved apart where they are close.
 * @param {ChartView} view
 * @param {number} height of the axes in pixels
 */
const peakNotes = ({ figure, meta, hidden, plot }, height) => {
  const [low, high] = plot._fullLayout.yaxis.range;
  const shown = (figure.peaks ?? []).filter(({ key }) => !hidden.has(key));
  const wanted = shown.map(({ value }) => height * (1 - (value - low) / (high - low)));
  const middles = spread(wanted, 42, [0, height]);
  return shown.map((peak, i) => ({
    x: peak.time, y: peak.value, xref: "x", yref: "y", showarrow: true, arrowhead: 6,
    arrowcolor: pageTheme.partColor(peak.part), ax: -150, ay: middles[i] - wanted[i],
    align: "right", xanchor: "right", font: { family: FONT, color: pageTheme.token("ink"), size: 16, weight: 600 },
    text: `${peakText(peak)}<br>${whenText(peak, meta.x_unit)}`,
  }));
};

/**
 * Event lines, letters of sides and ties, as Plotly draws them in a picture.
 * @param {ChartView} view
 * @param {{l: number, r: number}} margin
 */
const eventNotes = ({ figure, events }, { l, r }) => {
  const font = { family: FONT, color: pageTheme.token("ink"), size: 15 };
  const [low, high] = figure.layout?.xaxis?.range ?? [0, 1];
  const right = WIDTH - r;
  const pixel = (/** @type {number} */ x) => l + ((x - low) / (high - low || 1)) * (right - l);
  const value = (/** @type {number} */ x) => low + ((x - l) / (right - l)) * (high - low);
  const size = labelSize(WIDTH, 1);
  const seen = events.filter(({ time }) => time >= low && time <= high);
  const labels = eventLabels(seen, { left: l, right, width: WIDTH, pixel }, size);
  const base = { xref: "x", yref: "paper", y: 1, showarrow: false, font };
  const named = [...labels].map(([label, { x, row }]) => ({
    ...base, x: value(x), yanchor: "bottom", yshift: row * size * 1.25, text: escaped(label),
  }));
  const signs = [...labels.keys()].flatMap((label, lane) => {
    const own = seen.filter((event) => event.label === label && event.sign);
    const texts = own.map(({ time, sign = "" }) => ({ x: pixel(time), sign }));
    return joinedSigns(texts, size).map(({ x, text }) => ({
      ...base, x: value(x), yanchor: "top", yshift: -(lane % 2) * size * 1.2, text, font: { ...font, weight: 700 },
    }));
  });
  const line = { color: pageTheme.token("event"), width: 1 };
  const upright = { xref: "x", yref: "paper", y0: 0, y1: 1 };
  const lines = seen.map(({ time }) => ({ ...upright, type: "line", x0: time, x1: time, line }));
  const ties = (figure.ties ?? []).map(({ from, to }) => ({
    ...upright, type: "rect", x0: from, x1: to, fillcolor: pageTheme.token("ink"), opacity: 0.1, line: { width: 0 },
  }));
  return { annotations: [...named, ...signs], shapes: [...lines, ...ties] };
};

/**
 * Gives the reader the chart as a PNG, with its title, whose it is, and a legend.
 * @param {ChartView} view drawn by Plotly
 */
export const savePicture = (view) => {
  const { figure, element } = view;
  const place = { width: WIDTH, height: HEIGHT, isPrinting: true, isTouch: false, unified: false };
  const layout = layoutFor(figure, place, PICTURE);
  const font = { family: FONT, color: pageTheme.token("ink") };
  const margin = { ...layout.margin, l: 80, t: layout.margin.t + 90, b: 120 };
  const caption = element.querySelector(".chart__title + span")?.textContent ?? "";
  const title = element.querySelector(".chart__title")?.textContent ?? "";
  const about = [document.title, caption].filter(Boolean).join(" · ");
  const notes = eventNotes(view, margin);
  Object.assign(layout, notes, {
    margin,
    annotations: [...notes.annotations, ...peakNotes(view, HEIGHT - margin.t - margin.b)],
    paper_bgcolor: pageTheme.token("card"),
    plot_bgcolor: pageTheme.token("card"),
    title: {
      text: escaped(title),
      subtitle: { text: escaped(about), font: { ...font, size: 15 } },
      x: 0.02, xanchor: "left", y: 0.97, yanchor: "top", yref: "container", font: { ...font, size: 22, weight: 700 },
    },
    showlegend: true,
    legend: { orientation: "h", x: 0, y: -0.15, yanchor: "top", font: { ...font, size: 15 } },
  });
  const data = tracesOf(view).map((trace, i) => {
    const { role = "line", name } = figure.data[i];
    const isNamed = Boolean(name) && !["band", "noise", "goal", "single"].includes(role) && trace.visible !== false;
    return { ...trace, name: escaped(name ?? ""), showlegend: isNamed };
  });
  window.Plotly.downloadImage(
    { data, layout, config: CONFIG },
    { format: "png", scale: 2, width: WIDTH, height: HEIGHT, filename: element.id || "chart" },
  );
};
