// Types that the scripts of static/js share. docs/design.md describes the JSON.

// --- What the server sends ---------------------------------------------------------

interface PackedNumbers {
  /** `v2`: whole numbers of two bytes, of which small ones take one. */
  dtype: "f4" | "f8" | "i4" | "i2" | "u1" | "v2";
  bdata: string;
  /** Numbers are differences to those so many places before. */
  by?: number;
}
type Numbers = ArrayLike<number | null>;
/** A range of numbers: low and high. */
type Span = [number, number];

interface Trace {
  key?: string;
  part?: string;
  side?: string;
  role?: string;
  name?: string;
  unit?: string;
  decimals?: number;
  hidden?: boolean;
  /** What stands at the end of the line: "A", "B − A". */
  tag?: string;
  /** Over how many swings a mean or its band is. */
  n?: number;
  /** Over how many swings each point of a trend is. */
  counts?: number[];
  symbol?: string;
  x0?: number;
  dx?: number;
  x?: PackedNumbers | (number | null)[];
  y?: PackedNumbers | (number | null)[];
  lower?: PackedNumbers | (number | null)[];
  upper?: PackedNumbers | (number | null)[];
  error_y?: { array: number[] } | (number | null)[];
  text?: string[];
  type?: string;
  mode?: string;
  orientation?: string;
  hovertemplate?: string;
  line?: object;
}

interface ChartEvent {
  name: string;
  time: number;
  label: string;
  rule?: string;
  movable?: boolean;
  /** What stands at the line of one of several sides: "A". */
  sign?: string;
  /** The side whose dash the line has. */
  side?: string;
}

/** A peak that is marked on its curve. */
interface Peak {
  key: string;
  part: string;
  name: string;
  time: number;
  value: number;
  /** Spread of the value over swings, in the same unit. */
  sd?: number;
  /** Spread of the time over swings, in the unit of the axis. */
  time_sd?: number;
  unit?: string;
}

/** Peaks that are too close to tell which came first: from the first to the last. */
interface Tie {
  from: number;
  to: number;
}

interface ChartMeta {
  x_unit?: string;
  y_unit?: string;
  time_zero_s?: number;
  time_per_x_s?: number;
  /** Key of the side that the others are held against in the box at the cursor. */
  against?: string;
}

interface Axis {
  type?: string;
  range?: Span;
  title?: { text?: string };
}

interface ChartFigure {
  data: Trace[];
  layout?: { xaxis?: Axis; yaxis?: Axis } & Record<string, any>;
  events?: ChartEvent[];
  peaks?: Peak[];
  ties?: Tie[];
  legend?: { key: string; label: string }[];
  meta?: ChartMeta;
}

type Point3 = [number, number, number];

interface Trail {
  point: number;
  part: string;
}

interface FigureData {
  points: PackedNumbers;
  n_frames: number;
  n_points: number;
  start_s: number;
  dt_s: number;
  names?: string[];
  bones: [number, number, string][];
  trails?: Trail[];
  head?: number | null;
  events?: { name: string; time_s: number; label: string }[];
  zero_s?: number;
  /** The moment that is shown at first. */
  first_s?: number;
  unit?: string;
  per_s?: number;
  reference_label?: string;
  side?: string;
  has_forward?: boolean;
  plate?: { x: number; y: number; by: string };
  /** Lead and rear shoulder, middle of the hips, neck. */
  chest?: (number | null)[];
  front_foot?: number[];
}

/** The time that is shown: of the file, or the common one of two. */
interface FigureClock {
  start: number;
  end: number;
  step: number;
  first: number;
  zero: number;
  zero_label: string;
  /** Of the shown number: ms or %. */
  unit: string;
  /** How many of them one of the time is. */
  per: number;
}

interface PairData {
  bodies: (FigureData & { clock: { letter: string; zero_s: number; per: number } })[];
  clock: FigureClock;
  /** What the second one is enlarged by to have legs as long as the first. */
  size?: number;
}

// Named here: an import in a comment of a script would be taken for one of the script.
type FigureBody = import("../../static/js/figure/body.js").Body;
type FigurePlayer = import("../../static/js/figure/player.js").Player;

// --- How it is drawn ---------------------------------------------------------------

interface Theme {
  /** Value of a custom property of the page. */
  token(name: string): string;
  /** Color of a part of the body. */
  partColor(part?: string): string;
  /** How much larger than usual text is. */
  readonly scale: number;
}

interface Look {
  color: string;
  opacity: number;
  /** Color of a band; a curve has none. */
  fill?: string;
  line: { color: string; width: number; dash: string };
}

/** Where the axes of a chart lie, in pixels of the plot. */
interface Frame {
  left: number;
  right: number;
  top: number;
  bottom: number;
  width: number;
  /** Pixel of a place on the x axis. */
  pixel(x: number): number;
  /** Pixel of a value on the y axis. */
  pixelY(y: number): number;
  /** Place on the x axis of a pixel. */
  value(pixel: number): number;
}

