import assert from "node:assert/strict";
import test from "node:test";

import { Body } from "../../static/js/figure/body.js";
import { addressWith, cameraOf, chosenIn, saidOf } from "../../static/js/figure/address.js";
import { lastEvent, place } from "../../static/js/figure/pair.js";

const packed = (millimeters) => ({
  dtype: "i2",
  bdata: Buffer.from(Int16Array.from(millimeters).buffer).toString("base64"),
});

/** Hips and front ankle over four frames; hips move by `step` mm a frame toward the pitcher. */
const figure = ({ hips, step = 0, ankle, start_s = 1, dt_s = 0.1, side = "right", plate = { x: 1, y: -1, by: "bat" } }) => ({
  points: packed([0, 1, 2, 3].flatMap((i) => [hips[0] + i * step, hips[1], 900, ankle[0], ankle[1], 0])),
  n_frames: 4,
  n_points: 2,
  start_s,
  dt_s,
  names: ["midhip", "lajc"],
  bones: [],
  chest: [null, null, 0, null],
  front_foot: [1],
  plate,
  side,
  events: [
    { name: "foot_down", time_s: start_s + dt_s, label: "Foot down" },
    { name: "reference", time_s: start_s + 3 * dt_s, label: "Contact" },
  ],
});
const at = (body, frame, point) => {
  const out = [0, 0, 0];
  body.positionInto(frame, point, out);
  return out.map((value) => Math.round(value * 1000));
};
const bodies = () => {
  const a = new Body(figure({ hips: [0, 0], step: 100, ankle: [500, 0] }), { letter: "A", zero_s: 1.3 });
  const b = new Body(figure({ hips: [40, 70], step: 50, ankle: [300, 20], start_s: 7 }), { letter: "B", zero_s: 7.3 });
  return [a, b];
};

test("a point is in meters, and one that is missing is not drawn", () => {
  const data = figure({ hips: [0, 0], ankle: [500, -250] });
  data.points = packed([0, 0, 900, 500, -250, -32768, ...new Array(18).fill(0)]);
  const body = new Body(data);
  assert.deepEqual(at(body, 0, 0), [0, 0, 900]);
  assert.ok(Number.isNaN(at(body, 0, 1)[2]));
});

test("both are in step on their common clock", () => {
  const [a, b] = bodies();
  assert.deepEqual([a.frameAt(0), b.frameAt(0)], [3, 3]);
  assert.deepEqual([a.frameAt(-0.2), b.frameAt(-0.2)], [1, 1]);
  assert.equal(a.frameAt(0.1), -1);
  // In percent of the swing a slower one is not shorter: it takes 0.2 s here, 0.4 there.
  const slow = new Body(figure({ hips: [0, 0], ankle: [0, 0], dt_s: 0.2 }), { zero_s: 1.2, per: 0.4 });
  const fast = new Body(figure({ hips: [0, 0], ankle: [0, 0] }), { zero_s: 1.1, per: 0.2 });
  assert.deepEqual([slow.frameAt(1), fast.frameAt(1)], [3, 3]);
  assert.deepEqual([slow.frameAt(0.5), fast.frameAt(0.5)], [2, 2]);
});

test("without a known pitcher there is no plate to meet at, so they meet by hips", () => {
  const [a, b] = bodies();
  b.data.has_forward = false;
  place(a, b, "plate");
  for (let frame = 0; frame < 4; frame++)
    assert.deepEqual(at(b, frame, 0).slice(0, 2), at(a, frame, 0).slice(0, 2));
});

test("placed by hips they meet in every frame", () => {
  const [a, b] = bodies();
  b.scale = 0.5;
  place(a, b, "hips");
  for (let frame = 0; frame < 4; frame++)
    assert.deepEqual(at(b, frame, 0).slice(0, 2), at(a, frame, 0).slice(0, 2));
  assert.equal(at(b, 0, 0)[2], 450);
  // Placed again nothing is added up.
  place(a, b, "hips");
  assert.deepEqual(at(b, 2, 0).slice(0, 2), at(a, 2, 0).slice(0, 2));
});

test("side by side hips meet once, so that no foot slides", () => {
  const [a, b] = bodies();
  a.zero_s = 1.1;
  b.zero_s = 7.1;
  place(a, b, "hips", false);
  assert.deepEqual(at(b, 1, 0).slice(0, 2), at(a, 1, 0).slice(0, 2));
  assert.deepEqual(at(b, 0, 1), at(b, 3, 1));
});

test("placed by the front foot their ankles meet at foot down", () => {
  const [a, b] = bodies();
  b.scale = 2;
  place(a, b, "foot");
  assert.deepEqual(at(b, 1, 1).slice(0, 2), [500, 0]);
  assert.deepEqual(at(b, 0, 1), at(b, 3, 1));
});

test("placed by the plate both hit over the same one, a mirrored hitter too", () => {
  const [a] = bodies();
  const b = new Body(figure({ hips: [0, 0], ankle: [0, 0], side: "left", plate: { x: 0.4, y: 0.8, by: "feet" } }));
  b.isMirrored = true;
  assert.equal(b.side, "right");
  place(a, b, "plate");
  const round = (numbers) => numbers.map((value) => Math.round(value * 1000));
  assert.deepEqual(round(b.plateMiddle()), round(a.plateMiddle()));
});

test("a ghost stands at the event that the other passed last", () => {
  const [a] = bodies();
  assert.equal(lastEvent(a, -0.5, 0.01), null);
  assert.equal(lastEvent(a, -0.2, 0.01), "foot_down");
  assert.equal(lastEvent(a, -0.01, 0.02), "reference");
});

test("the address holds what is chosen, and nothing else of it is lost", () => {
  const chosen = { ...chosenIn("?items=swing-1,swing-2&fig=side&ghosts=on&place=nowhere") };
  assert.deepEqual(chosen, { fig: "side", place: "hips", size: "same", ghosts: "on", view: "open", camera: "" });
  const address = addressWith("/athletes/compare/?items=swing-1,swing-2&fig=over", { ...chosen, view: "top" });
  assert.equal(address, "/athletes/compare/?items=swing-1,swing-2&fig=side&ghosts=on&view=top");
  assert.equal(addressWith("/c/?fig=side", chosenIn("")), "/c/");
  assert.equal(addressWith("/c/?camera=1,2,100", chosenIn("")), "/c/");
});

test("the address holds where a hand has turned the figures", () => {
  const camera = { azimuth: -3.5 * Math.PI, elevation: 0.3, zoom: 1.234 };
  assert.equal(saidOf(camera), "90,17,123");
  const address = addressWith("/c/?fig=side", { ...chosenIn("?fig=side"), camera: saidOf(camera) });
  assert.equal(address, "/c/?fig=side&camera=90,17,123");
  const said = cameraOf(chosenIn(address.slice(4)).camera);
  assert.deepEqual(
    [said.azimuth, said.elevation, said.zoom].map((value) => Math.round(value * 1000) / 1000),
    [1.571, 0.297, 1.23],
  );
  for (const wrong of ["", "1,2", "1,2,3", "a,b,100", "1e3,0,100", "1,2,100,4"])
    assert.equal(cameraOf(chosenIn(`?camera=${wrong}`).camera), null);
});
