// @ts-check
// What an address says of two figures: what is chosen, and where a hand has turned them.

/** What can be chosen, with what holds where the address says nothing. @type {Record<string, string[]>} */
export const CHOICES = {
  fig: ["over", "side"],
  place: ["hips", "foot", "plate"],
  size: ["same", "own"],
  ghosts: ["off", "on"],
  view: ["open", "behind", "pitcher", "closed", "top"],
};
/** Parameters of the address that are about figures. */
export const NAMES = [...Object.keys(CHOICES), "camera"];

/**
 * What an address says of the figures; the first choice where it says nothing we know.
 * @param {string} search query string
 * @returns {Record<string, string>}
 */
export const chosenIn = (search) => {
  const query = new URLSearchParams(search);
  const chosen = Object.fromEntries(
    Object.entries(CHOICES).map(([name, choices]) => {
      const said = query.get(name) ?? "";
      return [name, choices.includes(said) ? said : choices[0]];
    }),
  );
  const camera = query.get("camera") ?? "";
  return { ...chosen, camera: CAMERA.test(camera) ? camera : "" };
};

/**
 * An address that says what is chosen; what is the first choice is left out.
 * @param {string} address path and query
 * @param {Record<string, string>} chosen
 * @returns {string}
 */
export const addressWith = (address, chosen) => {
  const [path, search = ""] = address.split("?");
  const query = new URLSearchParams(search);
  for (const [name, choices] of Object.entries(CHOICES)) {
    if (chosen[name] === choices[0]) query.delete(name);
    else query.set(name, chosen[name]);
  }
  if (chosen.camera) query.set("camera", chosen.camera);
  else query.delete("camera");
  const text = query.toString().replaceAll("%2C", ",");
  return text ? `${path}?${text}` : path;
};

/** Azimuth and elevation in degrees, and the size in percent. */
const CAMERA = /^(-?\d{1,3}),(-?\d{1,2}),(\d{2,3})$/;
const DEGREE = Math.PI / 180;

/**
 * Where a hand has turned the figure; null where an address says nothing of it.
 * @param {string} said
 * @returns {{azimuth: number, elevation: number, zoom: number} | null}
 */
export const cameraOf = (said) => {
  const found = CAMERA.exec(said);
  if (!found) return null;
  const [azimuth, elevation, percent] = found.slice(1).map(Number);
  return { azimuth: azimuth * DEGREE, elevation: elevation * DEGREE, zoom: percent / 100 };
};

/**
 * The same as an address says it.
 * @param {{azimuth: number, elevation: number, zoom: number}} camera
 */
export const saidOf = ({ azimuth, elevation, zoom }) => {
  const whole = Math.round(azimuth / DEGREE);
  const around = ((((whole + 180) % 360) + 360) % 360) - 180;
  return [around, Math.round(elevation / DEGREE), Math.round(zoom * 100)].join(",");
};
