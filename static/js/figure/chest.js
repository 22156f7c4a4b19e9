// @ts-check
// Which way a hitter faces: the trunk as a surface, and a mark that stands out of the
// chest. No file says where the nose is: a hitter looks at the pitcher and not ahead.

import { pageTheme } from "../shared/tokens.js";
import { STRIDE, projectInto } from "./geometry.js";

/** From where to where the mark stands ahead of the chest, in meters. */
const FROM_M = 0.06;
const TO_M = 0.32;

export class Chest {
  /**
   * @param {CanvasRenderingContext2D} context
   * @param {FigureBody} body
   */
  constructor(context, body) {
    this.context = context;
    this.body = body;
    this.there = false;
    this.middle = [0, 0, 0];
    /** Both ends of the mark on the stage. */
    this.at = new Float32Array(STRIDE);
    this.tip = new Float32Array(STRIDE);
    const { names = [], chest = [] } = body.data;
    const [lead, rear] = chest;
    const letters = [lead, rear].map((place) => names[place ?? -1]?.[0] ?? "");
    /** Corners of the trunk, around it. */
    this.corners = [lead, rear, names.indexOf(`${letters[1]}hjc`), names.indexOf(`${letters[0]}hjc`)].map(
      (place) => place ?? -1,
    );
  }

  /**
   * Finds out where the mark is.
   * @param {number} frame
   * @param {Camera} camera
   */
  place(frame, camera) {
    const { body, middle } = this;
    this.there = body.chestInto(frame, middle);
    if (!this.there) return;
    this.ahead(camera, FROM_M * body.scale, this.at);
    this.ahead(camera, TO_M * body.scale, this.tip);
  }

  /**
   * @param {Camera} camera
   * @param {number} reach in meters
   * @param {Float32Array} out
   */
  ahead(camera, reach, out) {
    const { middle } = this;
    const { facing } = this.body;
    projectInto(
      camera,
      middle[0] + reach * facing[0],
      middle[1] + reach * facing[1],
      middle[2] + reach * facing[2],
      out,
    );
  }

  drawTrunk() {
    const { context: g, corners } = this;
    const { screen } = this.body;
    if (corners[0] < 0 || corners[1] < 0 || corners[2] < 0 || corners[3] < 0) return;
    g.globalAlpha = 0.16;
    g.fillStyle = pageTheme.partColor("torso");
    g.beginPath();
    for (let k = 0; k < corners.length; k++) {
      const i = corners[k] * STRIDE;
      if (k) g.lineTo(screen[i], screen[i + 1]);
      else g.moveTo(screen[i], screen[i + 1]);
    }
    g.closePath();
    g.fill();
    g.globalAlpha = 1;
  }

  /**
   * Draws the mark: an arrowhead, or a dot where it looks at the reader or away.
   * @param {number} thickness
   * @param {boolean} isHollow
   */
  draw(thickness, isHollow) {
    if (!this.there) return;
    const { context: g, at, tip } = this;
    const half = 7 * thickness;
    const dx = tip[0] - at[0];
    const dy = tip[1] - at[1];
    const length = Math.hypot(dx, dy);
    g.beginPath();
    if (length < half) g.arc(tip[0], tip[1], half * 0.9, 0, 2 * Math.PI);
    else {
      const ux = dx / length;
      const uy = dy / length;
      g.moveTo(tip[0], tip[1]);
      g.lineTo(at[0] - half * uy, at[1] + half * ux);
      g.lineTo(at[0] + half * uy, at[1] - half * ux);
      g.closePath();
    }
    const color = pageTheme.partColor("torso");
    const paper = pageTheme.token("background");
    g.lineJoin = "round";
    g.lineWidth = 2;
    g.fillStyle = isHollow ? paper : color;
    g.strokeStyle = isHollow ? color : paper;
    g.fill();
    g.stroke();
  }
}
