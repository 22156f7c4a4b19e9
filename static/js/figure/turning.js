// @ts-check
// Turning and enlarging the figure: by drag and pinch, wheel and keys.

const STEP_RIGHT = 0.12;
const STEP_UP = 0.1;
const LEAST_ZOOM = 0.6;
const MOST_ZOOM = 4;
/** Turns by the arrow keys: right and up. @type {Record<string, [number, number]>} */
const TURNS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
/** @type {Record<string, number>} */
const ZOOMS = { "+": 1.15, "=": 1.15, "-": 1 / 1.15, _: 1 / 1.15 };

/**
 * @param {number} zoom
 * @returns {number} as far as it may go
 */
export const inRange = (zoom) => Math.min(Math.max(zoom, LEAST_ZOOM), MOST_ZOOM);

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{turn: (azimuth: number, elevation: number) => void, enlarge: (factor: number) => void}} view
 */
export const listenToTurns = (canvas, view) => {
  /** Fingers or buttons that are down, and where each is. @type {Map<number, [number, number]>} */
  const down = new Map();
  const spread = () => {
    const [one, two] = down.values();
    return Math.hypot(one[0] - two[0], one[1] - two[1]) || 1;
  };
  canvas.addEventListener("pointerdown", (event) => {
    down.set(event.pointerId, [event.clientX, event.clientY]);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const last = down.get(event.pointerId);
    if (!last) return;
    const before = down.size === 2 ? spread() : 0;
    down.set(event.pointerId, [event.clientX, event.clientY]);
    if (down.size === 1) view.turn((last[0] - event.clientX) * 0.01, (event.clientY - last[1]) * 0.008);
    if (down.size === 2) view.enlarge(spread() / before);
  });
  for (const name of ["pointerup", "pointercancel"])
    canvas.addEventListener(name, (event) => {
      if (event instanceof PointerEvent) down.delete(event.pointerId);
    });
  // A pinch on a trackpad comes as a wheel with Ctrl; the wheel alone moves the page.
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      view.enlarge(Math.exp(-event.deltaY * 0.01));
    },
    { passive: false },
  );
  canvas.addEventListener("keydown", (event) => {
    if (Object.hasOwn(ZOOMS, event.key) && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      view.enlarge(ZOOMS[event.key]);
    }
    if (!event.shiftKey || !Object.hasOwn(TURNS, event.key)) return;
    const [right, up] = TURNS[event.key];
    event.preventDefault();
    view.turn(right * STEP_RIGHT, up * STEP_UP);
  });
};
