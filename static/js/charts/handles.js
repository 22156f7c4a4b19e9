// @ts-check
// Handles of the events that a finger can move: squares on the lines, in rows above the
// axis, so that none covers another. A mouse takes a line anywhere and needs none.

import { setAttributes } from "../shared/page.js";
import { rowsOf } from "./labels.js";

const SIZE = 44; // pixels that a finger needs
const APART = 4;

const isTouch = () => window.matchMedia("(any-pointer: coarse)").matches;

/**
 * Two arrows that point away from each other.
 * @param {number} x of the middle, in pixels
 * @param {number} y of the middle, in pixels
 */
const arrows = (x, y) => `M${x - 4} ${y - 7}v14l-9 -7zM${x + 4} ${y - 7}v14l9 -7z`;

/**
 * Puts the handles on the lines of the events that move. While one is held all stay in
 * their rows.
 * @param {ChartView} view
 * @param {Frame} frame
 */
export const placeHandles = ({ marks }, { width, bottom, pixel }) => {
  if (!isTouch()) return;
  const movable = marks
    .filter(({ grip, group }) => grip && group.getAttribute("display") !== "none")
    .sort((one, two) => one.event.time - two.event.time);
  const isHeld = movable.some(({ group }) => group.classList.contains("is-dragged"));
  const places = rowsOf(
    movable.map(({ event }) => ({ x: pixel(event.time), width: SIZE })),
    [0, width],
  );
  movable.forEach(({ group, handle, grip }, i) => {
    const row = isHeld ? Number(group.dataset.row ?? 0) : places[i].row;
    group.dataset.row = String(row);
    const { x } = places[i];
    const y = bottom - APART - SIZE - row * (SIZE + APART);
    handle.classList.add("chart__event-handle--touch");
    setAttributes(handle, { x: x - SIZE / 2, y, width: SIZE, height: SIZE, rx: 8 });
    grip?.setAttribute("d", arrows(x, y + SIZE / 2));
  });
};
