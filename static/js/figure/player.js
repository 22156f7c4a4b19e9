// @ts-check
// Time of the stick figure, or of two in step: playing, stepping, scrubbing, and what is
// said of the moment. What two need beside that is in pair.js.

import { svgElement, tellTime } from "../shared/page.js";
import { Body } from "./body.js";
import { anglesOf } from "./geometry.js";
import { Painter } from "./painter.js";
import { Pair } from "./pair.js";
import { inRange, listenToTurns } from "./turning.js";

/** Speeds of playing, as share of the real one and as label. @type {[number, string][]} */
const SPEEDS = [
  [0.5, "½×"],
  [0.25, "¼×"],
  [0.125, "⅛×"],
  [1, "1×"],
];
const PLAY = "M6 3.5v13l11-6.5z";
const PAUSE = "M5 3.5h4v13H5zM11 3.5h4v13h-4z";
/** Nearer than this to an event one is at it, in frames. */
const AT_EVENT = 0.6;
/** With how many pictures of a swing that plays words are written once: nobody reads more. */
const PICTURES_A_WORD = 4;

export class Player {
  /**
   * @param {HTMLElement} element
   * @param {FigureData | PairData} data
   */
  constructor(element, data) {
    this.element = element;
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
    this.clockWords = document.createTextNode("");
    this.momentElement = document.createElement("span");
    this.momentElement.className = "figure3d__event";
    get("time").replaceChildren(this.clockWords, this.momentElement);

    const isPair = "bodies" in data;
    this.bodies = isPair ? data.bodies.map((body) => new Body(body, body.clock)) : [new Body(data)];
    this.clock = isPair ? data.clock : clockOf(data);
    this.frameCount = Math.round((this.clock.end - this.clock.start) / this.clock.step) + 1;
    this.scrub.max = String(this.frameCount - 1);
    this.painter = new Painter(this.canvas, this.bodies);
    this.shown = { frames: this.bodies.map(() => -1), ghosts: this.bodies.map(() => -1) };
    this.time = this.inside(this.clock.first);
    this.speed = 0;
    this.playing = false;
    /** Pictures of the playing swing. */
    this.played = 0;
    this.draws = 0;
    this.azimuth = 0;
    this.elevation = 0;
    this.zoom = 1;
    this.view = "";
    /** @type {number | null} */
    this.asked = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.speaking = undefined;
    this.sizes = new ResizeObserver(() => this.ask());
    this.pair = isPair ? new Pair(this, data) : null;
    this.look(this.pair?.view || "open");
    if (this.pair?.camera) this.turnTo(this.pair.camera);
    this.listen();
    this.showTicks();
    this.show(false);
  }

  /** The frame that is shown, counted from the clock's start. */
  get frame() {
    const frame = Math.round((this.time - this.clock.start) / this.clock.step);
    return Math.min(Math.max(frame, 0), this.frameCount - 1);
  }

  /** Events of the first hitter in common time, as they happen. */
  get events() {
    const [body] = this.bodies;
    return body.events
      .map(({ name, label, time_s }) => ({ name, label, time: body.commonTime(time_s) }))
      .sort((one, two) => one.time - two.time);
  }

  /**
   * The moment on the clock that is nearest to a time.
   * @param {number} time
   */
  inside(time) {
    return Math.min(Math.max(time, this.clock.start), this.clock.end);
  }

  // --- Where it is seen from ------------------------------------------------------

  /** @param {string | undefined} view behind, pitcher, open, closed or top */
  look(view) {
    Object.assign(this, anglesOf(view, this.bodies[0].side));
    this.zoom = 1;
    this.view = view ?? "";
    this.showView();
  }

  showView() {
    for (const button of this.viewButtons)
      button.setAttribute("aria-pressed", String(button.dataset.figure3dView === this.view));
    this.ask();
  }

  /**
   * @param {number} azimuth in radians
   * @param {number} elevation in radians
   */
  turn(azimuth, elevation) {
    this.turnTo({ azimuth: this.azimuth + azimuth, elevation: this.elevation + elevation, zoom: this.zoom });
    this.pair?.keepSoon();
  }

  /** @param {{azimuth: number, elevation: number, zoom: number}} camera no named view any more */
  turnTo({ azimuth, elevation, zoom }) {
    this.azimuth = azimuth;
    this.elevation = Math.min(Math.PI / 2, Math.max(-0.1, elevation));
    this.zoom = inRange(zoom);
    this.view = "";
    this.showView();
  }

