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
 * its spread, and where sides are held against one, the difference of each.
 * @param {{figure: ChartFigure, meta: ChartMeta, series: Trace[], hidden: Set<string | undefined>}} view
 * @param {number} at
 * @returns {{name: string, text: string, trace?: Trace}[]}
 */
export const rowsAt = ({ figure, meta, series, hidden }, at) => {
  const shown = series.filter(({ key }) => !hidden.has(key));
  const values = shown.map((trace) => decode(trace.y)[placeOn(trace, at)]);
  const rows = shown.map((trace, i) => {
    const value = values[i];
    const unit = trace.unit ?? meta.y_unit ?? "";
    const digits = decimalsOf(trace, unit);
    const isDifference = trace.name?.includes(" − ") ?? false;
    const name = isDifference ? (trace.name ?? "") : shortName(figure, trace);
    if (!isKnown(value)) return { name, text: "–", trace };
    const around = spreadAt(figure, trace, at);
    const more = around === null ? "" : ` ± ${numberText(around, digits)}`;
    return { name, text: `${signedText(value, digits, isDifference)}${more}${unitText(unit)}`, trace };
  });
  const first = shown.findIndex(({ key }) => key === meta.against);
  if (meta.against === undefined || first < 0) return rows.slice(0, MOST_ROWS);
  const base = values[first];
  const differences = shown.flatMap((trace, i) => {
    const value = values[i];
    if (i === first || !isKnown(value) || !isKnown(base)) return [];
    const unit = trace.unit ?? meta.y_unit ?? "";
    const name = `${trace.tag} − ${shown[first].tag}`;
    return [{ name, text: signedText(value - base, decimalsOf(trace, unit), true) + unitText(unit) }];
  });
  return [...rows, ...differences].slice(0, MOST_ROWS);
};
