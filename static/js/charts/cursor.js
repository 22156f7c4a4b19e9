// @ts-check
// The values under the cursor, in a box of their own: a mouse shows it, a tap or a click
// holds it, a tap elsewhere lets go, and the arrow keys move it when the chart has the focus.

import { setAttributes, svgElement, tellTime } from "../shared/page.js";
import { timeText } from "../shared/words.js";
import { frameOf, placeCursor, xUnder } from "./overlay.js";
import { rowsAt } from "./values.js";
import { isTimed, showReadout, toTime, views } from "./view.js";

const TAP_PX = 8; // a finger that moves less has tapped
const SAME_PX = 12; // a tap so near the held cursor lets it go

/**
 * The place of the axis to which the cursor snaps: that of a value.
 * @param {ChartView} view
 * @param {number} x
 */
export const snapped = ({ series, extent }, x) => {
  const { x0 = 0, dx = 1 } = series[0] ?? {};
  return Math.max(extent[0], Math.min(x0 + Math.round((x - x0) / dx) * dx, extent[1]));
};

/** @param {Trace | undefined} trace */
const sampleOf = (trace) => {
  const svg = svgElement("svg", { class: "line-sample", viewBox: "0 0 28 12", "aria-hidden": "true" });
  if (!trace) return svg;
  const side = trace.side ? ` side-${trace.side}` : "";
  svg.append(svgElement("line", { class: `part-${trace.part || "value"}${side}`, x1: 0, x2: 28, y1: 6, y2: 6 }));
  return svg;
};

/**
 * @param {string} kind of class
 * @param {string} text
 */
const words = (kind, text) => {
  const element = document.createElement("span");
  element.className = `chart__box-${kind}`;
  element.textContent = text;
  return element;
};

/**
 * Fills the box and puts it beside the cursor, on the side that has more room.
 * @param {ChartView} view
 */
const fillBox = (view) => {
  const frame = frameOf(view);
  const { at, box } = view;
  if (!box || !frame || at === null) return;
  const rows = rowsAt(view, at);
  const head = words("at", timeText(at, view.meta.x_unit));
  box.replaceChildren(
    head,
    ...rows.flatMap(({ name, text, trace }) => [sampleOf(trace), words("name", name), words("value", text)]),
  );
  box.hidden = false;
  box.classList.toggle("is-held", view.pinned);
  const x = frame.pixel(at);
  const width = box.offsetWidth;
  const isLeft = x - frame.left > frame.right - x;
  const wanted = isLeft ? x - width - 12 : x + 12;
  const left = Math.max(2, Math.min(wanted, frame.width - width - 2));
  box.style.transform = `translate(${Math.round(left)}px, ${Math.round(frame.top + 8)}px)`;
  const { keys } = view;
  if (!keys) return;
  const said = rows.map(({ name, text }) => `${name} ${text}`).join(", ");
  setAttributes(keys, {
    "aria-valuenow": at.toFixed(1),
    "aria-valuetext": `${timeText(at, view.meta.x_unit)}: ${said}`,
  });
};

/**
 * The name of a chart's axis: charts whose axes are named alike have one cursor.
 * @param {ChartView} view
 */
const axisName = ({ figure, meta }) => `${figure.layout?.xaxis?.title?.text ?? ""} ${meta.x_unit ?? ""}`;

/**
 * Moves the cursor of this chart, and of all that share its clock or its axis.
 * @param {ChartView} view
 * @param {number | null} x
 */
const moveTo = (view, x) => {
  view.at = x === null ? null : snapped(view, x);
  if (isTimed(view.meta)) {
    if (view.at !== null) tellTime(toTime(view.meta, view.at), view.element.id);
  } else {
    const detail = { axis: axisName(view), at: view.at, source: view.element.id };
    document.dispatchEvent(new CustomEvent("axis:at", { detail }));
  }
  placeCursor(view);
  showReadout(view);
  if (view.at !== null) fillBox(view);
};

/**
 * Takes the box away, and the cursor where no clock holds it.
 * @param {ChartView} view
 */
const leave = (view) => {
  view.pinned = false;
  if (!view.box) return;
  view.box.hidden = true;
  view.box.classList.remove("is-held");
  if (!isTimed(view.meta)) moveTo(view, null);
};

