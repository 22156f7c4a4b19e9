// @ts-check
// Numbers, units and times as text.

/** @type {Record<string, number>} */
const DECIMALS = { "°/s": 0, "°": 1, "m/s": 1, mph: 1, m: 2, in: 1, J: 0, W: 0, ms: 0, "%": 0 };

/**
 * How many decimals a trace's values are shown with.
 * @param {{decimals?: number}} trace
 * @param {string} unit
 */
export const decimalsOf = (trace, unit) => trace.decimals ?? DECIMALS[unit] ?? 1;

// Kept: making one costs more than all that is written while a swing plays.
/** @type {Intl.NumberFormat[]} */
const formats = [];

/**
 * A number with separated thousands: "1,750".
 * @param {number} value
 * @param {number} digits decimals
 */
export const numberText = (value, digits) => {
  formats[digits] ??= new Intl.NumberFormat("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return formats[digits].format(value);
};

/**
 * A place on the time axis with its sign: "−148 ms", "+8 ms", "50%".
 * @param {number} x in units of the axis
 * @param {string} [unit]
 */
export const timeText = (x, unit = "") => {
  const sign = x < -0.5 ? "−" : x > 0.5 ? "+" : "";
  return `${sign}${Math.abs(Math.round(x))}${unit && unit !== "%" ? " " : ""}${unit}`;
};
