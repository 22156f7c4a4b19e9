// @ts-check
// Draws one moment of one or two hitters on a canvas: trails, ghosts, bodies.
// While a swing plays nothing is made anew: what is drawn lies in arrays that are kept.

import { pageTheme } from "../shared/tokens.js";
import { Chest } from "./chest.js";
import { STRIDE, aim, enlarge, fill, newCamera, sortByDepth } from "./geometry.js";
import { DASHED, Ground, SOLID } from "./ground.js";

const HEAD_RADIUS_M = 0.105;
/** @type {Record<string, number>} */
const WIDTH = { bat: 6, pelvis: 6, torso: 6, lead_arm: 5 };
const USUAL_WIDTH = 4;
/** What is drawn of a body beside its bones. */
const HEAD = -1;
const CHEST = -2;
const TRUNK = -3;

export class Painter {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {FigureBody[]} bodies one, or two to compare
   */
  constructor(canvas, bodies) {
    this.canvas = canvas;
    this.bodies = bodies;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.fontSize = 15;
    this.bold = "";
    /** @type {string[][]} */
    this.colors = [];
    /** One for all bodies, or one for each where they stand side by side. */
    this.cameras = bodies.map(newCamera);
    this.isApart = false;
    this.clouds = /** @type {number[][]} */ ([]);
    this.seen = "";
    this.paper = "";
    this.ground = new Ground(this.context);
    /** What can cover each other: bones, and what else a body has. */
    this.items = bodies.flatMap((body, which) => [
      ...body.data.bones.map((bone, index) => ({ which, index })),
      ...[HEAD, CHEST, TRUNK].map((index) => ({ which, index })),
    ]);
    this.order = Uint16Array.from(this.items, (_, i) => i);
    this.depths = new Float32Array(this.items.length);
    this.chests = bodies.map((body) => new Chest(this.context, body));
    this.measure();
    this.restyle();
  }

  /** Asks for the look of the page again; not with each picture, for it is costly. */
  restyle() {
    this.fontSize = Math.round(15 * pageTheme.scale);
    this.bold = `700 ${this.fontSize}px ${pageTheme.token("font")}`;
    this.colors = this.bodies.map((body) => body.data.bones.map(([, , part]) => pageTheme.partColor(part)));
    this.paper = pageTheme.token("background");
    this.ground.restyle();
    this.seen = "";
  }

  /** Finds out anew how much room the bodies take: one was moved or changed its size. */
  measure() {
    this.clouds = this.bodies.map((body) => body.cloud());
    this.seen = "";
  }

  /**
   * Stands the bodies over each other or side by side.
   * @param {boolean} isApart
   */
  standApart(isApart) {
    this.isApart = isApart && this.bodies.length > 1;
    this.seen = "";
  }

  /**
   * Turns the cameras; each fills its part of the stage with what its bodies do.
   * @param {{azimuth: number, elevation: number, zoom: number}} view
   * @param {number} width
   * @param {number} height
   */
  look(view, width, height) {
    const seen = `${width} ${height} ${view.azimuth} ${view.elevation} ${view.zoom}`;
    if (seen === this.seen) return;
    this.seen = seen;
    const parts = this.isApart ? this.bodies.length : 1;
    const margin = { side: Math.min(18, (0.05 * width) / parts), top: 20 + 2 * this.fontSize, bottom: 18 };
    const room = { y: margin.top, width: width / parts - 2 * margin.side, height: height - margin.top - margin.bottom };
    for (let part = 0; part < parts; part++) {
      const camera = this.cameras[part];
      aim(camera, view);
      const cloud = this.isApart ? this.clouds[part] : this.clouds.flat();
      fill(camera, cloud, { x: (width / parts) * part + margin.side, ...room });
    }
    // One scale for all, so that sizes can be compared.
    const least = Math.min(...this.cameras.slice(0, parts).map((camera) => camera.scale));
    for (let part = 0; part < parts; part++) {
      const camera = this.cameras[part];
      const [x, y] = [(width / parts) * (part + 0.5), room.y + room.height / 2];
      enlarge(camera, (least / camera.scale) * view.zoom, x, y);
    }
    this.bodies.forEach((body, which) => body.projectTrails(this.camera(which)));
  }

  /** @param {number} which body */
  camera(which) {
    return this.cameras[this.isApart ? which : 0];
  }

