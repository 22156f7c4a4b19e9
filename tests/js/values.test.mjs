import assert from "node:assert/strict";
import test from "node:test";

import { peakText, whenText } from "../../static/js/charts/callouts.js";
import { rowsAt } from "../../static/js/charts/values.js";

const line = (side, y, more = {}) => ({ key: side, side, tag: side.toUpperCase(), name: `${side} long`, x0: -10, dx: 5, y, ...more });
const viewOf = (data, meta = {}, hidden = []) => ({
  figure: { data },
  meta: { y_unit: "°/s", ...meta },
  series: data.filter((trace) => trace.y),
  hidden: new Set(hidden),
});
const texts = (view, at) => rowsAt(view, at).map(({ name, text }) => `${name}: ${text}`);

test("the box tells each side and how it differs from the first", () => {
  const data = [line("a", [100, 640, 900]), line("b", [90, 700, null]), line("c", [100.2, 500, 800])];
  const view = viewOf(data, { against: "a" });
  assert.deepEqual(texts(view, -5), ["A: 640°/s", "B: 700°/s", "C: 500°/s", "B − A: +60°/s", "C − A: −140°/s"]);
  assert.deepEqual(texts(view, 0), ["A: 900°/s", "B: –", "C: 800°/s", "C − A: −100°/s"]);
  assert.deepEqual(texts(view, -10).slice(3), ["B − A: −10°/s", "C − A: 0°/s"]);
});

test("a difference is that of the numbers beside it, or all have one more digit", () => {
  const data = [line("a", [39.4, 39.4]), line("b", [37.6, 37.3]), line("c", [40.4, 40.4])];
  const view = viewOf(data, { against: "a" });
  // Whole numbers would say 39 and 38, and a difference of 2.
  assert.deepEqual(texts(view, -10), ["A: 39.4°/s", "B: 37.6°/s", "C: 40.4°/s", "B − A: −1.8°/s", "C − A: +1.0°/s"]);
  assert.deepEqual(texts(view, -5), ["A: 39°/s", "B: 37°/s", "C: 40°/s", "B − A: −2°/s", "C − A: +1°/s"]);
  // With one digit more it is that of the printed numbers, although 0.12 is nearer to 0.1.
  const close = viewOf([line("a", [1.44]), line("b", [1.56])], { against: "a" });
  assert.deepEqual(texts(close, -10), ["A: 1.4°/s", "B: 1.6°/s", "B − A: +0.2°/s"]);
});

test("the spread of a mean is half its band, and what is hidden is not told", () => {
  const band = { key: "a", role: "band", x0: -10, dx: 5, lower: [80, 600, 850], upper: [120, 680, 950] };
  const noise = { key: "b", role: "noise", x0: -10, dx: 5, lower: [0, 0, 0], upper: [9, 9, 9] };
  const data = [band, noise, line("a", [100, 640, 900]), line("b", [90, 700, 1000])];
  assert.deepEqual(texts(viewOf(data), -5), ["A: 640 ± 40°/s", "B: 700°/s"]);
  assert.deepEqual(texts(viewOf(data, { against: "a" }, ["a"]), -5), ["B: 700°/s"]);
});

test("a curve is called as the legend calls it, where it alone has the box of the legend", () => {
  const plain = (key, name) => ({ key, name, x0: 0, dx: 1, y: [1] });
  const view = viewOf([plain("p", "Pelvis turn rate"), plain("s", "Swing 1"), plain("s", "Swing 2")]);
  view.figure.legend = [{ key: "p", label: "Pelvis" }, { key: "s", label: "Each swing" }];
  assert.deepEqual(texts(view, 0), ["Pelvis: 1°/s", "Swing 1: 1°/s", "Swing 2: 1°/s"]);
});

test("a difference always has its sign", () => {
  const data = [line("b", [12, -3, 0], { name: "B − A", unit: "mph" })];
  assert.deepEqual(texts(viewOf(data), -10), ["B − A: +12.0 mph"]);
  assert.deepEqual(texts(viewOf(data), -5), ["B − A: −3.0 mph"]);
});

test("a peak is written with its unit and, of a mean, with its spread", () => {
  assert.equal(peakText({ value: 1170.4, unit: "°/s" }), "1,170°/s");
  assert.equal(peakText({ value: 640.2, sd: 20.6, unit: "°/s" }), "640 ± 21°/s");
  assert.equal(peakText({ value: 71.26, unit: "mph" }), "71.3 mph");
  assert.equal(whenText({ name: "Pelvis", time: -86.2 }, "ms"), "Pelvis −86 ms");
  assert.equal(whenText({ name: "Bat", time: -5, time_sd: 4.4 }, "ms"), "Bat −5 ± 4 ms");
  assert.equal(whenText({ name: "Bat", time: 98, time_sd: 2 }, "%"), "Bat +98 ± 2%");
});
