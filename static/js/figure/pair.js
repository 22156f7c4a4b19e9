// @ts-check
// What two figures need beside their time: how they are placed, how large they are, what
// ghost stands behind them, and that address and form of the page hold all of it.

import { CHOICES, addressWith, cameraOf, chosenIn, saidOf } from "./address.js";

/** How long the figure rests before a turn is written: browsers let no address change for each move. */
const REST_MS = 300;

/**
 * Writes how far the second body is moved in each of its frames, so that the two meet.
 * @param {FigureBody} a which stays where it is
 * @param {FigureBody} b
 * @param {string} how by hips, by the front foot at foot down, or by the plate; by hips where
 *   a file does not tell where the pitcher is, since there is no plate then
 * @param {boolean} [follows] whether hips meet in every frame, or at the common zero alone
 */
export const place = (a, b, how, follows = true) => {
  b.shifts.fill(0);
  const [here, there] = [[0, 0, 0], [0, 0, 0]];
  let [x, y] = [0, 0];
  const plates = how === "plate" ? platesOf(a, b) : null;
  if (plates) {
    fillShifts(b, plates[0][0] - plates[1][0], plates[0][1] - plates[1][1]);
    return;
  }
  if (how === "foot") {
    const [footA, footB] = [a.data.front_foot?.[0], b.data.front_foot?.[0]];
    if (footA !== undefined && footB !== undefined) {
      a.positionInto(frameOfFootDown(a), footA, here);
      b.positionInto(frameOfFootDown(b), footB, there);
      if (Number.isFinite(here[0] + there[0])) [x, y] = [here[0] - there[0], here[1] - there[1]];
    }
    fillShifts(b, x, y);
    return;
  }
  const [hipsA, hipsB] = [a.data.chest?.[2], b.data.chest?.[2]];
  if (typeof hipsA !== "number" || typeof hipsB !== "number") return;
  for (let frame = 0; frame < b.frames; frame++) {
    const common = follows ? b.commonTime(b.data.start_s + frame * b.data.dt_s) : 0;
    a.positionInto(a.frameNear(a.zero_s + common * a.per), hipsA, here);
    b.positionInto(follows ? frame : b.frameNear(b.zero_s), hipsB, there);
    // What is written already must not count twice.
    const at = follows ? frame : b.frameNear(b.zero_s);
    there[0] -= b.shifts[at * 2];
    there[1] -= b.shifts[at * 2 + 1];
    // Hips that were not measured for a moment stay where they were.
    if (Number.isFinite(here[0] + there[0])) [x, y] = [here[0] - there[0], here[1] - there[1]];
    b.shifts[frame * 2] = x;
    b.shifts[frame * 2 + 1] = y;
  }
};

/**
 * The middles of both plates; null where a file does not tell where the pitcher is.
 * @param {FigureBody} a
 * @param {FigureBody} b
 */
const platesOf = (a, b) => {
  if ([a, b].some(({ data }) => data.has_forward === false)) return null;
  const [plateA, plateB] = [a.plateMiddle(), b.plateMiddle()];
  return plateA && plateB ? [plateA, plateB] : null;
};

/**
 * @param {FigureBody} body
 * @param {number} x
 * @param {number} y
 */
const fillShifts = (body, x, y) => {
  for (let frame = 0; frame < body.frames; frame++) {
    body.shifts[frame * 2] = x;
    body.shifts[frame * 2 + 1] = y;
  }
};

/**
 * The frame of foot down; without that event the frame of the common zero.
 * @param {FigureBody} body
 */
const frameOfFootDown = (body) => {
  const time = body.eventTime("foot_down") ?? 0;
  return body.frameNear(body.zero_s + time * body.per);
};

/**
 * The name of the event that a hitter passed last; null before the first.
 * @param {FigureBody} body
 * @param {number} time in common time
 * @param {number} close how near before an event one is at it already
 */
