// @ts-check
// Where labels of a chart stand so that none covers another: arithmetic alone.

const LETTER = 0.58; // mean width of a letter in sizes of its font
const APART = 6; // pixels between two labels of a row
const MOST_ROWS = 4;

/**
 * About how wide a text is, in pixels.
 * @param {string} text
 * @param {number} size of the font in pixels
 */
export const widthOf = (text, size) => text.length * LETTER * size;

/**
 * The rows of labels along an axis, each in the lowest row that has room.
 * @param {{x: number, width: number}[]} labels in the order of their places
 * @param {Span} between the pixels that labels stay between
 * @returns {{x: number, row: number}[]} where the middle of each stands; row 0 is the lowest
 */
export const rowsOf = (labels, [low, high]) => {
  /** @type {number[]} */
  const ends = [];
  return labels.map(({ x, width }) => {
    const half = width / 2;
    const middle = Math.max(low + half, Math.min(x, high - half));
    let row = 0;
    while (row < MOST_ROWS - 1 && middle - half < (ends[row] ?? -Infinity) + APART) row++;
    ends[row] = Math.max(ends[row] ?? -Infinity, middle + half);
    return { x: middle, row };
  });
};

/**
 * The labels of events, each once, over the middle of all its places that are shown.
 * @param {ChartEvent[]} events
 * @param {{left: number, right: number, width: number, pixel: (x: number) => number}} frame
 * @param {number} size of the font in pixels
 * @returns {Map<string, {x: number, row: number}>} by label
 */
export const eventLabels = (events, { left, right, width, pixel }, size) => {
  // By label, not by name: what stands in for contact is not the same in every swing.
  /** @type {Map<string, number[]>} */
  const labeled = new Map();
  for (const { label, time } of events) {
    const x = pixel(time);
    if (x < left - 1 || x > right + 1) continue;
    labeled.set(label, [...(labeled.get(label) ?? []), x]);
  }
  const sorted = [...labeled]
    .map(([label, places]) => ({
      label,
      x: places.reduce((sum, at) => sum + at, 0) / places.length,
      width: widthOf(label, size),
    }))
    .sort((one, two) => one.x - two.x);
  const rows = rowsOf(sorted, [0, width]);
  return new Map(sorted.map(({ label }, i) => [label, rows[i]]));
};

/**
 * Signs along a line, those that would touch joined into one: "A", "BC", "Left, Right".
 * @param {{x: number, sign: string}[]} signs
 * @param {number} size of the font in pixels
 * @returns {{x: number, text: string}[]}
 */
export const joinedSigns = (signs, size) => {
  const joined = [...signs]
    .sort((one, two) => one.x - two.x)
    .map(({ x, sign }) => ({ places: [x], signs: [sign] }));
  const textOf = (/** @type {string[]} */ own) =>
    [...own].sort().join(own.some((sign) => sign.length > 1) ? ", " : "");
  const middle = (/** @type {number[]} */ places) => (places[0] + places[places.length - 1]) / 2;
  for (let i = 1; i < joined.length; i++) {
    const [one, two] = [joined[i - 1], joined[i]];
    const need = (widthOf(textOf(one.signs), size) + widthOf(textOf(two.signs), size)) / 2 + 2;
    if (middle(two.places) - middle(one.places) >= need) continue;
    const both = { places: [...one.places, ...two.places], signs: [...one.signs, ...two.signs] };
    joined.splice(i - 1, 2, both);
    i = 0; // what was joined is wider, and may touch the one before it now
  }
  return joined.map(({ places, signs: own }) => ({ x: middle(places), text: textOf(own) }));
};

/**
 * Heights moved apart until each has its room, as little as that takes.
 * @param {number[]} wanted the middles, in any order
 * @param {number} room of each, in pixels
 * @param {Span} between the pixels that all stay between, as far as there is room
 * @returns {number[]} in the order of `wanted`
 */
export const spread = (wanted, room, [low, high]) => {
  const order = wanted.map((_, i) => i).sort((i, j) => wanted[i] - wanted[j]);
  /** @type {{members: number[], middle: number}[]} */
  let groups = [];
  for (const i of order) {
    let group = { members: [i], middle: wanted[i] };
    for (;;) {
      const half = (group.members.length * room) / 2;
      group.middle = Math.max(low + half, Math.min(group.middle, high - half));
      const before = groups[groups.length - 1];
      if (!before || before.middle + (before.members.length * room) / 2 <= group.middle - half + 1e-9) break;
      groups.pop();
      const members = [...before.members, ...group.members];
      const sum = members.reduce((all, k, place) => all + wanted[k] - (place + 0.5) * room, 0);
      group = { members, middle: sum / members.length + (members.length * room) / 2 };
    }
    groups = [...groups, group];
  }
  /** @type {number[]} */
  const placed = [];
  for (const { members, middle } of groups)
    members.forEach((k, place) => (placed[k] = middle + (place + 0.5 - members.length / 2) * room));
  return placed;
};
