// @ts-check
// The first picture: curves over a number axis on a canvas, in the place and with the
// scales that Plotly will give them. It takes a few milliseconds, where loading and
// starting Plotly takes a phone over a second in which nothing answers. Events and
// cursor already work on it.

import { pageTheme } from "../shared/tokens.js";
import { curvesOf, rangesOf, runsOf, ticksOf } from "./axes.js";
import { layoutOf, paper } from "./layout.js";
import { buildOverlay, placeOverlay } from "./overlay.js";
import { lookOf } from "./traces.js";

/** Dashes as Plotly draws them, in widths of the line. @type {Record<string, number[]>} */
const DASHES = {
  solid: [],
  dot: [1, 1],
  dash: [3, 3],
  longdash: [5, 5],
  dashdot: [3, 1, 1, 1],
  longdashdot: [5, 2, 1, 2],
};

/**
 * Axes of the first picture in pixels of the plot.
 * @param {[Span, Span]} ranges
 * @param {number} width
 * @param {number} height
 * @param {{l: number, r: number, t: number, b: number}} margin
 * @returns {SketchFrame}
 */
export const sketchFrame = ([xs, ys], width, height, { l, r, t, b }) => {
  const [right, bottom] = [width - r, height - b];
  return {
    xs,
    ys,
    left: l,
    right,
    top: t,
    bottom,
    width,
    pixel: (x) => l + ((x - xs[0]) / (xs[1] - xs[0])) * (right - l),
    pixelY: (y) => bottom - ((y - ys[0]) / (ys[1] - ys[0])) * (bottom - t),
    value: (pixel) => xs[0] + ((pixel - l) / (right - l)) * (xs[1] - xs[0]),
  };
};

/** @param {number} pixel */
const crisp = (pixel) => Math.round(pixel) + 0.5;

/**
 * Grid, ticks, axis lines and titles.
 * @param {CanvasRenderingContext2D} g
 * @param {SketchFrame} frame
 * @param {Record<string, any>} layout of `layoutFor`
 */
const drawAxes = (g, { xs, ys, left, right, top, bottom, pixel, pixelY }, layout) => {
  /**
   * @param {number} x1
   * @param {number} y1
   * @param {number} x2
   * @param {number} y2
   * @param {string} color
   */
  const straight = (x1, y1, x2, y2, color) => {
    g.strokeStyle = color;
    g.lineWidth = 1;
    g.beginPath();
    g.moveTo(x1, y1);
    g.lineTo(x2, y2);
    g.stroke();
  };
  const { size, family, color } = layout.font;
  g.font = `${size}px ${family}`;
  g.fillStyle = color;
  g.textAlign = "center";
  for (const [x, text] of ticksOf(xs, right - left, 80)) {
    const at = crisp(pixel(x));
    straight(at, top, at, bottom, layout.xaxis.gridcolor);
    straight(at, bottom, at, bottom + 4, layout.xaxis.tickcolor);
    g.fillText(text, pixel(x), bottom + 5 + 1.2 * size);
  }
  g.textAlign = "right";
  let widest = 0;
  for (const [y, text] of ticksOf(ys, bottom - top, 40)) {
    const at = crisp(pixelY(y));
    straight(left, at, right, at, y === 0 ? layout.yaxis.zerolinecolor : layout.yaxis.gridcolor);
    g.fillText(text, left - 3, pixelY(y) + 0.35 * size);
    widest = Math.max(widest, g.measureText(text).width);
  }
  straight(left, bottom + 0.5, right, bottom + 0.5, layout.xaxis.linecolor);
  straight(left - 0.5, top, left - 0.5, bottom, layout.xaxis.linecolor);
  g.textAlign = "center";
  g.fillText(layout.xaxis.title?.text || "", (left + right) / 2, bottom + 10 + 2.3 * size);
  g.save();
  g.translate(left - 3 - widest - 8 - 0.3 * size, (top + bottom) / 2);
  g.rotate(-Math.PI / 2);
  g.fillText(layout.yaxis.title?.text || "", 0, 0);
  g.restore();
};

/**
 * Curves and bands inside the axes.
 * @param {CanvasRenderingContext2D} g
 * @param {SketchFrame} frame
 * @param {ChartView} view
 * @param {Numbers[][]} curves
 */
const drawCurves = (g, { left, right, top, bottom, pixel, pixelY }, view, curves) => {
  g.save();
  g.beginPath();
  g.rect(left, top, right - left, bottom - top);
  g.clip();
  view.figure.data.forEach((trace, i) => {
    if (view.hidden.has(trace.key)) return;
    const { x0 = 0, dx = 1 } = trace;
    const { fill, opacity, line } = lookOf(trace, pageTheme);
    const [first, second] = curves[i];
    /**
     * @param {Numbers} values
     * @param {number} k
     * @returns {[number, number]}
     */
    const point = (values, k) => [pixel(x0 + k * dx), pixelY(Number(values[k]))];
    g.beginPath();
    for (const [start, end] of runsOf(curves[i])) {
      g.moveTo(...point(first, start));
      for (let k = start + 1; k < end; k++) g.lineTo(...point(first, k));
      if (!second) continue;
      for (let k = end - 1; k >= start; k--) g.lineTo(...point(second, k));
      g.closePath();
    }
    if (fill) {
      g.fillStyle = fill;
      g.fill();
      if (!line.width) return;
    }
    g.globalAlpha = opacity;
    g.strokeStyle = line.color;
    g.lineWidth = line.width;
    g.setLineDash((DASHES[line.dash] || []).map((many) => many * Math.max(line.width, 3)));
    g.stroke();
    g.globalAlpha = 1;
  });
  g.restore();
};

/**
 * Draws the first picture, or draws it again; nothing once Plotly has drawn the chart.
 * @param {ChartView} view
 */
export const sketch = (view) => {
  if (view.drawn || !view.canSketch || !view.plot.isConnected) return;
  const layout = layoutOf(view);
  const [width, height] = [layout.width ?? view.plot.clientWidth, view.plot.clientHeight];
  if (!width || !height) return;
  if (!view.canvas) {
    view.canvas = document.createElement("canvas");
    view.canvas.className = "chart__sketch";
    view.canvas.setAttribute("aria-hidden", "true");
    view.plot.replaceChildren(view.canvas);
    buildOverlay(view);
  }
  const { canvas, overlay } = view;
  const fine = paper.isPrinting ? 3 : window.devicePixelRatio || 1;
  canvas.width = Math.round(width * fine);
  canvas.height = Math.round(height * fine);
  const g = canvas.getContext("2d");
  if (!g) return;
  g.scale(fine, fine);
  view.curves ??= curvesOf(view.figure);
  const frame = sketchFrame(rangesOf(view.figure, view.curves, view.hidden), width, height, layout.margin);
  drawAxes(g, frame, layout);
  drawCurves(g, frame, view, view.curves);
  view.frame = frame;
  if (paper.isPrinting) overlay?.setAttribute("viewBox", `0 0 ${width} ${height}`);
  else overlay?.removeAttribute("viewBox");
  placeOverlay(view);
  [view.width, view.height] = [view.plot.clientWidth, height];
  view.element.dataset.sketched = "true";
};