  /** @param {number} factor */
  enlarge(factor) {
    this.zoom = inRange(this.zoom * factor);
    this.ask();
    this.pair?.keepSoon();
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
    const { frames, ghosts } = this.shown;
    for (let which = 0; which < this.bodies.length; which++) {
      frames[which] = this.bodies[which].frameAt(this.time);
      ghosts[which] = this.pair ? this.pair.ghostFrame(which) : -1;
    }
    if (!this.painter.draw(this.shown, this)) return;
    this.draws += 1;
    this.element.dataset.drawn = "true";
  }

  /** Draws in the look of the page, at once: a printer does not wait for the next frame. */
  restyle() {
    this.painter.restyle();
    this.draw();
  }

  // --- Time -------------------------------------------------------------------------

  /** The shown moment as text: "−148 ms", "40%". */
  words() {
    const isPercent = this.clock.unit === "%";
    const value = Math.round((this.time - this.clock.zero) * this.clock.per);
    return `${value < 0 ? "−" : value > 0 && !isPercent ? "+" : ""}${Math.abs(value)}${isPercent ? "%" : " ms"}`;
  }

  /**
   * Label of the event at which a hitter is; empty where they are at none.
   * @param {FigureBody} body
   */
  eventOf(body) {
    let label = "";
    for (const event of body.events)
      if (Math.abs(body.commonTime(event.time_s) - this.time) < AT_EVENT * this.clock.step + 1e-6) label = event.label;
    return label;
  }

  /** What happens at the moment: "Foot down", "A: Foot down · B: First move". */
  moment() {
    if (!this.pair) return this.eventOf(this.bodies[0]);
    return this.bodies
      .map((body) => ({ letter: body.letter, label: this.eventOf(body) }))
      .filter(({ label }) => label)
      .map(({ letter, label }) => `${letter}: ${label}`)
      .join(" · ");
  }

  /** The moment for a screen reader: "−148 ms from peak hand speed, Foot down". */
  spoken() {
    const from = this.clock.zero_label ? ` from ${this.clock.zero_label}` : "";
    const moment = this.moment();
    return `${this.words()}${from}${moment ? `, ${moment}` : ""}`;
  }

