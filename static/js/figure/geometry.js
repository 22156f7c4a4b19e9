// @ts-check
// Space of the stick figure: its points, the box around them, and a camera that turns
// around it. Arithmetic alone, so it needs no WebGL, which tablets and remote desktops
// may not have.

/**
 * @param {Point3} a
 * @param {Point3} b
 * @returns {Point3}
 */
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

/**
 * Points in one set of axes: x to the pitcher, z up, y to the left of who looks there.
 * @param {Numbers} raw three numbers a point
 * @param {{up?: Point3, forward?: Point3}} [axes] of the raw points
 * @returns {Float32Array}
 */
export const standing = (raw, axes) => {
  const up = axes?.up ?? [0, 0, 1];
  const forward = axes?.forward ?? [1, 0, 0];
  const left = cross(up, forward);
  const out = new Float32Array(raw.length);
  for (let i = 0; i < raw.length; i += 3)
    [forward, left, up].forEach((axis, k) => {
      out[i + k] = Number(raw[i]) * axis[0] + Number(raw[i + 1]) * axis[1] + Number(raw[i + 2]) * axis[2];
    });
  return out;
};

/**
 * The box around all points that are known; a box of two meters where none is.
 * @param {Float32Array} points
 * @returns {Box}
 */
export const boundsOf = (points) => {
  /** @type {Point3} */
  const low = [Infinity, Infinity, Infinity];
  /** @type {Point3} */
  const high = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < points.length; i += 3) {
    if (!Number.isFinite(points[i] + points[i + 1] + points[i + 2])) continue;
    for (let k = 0; k < 3; k++) {
      low[k] = Math.min(low[k], points[i + k]);
      high[k] = Math.max(high[k], points[i + k]);
    }
  }
  return low[0] <= high[0] ? { low, high } : { low: [-1, -1, 0], high: [1, 1, 2] };
};

/**
 * Where the camera stands for a named view: azimuth and elevation in radians.
 * @param {string | undefined} name front, side or top
 * @param {string | undefined} side of the hitter: right or left
 * @returns {{azimuth: number, elevation: number}}
 */
export const anglesOf = (name, side) => {
  // The side view looks at the chest, so a left-hander is seen from across.
  const chest = side === "left" ? Math.PI / 2 : -Math.PI / 2;
  if (name === "front") return { azimuth: 0, elevation: 0.12 };
  return { azimuth: chest, elevation: name === "top" ? Math.PI / 2 : 0.12 };
};

/**
 * A camera that shows the whole box on a stage of this size, however it is turned.
 * @param {Box} box
 * @param {{azimuth: number, elevation: number}} angles
 * @param {number} width of the stage in pixels
 * @param {number} height
 * @returns {Camera}
 */
export const cameraFor = ({ low, high }, { azimuth, elevation }, width, height) => {
  const [ca, sa] = [Math.cos(azimuth), Math.sin(azimuth)];
  const [ce, se] = [Math.cos(elevation), Math.sin(elevation)];
  const [dx, dy, dz] = [0, 1, 2].map((k) => (high[k] - low[k]) / 2);
  const wide = Math.max(0.4, Math.abs(sa) * dx + Math.abs(ca) * dy);
  const tall = Math.max(0.4, Math.abs(se) * (Math.abs(ca) * dx + Math.abs(sa) * dy) + ce * dz);
  const reach = Math.max(0.5, Math.hypot(2 * dx, 2 * dy) / 2, dz);
  return {
    center: [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2],
    to: [ce * ca, ce * sa, se],
    right: [-sa, ca],
    up: [-se * ca, -se * sa, ce],
    x: width / 2,
    y: height / 2 + 16,
    distance: 6 * reach,
    // Room for the perspective's growth of what is near, and for clock and buttons.
    scale: Math.min((0.84 * width) / (2 * wide), (0.88 * (height - 56)) / (2 * tall)),
  };
};

/**
 * A point on the stage: x and y in pixels, depth toward the camera in meters, and how
 * much larger what is there looks.
 * @param {Camera} camera
 * @param {number} x
 * @param {number} y
 * @param {number} z
 * @returns {Projected}
 */
export const project = (camera, x, y, z) => {
  const { center, to, right, up, distance, scale } = camera;
  const px = x - center[0];
  const py = y - center[1];
  const pz = z - center[2];
  const depth = px * to[0] + py * to[1] + pz * to[2];
  const near = distance / (distance - depth);
  return [
    camera.x + (px * right[0] + py * right[1]) * scale * near,
    camera.y - (px * up[0] + py * up[1] + pz * up[2]) * scale * near,
    depth,
    near,
  ];
};

/**
 * Height of the ground: zero, unless the lowest point is far from it.
 * @param {Box} box
 */
export const floorOf = ({ low }) => (Math.abs(low[2]) < 0.2 ? 0 : low[2]);
