// @ts-check
// A layer of our own over the plot: event lines, peaks, letters at the ends of lines, and
// the time cursor. Moving them costs no redraw of the curves.

import { pageTheme } from "../shared/tokens.js";
import { setAttributes, svgElement } from "../shared/page.js";
import { timeText } from "../shared/words.js";
import { placeCallouts } from "./callouts.js";
import { placeHandles } from "./handles.js";
import { eventLabels, joinedSigns, widthOf } from "./labels.js";
import { labelSize, signSize } from "./layout.js";

/**
 * Plotly's axis of a chart that it has drawn.
 * @param {ChartView} view
 */
export const axisOf = (view) => (view.drawn ? view.plot._fullLayout?.xaxis : undefined);

/**
 * Where the axes lie, in pixels of the plot: Plotly's, or those of the first picture.
 * @param {ChartView} view
 * @returns {Frame | null}
 */
export const frameOf = (view) => {
  const axis = axisOf(view);
  if (!axis) return view.frame;
  const { _size: size, width, height, yaxis } = view.plot._fullLayout;
  return {
    left: axis._offset,
    right: axis._offset + axis._length,
    top: size.t,
    bottom: height - size.b,
    width,
    pixel: (x) => axis._offset + axis.d2p(x),
    pixelY: (y) => yaxis._offset + yaxis.d2p(y),
    value: (pixel) => axis.p2d(pixel - axis._offset),
  };
};

/**
 * Place on the x axis under a pointer; null beside the axes.
 * @param {ChartView} view
 * @param {number} clientX
 * @returns {number | null}
 */
export const xUnder = (view, clientX) => {
  const frame = frameOf(view);
  if (!frame) return null;
  const pixel = clientX - view.plot.getBoundingClientRect().left;
  if (pixel < frame.left || pixel > frame.right) return null;
  return frame.value(pixel);
};

/**
 * Puts the line of every event where its time is, and each label over the lines
 * that have it, in rows so that labels do not cover each other.
 * @param {ChartView} view
 * @param {Frame} frame
 */
const placeEvents = (view, frame) => {
  const { left, right, top, bottom } = frame;
  const size = labelSize(frame.width, pageTheme.scale);
  const rowHeight = size * 1.25;
  const labels = eventLabels(view.events, frame, size);
  const named = new Set();
  for (const { event, group, line, words, handle, grip } of view.marks) {
    const x = frame.pixel(event.time);
    const inside = x >= left - 1 && x <= right + 1;
    group.setAttribute("display", inside ? "inline" : "none");
    const label = labels.get(event.label);
    const first = inside && label !== undefined && !named.has(event.label);
    words.setAttribute("display", first ? "inline" : "none");
    if (!inside || !label) continue;
    named.add(event.label);
    const y = top - 8 - label.row * rowHeight;
    const half = widthOf(event.label, size) / 2;
    setAttributes(line, { x1: x, x2: x, y1: event.sign ? top : y + 4, y2: bottom });
    setAttributes(words, { x: label.x, y, "font-size": size });
    // A line that moves is taken anywhere, another one by its label alone, so that
    // the curves below keep their hover.
    setAttributes(handle, {
      x: grip ? x - 8 : label.x - half,
      y: y - 16,
      width: grip ? 16 : 2 * half,
      height: grip ? bottom - y + 16 : 20,
    });
    if (!grip) continue;
    grip.setAttribute("d", `M${x - 5} ${bottom}h10l-5 -8z`);
    setAttributes(group, {
      "aria-valuenow": event.time.toFixed(1),
      "aria-valuetext": `${event.label} at ${timeText(event.time, view.meta.x_unit)}`,
    });
  }
  placeSigns(view, frame);
};

/**
 * Writes at the lines of each side whose they are; lines that are close share a text.
 * @param {ChartView} view
 * @param {Frame} frame
 */
const placeSigns = ({ events, signs }, { left, right, top, width, pixel }) => {
  if (!signs) return;
  const size = signSize(width, pageTheme.scale);
  /** @type {Map<string, {x: number, sign: string}[]>} */
  const named = new Map();
  for (const { label, time, sign } of events) {
    const x = pixel(time);
    if (!sign || x < left - 1 || x > right + 1) continue;
    named.set(label, [...(named.get(label) ?? []), { x, sign }]);
  }
  // In a lane for each label in turn: events that follow each other may be close.
  const texts = [...named.values()].flatMap((own, lane) =>
    joinedSigns(own, size).map(({ x, text }) => {
      const y = top + size + (lane % 2) * size * 1.2;
      const element = svgElement("text", { class: "chart__sign", x, y, "font-size": size });
      element.textContent = text;
      return element;
    }),
  );
  signs.replaceChildren(...texts);
};

