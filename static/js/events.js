// @ts-check
// Moves the events of a swing: drag a line of an editable chart, step it with the arrow
// keys, or type into the form. All three say the same swing:event-moved, so charts,
// figure and form agree. The form is in ms from the zero of the charts; it asks the server
// what would change, and that answer saves it.

import { tellEventMoved, tellTime } from "./shared/page.js";

/**
 * @param {string} name
 * @returns {HTMLInputElement | null}
 */
const inputFor = (name) => document.querySelector(`[data-event-form] input[name="${CSS.escape(name)}"]`);

/** Where the zero of the form is, in seconds on the clock of the file. */
const zero_s = () => Number(inputFor("zero_s")?.value ?? 0);

/** @param {number} time_s on the clock of the file */
const inMs = (time_s) => Math.round(1000 * (time_s - zero_s()));

/** @param {number} ms from the zero of the form */
const inSeconds = (ms) => zero_s() + ms / 1000;

/**
 * The movable line that was hit, with its chart.
 * @param {EventTarget | null} target
 */
const lineAt = (target) => {
  /** @type {SVGGElement | null} */
  const group = target instanceof Element ? target.closest(".chart__event--movable") : null;
  /** @type {HTMLElement | null | undefined} */
  const element = group?.closest("[data-chart]");
  const chart = element?.swingChart;
  const name = group?.dataset.event;
  return group && chart && name ? { group, chart, name } : null;
};

// --- By hand ----------------------------------------------------------------------------

/**
 * What is dragged, and how far from the line it was taken, in seconds.
 * @type {{group: SVGGElement, chart: ChartView, name: string, beside_s: number, time_s: number | null} | null}
 */
let drag = null;

document.addEventListener(
  "pointerdown",
  (event) => {
    const line = lineAt(event.target);
    if (!line || event.button > 0) return;
    event.preventDefault();
    event.stopPropagation();
    const [under, at] = [line.chart.timeFromClientX(event.clientX), line.chart.eventTime(line.name)];
    drag = { ...line, beside_s: under === null || at === null ? 0 : under - at, time_s: null };
    line.group.classList.add("is-dragged");
    line.group.setPointerCapture(event.pointerId);
    line.group.focus();
  },
  true,
);

document.addEventListener(
  "pointermove",
  (event) => {
    if (!drag) return;
    event.stopPropagation();
    const under = drag.chart.timeFromClientX(event.clientX);
    if (under === null) return;
    const time_s = under - drag.beside_s;
    drag.time_s = time_s;
    tellEventMoved({ event: drag.name, time_s, final: false });
    tellTime(time_s, "event");
  },
  true,
);

const release = () => {
  if (!drag) return;
  drag.group.classList.remove("is-dragged");
  if (drag.time_s !== null) tellEventMoved({ event: drag.name, time_s: drag.time_s, final: true });
  drag = null;
};
document.addEventListener("pointerup", release, true);
document.addEventListener("pointercancel", release, true);

// On touch, handles are shown once they are asked for.
document.addEventListener("click", ({ target }) => {
  const button = target instanceof Element ? target.closest("[data-chart-move]") : null;
  /** @type {HTMLElement | null | undefined} */
  const chart = button?.closest("[data-chart]");
  if (!button || !chart) return;
  const isMoving = chart.toggleAttribute("data-moving");
  button.setAttribute("aria-pressed", String(isMoving));
});

// --- By keyboard ------------------------------------------------------------------------

document.addEventListener(
  "keydown",
  (event) => {
    const line = lineAt(event.target);
    if (!line || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const from = line.chart.eventTime(line.name);
    if (from === null) return;
    const steps = (event.key === "ArrowLeft" ? -1 : 1) * (event.shiftKey ? 10 : 1);
    const time_s = from + steps * line.chart.step_s;
    tellEventMoved({ event: line.name, time_s, final: true });
    tellTime(time_s, "event");
  },
  true,
);

// --- The form -----------------------------------------------------------------------------

let filling = false;
document.addEventListener("swing:event-moved", ({ detail }) => {
  const input = inputFor(detail.event);
  if (!input || detail.source === "form") return;
  filling = true;
  input.value = String(inMs(detail.time_s));
  input.dispatchEvent(new Event("input", { bubbles: true }));
  if (detail.final) input.dispatchEvent(new Event("change", { bubbles: true }));
  filling = false;
});

document.addEventListener("input", ({ target }) => {
  if (target instanceof Element && target.closest("[data-event-form]")) showMoved();
});

document.addEventListener("input", ({ target: input }) => {
  if (filling || !(input instanceof HTMLInputElement) || !input.closest("[data-event-form]")) return;
  if (input.type !== "number" || input.value === "" || !Number.isFinite(input.valueAsNumber)) return;
  tellEventMoved({ event: input.name, time_s: inSeconds(input.valueAsNumber), final: true, source: "form" });
});

// --- What is moved and not saved yet --------------------------------------------------

const SAME_MS = 0.6; // as in the form: what an input shows is rounded

/** @returns {HTMLInputElement[]} */
const movedInputs = () => {
  /** @type {NodeListOf<HTMLInputElement>} */
  const inputs = document.querySelectorAll("[data-event-form] input[type=number]");
  return [...inputs].filter(
    (input) =>
      input.value !== "" &&
      (input.defaultValue === "" || Math.abs(input.valueAsNumber - Number(input.defaultValue)) > SAME_MS),
  );
};

/** @param {HTMLInputElement} input */
const nameOf = (input) => (input.labels?.[0]?.textContent ?? "").replace(/ \(ms\)$/, "");

/** @param {number} ms */
const msText = (ms) => `${ms < 0 ? "−" : ""}${Math.abs(Math.round(ms))} ms`;

/** @param {HTMLInputElement[]} inputs */
const inWords = (inputs) => {
  if (inputs.length === 0) return "";
  if (inputs.length > 1) return `${inputs.length} events moved, not saved`;
  const [input] = inputs;
  if (input.defaultValue === "") return `${nameOf(input)} set, not saved`;
  return `${nameOf(input)} moved from ${msText(Number(input.defaultValue))} to ${msText(input.valueAsNumber)}, not saved`;
};

const showMoved = () => {
  /** @type {HTMLElement | null} */
  const bar = document.querySelector("[data-moved-bar]");
  const words = bar?.querySelector("[data-moved-words]");
  if (!bar || !words) return;
  const inputs = movedInputs();
  bar.hidden = inputs.length === 0;
  words.textContent = inWords(inputs);
  // What was listed is of where the events were.
  bar.querySelector("[data-moved-preview]")?.replaceChildren();
};

document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element) || !target.closest("[data-moved-back]")) return;
  for (const input of movedInputs()) {
    if (input.defaultValue === "") input.value = "";
    else tellEventMoved({ event: input.name, time_s: inSeconds(Number(input.defaultValue)), final: true });
  }
  showMoved();
});

// A form that is back to where it was has nothing to ask.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target instanceof Element && event.target.matches("[data-event-form]") && movedInputs().length === 0)
    event.preventDefault();
});
