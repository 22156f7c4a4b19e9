// @ts-check
// One hitter: where their points are in each frame, how large and where they are drawn.

import { decode } from "../shared/typed_arrays.js";
import { PLATE, STRIDE, facingInto, projectInto } from "./geometry.js";

const STEP_M = 0.001;
const MISSING = -32768;
const FLOOR_FAR_M = 0.2;
/** How many frames tell how much room the swing takes. */
const SEEN_FRAMES = 48;
/** How far around the swing frames are looked at for that, in seconds. */
const AROUND_S = 0.1;

/**
 * Positions in meters; NaN where a point is missing.
 * @param {PackedNumbers} packed whole millimeters
 * @returns {Float32Array}
 */
export const metersOf = (packed) => {
  const whole = decode(packed);
  const out = new Float32Array(whole.length);
  for (let i = 0; i < out.length; i++) {
    const value = Number(whole[i]);
    out[i] = value === MISSING ? Number.NaN : value * STEP_M;
  }
  return out;
};

export class Body {
  /**
   * @param {FigureData} data
   * @param {{letter?: string, zero_s?: number, per?: number}} [clock] where the common
   *   time is zero on the clock of its file, and how many seconds one of it lasts there
   */
  constructor(data, { letter = "", zero_s = 0, per = 1 } = {}) {
    this.data = data;
    this.letter = letter;
    this.zero_s = zero_s;
    this.per = per;
    this.count = data.n_points;
    this.frames = data.n_frames;
    this.points = metersOf(data.points);
    if (this.points.length !== this.frames * this.count * 3)
      throw new Error(`The figure has ${this.points.length} numbers, not ${this.frames * this.count * 3}.`);
    this.floor = this.lowest();
    this.scale = 1;
    this.isMirrored = false;
    /** Where each frame is moved to, x and y in meters. */
    this.shifts = new Float32Array(this.frames * 2);
    /** The points of one frame on the stage, and those of another as a ghost. */
    this.screen = new Float32Array(this.count * STRIDE);
    this.ghost = new Float32Array(this.count * STRIDE);
    /** The way of each trail's point on the stage. */
    this.trails = (data.trails || []).map((trail) => ({ ...trail, way: new Float32Array(this.frames * 2) }));
    this.events = (data.events || []).map((event) => ({ ...event }));
    this.plate = data.plate ?? null;
    this.facing = [0, 0, 0];
    this.shoulders = [0, 0, 0];
    this.trunk = [0, 0, 0];
    this.place = [0, 0, 0];
  }

  /** Height of the ground: zero, unless the lowest point is far from it. */
  lowest() {
    let low = Infinity;
    for (let i = 2; i < this.points.length; i += 3) if (this.points[i] < low) low = this.points[i];
    return Number.isFinite(low) && Math.abs(low) >= FLOOR_FAR_M ? low : 0;
  }

  /** The side that the hitter bats from as they are drawn. */
  get side() {
    if (!this.isMirrored) return this.data.side ?? "right";
    return this.data.side === "left" ? "right" : "left";
  }

  /**
   * The frame at a common time; −1 where the file has none.
   * @param {number} time
   */
  frameAt(time) {
    const frame = Math.round((this.zero_s + time * this.per - this.data.start_s) / this.data.dt_s);
    return frame >= 0 && frame < this.frames ? frame : -1;
  }

  /**
   * A time on the clock of the file as common time.
   * @param {number} time_s
   */
  commonTime(time_s) {
    return (time_s - this.zero_s) / this.per;
  }

  /**
   * @param {string} name
   * @returns {number | null} when an event is, in common time
   */
  eventTime(name) {
    const found = this.events.find((event) => event.name === name);
    return found ? this.commonTime(found.time_s) : null;
  }

  /**
   * Writes where a point of a frame is in the room, as it is drawn.
   * @param {number} frame
   * @param {number} point
   * @param {number[]} out
   */
  positionInto(frame, point, out) {
    const i = (frame * this.count + point) * 3;
    out[0] = this.points[i] * this.scale + this.shifts[frame * 2];
    out[1] = this.points[i + 1] * (this.isMirrored ? -this.scale : this.scale) + this.shifts[frame * 2 + 1];
    out[2] = (this.points[i + 2] - this.floor) * this.scale;
  }

