// @ts-check
// Where hitters stand: the ground, the plate, the way to the pitcher, the front foot.

import { pageTheme } from "../shared/tokens.js";
import { PLATE, projectInto } from "./geometry.js";

const GRID_STEP_M = 0.5;
const GRID_REACH_M = 1.5;
const FOOT_RING_M = 0.17;
const RING_POINTS = 28;
const WORDS_FROM_PX = 220;
export const SOLID = /** @type {number[]} */ ([]);
export const DASHED = [6, 5];

/** @param {number} value */
const snap = (value) => Math.round(value / GRID_STEP_M) * GRID_STEP_M;

export class Ground {
  /** @param {CanvasRenderingContext2D} context */
  constructor(context) {
    this.context = context;
    this.fontSize = 13;
    this.font = "";
    this.one = [0, 0, 0, 0];
    this.two = [0, 0, 0, 0];
    this.point = [0, 0, 0];
    /** Under the ring around the front foot, in pixels. */
    this.low = Number.NaN;
    this.across = 0;
    /** The part of the stage that is drawn on, in pixels. */
    this.part = { left: 0, width: 0 };
  }

  /** Asks for the size of the text again. */
  restyle() {
    this.fontSize = Math.round(13 * pageTheme.scale);
    this.font = `500 ${this.fontSize}px ${pageTheme.token("font")}`;
  }

  /**
   * @param {Camera} camera
   * @param {number} ax
   * @param {number} ay
   * @param {number} bx
   * @param {number} by
   */
  groundLine(camera, ax, ay, bx, by) {
    projectInto(camera, ax, ay, 0, this.one);
    projectInto(camera, bx, by, 0, this.two);
    this.context.moveTo(this.one[0], this.one[1]);
    this.context.lineTo(this.two[0], this.two[1]);
  }

  /**
   * @param {Camera} camera
   * @param {FigureBody} body whose plate and pitcher are drawn
   * @param {{left: number, width: number}} part of the stage
   */
  draw(camera, body, part) {
    this.part = part;
    const [cx, cy] = [snap(camera.center[0]), snap(camera.center[1])];
    const g = this.context;
    g.strokeStyle = pageTheme.token("line");
    g.lineWidth = 1;
    g.setLineDash(SOLID);
    g.beginPath();
    for (let step = -GRID_REACH_M; step <= GRID_REACH_M + 1e-6; step += GRID_STEP_M) {
      this.groundLine(camera, cx + step, cy - GRID_REACH_M, cx + step, cy + GRID_REACH_M);
      this.groundLine(camera, cx - GRID_REACH_M, cy + step, cx + GRID_REACH_M, cy + step);
    }
    g.stroke();
    const plate = body.data.has_forward === false ? null : body.plateMiddle();
    if (!plate) return;
    this.drawPlate(camera, plate, body.scale);
    this.drawPitcher(camera, plate);
  }

  /**
   * @param {Camera} camera
   * @param {number[]} plate its middle
   * @param {number} scale
   */
  drawPlate(camera, plate, scale) {
    const g = this.context;
    g.beginPath();
    for (let k = 0; k < PLATE.length; k++) {
      projectInto(camera, plate[0] + PLATE[k][0] * scale, plate[1] + PLATE[k][1] * scale, 0, this.one);
      if (k) g.lineTo(this.one[0], this.one[1]);
      else g.moveTo(this.one[0], this.one[1]);
    }
    g.closePath();
    g.fillStyle = pageTheme.token("card");
    g.strokeStyle = pageTheme.token("control");
    g.lineWidth = 1.5;
    g.fill();
    g.stroke();
  }

  /**
   * An arrow from the plate to where the ball comes from, as far as the stage shows it.
   * @param {Camera} camera
   * @param {number[]} plate
   */
  drawPitcher(camera, plate) {
    const { one: from, two: to, context: g } = this;
    const { left, width } = this.part;
    const bottom = g.canvas.clientHeight - 8;
    let ahead = 1.6;
    const start = 0.32;
    do {
      ahead -= 0.1;
      projectInto(camera, plate[0] + ahead, plate[1], 0, to);
    } while (ahead > start + 0.2 && (to[0] < left + 14 || to[0] > left + width - 14 || to[1] > bottom));
    projectInto(camera, plate[0] + start, plate[1], 0, from);
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
    if (length < 10) return;
    const [ux, uy] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
    g.strokeStyle = pageTheme.token("muted");
    g.lineWidth = 2;
    g.lineCap = "round";
    g.beginPath();
    g.moveTo(from[0], from[1]);
    g.lineTo(to[0], to[1]);
    for (const turn of [1, -1]) {
      g.moveTo(to[0], to[1]);
      g.lineTo(to[0] - 8 * ux - turn * 5 * uy, to[1] - 8 * uy + turn * 5 * ux);
    }
    g.stroke();
const isUpright = Math.abs(uy) > 0.7;
    this.say("pitcher", (from[0] + to[0]) / 2 + (isUpright ? 30 : 0), (from[1] + to[1]) / 2 + (isUpright ? 4 : 16));
  }

  /**
   * Small words on the stage, kept inside of their part of it.
   * @param {string} text
   * @param {number} x their middle
   * @param {number} y
   */
  say(text, x, y) {
    const g = this.context;
    const { left, width } = this.part;
    g.font = this.font;
    g.textAlign = "center";
    const half = text.length * this.fontSize * 0.3;
    const at = Math.min(Math.max(x, left + half), left + width - half);
    g.lineJoin = "round";
    g.lineWidth = 4;
    g.strokeStyle = pageTheme.token("background");
    g.fillStyle = pageTheme.token("muted");
    const above = Math.min(y, g.canvas.clientHeight - 5);
    g.strokeText(text, at, above);
    g.fillText(text, at, above);
  }

  /**
   * A ring on the ground around the front foot.
   * @param {FigureBody} body
   * @param {number} frame
   * @param {Camera} camera
   * @param {boolean} isDashed
   */
  drawFrontFoot(body, frame, camera, isDashed) {
    this.low = Number.NaN;
    const foot = body.data.front_foot ?? [];
    if (!foot.length) return;
    let [x, y, known] = [0, 0, 0];
    for (let k = 0; k < foot.length; k++) {
      body.positionInto(frame, foot[k], this.point);
      if (!Number.isFinite(this.point[0] + this.point[1])) continue;
      x += this.point[0];
      y += this.point[1];
      known += 1;
    }
    if (!known) return;
    const g = this.context;
    const reach = FOOT_RING_M * body.scale;
    let low = -Infinity;
    g.beginPath();
    for (let k = 0; k <= RING_POINTS; k++) {
      const turn = (2 * Math.PI * k) / RING_POINTS;
      projectInto(camera, x / known + reach * Math.cos(turn), y / known + reach * Math.sin(turn), 0, this.one);
      low = Math.max(low, this.one[1]);
      if (k) g.lineTo(this.one[0], this.one[1]);
      else g.moveTo(this.one[0], this.one[1]);
    }
    g.strokeStyle = pageTheme.token("ink");
    g.lineWidth = 1.5;
    g.setLineDash(isDashed ? DASHED : SOLID);
    g.stroke();
    g.setLineDash(SOLID);
    projectInto(camera, x / known, y / known, 0, this.one);
    this.across = this.one[0];
    this.low = low;
  }

  /** Names the ring that was drawn last, above all bodies. */
  nameFrontFoot() {
    // On half a phone's stage the word would lie over the plate.
    if (Number.isFinite(this.low) && this.part.width >= WORDS_FROM_PX) this.say("front foot", this.across, this.low + this.fontSize);
  }
}