export const lastEvent = (body, time, close) => {
  let [name, latest] = ["", -Infinity];
  for (const event of body.events) {
    const at = body.commonTime(event.time_s);
    if (at <= time + close && at > latest) [name, latest] = [event.name, at];
  }
  return name || null;
};

export class Pair {
  /**
   * @param {FigurePlayer} player
   * @param {PairData} data
   */
  constructor(player, data) {
    this.player = player;
    this.size = data.size ?? 1;
    this.chosen = chosenIn(window.location.search);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.resting = undefined;
    const [a, b] = player.bodies;
    // Who bats from the other side is drawn mirrored, so that both face the same way.
    b.isMirrored = a.data.side !== b.data.side;
    /** @type {HTMLInputElement[]} */
    this.inputs = [...player.element.querySelectorAll("input[data-figure3d-option]")].map((one) => /** @type {any} */ (one));
    // An address may ask for the plate where there is none.
    const places = this.inputs.filter((one) => one.dataset.figure3dOption === "place").map(({ value }) => value);
    if (!places.includes(this.chosen.place)) this.chosen.place = CHOICES.place[0];
    this.listen();
    this.apply();
  }

  get view() {
    return this.chosen.view;
  }

  listen() {
    for (const input of this.inputs) {
      const name = input.dataset.figure3dOption ?? "";
      input.checked = this.chosen[name] === input.value;
      input.addEventListener("change", () => {
        if (input.type === "checkbox")
          this.chosen[name] = input.checked ? input.value : (CHOICES[name].find((one) => one !== input.value) ?? "");
        else this.chosen[name] = input.value;
        this.apply();
        this.keep();
      });
    }
  }

  /** Draws as is chosen. */
  apply() {
    const { bodies, painter } = this.player;
    const [a, b] = bodies;
    b.scale = this.chosen.size === "same" ? this.size : 1;
    const isApart = this.chosen.fig === "side";
    // Apart each stands on a ground of its own, where no foot should slide.
    place(a, b, this.chosen.place, !isApart);
    painter.standApart(isApart);
    painter.measure();
    this.player.ask();
  }

  /** Where a hand has turned the figure; null where it stands as a named view shows it. */
  get camera() {
    return cameraOf(this.chosen.camera);
  }

  /** Writes what is chosen when the hand that turns the figure has come to rest. */
  keepSoon() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.keep(), REST_MS);
  }

  /**
   * Writes what is chosen into the address, so that reload, back and a sent link keep it,
   * and into the form that saves the comparison.
   */
  keep() {
    clearTimeout(this.resting);
    const { player, chosen } = this;
    chosen.camera = player.view && player.zoom === 1 ? "" : saidOf(player);
    // Where a hand has turned it, the name of the view says nothing more.
    chosen.view = chosen.camera ? CHOICES.view[0] : player.view;
    const { pathname, search, hash } = window.location;
    const address = addressWith(pathname + search, chosen);
    window.history.replaceState(window.history.state, "", address + hash);
    const said = new URLSearchParams(address.split("?")[1]);
    for (const input of document.querySelectorAll("input[data-figure3d-kept]"))
      if (input instanceof HTMLInputElement) input.value = said.get(input.name) ?? "";
  }

  /** Forgets a turn that is not written yet. */
  stop() {
    clearTimeout(this.resting);
  }

  /**
   * The frame of a body that is drawn as its ghost: where it is at its own event, when the
   * other is at or after theirs. −1 for none.
   * @param {number} which
   */
  ghostFrame(which) {
    if (this.chosen.ghosts !== "on") return -1;
    const { bodies, painter, time, clock } = this.player;
    if (!which && !painter.isApart) return -1;
    const name = lastEvent(bodies[1 - which], time, clock.step * 0.6);
    if (!name) return -1;
    const at = bodies[which].eventTime(name);
    return at === null ? -1 : bodies[which].frameAt(at);
  }
}
