// @ts-check
// Space of the stick figure: a camera that turns around it. Arithmetic alone, so it needs
// no WebGL, which tablets and remote desktops may not have. Points are in meters: x to
// the pitcher, y to the left of who looks there, z up.
//
// What runs with every picture writes into arrays that are there already.

/** Places of a projected point in its array: pixels, depth in meters, growth. */
export const STRIDE = 4;

/** Half the width of home plate, in meters. */
const HALF_PLATE_M = 0.2159;

/** Corners of home plate around its middle: the front edge is toward the pitcher. */
export const PLATE = [
  [HALF_PLATE_M, -HALF_PLATE_M],
  [HALF_PLATE_M, HALF_PLATE_M],
  [0, HALF_PLATE_M],
  [-HALF_PLATE_M, 0],
  [0, -HALF_PLATE_M],
];

/** How far above the level the camera stands in views from a side. */
const ABOVE = 0.12;

/**
 * Where the camera stands for a named view: azimuth and elevation in radians.
 * @param {string | undefined} name behind, pitcher, open, closed or top
 * @param {string | undefined} side that the hitter bats from: right or left
 * @returns {{azimuth: number, elevation: number}}
 */
export const anglesOf = (name, side) => {
  // A right-hander's chest looks to the right of who looks at the pitcher.
  const chest = side === "left" ? Math.PI / 2 : -Math.PI / 2;
  if (name === "pitcher") return { azimuth: 0, elevation: ABOVE };
  if (name === "behind") return { azimuth: Math.PI, elevation: ABOVE };
  if (name === "closed") return { azimuth: -chest, elevation: ABOVE };
  return { azimuth: chest, elevation: name === "top" ? Math.PI / 2 : ABOVE };
};

/** @returns {Camera} one that looks at nothing yet */
export const newCamera = () => ({
  center: [0, 0, 0],
  to: [1, 0, 0],
  right: [0, 1],
  up: [0, 0, 1],
  x: 0,
  y: 0,
  distance: 8,
  scale: 1,
});

/**
 * Turns a camera to look from these angles.
 * @param {Camera} camera
 * @param {{azimuth: number, elevation: number}} angles
 */
export const aim = (camera, { azimuth, elevation }) => {
  const [ca, sa] = [Math.cos(azimuth), Math.sin(azimuth)];
  const [ce, se] = [Math.cos(elevation), Math.sin(elevation)];
  camera.to = [ce * ca, ce * sa, se];
  camera.right = [-sa, ca];
  camera.up = [-se * ca, -se * sa, ce];
};

/**
 * Writes where a point is on the stage: x and y in pixels, depth toward the camera in
 * meters, and how much larger what is there looks. NaN where the point is not known.
 * @param {Camera} camera
 * @param {number} x
 * @param {number} y
 * @param {number} z
 * @param {Float32Array | number[]} out
 * @param {number} [i] place of the first of the four numbers
 */
export const projectInto = (camera, x, y, z, out, i = 0) => {
  const { center, to, right, up, distance, scale } = camera;
  const px = x - center[0];
  const py = y - center[1];
  const pz = z - center[2];
  const depth = px * to[0] + py * to[1] + pz * to[2];
  const near = distance / (distance - depth);
  out[i] = camera.x + (px * right[0] + py * right[1]) * scale * near;
  out[i + 1] = camera.y - (px * up[0] + py * up[1] + pz * up[2]) * scale * near;
  out[i + 2] = depth;
  out[i + 3] = near;
};

/**
 * The box around all points that are known; a box of two meters where none is.
 * @param {ArrayLike<number>} points three numbers a point
 * @returns {Box}
 */
export const boundsOf = (points) => {
  /** @type {Point3} */
  const low = [Infinity, Infinity, Infinity];
  /** @type {Point3} */
  const high = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i + 2 < points.length; i += 3) {
    if (!Number.isFinite(points[i] + points[i + 1] + points[i + 2])) continue;
    for (let k = 0; k < 3; k++) {
      low[k] = Math.min(low[k], points[i + k]);
      high[k] = Math.max(high[k], points[i + k]);
    }
  }
  return low[0] <= high[0] ? { low, high } : { low: [-1, -1, 0], high: [1, 1, 2] };
};

/**
 * Moves an aimed camera so that all points just fill a part of the stage.
 * @param {Camera} camera
 * @param {ArrayLike<number>} points three numbers a point
 * @param {{x: number, y: number, width: number, height: number}} room in pixels
 */
export const fill = (camera, points, room) => {
  const { low, high } = boundsOf(points);
  for (let k = 0; k < 3; k++) camera.center[k] = (low[k] + high[k]) / 2;
  camera.distance = 6 * Math.max(0.5, Math.hypot(high[0] - low[0], high[1] - low[1]) / 2, (high[2] - low[2]) / 2);
  camera.scale = 1;
  camera.x = 0;
  camera.y = 0;
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  const place = [0, 0, 0, 0];
  for (let i = 0; i + 2 < points.length; i += 3) {
    projectInto(camera, points[i], points[i + 1], points[i + 2], place);
    if (!Number.isFinite(place[0] + place[1])) continue;
    left = Math.min(left, place[0]);
    right = Math.max(right, place[0]);
    top = Math.min(top, place[1]);
    bottom = Math.max(bottom, place[1]);
  }
  if (left > right) [left, right, top, bottom] = [-1, 1, -1, 1];
  camera.scale = Math.min(room.width / Math.max(0.4, right - left), room.height / Math.max(0.4, bottom - top));
  camera.x = room.x + room.width / 2 - (camera.scale * (left + right)) / 2;
  camera.y = room.y + room.height / 2 - (camera.scale * (top + bottom)) / 2;
};

/**
 * Enlarges what a camera shows around a place on the stage.
 * @param {Camera} camera
 * @param {number} factor
 * @param {number} x in pixels
 * @param {number} y
 */
export const enlarge = (camera, factor, x, y) => {
  camera.scale *= factor;
  camera.x = x + factor * (camera.x - x);
  camera.y = y + factor * (camera.y - y);
};

/**
 * Writes which way a chest looks: square to shoulder line and trunk, one meter long.
 * @param {number[]} shoulders from the rear to the lead shoulder
 * @param {number[]} trunk upward
 * @param {string | undefined} side that the hitter bats from
 * @param {number[]} out
 */
export const facingInto = (shoulders, trunk, side, out) => {
  const sign = side === "left" ? -1 : 1;
  out[0] = sign * (shoulders[1] * trunk[2] - shoulders[2] * trunk[1]);
  out[1] = sign * (shoulders[2] * trunk[0] - shoulders[0] * trunk[2]);
  out[2] = sign * (shoulders[0] * trunk[1] - shoulders[1] * trunk[0]);
  const size = Math.hypot(out[0], out[1], out[2]) || Number.NaN;
  out[0] /= size;
  out[1] /= size;
  out[2] /= size;
};

/**
 * Puts places into the order of their depth, what is far first. Those of the picture
 * before are nearly in order, so little is moved.
 * @param {Uint16Array} order places, as they were in order before
 * @param {Float32Array} depths
 */
export const sortByDepth = (order, depths) => {
  for (let i = 1; i < order.length; i++) {
    const one = order[i];
    let j = i - 1;
    while (j >= 0 && depths[order[j]] > depths[one]) {
      order[j + 1] = order[j];
      j -= 1;
    }
    order[j + 1] = one;
  }
};
