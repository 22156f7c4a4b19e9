// @ts-check
// Axes, margins and texts of a chart, for the screen and for paper.

import { pageTheme } from "../shared/tokens.js";
import { canSketch, extentOf } from "./axes.js";
import { eventLabels } from "./labels.js";

// The pictures of a page of paper are drawn for this width and then fitted to the paper
// by their viewBox, since nothing tells a script how wide the paper will be.
const PAPER_PX = 680;

/** True between beforeprint and afterprint. */
export const paper = { isPrinting: false };

const NARROW = 480;

/**
 * Size of the labels of events, in pixels: larger where there is room to be read from afar.
 * @param {number} width of the chart
 * @param {number} scale of the page's text
 */
export const labelSize = (width, scale) => scale * (width < NARROW * scale ? 13 : 15);

/**
 * Size of the letters that tell sides apart, in pixels.
 * @param {number} width of the chart
 * @param {number} scale of the page's text
 */
export const signSize = (width, scale) => scale * (width < NARROW * scale ? 14 : 16);

/**
 * Room above the axes: a row for each label that has no room beside the others.
 * @param {ChartFigure} figure
 * @param {number} width of the chart
 * @param {number} scale of the page's text
 * @param {{l: number, r: number}} margin
 */
const topMargin = (figure, width, scale, { l, r }) => {
  if (!figure.events?.length) return 12 * scale;
  const [low, high] = figure.layout?.xaxis?.range ?? extentOf(figure);
  const right = Math.max(width - r, l + 1);
  const pixel = (/** @type {number} */ x) => l + ((x - low) / (high - low || 1)) * (right - l);
  const size = labelSize(width, scale);
  const labels = eventLabels(figure.events, { left: l, right, width, pixel }, size);
  const rows = 1 + Math.max(0, ...[...labels.values()].map(({ row }) => row));
  return 14 * scale + rows * size * 1.25;
};

/**
 * One tree of settings laid over another; lists are replaced as a whole.
 * @param {Record<string, any>} under
 * @param {Record<string, any>} [over]
 * @returns {Record<string, any>}
 */
export const merged = (under, over) => {
  const out = { ...under };
  for (const [key, value] of Object.entries(over || {}))
    out[key] =
      value && typeof value === "object" && !Array.isArray(value) && out[key] ? merged(out[key], value) : value;
  return out;
};

/**
 * Layout of a chart as Plotly takes it: the theme's, and the figure's own over it.
 * @param {ChartFigure} figure
 * @param {{width: number, height: number, isPrinting: boolean, isTouch: boolean, unified: boolean}} place
 * @param {Theme} theme
 * @returns {Record<string, any>}
 */
export const layoutFor = (figure, { width, height, isPrinting, isTouch, unified }, theme) => {
  const { token, scale } = theme;
  const narrow = width < NARROW * scale;
  const tagged = figure.data.some(({ tag }) => tag);
  const sides = { l: scale * (narrow ? 58 : 64), r: tagged ? 28 * scale : 16 };
  const font = { family: token("font"), size: scale * (narrow ? 12 : 13), color: token("muted") };
  const axis = {
    gridcolor: token("grid"),
    linecolor: token("axis"),
    zerolinecolor: token("axis"),
    zerolinewidth: 1,
    gridwidth: 1,
    tickfont: font,
    title: { font, standoff: 8 },
    exponentformat: "none",
    separatethousands: true,
    automargin: false,
  };
  const unit = figure.meta?.x_unit ? ` ${figure.meta.x_unit}` : "";
  const dated = figure.layout?.xaxis?.type === "date";
  return merged(
    {
      ...(isPrinting ? { autosize: false, width, height } : { autosize: true }),
      font,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      showlegend: false,
      margin: { ...sides, t: topMargin(figure, width, scale, sides), b: scale * 48, pad: 0 },
      // What has a box of its own at the cursor needs no hover text (cursor.js).
      hovermode: canSketch(figure) ? false : unified ? "x unified" : "closest",
      hoverdistance: 40,
      hoverlabel: {
        bgcolor: token("card"),
        bordercolor: token("control"),
        font: { family: token("font"), size: scale * 13, color: token("ink") },
        align: "left",
        namelength: 30,
      },
      // A finger that drags should move the cursor, not a zoom box.
      dragmode: isTouch ? false : "zoom",
      uirevision: "kept",
      bargap: 0.35,
      xaxis: {
        ...axis,
        zeroline: false,
        showline: true,
        ticks: "outside",
        ticklen: 4,
        tickcolor: token("axis"),
        showspikes: false,
        hoverformat: dated ? "%b %-d, %Y" : ".0f",
        unifiedhovertitle: { text: dated ? "%{x|%b %-d, %Y}" : `%{x:.0f}${unit}` },
      },
      yaxis: {
        ...axis,
        fixedrange: true,
        automargin: figure.layout?.yaxis?.type === "category",
      },
    },
    figure.layout,
  );
};

/**
 * Layout of a chart where it stands on the page.
 * @param {ChartView} view
 */
export const layoutOf = ({ figure, plot, unified }) => {
  const { isPrinting } = paper;
  const { clientWidth, clientHeight } = plot;
  return layoutFor(
    figure,
    {
      width: isPrinting ? Math.min(clientWidth, PAPER_PX) : clientWidth,
      height: clientHeight,
      isPrinting,
      isTouch: window.matchMedia("(pointer: coarse)").matches,
      unified,
    },
    pageTheme,
  );
};
