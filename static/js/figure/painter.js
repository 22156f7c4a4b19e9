// @ts-check
// Draws one frame of the stick figure on a canvas: ground, trails, body.

import { pageTheme } from "../shared/tokens.js";
import { decode } from "../shared/typed_arrays.js";
import { boundsOf, cameraFor, floorOf, project, standing } from "./geometry.js";

const HEAD_RADIUS_M = 0.105;
const GRID_STEP_M = 0.5;
const GRID_REACH_M = 1.5;
/** @type {Record<string, number>} */
const WIDTH = { bat: 6, pelvis: 6, torso: 6, lead_arm: 5 };

/** @param {number} value */
const snap = (value) => Math.round(value / GRID_STEP_M) * GRID_STEP_M;

export class Painter {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {FigureData} data
   */
  constructor(canvas, data) {
    this.canvas = canvas;
    this.data = data;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.points = standing(decode(data.points), data.axes);
    const expected = data.n_frames * data.n_points * 3;
    if (this.points.length !== expected)
      throw new Error(`The figure has ${this.points.length} numbers, not ${expected}.`);
    this.box = boundsOf(this.points);
    this.floor = floorOf(this.box);
    /** @type {Map<Trail, KeptTrail>} */
    this.trails = new Map();
    /** @type {Camera} */
    this.camera = cameraFor(this.box, { azimuth: 0, elevation: 0 }, 1, 1);
    this.cameraKey = "";
    this.fontSize = 0;
    this.restyle();
  }

  /** Asks for the size of the text again; not with each picture, for it is costly. */
  restyle() {
    this.fontSize = 12 * pageTheme.scale;
  }

  /**
   * Draws a frame, seen from these angles.
   * @param {number} frame
   * @param {{azimuth: number, elevation: number}} angles
   * @returns {boolean} false where the stage has no size yet
   */
  draw(frame, angles) {
    const { canvas } = this;
    const { clientWidth: width, clientHeight: height } = canvas;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [fineWidth, fineHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== fineWidth || canvas.height !== fineHeight) {
      canvas.width = fineWidth;
      canvas.height = fineHeight;
    }
    if (!width || !height) return false;
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.camera = cameraFor(this.box, angles, width, height);
    this.cameraKey = [width, height, angles.azimuth, angles.elevation].join();
    this.context.clearRect(0, 0, width, height);
    this.drawGround(width);
    this.drawTrails(frame);
    this.drawBody(frame);
    return true;
  }

  /**
   * @param {ArrayLike<number>} a
   * @param {ArrayLike<number>} b
   * @param {string} color
   * @param {number} width
   */
  line(a, b, color, width) {
    const g = this.context;
    g.globalAlpha = 1;
    g.strokeStyle = color;
    g.lineWidth = width;
    g.beginPath();
    g.moveTo(a[0], a[1]);
    g.lineTo(b[0], b[1]);
    g.stroke();
  }

  /** @param {number} width of the stage */
  drawGround(width) {
    const { center } = this.camera;
    const [cx, cy] = [snap(center[0]), snap(center[1])];
    const z = this.floor;
    const reach = GRID_REACH_M;
    const g = this.context;
    g.globalAlpha = 1;
    g.strokeStyle = pageTheme.token("line");
    g.lineWidth = 1;
    g.beginPath();
    for (let step = -reach; step <= reach + 1e-6; step += GRID_STEP_M)
      for (const [ax, ay, bx, by] of [[step, -reach, step, reach], [-reach, step, reach, step]]) {
        const [x1, y1] = project(this.camera, cx + ax, cy + ay, z);
        const [x2, y2] = project(this.camera, cx + bx, cy + by, z);
        g.moveTo(x1, y1);
        g.lineTo(x2, y2);
      }
    g.stroke();
    this.drawPitcher(cx, cy, width);
  }

