// @ts-check
// Messages at the lower right, for what has no better place.

import { svgElement } from "./page.js";

const icon = () => {
  const svg = svgElement("svg", {
    class: "alert__mark",
    viewBox: "0 0 20 20",
    fill: "none",
    stroke: "currentColor",
    "stroke-width": "1.75",
    "aria-hidden": "true",
  });
  svg.append(svgElement("path", { d: "M10 2.5 18.5 17h-17zM10 8v4M10 14.5v.1" }));
  return svg;
};

/**
 * Takes the messages of this title away: they are true no more.
 * @param {string} title
 */
export const takeAway = (title) => {
  for (const old of document.querySelectorAll("#toasts > .alert"))
    if (old instanceof HTMLElement && old.dataset.title === title) old.remove();
};

/**
 * Shows a message until it is closed.
 * @param {string} title
 * @param {string} text
 */
export const toast = (title, text) => {
  const box = document.getElementById("toasts");
  if (!box) return;
  // The same trouble twice (a poll, say) is one message.
  takeAway(title);
  const alert = document.createElement("div");
  alert.className = "alert alert--error";
  alert.dataset.title = title;
  const body = document.createElement("div");
  body.className = "alert__body";
  const head = document.createElement("p");
  head.className = "alert__title";
  head.textContent = title;
  const say = document.createElement("p");
  say.textContent = text;
  body.append(head, say);
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", "Close this message");
  close.addEventListener("click", () => alert.remove());
  alert.append(icon(), body, close);
  box.append(alert);
};
