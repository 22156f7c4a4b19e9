import assert from "node:assert/strict";
import test from "node:test";

import { eventLabels, joinedSigns, rowsOf, spread, widthOf } from "../../static/js/charts/labels.js";

test("labels stand in one row while there is room, else one higher", () => {
  const labels = [100, 120, 300].map((x) => ({ x, width: 60 }));
  assert.deepEqual(rowsOf(labels, [0, 400]), [
    { x: 100, row: 0 },
    { x: 120, row: 1 },
    { x: 300, row: 0 },
  ]);
});

test("a label at the edge is moved inside, and others keep clear of it there", () => {
  const labels = [
    { x: 350, width: 80 },
    { x: 395, width: 90 },
  ];
  assert.deepEqual(rowsOf(labels, [0, 400]), [
    { x: 350, row: 0 },
    { x: 355, row: 1 },
  ]);
});

const frame = { left: 50, right: 350, width: 366, pixel: (x) => 350 + x / 2 };

test("an event of several sides has one label over the middle of what is shown", () => {
  const events = [
    { name: "load", label: "Load", time: -900 },
    { name: "move", label: "Move", time: -240 },
    { name: "move", label: "Move", time: -200 },
    { name: "reference", label: "Contact", time: 0 },
  ];
  const labels = eventLabels(events, frame, 14);
  assert.deepEqual([...labels.keys()], ["Move", "Contact"]);
  assert.equal(labels.get("Move").x, 240);
  assert.ok(labels.get("Contact").x + widthOf("Contact", 14) / 2 <= 366);
});

test("what stands in for contact in one swing is not called by another's name", () => {
  const events = [
    { name: "reference", label: "Contact", time: -10 },
    { name: "peak_hand_speed", label: "Peak hand", time: -90 },
    { name: "reference", label: "Peak hand", time: -110 },
  ];
  const labels = eventLabels(events, frame, 14);
  assert.deepEqual([...labels.keys()], ["Peak hand", "Contact"]);
  assert.equal(labels.get("Peak hand").x, 300);
});

test("no two labels of a phone's chart cover each other", () => {
  const names = ["Load", "Move", "Foot down", "Peak hand", "Contact (est.)"];
  const times = [-520, -190, -140, -22, 0];
  const events = names.map((label, i) => ({ name: label, label, time: times[i] }));
  const placed = [...eventLabels(events, frame, 14)].map(([name, { x, row }]) => [x, row, widthOf(name, 14) / 2]);
  for (const [i, [x, row, half]] of placed.entries())
    for (const [other, its, wide] of placed.slice(i + 1))
      assert.ok(row !== its || Math.abs(x - other) >= half + wide, names[i]);
});

test("signs that would touch are one text", () => {
  const signs = [
    { x: 100, sign: "A" },
    { x: 98, sign: "B" },
    { x: 140, sign: "C" },
  ];
  assert.deepEqual(joinedSigns(signs, 13), [
    { x: 99, text: "AB" },
    { x: 140, text: "C" },
  ]);
});

test("words that would touch stay words", () => {
  const signs = [
    { x: 100, sign: "Tee" },
    { x: 98, sign: "Live BP" },
  ];
  assert.deepEqual(joinedSigns(signs, 13), [{ x: 99, text: "Live BP, Tee" }]);
});

test("a joined sign is wider and takes in the one before", () => {
  const signs = [0, 10, 18].map((x, i) => ({ x, sign: "ABC"[i] }));
  assert.deepEqual(joinedSigns(signs, 14), [{ x: 9, text: "ABC" }]);
  assert.deepEqual(joinedSigns([], 14), []);
});

test("heights are moved apart as little as it takes and stay between the ends", () => {
  assert.deepEqual(spread([200, 100], 40, [0, 400]), [200, 100]);
  assert.deepEqual(spread([100, 110], 40, [0, 400]), [85, 125]);
  assert.deepEqual(spread([5, 10], 40, [0, 400]), [20, 60]);
  const close = spread([100, 101, 150, 390], 40, [0, 400]);
  for (let i = 1; i < close.length; i++) assert.ok(close[i] - close[i - 1] >= 40 - 1e-6);
  assert.equal(close[3], 380);
});