  /**
   * Draws a moment.
   * @param {{frames: number[], ghosts: number[]}} moment a frame of each body, and of each
   *   the frame of a ghost; −1 for none
   * @param {{azimuth: number, elevation: number, zoom: number}} view
   * @returns {boolean} false where the stage has no size yet
   */
  draw({ frames, ghosts }, view) {
    const { canvas, context: g } = this;
    const { clientWidth: width, clientHeight: height } = canvas;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [fineWidth, fineHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== fineWidth || canvas.height !== fineHeight) {
      canvas.width = fineWidth;
      canvas.height = fineHeight;
    }
    if (!width || !height) return false;
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.look(view, width, height);
    g.clearRect(0, 0, width, height);
    g.globalAlpha = 1;
    if (!this.isApart) {
      this.ground.draw(this.camera(0), this.bodies[0], { left: 0, width });
      for (let which = this.bodies.length - 1; which >= 0; which--) this.drawBehind(which, frames[which], ghosts[which], this.camera(0));
      this.drawBodies(frames, -1);
      this.ground.nameFrontFoot();
      return true;
    }
    const part = width / this.bodies.length;
    for (let which = 0; which < this.bodies.length; which++) {
      g.save();
      g.beginPath();
      g.rect(part * which, 0, part, height);
      g.clip();
      this.ground.draw(this.camera(which), this.bodies[which], { left: part * which, width: part });
      this.drawBehind(which, frames[which], -1, this.camera(which));
      this.drawGhost(1 - which, ghosts[1 - which], this.camera(which));
      this.drawBodies(frames, which);
      this.ground.nameFrontFoot();
      g.restore();
    }
    g.strokeStyle = pageTheme.token("line");
    g.lineWidth = 1;
    g.beginPath();
    g.moveTo(part, 0);
    g.lineTo(part, height);
    g.stroke();
    return true;
  }

  /**
   * What lies under the bodies: trail, ghost, front foot.
   * @param {number} which
   * @param {number} frame
   * @param {number} ghost
   * @param {Camera} camera
   */
  drawBehind(which, frame, ghost, camera) {
    if (ghost >= 0) this.drawGhost(which, ghost, camera);
    if (frame < 0) return;
    this.drawTrails(which, frame);
    this.ground.drawFrontFoot(this.bodies[which], frame, camera, which > 0);
  }

  // --- Bodies ---------------------------------------------------------------------------

  /**
   * The way of a point up to a frame.
   * @param {number} which
   * @param {number} frame
   */
  drawTrails(which, frame) {
    const g = this.context;
    g.lineCap = "round";
    g.lineJoin = "round";
    g.lineWidth = which ? 1.5 : 2;
    g.globalAlpha = 0.65;
    g.setLineDash(which ? DASHED : SOLID);
    for (const { part, way } of this.bodies[which].trails) {
      g.strokeStyle = pageTheme.partColor(part);
      g.beginPath();
      let isOpen = false;
      for (let i = 0; i <= frame; i++) {
        const x = way[i * 2];
        const y = way[i * 2 + 1];
        if (x !== x || y !== y) isOpen = false;
        else if (isOpen) g.lineTo(x, y);
        else {
          g.moveTo(x, y);
          isOpen = true;
        }
      }
      g.stroke();
    }
    g.setLineDash(SOLID);
    g.globalAlpha = 1;
  }

  /**
   * A body in thin lines, at another moment.
   * @param {number} which
   * @param {number} frame
   * @param {Camera} camera
   */
  drawGhost(which, frame, camera) {
    if (frame < 0) return;
    const body = this.bodies[which];
    const at = body.ghost;
    body.projectInto(camera, frame, at);
    const g = this.context;
    g.strokeStyle = pageTheme.token("control");
    g.lineWidth = 1.5;
    g.lineCap = "round";
    g.setLineDash(DASHED);
    g.beginPath();
    const { bones, head } = body.data;
    for (let k = 0; k < bones.length; k++) {
      const i = bones[k][0] * STRIDE;
      const j = bones[k][1] * STRIDE;
      if (!Number.isFinite(at[i] + at[j])) continue;
      g.moveTo(at[i], at[i + 1]);
      g.lineTo(at[j], at[j + 1]);
    }
    if (typeof head === "number" && Number.isFinite(at[head * STRIDE])) {
      const radius = HEAD_RADIUS_M * body.scale * camera.scale * at[head * STRIDE + 3];
      g.moveTo(at[head * STRIDE] + radius, at[head * STRIDE + 1]);
      g.arc(at[head * STRIDE], at[head * STRIDE + 1], radius, 0, 2 * Math.PI);
    }
    g.stroke();
    g.setLineDash(SOLID);
  }

  /**
   * @param {number[]} frames
   * @param {number} only the body to draw; −1 for all
   */
  drawBodies(frames, only) {
    for (let which = 0; which < this.bodies.length; which++) {
      const frame = frames[which];
      if (frame < 0 || (only >= 0 && which !== only)) continue;
      this.bodies[which].projectInto(this.camera(which), frame, this.bodies[which].screen);
      this.chests[which].place(frame, this.camera(which));
    }
    for (let i = 0; i < this.items.length; i++) this.depths[i] = this.depthOf(this.items[i]);
    sortByDepth(this.order, this.depths); // what is near covers what is far
    for (let i = 0; i < this.order.length; i++) {
      const { which, index } = this.items[this.order[i]];
      if (frames[which] < 0 || (only >= 0 && which !== only)) continue;
      if (index >= 0) this.drawBone(which, index);
      else if (index === HEAD) this.drawHead(which);
      else if (index === CHEST) this.chests[which].draw(this.thickness(which), which > 0);
      else if (!which) this.chests[which].drawTrunk();
    }
    for (let which = 0; which < this.bodies.length; which++)
      if (frames[which] >= 0 && (only < 0 || which === only)) this.drawLetter(which);
  }

