import assert from "node:assert/strict";
import test from "node:test";

import { layoutFor, merged } from "../../static/js/charts/layout.js";
import { bandOutline, isUnified, lookOf, plotlyTrace } from "../../static/js/charts/traces.js";

const theme = {
  token: (name) => ({ muted: "#222222", "band-opacity": "0.18" })[name] ?? name,
  partColor: (part) => (part === "bat" ? "#ff8000" : "#112233"),
  scale: 1,
};
const drawn = (trace, shown = {}) => plotlyTrace(trace, shown, theme);

test("a curve has the color and dash of its part", () => {
  const { color, line, opacity } = lookOf({ part: "bat" }, theme);
  assert.equal(color, "#ff8000");
  assert.deepEqual(line, { color: "#ff8000", width: 2, dash: "dash" });
  assert.equal(opacity, 1);
});

test("in a comparison the dash is the side's and the color stays the part's", () => {
  const { line, opacity } = lookOf({ part: "bat", side: "c" }, theme);
  assert.deepEqual([line.color, line.dash, opacity], ["#ff8000", "dot", 0.85]);
});

test("sides differ by weight too: the first is the heaviest, and bands have its dash for an edge", () => {
  const looks = [..."abcdef"].map((side) => lookOf({ part: "bat", role: "mean", side }, theme));
  assert.equal(new Set(looks.map(({ line }) => line.dash)).size, 6);
  const widths = looks.map(({ line }) => line.width);
  assert.equal(widths[0], 4.5);
  assert.deepEqual(widths, [...widths].sort((one, two) => two - one));
  const band = lookOf({ part: "bat", role: "band", side: "b" }, theme);
  assert.deepEqual([band.line.width, band.line.dash], [1, "dash"]);
  assert.equal(lookOf({ part: "bat", role: "band" }, theme).line.width, 0);
});

test("one of many is thin and faint, a mean thick, separation thicker", () => {
  assert.deepEqual(lookOf({ part: "bat", role: "single" }, theme).line, {
    color: "rgba(255,128,0,0.4)",
    width: 1,
    dash: "solid",
  });
  assert.equal(lookOf({ part: "bat", role: "mean" }, theme).line.width, 3);
  assert.equal(lookOf({ part: "separation", role: "mean" }, { ...theme, scale: 2 }).line.width, 9);
});

test("a band is a closed outline for each run without a gap", () => {
  const band = { x0: 0, dx: 1, lower: [0, 1, null, 3], upper: [5, 6, 7, 8] };
  assert.deepEqual(bandOutline(band), {
    x: [0, 1, 1, 0, null, 3, 3],
    y: [5, 6, 1, 0, null, 8, 3],
  });
});

test("a band is filled in its part's color, noise in gray, and neither has a hover text", () => {
  const lines = { x0: 0, dx: 1, lower: [0, 1], upper: [2, 3] };
  const band = drawn({ ...lines, role: "band", part: "bat" });
  assert.deepEqual([band.fill, band.fillcolor, band.hoverinfo], ["toself", "rgba(255,128,0,0.18)", "skip"]);
  assert.equal(drawn({ ...lines, role: "noise" }).fillcolor, "rgba(34,34,34,0.14)");
});

test("Plotly gets decoded numbers and none of our own keys", () => {
  const y = { dtype: "f4", bdata: Buffer.from(new Float32Array([1, 2.5]).buffer).toString("base64") };
  const trace = drawn({ key: "k", part: "bat", unit: "m/s", x0: 0, dx: 1, y, hidden: true }, { visible: false });
  assert.deepEqual([...trace.y], [1, 2.5]);
  assert.equal(trace.visible, false);
  for (const name of ["key", "part", "unit", "hidden", "role"]) assert.equal(name in trace, false);
});