  /**
   * Writes where all points of a frame are on the stage.
   * @param {Camera} camera
   * @param {number} frame
   * @param {Float32Array} out
   */
  projectInto(camera, frame, out) {
    for (let point = 0; point < this.count; point++) {
      this.positionInto(frame, point, this.place);
      projectInto(camera, this.place[0], this.place[1], this.place[2], out, point * STRIDE);
    }
  }

  /**
   * Finds the ways of all trails on the stage, for a camera that has moved.
   * @param {Camera} camera
   */
  projectTrails(camera) {
    const out = [0, 0, 0, 0];
    for (const { point, way } of this.trails)
      for (let frame = 0; frame < this.frames; frame++) {
        this.positionInto(frame, point, this.place);
        projectInto(camera, this.place[0], this.place[1], this.place[2], out);
        way[frame * 2] = out[0];
        way[frame * 2 + 1] = out[1];
      }
  }

  /**
   * Writes the middle of the chest and where it looks; false where that is not known.
   * @param {number} frame
   * @param {number[]} middle
   * @returns {boolean}
   */
  chestInto(frame, middle) {
    const [lead, rear, hip, neck] = this.data.chest ?? [];
    if (typeof lead !== "number" || typeof rear !== "number" || typeof hip !== "number" || typeof neck !== "number")
      return false;
    const at = this.place;
    this.positionInto(frame, lead, at);
    for (let k = 0; k < 3; k++) {
      this.shoulders[k] = at[k];
      middle[k] = at[k] / 2;
    }
    this.positionInto(frame, rear, at);
    for (let k = 0; k < 3; k++) {
      this.shoulders[k] -= at[k];
      middle[k] += at[k] / 2;
    }
    this.positionInto(frame, neck, at);
    for (let k = 0; k < 3; k++) this.trunk[k] = at[k];
    this.positionInto(frame, hip, at);
    for (let k = 0; k < 3; k++) {
      this.trunk[k] -= at[k];
      middle[k] = 0.7 * middle[k] + 0.3 * at[k];
    }
    facingInto(this.shoulders, this.trunk, this.side, this.facing);
    return Number.isFinite(this.facing[0] + middle[0]);
  }

  /** Where the plate's middle is drawn for frame 0, in meters; null where unknown. */
  plateMiddle() {
    if (!this.plate) return null;
    return [
      this.plate.x * this.scale + this.shifts[0],
      this.plate.y * (this.isMirrored ? -this.scale : this.scale) + this.shifts[1],
    ];
  }

  /**
   * Points that tell how much room the swing takes: those of some frames around it, and
   * the plate's corners.
   * @returns {number[]}
   */
  cloud() {
    const times = this.events.map((event) => event.time_s);
    const first = this.events.length ? this.frameNear(Math.min(...times) - AROUND_S) : 0;
    const last = this.events.length ? this.frameNear(Math.max(...times) + AROUND_S) : this.frames - 1;
    const every = Math.max(1, Math.ceil((last - first) / SEEN_FRAMES));
    const out = [];
    for (let frame = first; frame <= last; frame += every)
      for (let point = 0; point < this.count; point++) {
        this.positionInto(frame, point, this.place);
        if (Number.isFinite(this.place[0] + this.place[1] + this.place[2])) out.push(...this.place);
      }
    const plate = this.data.has_forward === false ? null : this.plateMiddle();
    if (plate) for (const [x, y] of PLATE) out.push(plate[0] + x * this.scale, plate[1] + y * this.scale, 0);
    return out;
  }

  /**
   * The frame next to a time on the clock of the file, within the clip.
   * @param {number} time_s
   */
  frameNear(time_s) {
    const frame = Math.round((time_s - this.data.start_s) / this.data.dt_s);
    return Math.min(Math.max(frame, 0), this.frames - 1);
  }
}