  /**
   * Shows the moment: words, slider and, with the screen's next picture, the figure.
   * @param {boolean} announce whether a screen reader is told
   */
  show(announce) {
    this.scrub.value = String(this.frame);
    this.clockWords.nodeValue = this.words();
    const isZero = Math.abs(this.time - this.clock.zero) < this.clock.step / 2;
    const beside = this.moment() || (isZero ? this.clock.zero_label : "");
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
   * @param {number} time in common time; on the clock of the file where one swing is shown
   * @param {{announce?: boolean, tell?: boolean}} [options] tell: whether charts follow
   */
  moveTo(time, { announce = true, tell = true } = {}) {
    this.time = this.inside(time);
    this.show(announce);
    if (tell) tellTime(this.time, this.element.id);
  }

  /**
   * Shows another moment of a swing that plays. Words and slider are renewed with one of
   * four pictures: a changed word has the browser lay out and paint the page anew, which
   * takes it longer than drawing the figure. Counted and not timed, so that a slow machine
   * is spared too.
   * @param {number} time
   */
  playTo(time) {
    const isWritten = this.played % PICTURES_A_WORD === 0;
    this.played += 1;
    this.time = this.inside(time);
    if (isWritten) this.show(false);
    tellTime(this.time, this.element.id, isWritten);
    this.draw(); // this is the screen's next picture already
  }

  /** @param {number} steps frames, backward where negative */
  step(steps) {
    this.pause();
    this.moveTo(this.clock.start + (this.frame + steps) * this.clock.step);
  }

  /**
   * Goes to the next event, or to the one before.
   * @param {number} steps 1 or −1
   */
  stepEvent(steps) {
    this.pause();
    const close = this.clock.step * AT_EVENT;
    const times = this.events.map((event) => event.time);
    if (steps < 0) times.reverse();
    const next = times.find((time) => (time - this.time) * steps > close);
    this.moveTo(next ?? (steps > 0 ? this.clock.end : this.clock.start));
  }

  /**
   * Goes to an event of the first hitter; stays where there is none of that name.
   * @param {string | undefined} name
   */
  goTo(name) {
    const time = this.bodies[0].eventTime(name ?? "");
    if (time === null) return;
    this.pause();
    this.moveTo(time);
  }

  play() {
    if (this.frame >= this.frameCount - 1) this.time = this.inside(this.clock.first);
    this.playing = true;
    this.played = 0;
    this.showPlaying();
    /** @type {number | null} */
    let before = null;
    const per_s = 1 / this.bodies[0].per;
    /** @param {number} now */
    const next = (now) => {
      if (!this.playing || !this.element.isConnected) return;
      const passed = before === null ? 0 : Math.min(now - before, 100) / 1000;
      before = now;
      this.playTo(this.time + passed * per_s * SPEEDS[this.speed][0]);
      if (this.time >= this.clock.end) this.pause();
      else requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  }

  /**
   * Stops playing, and writes what was not written of the last pictures.
   * @param {{tell?: boolean}} [options] tell: whether charts follow
   */
  pause({ tell = true } = {}) {
    if (!this.playing) return;
    this.playing = false;
    this.showPlaying();
    this.moveTo(this.time, { tell });
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
    const length = this.clock.end - this.clock.start;
    const ticks = this.bodies.flatMap((body, which) =>
      body.events.map(({ time_s }) => {
        const x = ((body.commonTime(time_s) - this.clock.start) / length) * 1000;
        return svgElement("line", { x1: x, x2: x, y1: which ? 5 : 0, y2: this.pair && !which ? 5 : 10 });
      }),
    );
    this.ticks.replaceChildren(...ticks);
  }

  /**
   * Moves the tick of an event.
   * @param {string} name
   * @param {number} time_s
   */
  moveEvent(name, time_s) {
    const moved = this.bodies[0].events.find((one) => one.name === name);
    if (!moved || this.pair) return;
    moved.time_s = time_s;
    this.showTicks();
  }

  // --- Hands and keys ---------------------------------------------------------------

  /**
   * Calls back with what a button of this kind says.
   * @param {string} kind
   * @param {(value: string) => void} callback
   */
  onButtons(kind, callback) {
    for (const button of this.element.querySelectorAll(`button[data-figure3d-${kind}]`))
      button.addEventListener("click", () => callback(button.getAttribute(`data-figure3d-${kind}`) ?? ""));
  }

  listen() {
    this.playButton.addEventListener("click", () => this.toggle());
    this.onButtons("step", (value) => this.step(Number(value)));
    this.onButtons("event", (value) => this.stepEvent(Number(value)));
    this.onButtons("go", (value) => this.goTo(value));
    this.onButtons("view", (value) => {
      this.look(value);
      this.pair?.keep();
    });
    this.speedButton.addEventListener("click", () => {
      this.speed = (this.speed + 1) % SPEEDS.length;
      const label = this.speedButton.lastElementChild;
      if (label) label.textContent = SPEEDS[this.speed][1];
    });
    this.scrub.addEventListener("input", () => {
      this.pause();
      this.moveTo(this.clock.start + Number(this.scrub.value) * this.clock.step);
    });
    listenToTurns(this.canvas, this);
    this.canvas.addEventListener("keydown", (event) => {
      if (event.key !== "0" || event.ctrlKey || event.metaKey) return;
      this.zoom = 1;
      this.ask();
      this.pair?.keepSoon();
    });
    this.sizes.observe(this.canvas);
  }

  /** Ends all that runs by itself, before the figure leaves the page. */
  stop() {
    this.playing = false;
    this.sizes.disconnect();
    this.pair?.stop();
    if (this.asked !== null) cancelAnimationFrame(this.asked);
    clearTimeout(this.speaking);
  }
}

/**
 * The clock of one swing: that of its file.
 * @param {FigureData} data
 * @returns {FigureClock}
 */
const clockOf = (data) => ({
  start: data.start_s,
  end: data.start_s + (data.n_frames - 1) * data.dt_s,
  step: data.dt_s,
  first: data.first_s ?? data.start_s,
  zero: data.zero_s ?? data.start_s,
  zero_label: data.reference_label ?? "",
  unit: data.unit ?? "ms",
  per: data.per_s ?? 1000,
});
