// @ts-check
// Time of the stick figure: playing, stepping, scrubbing, and what is said of the moment.

import { svgElement, tellTime } from "../shared/page.js";
import { anglesOf } from "./geometry.js";
import { Painter } from "./painter.js";

/** Speeds of playing, as share of the real one and as label. @type {[number, string][]} */
const SPEEDS = [
  [0.25, "¼×"],
  [0.5, "½×"],
  [1, "1×"],
  [0.125, "⅛×"],
];
const LEAD_IN_S = 0.3; // playing begins this long before the first event
const PLAY = "M6 3.5v13l11-6.5z";
const PAUSE = "M5 3.5h4v13H5zM11 3.5h4v13h-4z";
/** Turns by the arrow keys: right and up. @type {Record<string, [number, number]>} */
const TURNS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class Player {
  /**
   * @param {HTMLElement} element
   * @param {FigureData} data
   */
  constructor(element, data) {
    this.element = element;
    this.data = data;
    /**
     * @param {string} name
     * @returns {any}
     */
    const get = (name) => element.querySelector(`[data-figure3d-${name}]`);
    /** @type {HTMLCanvasElement} */
    this.canvas = get("canvas");
    /** @type {HTMLButtonElement} */
    this.playButton = get("play");
    /** @type {SVGPathElement} */
    this.icon = get("icon");
    /** @type {HTMLInputElement} */
    this.scrub = get("scrub");
    /** @type {HTMLElement} */
    this.live = get("live");
    /** @type {SVGElement} */
    this.ticks = get("ticks");
    /** @type {HTMLButtonElement} */
    this.speedButton = get("speed");
    /** @type {HTMLButtonElement[]} */
    this.viewButtons = [...element.querySelectorAll("button[data-figure3d-view]")].map((one) => /** @type {any} */ (one));
    this.clock = document.createTextNode("");
    this.momentElement = document.createElement("span");
    this.momentElement.className = "figure3d__event";
    get("time").replaceChildren(this.clock, this.momentElement);
    this.scrub.max = String(data.n_frames - 1);

    this.painter = new Painter(this.canvas, data);
    this.events = (data.events || []).map((event) => ({ ...event })).sort((a, b) => a.time_s - b.time_s);
    this.zero = data.zero_s ?? data.start_s;
    this.time = this.inside(this.zero);
    this.speed = 0;
    this.playing = false;
    this.touched = false;
    this.draws = 0;
    this.azimuth = 0;
    this.elevation = 0;
    /** @type {number | null} */
    this.asked = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.speaking = undefined;
    this.sizes = new ResizeObserver(() => this.ask());
    this.look("side");
    this.listen();
    this.showTicks();
    this.show(false);
  }

  get end() {
    return this.data.start_s + (this.data.n_frames - 1) * this.data.dt_s;
  }

  get frame() {
    const frame = Math.round((this.time - this.data.start_s) / this.data.dt_s);
    return Math.min(Math.max(frame, 0), this.data.n_frames - 1);
  }

  /**
   * The moment of the swing that is nearest to a time.
   * @param {number} time
   */
  inside(time) {
    return Math.min(Math.max(time, this.data.start_s), this.end);
  }

  // --- Where it is seen from ------------------------------------------------------

  /** @param {string | undefined} view front, side or top */
  look(view) {
    Object.assign(this, anglesOf(view, this.data.side));
    for (const button of this.viewButtons)
      button.setAttribute("aria-pressed", String(button.dataset.figure3dView === view));
    this.ask();
  }

  /**
   * @param {number} azimuth in radians
   * @param {number} elevation in radians
   */
  turn(azimuth, elevation) {
    this.azimuth += azimuth;
    this.elevation = Math.min(Math.PI / 2, Math.max(-0.1, this.elevation + elevation));
    for (const button of this.viewButtons) button.setAttribute("aria-pressed", "false");
    this.ask();
  }

  // --- Drawing ----------------------------------------------------------------------

  /** Draws with the screen's next picture. */
  ask() {
    this.asked ??= requestAnimationFrame(() => this.draw());
  }

  /** Draws at once, whatever was asked for. */
  draw() {
    if (this.asked !== null) cancelAnimationFrame(this.asked);
    this.asked = null;
    if (!this.painter.draw(this.frame, this)) return;
    this.draws += 1;
    this.element.dataset.drawn = "true";
  }

  /** Draws in the look of the page, at once: a printer does not wait for the next frame. */
  restyle() {
    this.painter.restyle();
    this.draw();
  }

  // --- Time -------------------------------------------------------------------------

  /** The shown moment as text: "−148 ms". */
  words() {
    const ms = Math.round((this.time - this.zero) * 1000);
    return `${ms < 0 ? "−" : ms > 0 ? "+" : ""}${Math.abs(ms)} ms`;
  }

  /** Label of the event of the moment: of the last one passed, for as long as it is near. */
  moment() {
    const near = this.events.filter((event) => Math.abs(event.time_s - this.time) < 0.6 * this.data.dt_s + 0.004);
    return near.length ? near[near.length - 1].label : "";
  }

  /** The moment for a screen reader: "−148 ms from peak hand speed, FD". */
  spoken() {
    const from = this.data.reference_label ? ` from ${this.data.reference_label}` : "";
    const moment = this.moment();
    return `${this.words()}${from}${moment ? `, ${moment}` : ""}`;
  }

  /** @param {boolean} announce whether a screen reader is told */
  show(announce) {
    this.scrub.value = String(this.frame);
    this.clock.nodeValue = this.words();
    const isZero = Math.abs(this.time - this.zero) < this.data.dt_s;
    const beside = this.moment() || (isZero ? this.data.reference_label || "" : "");
    if (this.momentElement.textContent !== beside) this.momentElement.textContent = beside;
    // Nobody can listen to sixty times a second; it is said when the swing rests.
    if (!this.playing) this.scrub.setAttribute("aria-valuetext", this.spoken());
    if (announce) {
      const spoken = this.spoken();
      clearTimeout(this.speaking);
      this.speaking = setTimeout(() => (this.live.textContent = spoken), 400);
    }
    this.ask();
  }

  /**
   * Shows another moment.
   * @param {number} time on the clock of the file, in seconds
   * @param {{announce?: boolean, tell?: boolean}} [options] tell: whether charts follow
   */
  moveTo(time, { announce = true, tell = true } = {}) {
    this.time = this.inside(time);
    this.touched = true;
    this.show(announce);
    if (tell) tellTime(this.time, this.element.id);
  }

  /** @param {number} steps frames, backward where negative */
  step(steps) {
    this.pause();
    this.moveTo(this.data.start_s + (this.frame + steps) * this.data.dt_s);
  }

  play() {
    const atEnd = this.frame >= this.data.n_frames - 1;
    if (atEnd || !this.touched) {
      const first = this.events.length ? this.events[0].time_s - LEAD_IN_S : this.data.start_s;
      this.time = Math.max(this.data.start_s, first);
    }
    this.touched = true;
    this.playing = true;
    this.showPlaying();
    /** @type {number | null} */
    let before = null;
    /** @param {number} now */
    const next = (now) => {
      if (!this.playing || !this.element.isConnected) return;
      const passed = before === null ? 0 : Math.min(now - before, 100) / 1000;
      before = now;
      this.moveTo(this.time + passed * SPEEDS[this.speed][0], { announce: false });
      this.draw(); // this is the screen's next picture already
      if (this.time >= this.end) this.pause();
      else requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.showPlaying();
    this.show(true);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  showPlaying() {
    this.icon.setAttribute("d", this.playing ? PAUSE : PLAY);
    this.playButton.setAttribute("aria-label", this.playing ? "Pause" : "Play");
  }

  /** Draws a tick on the time slider for each event. */
  showTicks() {
    const length = this.end - this.data.start_s;
    const ticks = this.events.map(({ time_s }) => {
      const x = ((time_s - this.data.start_s) / length) * 1000;
      return svgElement("line", { x1: x, x2: x, y1: 0, y2: 10 });
    });
    this.ticks.replaceChildren(...ticks);
  }

  /**
   * Moves the tick of an event.
   * @param {string} name
   * @param {number} time_s
   */
  moveEvent(name, time_s) {
    const moved = this.events.find((one) => one.name === name);
    if (!moved) return;
    moved.time_s = time_s;
    this.showTicks();
  }

  // --- Hands and keys ---------------------------------------------------------------

  listen() {
    this.playButton.addEventListener("click", () => this.toggle());
    /** @type {NodeListOf<HTMLElement>} */
    const stepButtons = this.element.querySelectorAll("[data-figure3d-step]");
    for (const button of stepButtons)
      button.addEventListener("click", () => this.step(Number(button.dataset.figure3dStep)));
    for (const button of this.viewButtons)
      button.addEventListener("click", () => this.look(button.dataset.figure3dView));
    this.speedButton.addEventListener("click", () => {
      this.speed = (this.speed + 1) % SPEEDS.length;
      const label = this.speedButton.lastElementChild;
      if (label) label.textContent = SPEEDS[this.speed][1];
    });
    this.scrub.addEventListener("input", () => {
      this.pause();
      this.moveTo(this.data.start_s + Number(this.scrub.value) * this.data.dt_s);
    });
    this.listenToTurns();
    this.sizes.observe(this.canvas);
  }

  listenToTurns() {
    /** @type {[number, number] | null} */
    let last = null;
    this.canvas.addEventListener("pointerdown", (event) => {
      last = [event.clientX, event.clientY];
      this.canvas.setPointerCapture(event.pointerId);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      this.turn((last[0] - event.clientX) * 0.01, (event.clientY - last[1]) * 0.008);
      last = [event.clientX, event.clientY];
    });
    for (const name of ["pointerup", "pointercancel"])
      this.canvas.addEventListener(name, () => (last = null));
    this.canvas.addEventListener("keydown", (event) => {
      if (!event.shiftKey || !Object.hasOwn(TURNS, event.key)) return;
      const [right, up] = TURNS[event.key];
      event.preventDefault();
      this.turn(right * 0.12, up * 0.1);
    });
  }

  /** Ends all that runs by itself, before the figure leaves the page. */
  stop() {
    this.playing = false;
    this.sizes.disconnect();
    if (this.asked !== null) cancelAnimationFrame(this.asked);
    clearTimeout(this.speaking);
  }
}