interface SketchFrame extends Frame {
  xs: Span;
  ys: Span;
}

/** One event line of a chart. */
interface EventMark {
  event: ChartEvent;
  group: SVGGElement;
  line: SVGLineElement;
  words: SVGTextElement;
  handle: SVGRectElement;
  /** What a movable line is taken by; null on others. */
  grip: SVGPathElement | null;
}

/** The element that Plotly draws in, with what Plotly adds to it. */
interface PlotElement extends HTMLElement {
  _fullLayout?: any;
  on?(name: string, listener: () => void): void;
}

interface ChartView {
  element: HTMLElement;
  figure: ChartFigure;
  plot: PlotElement;
  meta: ChartMeta;
  events: ChartEvent[];
  marks: EventMark[];
  editable: boolean;
  /** First and last place of all curves. */
  extent: Span;
  /** Keys that the legend has switched off. */
  hidden: Set<string | undefined>;
  /** Curves whose values the readout tells. */
  series: Trace[];
  readout: HTMLElement | null;
  reset: HTMLElement | null;
  /** Where the time cursor is on the x axis. */
  at: number | null;
  /** Whether Plotly has drawn it. */
  drawn: boolean;
  /** Fulfilled when Plotly has drawn it or could not; null while nobody asked. */
  wanted: Promise<void> | null;
  canSketch: boolean;
  canvas: HTMLCanvasElement | null;
  curves: Numbers[][] | null;
  /** Axes of the first picture. */
  frame: Frame | null;
  /** Whether one hover text tells of all curves. */
  unified: boolean;
  overlay: SVGSVGElement | null;
  /** Peaks, ties and letters at the ends of lines, in the overlay. */
  callouts: SVGGElement | null;
  /** Letters at the event lines of several sides. */
  signs: SVGGElement | null;
  /** The box with the values at the cursor. */
  box: HTMLElement | null;
  /** What takes the focus, so that arrow keys move the cursor. */
  keys: HTMLElement | null;
  /** Whether the box stays when the pointer has left. */
  pinned: boolean;
  cursor: HTMLElement | null;
  cursorTop: number | null;
  cursorBottom: number | null;
  width: number;
  height: number;
  step_s: number;
  timeFromClientX(clientX: number): number | null;
  eventTime(name: string | undefined): number | null;
}

interface Box {
  low: Point3;
  high: Point3;
}

interface Camera {
  /** What the camera looks at, in meters. */
  center: Point3;
  to: Point3;
  right: [number, number];
  up: Point3;
  /** Pixel where the center stands. */
  x: number;
  y: number;
  distance: number;
  /** Pixels per meter at the center. */
  scale: number;
}

// --- What scripts say to each other --------------------------------------------------

interface EventMoved {
  event: string;
  time_s: number;
  final: boolean;
  source?: string;
}

interface HtmxDetail {
  elt: HTMLElement;
  target?: HTMLElement;
  xhr: XMLHttpRequest;
  shouldSwap: boolean;
  successful?: boolean;
  requestConfig?: { verb?: string; triggeringEvent?: Event };
}

interface DocumentEventMap {
  "swing:time": CustomEvent<{ time_s: number; source: string; isWritten: boolean }>;
  "swing:event-moved": CustomEvent<EventMoved>;
  "swing:control": CustomEvent<{ action: string; steps?: number }>;
  "theme:change": CustomEvent;
  "axis:at": CustomEvent<{ axis: string; at: number | null; source: string }>;
  "htmx:load": CustomEvent<HtmxDetail>;
  "htmx:beforeCleanupElement": CustomEvent<HtmxDetail>;
  "htmx:responseError": CustomEvent<HtmxDetail>;
  "htmx:sendError": CustomEvent<HtmxDetail>;
  "htmx:timeout": CustomEvent<HtmxDetail>;
  "htmx:beforeSwap": CustomEvent<HtmxDetail>;
  "htmx:beforeOnLoad": CustomEvent<HtmxDetail>;
  "htmx:beforeSend": CustomEvent<HtmxDetail>;
  "htmx:afterRequest": CustomEvent<HtmxDetail>;
  "htmx:beforeRequest": CustomEvent<HtmxDetail>;
  "htmx:configRequest": CustomEvent<{ path: string; verb: string; parameters: Record<string, unknown> }>;
  "htmx:afterSwap": CustomEvent<HtmxDetail>;
}

interface HTMLElement {
  swingChart?: ChartView;
  swingFigure?: FigurePlayer;
}

// --- What others put into the window ---------------------------------------------------

interface Window {
  Plotly: any;
}
interface Navigator {
  connection?: { saveData: boolean };
}
/** Swagger UI, on the page of the API's documentation. */
declare const SwaggerUIBundle: any;
