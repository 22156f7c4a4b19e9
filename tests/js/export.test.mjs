import assert from "node:assert/strict";
import test from "node:test";

import { csvOf } from "../../static/js/charts/export.js";

const packed = (numbers) => ({
  dtype: "f4",
  bdata: Buffer.from(new Float32Array(numbers).buffer).toString("base64"),
});
const figure = {
  data: [
    { key: "a", role: "band", name: "A Alder, Oct 21 ± SD", x0: -4, dx: 2, lower: [1, 2, null], upper: [3, 6, 9] },
    { key: "a", name: "A Alder, Oct 21", unit: "mph", x0: -4, dx: 2, y: packed([61.23456789, Number.NaN, 70]) },
    { key: "b", name: "=B()", x0: -4, dx: 4, y: [-1, 5] },
    { key: "c", name: "C", x0: -4, dx: 2, y: [0, 0, 0] },
    { key: "b", role: "mean", name: "", x0: -4, dx: 4, y: [7, 7] },
  ],
  layout: { xaxis: { title: { text: "Time from contact (ms)" } } },
};
const view = { figure, meta: { x_unit: "ms", y_unit: "°/s" }, hidden: new Set(["c"]) };

test("what is seen is a table: a row a place, a column a curve, with units", () => {
  assert.deepEqual(csvOf(view, null).split("\r\n"), [
    'Time from contact (ms),"A Alder, Oct 21, SD (°/s)","A Alder, Oct 21 (mph)",\'=B() (°/s)',
    "-4,1,61.2346,-1",
    "-2,2,,",
    "0,,70,5",
    "",
  ]);
});

test("a mean and its band say over how many swings they are", () => {
  const data = [
    { key: "m", role: "band", name: "Mean ± SD", n: 5, x0: 0, dx: 2, lower: [1], upper: [3] },
    { key: "m", role: "mean", name: "Mean", n: 5, x0: 0, dx: 2, y: [2] },
  ];
  const [head] = csvOf({ ...view, figure: { ...figure, data } }, null).split("\r\n");
  assert.equal(head, 'Time from contact (ms),"Mean, SD, 5 swings (°/s)","Mean, 5 swings (°/s)"');
});

test("a way has a row for each sample, in its order", () => {
  const data = [
    { name: "Hand", unit: "m", x: packed([0, 0.001, 0.004, 0.001]), y: packed([1, 1.25, 1.5, 1.75]) },
    { name: "Bat", unit: "m", x: [0, null], y: [2, 3] },
  ];
  const path = { data, layout: { xaxis: { title: { text: "Towards the pitcher (m)" } } } };
  assert.deepEqual(csvOf({ figure: path, meta: { x_unit: "m" }, hidden: new Set() }, null).split("\r\n"), [
    "Towards the pitcher (m),Hand (m),Bat (m)",
    "0,1,",
    "0.001,1.25,",
    "0.004,1.5,",
    "0.001,1.75,",
    "0,,2",
    "",
  ]);
});

test("two sessions of one day are two rows, with spread and number of swings", () => {
  const x = ["2026-03-08", "2026-03-01", "2026-03-08"];
  const trend = { data: [{ name: "Bat", role: "trend", x, y: [2, 1, 3], error_y: [0.5, 0, 0.25], counts: [4, 1, 3] }] };
  assert.deepEqual(csvOf({ figure: trend, meta: { y_unit: "mph" }, hidden: new Set() }, null).split("\r\n"), [
    'Date,Bat (mph),"Bat, SD (mph)","Bat, n"',
    "2026-03-01,1,,1",
    "2026-03-08,2,0.5,4",
    "2026-03-08,3,0.25,3",
    "",
  ]);
});

test("what is outside of the range is not in the table", () => {
  const rows = csvOf(view, [-3, 10]).trim().split("\r\n");
  assert.deepEqual(rows.map((row) => row.split(",")[0]), ["Time from contact (ms)", "-2", "0"]);
});

test("an axis without its unit in the title gets it; dates are in order", () => {
  const percent = { ...view, meta: { x_unit: "%" }, figure: { ...figure, layout: { xaxis: { title: { text: "Percent of the swing: 0 is first move" } } } } };
  assert.ok(csvOf(percent, null).startsWith("Percent of the swing: 0 is first move (%),"));
  const dates = { data: [{ name: "Bat", x: ["2026-03-08", "2026-03-01"], y: [2, 1] }] };
  assert.equal(csvOf({ figure: dates, meta: { y_unit: "mph" }, hidden: new Set() }, null), "Date,Bat (mph)\r\n2026-03-01,1\r\n2026-03-08,2\r\n");
});
