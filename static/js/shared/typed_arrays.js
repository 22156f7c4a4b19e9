// @ts-check
// Numbers as the server sends them: packed in base64, or a plain list.

const ARRAYS = { f4: Float32Array, f8: Float64Array, i4: Int32Array, i2: Int16Array, u1: Uint8Array };

// Kept by its source: the first picture, the readout and Plotly ask for the same.
/** @type {WeakMap<PackedNumbers, Numbers>} */
const decoded = new WeakMap();

/**
 * Whole numbers of two bytes each, of bytes where one from -127 to 127 takes one; before the two
 * bytes of another stands -128.
 * @param {Uint8Array} bytes
 * @returns {Int16Array}
 */
const lengthened = (bytes) => {
  const out = new Int16Array(bytes.length);
  let count = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 128) out[count++] = (bytes[i] << 24) >> 24;
    else out[count++] = bytes[++i] | (bytes[++i] << 8);
  }
  return out.slice(0, count);
};

/**
 * The numbers of a packed array or of a list; an empty list where there is nothing.
 * A missing value is NaN in a packed array and null in a list. Of an array with `by`, each
 * number is the difference to the one so many places before.
 * @param {PackedNumbers | (number | null)[] | undefined | null} source
 * @returns {Numbers}
 */
export const decode = (source) => {
  if (!source || Array.isArray(source)) return source || [];
  let numbers = decoded.get(source);
  if (!numbers) {
    const text = atob(source.bdata);
    // A plain loop: a mapping over the text makes a string of each of its bytes.
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
    const packed = source.dtype === "v2" ? lengthened(bytes) : new ARRAYS[source.dtype](bytes.buffer);
    // Whole numbers wrap around where they were subtracted, and here back again.
    if (source.by) for (let i = source.by; i < packed.length; i++) packed[i] += packed[i - source.by];
    numbers = packed;
    decoded.set(source, numbers);
  }
  return numbers;
};

/**
 * Whether a value is a number that can be drawn.
 * @param {number | null | undefined} value
 * @returns {value is number}
 */
export const isKnown = (value) => value !== null && value !== undefined && Number.isFinite(value);
