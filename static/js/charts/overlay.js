// @ts-check
// A layer of our own over the plot: event lines and the time cursor. Moving them costs
// no redraw of the curves.

import { pageTheme } from "../shared/tokens.js";
import { setAttributes, svgElement } from "../shared/page.js";
import { timeText } from "../shared/words.js";

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
const frameOf = (view) => {
  const axis = axisOf(view);
  if (!axis) return view.frame;
  const { _size: size, width, height } = view.plot._fullLayout;
  return {
    left: axis._offset,
    right: axis._offset + axis._length,
    top: size.t,
    bottom: height - size.b,
    width,
    pixel: (x) => axis._offset + axis.d2p(x),
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
 * Puts the line and label of every event where its time is, in two rows so that labels
 * do not cover each other.
 * @param {ChartView} view
 */
const placeEvents = (view) => {
  const frame = frameOf(view);
  if (!frame) return;
  const { top, bottom, width } = frame;
  const ends = [-Infinity, -Infinity]; // right end of the last label in both rows
  const sorted = [...view.marks].sort((one, two) => one.event.time - two.event.time);
  for (const { event, group, line, words, handle, grip } of sorted) {
    const x = frame.pixel(event.time);
    const inside = x >= frame.left - 1 && x <= frame.right + 1;
    for (const part of [group, words]) part.setAttribute("display", inside ? "inline" : "none");
    if (!inside) continue;
    const half = (event.label.length * 4 + 4) * pageTheme.scale;
    const row = x - half > ends[0] ? 0 : x - half > ends[1] ? 1 : 0;
    ends[row] = x + half;
    const y = top - 8 - (row === 0 ? 0 : 16 * pageTheme.scale);
    setAttributes(line, { x1: x, x2: x, y1: y + 4, y2: bottom });
    const edge = Math.min(Math.max(x, half), width - half);
    setAttributes(words, { x: edge, y });
    // A line that moves is taken anywhere, another one by its label alone, so that
    // the curves below keep their hover.
    setAttributes(handle, {
      x: grip ? x - 8 : edge - half,
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
  placeEvents(view);
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
  const line = svgElement("line", { class: "chart__event-line" });
  const words = svgElement("text", { class: "chart__event-label" });
  words.textContent = event.label;
  const handle = svgElement("rect", { class: "chart__event-handle" });
  const title = svgElement("title");
  title.textContent = event.rule ? `${event.label}: ${event.rule}` : event.label;
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
  layer.append(...view.marks.map((mark) => mark.group), words);
  view.overlay = layer;
  view.plot.append(layer, view.cursor);
};

/**
 * Lays the layer above the curves; not moved needlessly, since an event line in it may
 * have the focus.
 * @param {ChartView} view
 */
export const raiseOverlay = (view) => {
  if (view.overlay && view.cursor && view.plot.lastElementChild !== view.cursor)
    view.plot.append(view.overlay, view.cursor);
};