test("the hover text has the value with its decimals and unit", () => {
  const template = (trace, shown) => drawn({ y: [1], ...trace }, shown).hovertemplate;
  assert.equal(template({ name: "Bat", unit: "m/s" }), "Bat: %{y:,.1f} m/s<extra></extra>");
  assert.equal(template({ name: "Bat" }, { chartUnit: "°/s", unified: true }), "%{y:,.0f}°/s<extra>Bat</extra>");
  assert.equal(template({ unit: "J", orientation: "h", text: ["a"] }), "%{x:,.0f} J · %{text}<extra></extra>");
  assert.equal(template({ hovertemplate: "own" }), "own");
});

test("points, trends and bars have their marks", () => {
  assert.equal(drawn({ y: [1], role: "points" }).mode, "markers");
  const trend = drawn({ y: [1], role: "trend", symbol: "square", error_y: [0.5] });
  assert.deepEqual([trend.mode, trend.marker.symbol, trend.error_y.array], ["lines+markers", "square", [0.5]]);
  const bars = drawn({ x: [1], y: ["a"], mode: "bars", orientation: "h" });
  assert.deepEqual([bars.type, bars.mode, bars.orientation], ["bar", undefined, "h"]);
});

test("one hover text tells of two to eight curves, and never of bars", () => {
  const curves = (count) => ({ data: Array.from({ length: count }, (_, i) => ({ key: `${i}`, y: [1] })) });
  assert.deepEqual([1, 2, 8, 9].map((count) => isUnified(curves(count), new Set())), [false, true, true, false]);
  assert.equal(isUnified(curves(9), new Set(["0"])), true);
  assert.equal(isUnified({ data: [...curves(2).data, { mode: "bars" }] }, new Set()), false);
});

test("settings laid over others keep what they do not name", () => {
  assert.deepEqual(merged({ a: { b: 1, c: [1, 2] }, d: 1 }, { a: { c: [3] }, e: 2 }), {
    a: { b: 1, c: [3] },
    d: 1,
    e: 2,
  });
});

test("a narrow chart has smaller text and margins; events need a row each at the top", () => {
  const place = { width: 700, height: 300, isPrinting: false, isTouch: false, unified: true };
  const wide = layoutFor({ data: [] }, place, theme);
  const events = [{ name: "foot_down", label: "Foot down", time: 0 }];
  const layout = { xaxis: { range: [-100, 100] } };
  const phone = { ...place, width: 390, isTouch: true };
  const narrow = layoutFor({ data: [], events, layout }, phone, theme);
  assert.deepEqual([wide.font.size, wide.margin.l, wide.margin.t, wide.dragmode], [13, 64, 12, "zoom"]);
  assert.deepEqual([narrow.font.size, narrow.margin.l, narrow.margin.t, narrow.dragmode], [12, 58, 30.25, false]);
  const close = [...events, { name: "reference", label: "Contact", time: 5 }];
  assert.equal(layoutFor({ data: [], events: close, layout }, phone, theme).margin.t, 46.5);
  assert.equal(wide.hovermode, "x unified");
});

test("curves have a box at the cursor instead of a hover text, and room for letters at their ends", () => {
  const place = { width: 700, height: 300, isPrinting: false, isTouch: false, unified: true };
  const line = { x0: 0, dx: 1, y: [1, 2], tag: "A" };
  const layout = layoutFor({ data: [line] }, place, theme);
  assert.deepEqual([layout.hovermode, layout.margin.r], [false, 28]);
});

test("paper has a fixed size, and the figure's own titles stand over the theme's", () => {
  const place = { width: 680, height: 300, isPrinting: true, isTouch: false, unified: false };
  const figure = { data: [], layout: { yaxis: { title: { text: "Speed" } } } };
  const layout = layoutFor(figure, place, theme);
  assert.deepEqual([layout.autosize, layout.width, layout.height], [false, 680, 300]);
  assert.deepEqual([layout.yaxis.title.text, layout.yaxis.title.standoff], ["Speed", 8]);
});
