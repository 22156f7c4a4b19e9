// @ts-check
// The colors and sizes of tokens.css, for what is drawn by scripts.

/** @type {Map<string, string>} */
const known = new Map();

/**
 * Value of a custom property of the page, as text: `token("ink")` is "#141a21".
 * Asked once a theme, because every question may cost the browser a pass over all styles.
 * @param {string} name without the two dashes
 * @returns {string}
 */
const token = (name) => {
  let value = known.get(name);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    known.set(name, value);
  }
  return value;
};

/** Forgets what was asked; to be called when the theme has changed. */
export const forgetTokens = () => known.clear();

/**
 * Color of a part of the body; the color of plain values for a part that has none.
 * @param {string} [part] as in the JSON: "lead_arm"
 */
const partColor = (part) => token(`part-${(part || "value").replaceAll("_", "-")}`) || token("part-value");

/**
 * The look of the page as it is now.
 * @type {Theme}
 */
export const pageTheme = {
  token,
  partColor,
  // Text grows with the page's, on a wall screen or by the reader's setting.
  get scale() {
    return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1;
  },
};

/**
 * The same color, partly transparent.
 * @param {string} hex "#rrggbb"
 * @param {number} alpha 0 to 1
 */
export const withAlpha = (hex, alpha) => {
  const n = Number.parseInt(hex.slice(1), 16);
  return `rgba(${n >> 16},${(n >> 8) & 255},${n & 255},${alpha})`;
};
