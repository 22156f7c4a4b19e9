// @ts-check
// When charts are drawn. Plotly costs a phone over a second of its processor, in which
// nothing answers. So a page that was just opened shows first pictures alone, and Plotly
// (hover, zoom) takes over at the reader's first move, or when the page has been left
// alone for a while. Charts that have no first picture are drawn when on the screen. From
// the first drawing or move on, charts are drawn before they come to the screen.

import { draw, isPlotlyWanted, loadPlotly, plotlyAddress } from "./plotly.js";
import { sketch } from "./sketch.js";
import { views } from "./view.js";

const ALONE_MS = 4000;
const AHEAD_PX = 400; // how far below the screen charts are made ready

let isAttended = false;
let isLookingFurther = false;

/** @param {() => void} task */
const whenIdle = (task) => {
  if ("requestIdleCallback" in window) requestIdleCallback(task);
  else setTimeout(task, 200); // Safari has none
};

/**
 * Does something once for each chart that comes near the screen.
 * @param {(view: ChartView) => void} task
 * @param {number} ahead in pixels
 */
const nearing = (task, ahead) => {
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        const view = target instanceof HTMLElement && target.swingChart;
        if (view) task(view);
      }
    },
    { rootMargin: `${ahead}px` },
  );
  return observer;
};

/** @param {ChartView} view */
const load = async (view) => {
  try {
    await loadPlotly();
  } catch {
    view.wanted = null;
    const wait = view.plot.querySelector(".chart__wait") || view.readout;
    if (wait)
      wait.textContent = "The chart could not be loaded; the table below has its numbers. Reload to try again.";
    return;
  }
  // Loading and every drawing in a task of its own: between them a page answers.
  await new Promise((resolve) => setTimeout(resolve));
  draw(view);
  if (!isLookingFurther) whenIdle(lookFurther);
};

/**
 * Draws a chart with Plotly, which is loaded for the first one.
 * @param {ChartView} view
 * @returns {Promise<void>} fulfilled when it is drawn or could not be
 */
export const show = (view) => {
  view.wanted ??= load(view);
  return view.wanted;
};

const sketching = nearing(sketch, AHEAD_PX);
let watching = nearing(show, 0);

/**
 * What a reader asked for on a page whose Plotly is there: a first picture would be
 * thrown away at once, and only put off the real one.
 * @param {ChartView} view
 */
const isWaitedFor = ({ plot }) => {
  if (!isAttended || !window.Plotly) return false;
  const { width, top, bottom } = plot.getBoundingClientRect();
  return width > 0 && top < window.innerHeight + AHEAD_PX && bottom > -AHEAD_PX;
};

/**
 * Draws a new chart when its time has come.
 * @param {ChartView} view
 */
export const watch = (view) => {
  if (isWaitedFor(view)) {
    view.wanted = Promise.resolve();
    draw(view);
    return;
  }
  if (view.canSketch) sketching.observe(view.element);
  if (isAttended || !view.canSketch) watching.observe(view.element);
};

/** @param {ChartView} view */
export const unwatch = (view) => {
  watching.unobserve(view.element);
  sketching.unobserve(view.element);
};

const attend = () => {
  if (isAttended) return;
  isAttended = true;
  for (const view of views) if (!view.wanted) watching.observe(view.element);
};

const lookFurther = () => {
  if (isLookingFurther) return;
  isLookingFurther = true;
  watching.disconnect();
  watching = nearing(show, AHEAD_PX);
  for (const view of views) if (!view.wanted && (isAttended || !view.canSketch)) watching.observe(view.element);
};

// Into the browser's cache. Should it fail, the first chart asks for it again.
const fetchAhead = () => {
  if (isPlotlyWanted() || !views.size || navigator.connection?.saveData) return;
  fetch(plotlyAddress(), { priority: "low" }).catch(() => {});
};

/** Begins to listen for the reader's first move and for the end of loading. */
export const waitForReader = () => {
  for (const kind of ["scroll", "keydown", "pointerdown", "pointermove", "focusin"])
    window.addEventListener(
      kind,
      () => {
        attend();
        if (kind !== "pointermove") lookFurther();
      },
      { once: true, passive: true },
    );
  window.addEventListener("load", () => setTimeout(() => whenIdle(attend), ALONE_MS));
  window.addEventListener("load", () => whenIdle(fetchAhead));
};