/**
 * Puts the time cursor where the shown moment is, and hides it outside the axes.
 * @param {ChartView} view
 */
export const placeCursor = (view) => {
  const frame = frameOf(view);
  if (!frame || !view.cursor) return;
  const x = view.at === null ? -1 : frame.pixel(view.at);
  const inside = x >= frame.left && x <= frame.right;
  view.cursor.hidden = !inside;
  if (!inside) return;
  const { style } = view.cursor;
  style.transform = `translateX(${x}px)`;
  if (view.cursorTop === frame.top && view.cursorBottom === frame.bottom) return;
  [view.cursorTop, view.cursorBottom] = [frame.top, frame.bottom];
  style.top = `${frame.top}px`;
  style.height = `${frame.bottom - frame.top}px`;
};

/**
 * Puts events and cursor where they belong after anything has changed.
 * @param {ChartView} view
 */
export const placeOverlay = (view) => {
  const frame = frameOf(view);
  if (!frame) return;
  placeEvents(view, frame);
  placeHandles(view, frame);
  placeCallouts(view, frame);
  placeCursor(view);
};

/**
 * Line, label and handle of one event; with a grip and a keyboard role where it moves.
 * @param {ChartView} view
 * @param {ChartEvent} event
 * @returns {EventMark}
 */
const markOf = (view, event) => {
  const movable = view.editable && event.movable && event.name;
  const group = svgElement("g", { class: `chart__event${movable ? " chart__event--movable" : ""}` });
  const side = event.side ? ` side-${event.side}` : "";
  const line = svgElement("line", { class: `chart__event-line${side}` });
  const words = svgElement("text", { class: "chart__event-label" });
  words.textContent = event.label;
  const handle = svgElement("rect", { class: "chart__event-handle" });
  const title = svgElement("title");
  const whose = event.sign ? `${event.label}, ${event.sign}` : event.label;
  title.textContent = event.rule ? `${whose}: ${event.rule}` : whose;
  group.append(title, line, handle);
  if (!movable) return { event, group, line, words, handle, grip: null };
  const grip = svgElement("path", { class: "chart__event-grip" });
  group.append(grip);
  group.dataset.event = event.name;
  setAttributes(group, {
    tabindex: "0",
    role: "slider",
    "aria-label": `Move ${event.label}`,
    "aria-valuemin": view.extent[0].toFixed(1),
    "aria-valuemax": view.extent[1].toFixed(1),
  });
  return { event, group, line, words, handle, grip };
};

/**
 * What lies over the curves, from below to above; the box is above all.
 * @param {ChartView} view
 * @returns {Element[]}
 */
const layersOf = ({ overlay, cursor, keys, box }) => [overlay, cursor, keys, box].flatMap((one) => one ?? []);

/**
 * Makes the layer anew and lays it over the plot.
 * @param {ChartView} view
 */
export const buildOverlay = (view) => {
  view.overlay?.remove();
  view.cursor?.remove();
  const layer = svgElement("svg", { class: "chart__overlay" });
  if (!view.editable) layer.setAttribute("aria-hidden", "true");
  // Not in the layer of the events: it is moved for each picture of a swing that
  // plays, and what shares a layer with it would be painted again each time.
  view.cursor = document.createElement("div");
  view.cursor.className = "chart__cursor";
  view.cursor.hidden = true;
  view.cursorTop = view.cursorBottom = null;
  view.marks = view.events.map((event) => markOf(view, event));
  const words = svgElement("g"); // above every line: one of the second row crosses the first
  words.append(...view.marks.map((mark) => mark.words));
  view.callouts = svgElement("g");
  view.signs = svgElement("g");
  layer.append(view.callouts, ...view.marks.map((mark) => mark.group), words, view.signs);
  view.overlay = layer;
  view.plot.append(...layersOf(view));
};

/**
 * Lays the layer above the curves; not moved needlessly, since an event line in it may
 * have the focus.
 * @param {ChartView} view
 */
export const raiseOverlay = (view) => {
  const layers = layersOf(view);
  const last = layers[layers.length - 1];
  if (last && view.plot.lastElementChild !== last) view.plot.append(...layers);
};
