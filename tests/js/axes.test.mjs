import assert from "node:assert/strict";
import test from "node:test";

import { canSketch, curvesOf, extentOf, rangesOf, runsOf, ticksOf, xOf } from "../../static/js/charts/axes.js";

const curve = (y, more = {}) => ({ key: "a", x0: -10, dx: 5, y, ...more });
const shownRanges = (figure, hidden = []) => rangesOf(figure, curvesOf(figure), new Set(hidden));

test("curves over numbers can be sketched; dates, bars and markers cannot", () => {
  assert.equal(canSketch({ data: [curve([1, 2])] }), true);
  assert.equal(canSketch({ data: [] }), false);
  assert.equal(canSketch({ data: [curve([1])], layout: { xaxis: { type: "date" } } }), false);
  assert.equal(canSketch({ data: [{ x: [1], y: [2] }] }), false);
  for (const more of [{ mode: "bars" }, { type: "bar" }, { role: "points" }, { role: "trend" }, { error_y: [1] }])
    assert.equal(canSketch({ data: [curve([1], more)] }), false);
});

test("the axis is given or counted from start and step", () => {
  assert.deepEqual([...xOf(curve([0, 0, 0]), 3)], [-10, -5, 0]);
  assert.deepEqual(xOf({ x: [3, 1] }, 2), [3, 1]);
});

test("the extent reaches over curves and bands", () => {
  const band = { x0: -20, dx: 1, lower: [1, 2], upper: [3, 4] };
  assert.deepEqual(extentOf({ data: [curve([1, 2, 3]), band, { x: [99], y: [1] }] }), [-20, 0]);
  assert.deepEqual(extentOf({ data: [] }), [0, 0]);
});

test("the y axis leaves a twentieth of its length free at both ends", () => {
  const [x, y] = shownRanges({ data: [curve([0, 90, null, Number.NaN])] });
  assert.deepEqual(x, [-10, 5]);
  assert.deepEqual(y, [-5, 95]);
});

test("what the legend hides does not widen the axes", () => {
  const data = [curve([0, 90]), curve([0, 900, 0], { key: "b" })];
  assert.deepEqual(shownRanges({ data }, ["b"]), [[-10, -5], [-5, 95]]);
});

test("ranges of the figure hold; a flat line and an empty chart have a range too", () => {
  const layout = { xaxis: { range: [0, 1] }, yaxis: { range: [2, 3] } };
  assert.deepEqual(shownRanges({ data: [curve([0, 90])], layout }), [[0, 1], [2, 3]]);
  const [, flat] = shownRanges({ data: [curve([7, 7])] });
  assert.ok(flat[0] < 6 && flat[1] > 8);
  assert.deepEqual(shownRanges({ data: [curve([null, null])] })[1].map(Math.round), [-1, 6]);
});

test("ticks are round and inside the range, with a true minus and separated thousands", () => {
  assert.deepEqual(ticksOf([-420, 200], 700, 80).map(([, text]) => text), ["−400", "−300", "−200", "−100", "0", "100", "200"]);
  assert.deepEqual(ticksOf([0, 2000], 200, 40).map(([at]) => at + 0), [0, 500, 1000, 1500, 2000]);
  assert.equal(ticksOf([0, 2000], 200, 40).at(-1)[1], "2,000");
  assert.deepEqual(ticksOf([0, 0.5], 200, 40).map(([, text]) => text), ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
});

test("runs end where any line has a gap", () => {
  assert.deepEqual(runsOf([[1, 2, null, 4, 5], [1, 2, 3, 4, Number.NaN]]), [[0, 2], [3, 4]]);
  assert.deepEqual(runsOf([[null]]), []);
  assert.deepEqual(runsOf([[]]), []);
});
