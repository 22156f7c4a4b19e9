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
  assert.equal(head, 'Time from contact (ms),"Mean, SD, n = 5 (°/s)","Mean, n = 5 (°/s)"');
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
