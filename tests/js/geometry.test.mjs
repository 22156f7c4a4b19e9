import assert from "node:assert/strict";
import test from "node:test";

import { anglesOf, boundsOf, cameraFor, floorOf, project, standing } from "../../static/js/figure/geometry.js";

const near = (actual, expected) =>
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-9, `${actual} is not ${expected}`));
const box = { low: [-1, -1, 0], high: [1, 1, 2] };

test("points are turned so that z is up and x leads to the pitcher", () => {
  const raw = [1, 2, 3];
  assert.deepEqual([...standing(raw)], [1, 2, 3]);
  // y up, z to the pitcher: x is then to the left of who looks there.
  assert.deepEqual([...standing(raw, { up: [0, 1, 0], forward: [0, 0, 1] })], [3, 1, 2]);
});

test("the box leaves out what was not measured", () => {
  const points = new Float32Array([0, 1, 2, Number.NaN, 99, 99, -1, 5, 0]);
  assert.deepEqual(boundsOf(points), { low: [-1, 1, 0], high: [0, 5, 2] });
  assert.deepEqual(boundsOf(new Float32Array([Number.NaN, 0, 0])), box);
});

test("the ground is at zero unless the lowest point is far from it", () => {
  assert.equal(floorOf({ low: [0, 0, 0.15], high: [1, 1, 1] }), 0);
  assert.equal(floorOf({ low: [0, 0, -0.8], high: [1, 1, 1] }), -0.8);
});

test("the side view looks at the chest of right- and left-handers", () => {
  assert.equal(anglesOf("side", "right").azimuth, -Math.PI / 2);
  assert.equal(anglesOf("side", "left").azimuth, Math.PI / 2);
  assert.deepEqual(anglesOf("front", "left"), { azimuth: 0, elevation: 0.12 });
  assert.equal(anglesOf("top", "right").elevation, Math.PI / 2);
});

test("the center of the box stands in the middle of the stage", () => {
  const camera = cameraFor(box, anglesOf("side", "right"), 400, 300);
  near(project(camera, 0, 0, 1), [200, 166, 0, 1]);
});

test("from the front up is up, and what is nearer is larger", () => {
  const camera = cameraFor(box, { azimuth: 0, elevation: 0 }, 400, 300);
  const [, head] = project(camera, 0, 0, 2);
  const [, foot] = project(camera, 0, 0, 0);
  assert.ok(head < foot);
  const [, , depth, growth] = project(camera, 1, 0, 1);
  assert.equal(depth, 1);
  assert.ok(growth > 1);
});

test("the whole box is on the stage from every side", () => {
  for (let azimuth = 0; azimuth < 6.3; azimuth += 0.3) {
    const camera = cameraFor(box, { azimuth, elevation: 0.12 }, 400, 300);
    for (const x of [-1, 1])
      for (const y of [-1, 1]) {
        const [px, py] = project(camera, x, y, 1);
        assert.ok(px > 0 && px < 400 && py > 0 && py < 300, `${px}, ${py} at ${azimuth}`);
      }
  }
});