  /**
   * How near a thing is; NaN would leave the order as it is.
   * @param {{which: number, index: number}} item
   */
  depthOf({ which, index }) {
    const body = this.bodies[which];
    const at = body.screen;
    let depth = 0;
    if (index >= 0) {
      const bone = body.data.bones[index];
      depth = (at[bone[0] * STRIDE + 2] + at[bone[1] * STRIDE + 2]) / 2;
    } else if (index === HEAD) depth = at[(body.data.head ?? 0) * STRIDE + 2];
    else if (index === CHEST) depth = this.chests[which].tip[2];
    else {
      const [lead, rear] = body.data.chest ?? [];
      depth = (at[(lead ?? 0) * STRIDE + 2] + at[(rear ?? 0) * STRIDE + 2]) / 2 - 0.05;
    }
    return depth === depth ? depth : 0;
  }

  /** @param {number} which */
  thickness(which) {
    return Math.max(0.7, Math.min(2, (this.camera(which).scale * this.bodies[which].scale) / 160));
  }

  /** @param {number} which */
  drawHead(which) {
    const body = this.bodies[which];
    const { head } = body.data;
    if (typeof head !== "number") return;
    const i = head * STRIDE;
    if (!Number.isFinite(body.screen[i])) return;
    const g = this.context;
    g.fillStyle = this.paper;
    g.strokeStyle = pageTheme.partColor("head");
    g.lineWidth = (which ? 2 : 4) * this.thickness(which);
    g.setLineDash(which ? DASHED : SOLID);
    g.beginPath();
    g.arc(body.screen[i], body.screen[i + 1], HEAD_RADIUS_M * body.scale * this.camera(which).scale * body.screen[i + 3], 0, 2 * Math.PI);
    g.fill();
    g.stroke();
    g.setLineDash(SOLID);
  }

  /**
   * The letter of a body above its head.
   * @param {number} which
   */
  drawLetter(which) {
    const body = this.bodies[which];
    const { head } = body.data;
    if (!body.letter || typeof head !== "number") return;
    const i = head * STRIDE;
    if (!Number.isFinite(body.screen[i])) return;
    const g = this.context;
    const x = body.screen[i];
    const y = body.screen[i + 1];
    g.font = this.bold;
    g.textAlign = "center";
    g.fillStyle = pageTheme.token("ink");
    // Heads over each other: both letters are read, A to the left of B.
    const aside = this.isApart ? 0 : (which ? 1 : -1) * this.fontSize * 0.7;
    const above = HEAD_RADIUS_M * body.scale * this.camera(which).scale + 8;
    g.fillText(body.letter, x + aside, y - above);
  }

  /**
   * @param {number} which
   * @param {number} index
   */
  drawBone(which, index) {
    const body = this.bodies[which];
    const at = body.screen;
    const bone = body.data.bones[index];
    const i = bone[0] * STRIDE;
    const j = bone[1] * STRIDE;
    const ax = at[i];
    const ay = at[i + 1];
    const bx = at[j];
    const by = at[j + 1];
    if (!Number.isFinite(ax + ay + bx + by)) return;
    const thick = this.thickness(which);
    const width = (WIDTH[bone[2]] ?? USUAL_WIDTH) * thick * (0.5 + 0.5 * at[i + 3]);
    const color = this.colors[which][index];
    if (which) {
      // The second body is outlined: a tube in its color, hollow inside.
      this.stroke(ax, ay, bx, by, color, width + 1.5, "round");
      this.stroke(ax, ay, bx, by, this.paper, Math.max(1, width - 2), "round");
      return;
    }
    // A rim in the color of the ground keeps crossing limbs apart; it ends short of the
    // joints, where limbs should meet.
    const dx = 0.14 * (bx - ax);
    const dy = 0.14 * (by - ay);
    this.stroke(ax + dx, ay + dy, bx - dx, by - dy, this.paper, width + 4 * thick, "butt");
    this.stroke(ax, ay, bx, by, color, width, "round");
  }

  /**
   * @param {number} ax
   * @param {number} ay
   * @param {number} bx
   * @param {number} by
   * @param {string} color
   * @param {number} width
   * @param {CanvasLineCap} cap
   */
  stroke(ax, ay, bx, by, color, width, cap) {
    const g = this.context;
    g.strokeStyle = color;
    g.lineWidth = width;
    g.lineCap = cap;
    g.beginPath();
    g.moveTo(ax, ay);
    g.lineTo(bx, by);
    g.stroke();
  }
}
