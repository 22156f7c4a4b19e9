// @ts-check
// From what the server names (part, side, role) to what Plotly draws (color, dash, width).

import { decode } from "../shared/typed_arrays.js";
import { withAlpha } from "../shared/tokens.js";
import { decimalsOf } from "../shared/words.js";
import { runsOf, xOf } from "./axes.js";

/** @type {Record<string, string>} */
const PART_DASH = {
  pelvis: "solid",
  torso: "longdash",
  lead_arm: "dot",
  hands: "dashdot",
  bat: "dash",
  separation: "solid",
};
// The first side is the heaviest line: what the others are held against.
/** @type {Record<string, {dash: string, opacity: number, weight: number}>} */
const SIDE = {
  a: { dash: "solid", opacity: 1, weight: 1.5 },
  b: { dash: "dash", opacity: 0.9, weight: 1 },
  c: { dash: "dot", opacity: 0.85, weight: 1 },
  d: { dash: "dashdot", opacity: 0.8, weight: 0.85 },
  e: { dash: "longdash", opacity: 0.75, weight: 0.7 },
  f: { dash: "longdashdot", opacity: 0.7, weight: 0.7 },
};
const FAINT = 0.4;
/** @type {Record<string, number>} */
const ROLE_WIDTH = { line: 2, mean: 3, single: 1, trend: 2, points: 0 };
// Keys of a trace that are ours; Plotly gets the others.
const OURS = ["key", "part", "side", "role", "unit", "hidden", "lower", "upper", "symbol", "decimals", "tag"];

const UNIFIED_AT_MOST = 8; // beyond, a hover over all curves costs over 100 ms

/** @param {Trace} trace */
const isBars = (trace) => trace.mode === "bars" || trace.type === "bar";

/** @param {Trace} trace */
const isBand = ({ role }) => role === "band" || role === "noise" || role === "goal";

/**
 * Whether one hover text tells of all curves shown.
 * @param {ChartFigure} figure
 * @param {Set<string | undefined>} hidden
 */
export const isUnified = (figure, hidden) => {
  const lines = figure.data.filter((trace) => !isBand(trace) && !hidden.has(trace.key));
  return lines.length <= UNIFIED_AT_MOST && lines.length > 1 && !figure.data.some(isBars);
};

/**
 * The outline of a band: a closed polygon for each run without a gap, since filling
 * between two lines would bridge gaps.
 * @param {Trace} trace
 */
export const bandOutline = (trace) => {
  const lower = decode(trace.lower);
  const upper = decode(trace.upper);
  const at = xOf(trace, lower.length);
  const x = [];
  const y = [];
  for (const [start, end] of runsOf([lower, upper])) {
    if (x.length) {
      x.push(null);
      y.push(null);
    }
    for (let k = start; k < end; k++) {
      x.push(at[k]);
      y.push(upper[k]);
    }
    for (let k = end - 1; k >= start; k--) {
      x.push(at[k]);
      y.push(lower[k]);
    }
  }
  return { x, y };
};

/**
 * How wide a curve is drawn, in pixels of usual text.
 * @param {Trace} trace
 * @param {number} weight of its side
 */
const widthOf = ({ role = "line", part }, weight) => {
  const width = ROLE_WIDTH[role] ?? 2;
  if (role === "single") return width;
  return (width + (part === "separation" ? 1.5 : 0)) * weight;
};

/**
 * Color, width and dash of a trace, and how strongly it is drawn.
 * @param {Trace} trace
 * @param {Theme} theme
 * @returns {Look}
 */
export const lookOf = (trace, theme) => {
  const role = trace.role || "line";
  const color = role === "noise" ? theme.token("muted") : theme.partColor(trace.part);
  const side = trace.side ? SIDE[trace.side] : undefined;
  if (role === "goal") {
    const ink = theme.token("ink");
    return { color: ink, opacity: 1, fill: "transparent", line: { width: 1.5 * theme.scale, color: ink, dash: "dot" } };
  }
  if (isBand(trace)) {
    const alpha = role === "noise" ? 0.14 : Number(theme.token("band-opacity"));
    // Bands of one color that lie over each other are told apart by their edges.
    const edge = side ? { width: 1, color: withAlpha(color, 0.55), dash: side.dash } : { width: 0, color, dash: "solid" };
    return { color, opacity: 1, fill: withAlpha(color, alpha), line: edge };
  }
  return {
    color,
    opacity: side?.opacity ?? 1,
    line: {
      // Faint by its color: an opacity would be a layer to paint for each curve.
      color: role === "single" ? withAlpha(color, FAINT) : color,
      width: widthOf(trace, side?.weight ?? 1) * theme.scale,
      dash: side ? side.dash : role === "single" ? "solid" : PART_DASH[trace.part ?? ""] || "solid",
      ...trace.line,
    },
  };
};

/**
 * Template of the hover text of a trace that brings none.
 * @param {Trace} trace
 * @param {string} [chartUnit] unit of a trace that names none
 * @param {boolean} [unified] whether one text tells of all curves
 */
const hoverText = (trace, chartUnit = "", unified = false) => {
  const unit = trace.unit ?? chartUnit;
  const name = trace.name && !unified ? `${trace.name}: ` : "";
  const value = `%{${trace.orientation === "h" ? "x" : "y"}:,.${decimalsOf(trace, unit)}f}`;
  const space = unit.startsWith("°") || unit.startsWith("%") ? "" : " ";
  const words = trace.text ? " · %{text}" : "";
  const extra = unified && trace.name ? trace.name : "";
  return `${name}${value}${space}${unit}${words}<extra>${extra}</extra>`;
};

/**
 * A trace as Plotly takes it.
 * @param {Trace} trace
 * @param {{chartUnit?: string, visible?: boolean, unified?: boolean}} shown
 * @param {Theme} theme
 * @returns {Record<string, any>}
 */
export const plotlyTrace = (trace, { chartUnit, visible = true, unified = false }, theme) => {
  const { color, opacity, fill, line } = lookOf(trace, theme);
  if (trace.role === "goal")
    return {
      ...bandOutline(trace),
      type: "scatter",
      mode: "lines+text",
      text: [trace.name || ""],
      textposition: "top right",
      textfont: { color },
      cliponaxis: false,
      line,
      hoverinfo: "skip",
      name: trace.name || "",
      visible,
    };
  if (isBand(trace))
    return {
      ...bandOutline(trace),
      type: "scatter",
      mode: "lines",
      fill: "toself",
      fillcolor: fill,
      line,
      hoverinfo: "skip",
      name: trace.name || "",
      visible,
    };
  /** @type {Record<string, any>} */
  const base = Object.fromEntries(Object.entries(trace).filter(([name]) => !OURS.includes(name)));
  for (const axis of ["x", "y"]) if (base[axis]?.bdata) base[axis] = decode(base[axis]);
  base.visible = visible;
  base.hovertemplate ??= hoverText(trace, chartUnit, unified);
  if (isBars(trace)) {
    delete base.mode;
    return { ...base, type: "bar", marker: { color: withAlpha(color, 0.85), line: { width: 0 } } };
  }
  const { role, symbol = "circle", error_y: spread } = trace;
  if (spread)
    base.error_y = {
      type: "data",
      array: "array" in spread ? spread.array : spread,
      color,
      thickness: 1.25,
      width: 4,
    };
  if (role === "points" || role === "trend")
    base.marker = { color, size: 8, symbol, line: { width: 1.5, color } };
  return {
    type: "scatter",
    mode: role === "points" ? "markers" : role === "trend" ? "lines+markers" : "lines",
    connectgaps: false,
    ...base,
    opacity,
    line,
  };
};
