// @ts-check
// What curves say at one place of their axis, in words: arithmetic alone.

import { decode, isKnown } from "../shared/typed_arrays.js";
import { decimalsOf, numberText } from "../shared/words.js";

const MOST_ROWS = 14;

/**
 * @param {Trace} trace
 * @param {number} at
 */
const placeOn = ({ x0 = 0, dx = 1 }, at) => Math.round((at - x0) / dx);

/**
 * @param {number} value
 * @param {number} digits
 * @param {boolean} [signed] with a plus where it is one
 */
const signedText = (value, digits, signed = false) => {
  const text = numberText(Math.abs(value), digits);
  const isZero = !/[1-9]/.test(text);
  return `${isZero ? "" : value < 0 ? "−" : signed ? "+" : ""}${text}`;
};

/**
 * @param {number} value
 * @param {number} digits
 */
const rounded = (value, digits) => Number(value.toFixed(digits));

/**
 * A value less another one, of both as they are printed.
 * @param {number} value
 * @param {number} base
 * @param {number} digits
 */
const printedDifference = (value, base, digits) => rounded(rounded(value, digits) - rounded(base, digits), digits);

/**
 * Whether the printed difference is the one there really is: 39.4 and 37.6 are not 39 − 38 = 2.
 * @param {number} value
 * @param {number} base
 * @param {number} digits
 */
const addsUp = (value, base, digits) =>
  printedDifference(value, base, digits) === rounded(value - base, digits);

/**
 * @param {string} unit
 */
const unitText = (unit) => (unit && !unit.startsWith("°") && unit !== "%" ? ` ${unit}` : unit);

/**
 * Half the height of the band around a curve at a place; null where it has none.
 * @param {ChartFigure} figure
 * @param {Trace} trace
 * @param {number} at
 */
const spreadAt = ({ data }, trace, at) => {
  const band = data.find((one) => one.lower && one.key === trace.key && one.role !== "noise");
  if (!band) return null;
  const place = placeOn(band, at);
  const [low, high] = [decode(band.lower)[place], decode(band.upper)[place]];
  return isKnown(low) && isKnown(high) ? (high - low) / 2 : null;
};

/**
 * The letter of a side, else what the legend calls the curve, else its name.
 * @param {ChartFigure} figure
 * @param {Trace} trace
 */
const shortName = ({ data, legend = [] }, { key, tag, name = "" }) => {
  const isAlone = data.filter((one) => one.y && one.name && one.key === key).length === 1;
  const label = isAlone ? legend.find((item) => item.key === key)?.label : undefined;
  return tag ?? label ?? name;
};

/**
 * What the box says of the curves shown, at one place of the axis: of each its value with
 * its spread, and where sides are held against one, the difference of each. Differences
 * are those of the printed values, which all have one more digit where it takes that.
 * @param {{figure: ChartFigure, meta: ChartMeta, series: Trace[], hidden: Set<string | undefined>}} view
 * @param {number} at
 * @returns {{name: string, text: string, trace?: Trace}[]}
 */
export const rowsAt = ({ figure, meta, series, hidden }, at) => {
  const shown = series.filter(({ key }) => !hidden.has(key));
  const values = shown.map((trace) => decode(trace.y)[placeOn(trace, at)]);
  const unitOf = (/** @type {Trace} */ trace) => trace.unit ?? meta.y_unit ?? "";
  const first = meta.against === undefined ? -1 : shown.findIndex(({ key }) => key === meta.against);
  const base = first < 0 ? null : values[first];
  const doAddUp = shown.every((trace, i) => {
    const value = values[i];
    return !isKnown(value) || !isKnown(base) || addsUp(value, base, decimalsOf(trace, unitOf(trace)));
  });
  const digitsOf = (/** @type {Trace} */ trace) => decimalsOf(trace, unitOf(trace)) + (doAddUp ? 0 : 1);
  const rows = shown.map((trace, i) => {
    const value = values[i];
    const digits = digitsOf(trace);
    const isDifference = trace.name?.includes(" − ") ?? false;
    const name = isDifference ? (trace.name ?? "") : shortName(figure, trace);
    if (!isKnown(value)) return { name, text: "–", trace };
    const around = spreadAt(figure, trace, at);
    const more = around === null ? "" : ` ± ${numberText(around, digits)}`;
    return { name, text: `${signedText(value, digits, isDifference)}${more}${unitText(unitOf(trace))}`, trace };
  });
  const differences = shown.flatMap((trace, i) => {
    const value = values[i];
    if (i === first || !isKnown(value) || !isKnown(base)) return [];
    const name = `${trace.tag} − ${shown[first].tag}`;
    const difference = printedDifference(value, base, digitsOf(trace));
    return [{ name, text: signedText(difference, digitsOf(trace), true) + unitText(unitOf(trace)) }];
  });
  return [...rows, ...differences].slice(0, MOST_ROWS);
};