  /**
   * An arrow to where the ball comes from, as far ahead as the stage shows it.
   * @param {number} cx middle of the ground
   * @param {number} cy
   * @param {number} width of the stage
   */
  drawPitcher(cx, cy, width) {
    let ahead = GRID_REACH_M - 0.1;
    let to = project(this.camera, cx + ahead, cy, this.floor);
    while (ahead > 0.6 && (to[0] < 16 || to[0] > width - 16)) {
      ahead -= 0.1;
      to = project(this.camera, cx + ahead, cy, this.floor);
    }
    const from = project(this.camera, cx + ahead - 0.5, cy, this.floor);
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
    if (length < 12) return;
    const color = pageTheme.token("control");
    this.line(from, to, color, 1.5);
    const [ux, uy] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
    for (const turn of [1, -1])
      this.line(to, [to[0] - 8 * ux - turn * 5 * uy, to[1] - 8 * uy + turn * 5 * ux], color, 1.5);
    const g = this.context;
    g.fillStyle = pageTheme.token("muted");
    g.font = `500 ${this.fontSize}px ${pageTheme.token("font")}`;
    g.textAlign = ux < -0.3 ? "right" : ux > 0.3 ? "left" : "center";
    const besides = ux > 0.3 ? 36 : ux < -0.3 ? -36 : 0;
    g.fillText("pitcher", Math.min(Math.max(to[0] + 8 * ux, 30), width - 30) - besides, to[1] + 18);
  }

  /**
   * Where a point of a frame is on the stage; null where it was not measured.
   * @param {number} frame
   * @param {number} point
   */
  at(frame, point) {
    const i = (frame * this.data.n_points + point) * 3;
    const [x, y, z] = [this.points[i], this.points[i + 1], this.points[i + 2]];
    return Number.isFinite(x + y + z) ? project(this.camera, x, y, z) : null;
  }

  /**
   * The path of a point up to a frame. While the camera rests it only grows: its points
   * are not projected again.
   * @param {Trail} trail
   * @param {number} frame
   */
  trailTo(trail, frame) {
    let kept = this.trails.get(trail);
    if (!kept || kept.cameraKey !== this.cameraKey || kept.frame > frame) {
      kept = { cameraKey: this.cameraKey, frame: -1, path: new Path2D(), open: false };
      this.trails.set(trail, kept);
    }
    while (kept.frame < frame) {
      kept.frame += 1;
      const p = this.at(kept.frame, trail.point);
      if (p && kept.open) kept.path.lineTo(p[0], p[1]);
      else if (p) kept.path.moveTo(p[0], p[1]);
      kept.open = Boolean(p);
    }
    return kept.path;
  }

  /** @param {number} frame */
  drawTrails(frame) {
    const g = this.context;
    g.globalAlpha = 0.65;
    g.lineWidth = 1.5;
    for (const trail of this.data.trails || []) {
      g.strokeStyle = pageTheme.partColor(trail.part);
      g.stroke(this.trailTo(trail, frame));
    }
    g.globalAlpha = 1;
  }

  /** @param {number} frame */
  drawBody(frame) {
    const strokes = [];
    for (const [i, j, part] of this.data.bones) {
      const a = this.at(frame, i);
      const b = this.at(frame, j);
      if (a && b) strokes.push({ depth: (a[2] + b[2]) / 2, draw: () => this.drawBone(a, b, part) });
    }
    const { head: point } = this.data;
    const head = point === undefined || point === null ? null : this.at(frame, point);
    if (head) strokes.push({ depth: head[2], draw: () => this.drawHead(head) });
    strokes.sort((one, two) => one.depth - two.depth); // what is near covers what is far
    this.context.lineCap = "round";
    for (const stroke of strokes) stroke.draw();
  }

  /** How thick lines are, by the size of the figure. */
  get thickness() {
    return Math.max(0.6, Math.min(1.6, this.camera.scale / 170));
  }

  /** @param {Projected} head */
  drawHead([x, y, , near]) {
    const g = this.context;
    g.globalAlpha = 1;
    g.fillStyle = pageTheme.token("background");
    g.strokeStyle = pageTheme.partColor("head");
    g.lineWidth = 3.5 * this.thickness;
    g.beginPath();
    g.arc(x, y, HEAD_RADIUS_M * this.camera.scale * near, 0, 2 * Math.PI);
    g.fill();
    g.stroke();
  }

  /**
   * @param {Projected} a
   * @param {Projected} b
   * @param {string} part
   */
  drawBone(a, b, part) {
    const g = this.context;
    const width = (WIDTH[part] ?? 3.5) * this.thickness * (0.5 + 0.5 * a[3]);
    /** @param {number} share */
    const along = (share) => [0, 1].map((k) => a[k] + share * (b[k] - a[k]));
    // A rim in the color of the ground keeps crossing limbs apart; it ends short of the
    // joints, where limbs should meet.
    g.lineCap = "butt";
    this.line(along(0.14), along(0.86), pageTheme.token("background"), width + 4 * this.thickness);
    g.lineCap = "round";
    this.line(a, b, pageTheme.partColor(part), width);
  }
}