/**
 * Fills the box again after the curves shown have changed, or the time.
 * @param {ChartView} view
 */
export const refreshBox = (view) => {
  if (view.box && !view.box.hidden) fillBox(view);
};

/**
 * Places the cursor of a chart whose axis another chart shares.
 * @param {{axis: string, at: number | null, source: string}} detail
 */
export const followAxis = ({ axis, at, source }) => {
  for (const view of views) {
    if (view.element.id === source || isTimed(view.meta) || axisName(view) !== axis) continue;
    view.at = at;
    placeCursor(view);
    showReadout(view);
    if (view.box && !view.box.hidden && at !== null) fillBox(view);
  }
};

/** @param {ChartView} view */
const byKeyboard = (view) => {
  const { plot, element } = view;
  const keys = document.createElement("div");
  keys.className = "chart__keys";
  const title = element.querySelector(".chart__title")?.textContent ?? "";
  const [low, high] = view.figure.layout?.xaxis?.range ?? view.extent;
  setAttributes(keys, {
    role: "slider",
    tabindex: "0",
    "aria-label": `Values along the curves: ${title}`,
    "aria-valuemin": low.toFixed(1),
    "aria-valuemax": high.toFixed(1),
    "aria-valuenow": Math.max(low, Math.min(0, high)).toFixed(1),
  });
  const start = () => view.at ?? Math.max(low, Math.min(0, high));
  keys.addEventListener("focus", () => {
    if (keys.matches(":focus-visible")) moveTo(view, start());
  });
  keys.addEventListener("blur", () => {
    if (!view.pinned) leave(view);
  });
  keys.addEventListener("keydown", (event) => {
    const { dx = 1 } = view.series[0] ?? {};
    const step = dx * (event.shiftKey ? 10 : 1);
    /** @type {Record<string, number>} */
    const places = { ArrowLeft: start() - step, ArrowRight: start() + step, Home: low, End: high };
    if (event.key === "Escape") {
      leave(view);
      return;
    }
    if (!(event.key in places) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    moveTo(view, Math.max(low, Math.min(places[event.key], high)));
  });
  view.keys = keys;
  plot.append(keys);
};

/** @param {ChartView} view */
const byPointer = (view) => {
  const { plot } = view;
  /** @type {{x: number, y: number} | null} */
  let down = null;
  plot.addEventListener("pointermove", (event) => {
    if (event.buttons && event.pointerType === "mouse") return; // a zoom box is drawn
    if (view.pinned && event.pointerType === "mouse") return;
    const x = xUnder(view, event.clientX);
    if (x !== null) moveTo(view, x);
  });
  plot.addEventListener("pointerleave", () => {
    if (!view.pinned && document.activeElement !== view.keys) leave(view);
  });
  plot.addEventListener("pointerdown", (event) => {
    down = event.button > 0 ? null : { x: event.clientX, y: event.clientY };
  });
  // On the window: Plotly lays a cover over the page while a button is down.
  window.addEventListener("pointerup", (event) => {
    const from = down;
    down = null;
    if (!from || !plot.isConnected) return;
    const hasMoved = Math.hypot(event.clientX - from.x, event.clientY - from.y) > TAP_PX;
    if (hasMoved && event.pointerType === "mouse") return;
    const x = xUnder(view, event.clientX);
    const frame = frameOf(view);
    if (x === null || !frame) return;
    const held = view.pinned && view.at !== null && Math.abs(frame.pixel(view.at) - frame.pixel(x)) < SAME_PX;
    if (held && !hasMoved) {
      leave(view);
      return;
    }
    view.pinned = true;
    moveTo(view, x);
  });
};

// A tap beside a chart lets go of what is held in it.
document.addEventListener("pointerdown", ({ target }) => {
  for (const view of views)
    if (view.pinned && target instanceof Node && !view.plot.contains(target)) leave(view);
});

/**
 * Lays box and keyboard over a chart of curves; others keep Plotly's own hover text.
 * @param {ChartView} view
 */
export const followCursor = (view) => {
  if (!view.canSketch || view.box) return;
  view.box = document.createElement("div");
  view.box.className = "chart__box";
  view.box.hidden = true;
  byPointer(view);
  byKeyboard(view);
};
