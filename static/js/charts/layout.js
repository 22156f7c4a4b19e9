// @ts-check
// Axes, margins and texts of a chart, for the screen and for paper.

import { pageTheme } from "../shared/tokens.js";

// The pictures of a page of paper are drawn for this width and then fitted to the paper
// by their viewBox, since nothing tells a script how wide the paper will be.
const PAPER_PX = 680;

/** True between beforeprint and afterprint. */
export const paper = { isPrinting: false };

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
  const narrow = width < 480 * scale;
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
      margin: {
        l: scale * (narrow ? 58 : 64),
        r: 16,
        t: scale * (figure.events?.length ? 44 : 12),
        b: scale * 48,
        pad: 0,
      },
      hovermode: unified ? "x unified" : "closest",
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
