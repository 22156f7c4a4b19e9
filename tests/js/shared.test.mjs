import assert from "node:assert/strict";
import test from "node:test";

import { readoutText, toTime, toX } from "../../static/js/charts/view.js";
import { withAlpha } from "../../static/js/shared/tokens.js";
import { decode, isKnown } from "../../static/js/shared/typed_arrays.js";
import { decimalsOf, numberText, timeText } from "../../static/js/shared/words.js";

test("packed numbers are decoded by their type, once", () => {
  const source = { dtype: "i2", bdata: Buffer.from(new Int16Array([-1, 300]).buffer).toString("base64") };
  const numbers = decode(source);
  assert.deepEqual(numbers, new Int16Array([-1, 300]));
  assert.equal(decode(source), numbers);
});

test("differences are added up, also around the ends of two bytes", () => {
  const sent = new Int16Array([30000, -32768, 2768 + 32000, 30768, 1, 2]);
  const source = { dtype: "i2", by: 2, bdata: Buffer.from(sent.buffer).toString("base64") };
  // 30000 + 34768 is two bytes too many; a missing value comes back as it was.
  assert.deepEqual(decode(source), new Int16Array([30000, -32768, -768, -2000, -767, -1998]));
});

test("of numbers of two bytes small ones take one", () => {
  const large = [...new Uint8Array(new Int16Array([300, -128, -32768]).buffer)];
  const sent = [127, 129, 128, large[0], large[1], 0, 255, 128, large[2], large[3], 128, large[4], large[5]];
  const source = { dtype: "v2", bdata: Buffer.from(sent).toString("base64") };
  assert.deepEqual(decode(source), new Int16Array([127, -127, 300, 0, -1, -128, -32768]));
  // With differences, also around the ends of two bytes.
  const apart = { dtype: "v2", by: 1, bdata: Buffer.from([128, 0, 128, 255, 1]).toString("base64") };
  assert.deepEqual(decode(apart), new Int16Array([-32768, 32767, -32768]));
});

test("a list stays as it is and nothing is an empty list", () => {
  const list = [1, null];
  assert.equal(decode(list), list);
  assert.deepEqual(decode(undefined), []);
});

test("only finite numbers are known", () => {
  assert.deepEqual([0, -1.5, null, undefined, Number.NaN, Infinity].map(isKnown), [true, true, false, false, false, false]);
});

test("a color is made transparent", () => {
  assert.equal(withAlpha("#d05a00", 0.4), "rgba(208,90,0,0.4)");
});

test("times have a true minus, a plus, and none at zero", () => {
  assert.deepEqual([-148.2, 7.6, 0.2, -0.4].map((x) => timeText(x, "ms")), ["−148 ms", "+8 ms", "0 ms", "0 ms"]);
  assert.equal(timeText(50, "%"), "+50%");
  assert.equal(timeText(5), "+5");
});

test("numbers have as many decimals as their unit deserves", () => {
  assert.deepEqual(["°/s", "m", "unknown"].map((unit) => decimalsOf({}, unit)), [0, 2, 1]);
  assert.equal(decimalsOf({ decimals: 3 }, "m"), 3);
  assert.deepEqual([numberText(1750.4, 0), numberText(2, 2)], ["1,750", "2.00"]);
});

test("a place on the axis becomes the clock of the file and back", () => {
  const meta = { time_zero_s: 1.2, time_per_x_s: 0.001 };
  assert.equal(toTime(meta, -200), 1);
  assert.equal(Math.round(toX(meta, 1)), -200);
});

test("the readout tells time and values of what is shown, five at most", () => {
  const trace = (name, y, more = {}) => ({ key: name, name, x0: 0, dx: 10, y, unit: "m/s", ...more });
  const shown = (series, hidden = []) =>
    readoutText({ at: 10, meta: { x_unit: "ms" }, series, hidden: new Set(hidden) });
  assert.equal(shown([trace("Bat", [1, -2.25]), trace("Hands", [1, null])]), "+10 ms · Bat −2.3");
  assert.equal(shown([trace("Bat", [1, 2]), trace("Hands", [1, 3], { unit: "°/s" })], ["Bat"]), "+10 ms · Hands 3");
  const seven = Array.from({ length: 7 }, (_, i) => trace(`T${i}`, [0, i]));
  assert.equal(shown(seven).split(" · ").length, 6);
});
