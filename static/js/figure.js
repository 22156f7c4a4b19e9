// @ts-check
// Draws every [data-figure3d]: a stick figure with bat on a canvas, in step with the
// charts (docs/design.md, "3-D figure"). The parts are in figure/.

import { NAMES, addressWith } from "./figure/address.js";
import { Player } from "./figure/player.js";
import { whileOnPage } from "./shared/page.js";
import { forgetTokens } from "./shared/tokens.js";

/** @type {Set<Player>} */
const players = new Set();

/** @param {HTMLElement} element */
const start = (element) => {
  if (element.swingFigure) return;
  const source = document.getElementById(element.dataset.figureId ?? "");
  if (!source) return;
  element.swingFigure = new Player(element, JSON.parse(source.textContent ?? ""));
  players.add(element.swingFigure);
};

/** @param {HTMLElement} element */
const stop = (element) => {
  const player = element.swingFigure;
  if (!player) return;
  player.stop();
  players.delete(player);
};

document.addEventListener("swing:time", (event) => {
  for (const player of players) {
    if (event.detail.source === player.element.id) continue;
    player.pause({ tell: false });
    player.moveTo(event.detail.time_s, { announce: false, tell: false });
  }
});

document.addEventListener("swing:control", ({ detail }) => {
  const [player] = players;
  if (detail.action === "toggle") player?.toggle();
  if (detail.action === "step") player?.step(detail.steps ?? 0);
  if (detail.action === "event") player?.stepEvent(detail.steps ?? 0);
});

document.addEventListener("swing:event-moved", ({ detail }) => {
  for (const player of players) player.moveEvent(detail.event, detail.time_s);
});

document.addEventListener("theme:change", () => {
  forgetTokens();
  for (const player of players) player.restyle();
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) for (const player of players) player.pause();
});

// What is chosen for two figures stays in the address when the page asks for another
// comparison.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  const { pair } = [...players].find((player) => player.pair) ?? {};
  const url = new URL(detail.path, window.location.href);
  if (!pair || detail.verb !== "get" || url.pathname !== window.location.pathname) return;
  detail.path = addressWith(url.pathname + url.search, pair.chosen);
  for (const name of NAMES) delete detail.parameters[name];
});

whileOnPage("[data-figure3d]", start, stop);
