import assert from "node:assert/strict";
import test from "node:test";

import {
  aim,
  anglesOf,
  boundsOf,
  enlarge,
  facingInto,
  fill,
  newCamera,
  projectInto,
  sortByDepth,
} from "../../static/js/figure/geometry.js";

const near = (actual, expected, within = 1e-9) =>
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < within, `${actual} is not ${expected}`));
const corners = [-1, 1].flatMap((x) => [-1, 1].flatMap((y) => [0, 2].flatMap((z) => [x, y, z])));
const room = { x: 20, y: 40, width: 360, height: 250 };

const looking = (angles, points = corners) => {
  const camera = newCamera();
  aim(camera, angles);
  fill(camera, points, room);
  return camera;
};
const project = (camera, x, y, z) => {
  const out = [0, 0, 0, 0];
  projectInto(camera, x, y, z, out);
  return out;
};

test("the box leaves out what was not measured", () => {
  const points = new Float32Array([0, 1, 2, Number.NaN, 99, 99, -1, 5, 0]);
  assert.deepEqual(boundsOf(points), { low: [-1, 1, 0], high: [0, 5, 2] });
  assert.deepEqual(boundsOf(new Float32Array([Number.NaN, 0, 0])), { low: [-1, -1, 0], high: [1, 1, 2] });
});

test("the open side looks at the chest of right- and left-handers, the closed side at the back", () => {
  assert.equal(anglesOf("open", "right").azimuth, -Math.PI / 2);
  assert.equal(anglesOf("open", "left").azimuth, Math.PI / 2);
  assert.equal(anglesOf("closed", "right").azimuth, Math.PI / 2);
  assert.equal(anglesOf("closed", "left").azimuth, -Math.PI / 2);
  assert.equal(anglesOf("top", "right").elevation, Math.PI / 2);
});

test("from behind one looks at the pitcher, who is ahead, and from there back", () => {
  // A place a meter toward the pitcher is farther away from behind, and nearer from there.
  assert.ok(project(looking(anglesOf("behind", "left")), 1, 0, 1)[2] < -0.9);
  assert.ok(project(looking(anglesOf("pitcher", "left")), 1, 0, 1)[2] > 0.9);
  // A right-hander stands to the left of who looks from behind: y is left there.
  const behind = looking(anglesOf("behind", "right"));
  assert.ok(project(behind, 0, 1, 0)[0] < project(behind, 0, -1, 0)[0]);
});

test("the pitcher is to the right of who looks at a right-hander's chest", () => {
  const right = looking(anglesOf("open", "right"));
  assert.ok(project(right, 1, 0, 0)[0] > project(right, -1, 0, 0)[0]);
  const left = looking(anglesOf("open", "left"));
  assert.ok(project(left, 1, 0, 0)[0] < project(left, -1, 0, 0)[0]);
});

test("up is up, and what is nearer is larger", () => {
  const camera = looking({ azimuth: 0, elevation: 0 });
  assert.ok(project(camera, 0, 0, 2)[1] < project(camera, 0, 0, 0)[1]);
  const [, , depth, growth] = project(camera, 1, 0, 1);
  near([depth], [1]);
  assert.ok(growth > 1);
});

test("the swing fills its stage and stays inside, however it is turned", () => {
  for (let azimuth = 0; azimuth < 6.3; azimuth += 0.3)
    for (const elevation of [0, 0.12, 0.8, Math.PI / 2]) {
      const camera = looking({ azimuth, elevation });
      const xs = [];
      const ys = [];
      for (let i = 0; i < corners.length; i += 3) {
        const [x, y] = project(camera, corners[i], corners[i + 1], corners[i + 2]);
        xs.push(x);
        ys.push(y);
      }
      const [left, right] = [Math.min(...xs), Math.max(...xs)];
      const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
      assert.ok(left > 20 - 1e-6 && right < 380 + 1e-6 && top > 40 - 1e-6 && bottom < 290 + 1e-6);
      // It touches two sides that lie across from each other, and is in the middle.
      assert.ok(Math.abs(right - left - 360) < 1e-6 || Math.abs(bottom - top - 250) < 1e-6);
      near([(left + right) / 2, (top + bottom) / 2], [200, 165], 1e-6);
    }
});

test("enlarging keeps the place around which it is done", () => {
  const camera = looking({ azimuth: 0.4, elevation: 0.1 });
  const [x, y] = project(camera, 0.3, 0.2, 1);
  const other = project(camera, 0.3, 0.2, 0);
  enlarge(camera, 1.7, x, y);
  near(project(camera, 0.3, 0.2, 1).slice(0, 2), [x, y]);
  near([project(camera, 0.3, 0.2, 0)[1] - y], [1.7 * (other[1] - y)]);
});

test("a right-hander in the stance faces to the right of the pitcher, a left-hander to the left", () => {
  const out = [0, 0, 0];
  // From rear to lead shoulder is toward the pitcher for both.
  facingInto([0.3, 0, 0], [0, 0, 0.5], "right", out);
  near(out, [0, -1, 0]);
  facingInto([0.3, 0, 0], [0, 0, 0.5], "left", out);
  near(out, [0, 1, 0]);
  // Turned to the pitcher, as at contact.
  facingInto([0, 0.3, 0], [0, 0, 0.5], "right", out);
  near(out, [1, 0, 0]);
  facingInto([0, -0.3, 0], [0, 0, 0.5], "left", out);
  near(out, [1, 0, 0]);
  facingInto([0, 0, 0], [0, 0, 0.5], "left", out);
  assert.ok(Number.isNaN(out[0]));
});

test("what is far stands first in the order of drawing", () => {
  const order = Uint16Array.from([0, 1, 2, 3]);
  sortByDepth(order, Float32Array.from([0.5, -1, 2, 0]));
  assert.deepEqual([...order], [1, 3, 0, 2]);
  sortByDepth(order, Float32Array.from([3, -1, 2, 0]));
  assert.deepEqual([...order], [1, 3, 2, 0]);
});
