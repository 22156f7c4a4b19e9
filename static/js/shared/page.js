// @ts-check
// What scripts say to each other, and how they find what they draw on.

const SVG = "http://www.w3.org/2000/svg";

/**
 * A new SVG element.
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number>} [attributes]
 * @returns {SVGElementTagNameMap[Name]}
 */
export const svgElement = (name, attributes = {}) => {
  const element = document.createElementNS(SVG, name);
  setAttributes(element, attributes);
  return element;
};

/**
 * @param {Element} element
 * @param {Record<string, string | number>} attributes
 */
export const setAttributes = (element, attributes) => {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
};

/**
 * Starts every element that matches, now and when htmx brings one, and stops it when
 * htmx takes it away. `start` may be called twice for the same element.
 * @param {string} selector
 * @param {(element: HTMLElement) => void} start
 * @param {(element: HTMLElement) => void} stop
 */
export const whileOnPage = (selector, start, stop) => {
  /** @param {Document | Element} root */
  const begin = (root) => {
    if (root instanceof HTMLElement && root.matches(selector)) start(root);
    for (const element of root.querySelectorAll(selector)) if (element instanceof HTMLElement) start(element);
  };
  begin(document);
  document.addEventListener("htmx:load", (event) => begin(event.detail.elt));
  document.addEventListener("htmx:beforeCleanupElement", (event) => {
    const element = event.detail.elt;
    if (element instanceof HTMLElement && element.matches(selector)) stop(element);
  });
};

/**
 * Tells charts and figure which moment is shown.
 * @param {number} time_s on the clock of the file
 * @param {string} source who says it
 * @param {boolean} [isWritten] whether values are written too; a playing swing writes them
 *   with some of its pictures alone
 */
export const tellTime = (time_s, source, isWritten = true) =>
  document.dispatchEvent(new CustomEvent("swing:time", { detail: { time_s, source, isWritten } }));

/**
 * Tells charts, figure and form where an event of the swing is now.
 * @param {EventMoved} detail
 */
export const tellEventMoved = (detail) => document.dispatchEvent(new CustomEvent("swing:event-moved", { detail }));
