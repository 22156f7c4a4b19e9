// Draws every [data-chart] from the JSON beside it (docs/design.md, "Chart").
//
// The server names what a curve is (part, side, role); colours and dashes come from
// the tokens, so that both themes and the figure agree. Event lines and the time cursor
// are an SVG of our own over the plot: moving them costs no redraw of the curves.
(() => {
  "use strict";

  const PLOTLY = document.currentScript.dataset.plotly;
  const SVG = "http://www.w3.org/2000/svg";
  const UNIFIED_AT_MOST = 8; // beyond, a hover over all curves costs over 100 ms

  const PART_DASH = {
    pelvis: "solid",
    torso: "longdash",
    lead_arm: "dot",
    hands: "dashdot",
    bat: "dash",
    separation: "solid",
  };
  const SIDE = {
    a: { dash: "solid", opacity: 1 },
    b: { dash: "dash", opacity: 0.85 },
    c: { dash: "dot", opacity: 0.8 },
    d: { dash: "dashdot", opacity: 0.75 },
    e: { dash: "longdash", opacity: 0.65 },
    f: { dash: "longdashdot", opacity: 0.6 },
  };
  const FAINT = 0.4;
  const ROLE_WIDTH = { line: 2, mean: 3, single: 1, trend: 2, points: 0 };
  const DECIMALS = { "°/s": 0, "°": 1, "m/s": 1, mph: 1, m: 2, in: 1, J: 0, W: 0, ms: 0, "%": 0 };

  // --- Colours ---------------------------------------------------------------

  // Asked once a theme: every question may cost the browser a pass over all styles.
  const tokens = new Map();
  const token = (name) => {
    if (!tokens.has(name))
      tokens.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
    return tokens.get(name);
  };
  document.addEventListener("theme:change", () => tokens.clear());
  const partColour = (part) => token(`part-${(part || "value").replaceAll("_", "-")}`) || token("part-value");

  const withAlpha = (hex, alpha) => {
    const n = Number.parseInt(hex.slice(1), 16);
    return `rgba(${n >> 16},${(n >> 8) & 255},${n & 255},${alpha})`;
  };

  // Text grows with the page's, on a wall screen or by the reader's setting.
  const magnified = () =>
    Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1;

  // --- Typed arrays ------------------------------------------------------------

  const ARRAYS = { f4: Float32Array, f8: Float64Array, i4: Int32Array, i2: Int16Array, u1: Uint8Array };

  // Kept by its source: the first picture, the readout and Plotly ask for the same.
  const decoded = new WeakMap();
  const decode = (source) => {
    if (!source || Array.isArray(source)) return source || [];
    if (!decoded.has(source)) {
      const text = atob(source.bdata);
      // A plain loop: a mapping over the text makes a string of each of its bytes.
      const bytes = new Uint8Array(text.length);
      for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
      decoded.set(source, new ARRAYS[source.dtype](bytes.buffer));
    }
    return decoded.get(source);
  };

  const xOf = (trace, count) => {
    if (trace.x) return decode(trace.x);
    const x = new Float64Array(count);
    for (let i = 0; i < count; i++) x[i] = trace.x0 + i * trace.dx;
    return x;
  };

  // --- Traces --------------------------------------------------------------------

  const OURS = ["key", "part", "side", "role", "unit", "hidden", "lower", "upper", "symbol", "decimals"];

  // A band is a closed polygon for each run without a gap: filling between two lines
  // would bridge gaps.
  const bandOutline = (trace) => {
    const lower = decode(trace.lower);
    const upper = decode(trace.upper);
    const at = xOf(trace, lower.length);
    const x = [];
    const y = [];
    const known = (i) =>
      i < lower.length && lower[i] !== null && upper[i] !== null &&
      Number.isFinite(lower[i]) && Number.isFinite(upper[i]);
    for (let i = 0; i < lower.length; i++) {
      if (!known(i)) continue;
      const start = i;
      while (known(i)) i++;
      if (x.length) {
        x.push(null);
        y.push(null);
      }
      for (let k = start; k < i; k++) {
        x.push(at[k]);
        y.push(upper[k]);
      }
      for (let k = i - 1; k >= start; k--) {
        x.push(at[k]);
        y.push(lower[k]);
      }
    }
    return { x, y };
  };

  const styled = (trace, view, lookAlone = false) => {
    const role = trace.role || "line";
    const colour = role === "noise" ? token("muted") : partColour(trace.part);
    const side = SIDE[trace.side];
    const plain = Object.fromEntries(Object.entries(trace).filter(([name]) => !OURS.includes(name)));
    if (!lookAlone) for (const axis of ["x", "y"]) if (plain[axis]?.bdata) plain[axis] = decode(plain[axis]);
    const visible = !view.hidden.has(trace.key);
    if (role === "band" || role === "noise") {
      const alpha = role === "noise" ? 0.14 : Number(token("band-opacity"));
      return {
        ...(lookAlone ? {} : bandOutline(trace)),
        type: "scatter",
        mode: "lines",
        fill: "toself",
        fillcolor: withAlpha(colour, alpha),
        line: { width: 0, color: colour },
        hoverinfo: "skip",
        name: trace.name || "",
        visible,
      };
    }
    const unit = trace.unit ?? view.meta.y_unit ?? "";
    const digits = trace.decimals ?? DECIMALS[unit] ?? 1;
    const space = unit.startsWith("°") || unit.startsWith("%") ? "" : " ";
    const words = trace.text ? " · %{text}" : "";
    const horizontal = trace.orientation === "h";
    const base = {
      ...plain,
      visible,
      hovertemplate:
        trace.hovertemplate ??
        `${trace.name && !view.unified ? `${trace.name}: ` : ""}%{${horizontal ? "x" : "y"}:,.${digits}f}${space}${unit}${words}` +
          (view.unified && trace.name ? `<extra>${trace.name}</extra>` : "<extra></extra>"),
    };
    if (trace.mode === "bars" || trace.type === "bar") {
      delete base.mode;
      return { ...base, type: "bar", marker: { color: withAlpha(colour, 0.85), line: { width: 0 } } };
    }
    const thick = trace.part === "separation" && role !== "single" ? 1.5 : 0;
    const width = ((ROLE_WIDTH[role] ?? 2) + thick) * magnified();
    const marks = role === "points" || role === "trend";
    const error = trace.error_y
      ? { type: "data", array: trace.error_y.array ?? trace.error_y, color: colour, thickness: 1.25, width: 4 }
      : undefined;
    return {
      type: "scatter",
      mode: role === "points" ? "markers" : role === "trend" ? "lines+markers" : "lines",
      connectgaps: false,
      ...base,
      opacity: side?.opacity ?? 1,
      line: {
        // Faint by its colour: an opacity would be a layer to paint for each curve.
        color: role === "single" && !side ? withAlpha(colour, FAINT) : colour,
        width,
        dash: side ? side.dash : role === "single" ? "solid" : PART_DASH[trace.part] || "solid",
        ...plain.line,
      },
      ...(marks && {
        marker: { color: colour, size: 8, symbol: trace.symbol || "circle", line: { width: 1.5, color: colour } },
      }),
      ...(error && { error_y: error }),
    };
  };

  // --- Layout ------------------------------------------------------------------------

  const merged = (under, over) => {
    const out = { ...under };
    for (const [key, value] of Object.entries(over || {}))
      out[key] =
        value && typeof value === "object" && !Array.isArray(value) && out[key]
          ? merged(out[key], value)
          : value;
    return out;
  };

  // Between beforeprint and afterprint: how wide a page of paper is, roughly. The
  // pictures are drawn for that and then fitted to the paper by their viewBox, since
  // nothing tells a script how wide the paper will be.
  const PAPER_PX = 680;
  let printing = false;

  const layoutFor = (view) => {
    const { figure, meta } = view;
    const k = magnified();
    const width = printing ? Math.min(view.plot.clientWidth, PAPER_PX) : view.plot.clientWidth;
    const narrow = width < 480 * k;
    const font = { family: token("font"), size: k * (narrow ? 12 : 13), color: token("muted") };
    const axis = {
      gridcolor: token("grid"),
      linecolor: token("axis"),
      zerolinecolor: token("axis"),
      zerolinewidth: 1,
      gridwidth: 1,
      tickfont: font,
      title: { font, standoff: 8 },
      exponentformat: "none",
      separatethousands: true,
      automargin: false,
    };
    const unit = meta.x_unit ? ` ${meta.x_unit}` : "";
    const dated = figure.layout?.xaxis?.type === "date";
    return merged(
      {
        ...(printing ? { autosize: false, width, height: view.plot.clientHeight } : { autosize: true }),
        font,
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        showlegend: false,
        margin: {
          l: k * (narrow ? 58 : 64),
          r: 16,
          t: k * (figure.events?.length ? 44 : 12),
          b: k * 48,
          pad: 0,
        },
        hovermode: view.unified ? "x unified" : "closest",
        hoverdistance: 40,
        hoverlabel: {
          bgcolor: token("card"),
          bordercolor: token("control"),
          font: { family: token("font"), size: k * 13, color: token("ink") },
          align: "left",
          namelength: 30,
        },
        // A finger that drags should move the cursor, not a zoom box.
        dragmode: window.matchMedia("(pointer: coarse)").matches ? false : "zoom",
        uirevision: "kept",
        bargap: 0.35,
        xaxis: {
          ...axis,
          zeroline: false,
          showline: true,
          ticks: "outside",
          ticklen: 4,
          tickcolor: token("axis"),
          showspikes: false,
          hoverformat: dated ? "%b %-d, %Y" : ".0f",
          unifiedhovertitle: { text: dated ? "%{x|%b %-d, %Y}" : `%{x:.0f}${unit}` },
        },
        yaxis: {
          ...axis,
          fixedrange: true,
          automargin: figure.layout?.yaxis?.type === "category",
        },
      },
      figure.layout,
    );
  };

  // --- Our layer over the plot: events and cursor ---------------------------------------

  const svg = (name, attributes = {}, css = "") => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (css) element.setAttribute("class", css);
    return element;
  };

  const timeText = (x, meta) => {
    const sign = x < -0.5 ? "−" : x > 0.5 ? "+" : "";
    const unit = meta.x_unit || "";
    return `${sign}${Math.abs(Math.round(x))}${unit && unit !== "%" ? " " : ""}${unit}`;
  };

  const axisOf = (view) => (view.drawn ? view.plot._fullLayout?.xaxis : undefined);

  // Where the axes lie, in pixels of the plot: Plotly's, or those of the first picture.
  const frameOf = (view) => {
    const axis = axisOf(view);
    if (!axis) return view.frame;
    const { _size: size, width, height } = view.plot._fullLayout;
    return {
      left: axis._offset,
      right: axis._offset + axis._length,
      top: size.t,
      bottom: height - size.b,
      width,
      pixel: (x) => axis._offset + axis.d2p(x),
      value: (pixel) => axis.p2d(pixel - axis._offset),
    };
  };

  const placeEvents = (view) => {
    const frame = frameOf(view);
    if (!frame || !view.overlay) return;
    const { top: t, bottom, width } = frame;
    const ends = [-Infinity, -Infinity]; // right end of the last label in both rows
    const sorted = [...view.events].sort((one, two) => one.time - two.time);
    for (const event of sorted) {
      const x = frame.pixel(event.time);
      const inside = x >= frame.left - 1 && x <= frame.right + 1;
      const group = event.group;
      for (const part of [group, event.words]) part.setAttribute("display", inside ? "inline" : "none");
      if (!inside) continue;
      const half = (event.label.length * 4 + 4) * magnified();
      const row = x - half > ends[0] ? 0 : x - half > ends[1] ? 1 : 0;
      ends[row] = x + half;
      const y = t - 8 - (row === 0 ? 0 : 16 * magnified());
      event.line.setAttribute("x1", x);
      event.line.setAttribute("x2", x);
      event.line.setAttribute("y1", y + 4);
      event.line.setAttribute("y2", bottom);
      const edge = Math.min(Math.max(x, half), width - half);
      event.words.setAttribute("x", edge);
      event.words.setAttribute("y", y);
      // A line that moves is taken anywhere, another one by its label alone, so that
      // the curves below keep their hover.
      event.handle.setAttribute("x", event.grip ? x - 8 : edge - half);
      event.handle.setAttribute("y", y - 16);
      event.handle.setAttribute("width", event.grip ? 16 : 2 * half);
      event.handle.setAttribute("height", event.grip ? bottom - y + 16 : 20);
      event.grip?.setAttribute("d", `M${x - 5} ${bottom}h10l-5 -8z`);
      if (event.movable) {
        group.setAttribute("aria-valuenow", event.time.toFixed(1));
        group.setAttribute("aria-valuetext", `${event.label} at ${timeText(event.time, view.meta)}`);
      }
    }
  };

  const placeCursor = (view) => {
    const frame = frameOf(view);
    if (!frame || !view.cursor) return;
    const x = view.at === null ? -1 : frame.pixel(view.at);
    const inside = x >= frame.left && x <= frame.right;
    view.cursor.hidden = !inside;
    if (!inside) return;
    const { style } = view.cursor;
    style.transform = `translateX(${x}px)`;
    if (view.cursorTop === frame.top && view.cursorBottom === frame.bottom) return;
    [view.cursorTop, view.cursorBottom] = [frame.top, frame.bottom];
    style.top = `${frame.top}px`;
    style.height = `${frame.bottom - frame.top}px`;
  };

  const buildOverlay = (view) => {
    view.overlay?.remove();
    view.cursor?.remove();
    const layer = svg("svg", {}, "chart__overlay");
    if (!view.editable) layer.setAttribute("aria-hidden", "true");
    // Not in the layer of the events: it is moved for each picture of a swing that
    // plays, and what shares a layer with it would be painted again each time.
    view.cursor = document.createElement("div");
    view.cursor.className = "chart__cursor";
    view.cursor.hidden = true;
    view.cursorTop = view.cursorBottom = null;
    const words = svg("g"); // above every line: one of the second row crosses the first
    for (const event of view.events) {
      const movable = view.editable && event.movable && event.name;
      const group = svg("g", {}, `chart__event${movable ? " chart__event--movable" : ""}`);
      event.group = group;
      event.line = svg("line", {}, "chart__event-line");
      event.words = svg("text", {}, "chart__event-label");
      event.words.textContent = event.label;
      event.handle = svg("rect", {}, "chart__event-handle");
      const title = svg("title");
      title.textContent = event.rule ? `${event.label}: ${event.rule}` : event.label;
      group.append(title, event.line, event.handle);
      words.append(event.words);
      if (movable) {
        event.grip = svg("path", {}, "chart__event-grip");
        group.append(event.grip);
        group.dataset.event = event.name;
        group.setAttribute("tabindex", "0");
        group.setAttribute("role", "slider");
        group.setAttribute("aria-label", `Move ${event.label}`);
        group.setAttribute("aria-valuemin", String(view.extent[0].toFixed(1)));
        group.setAttribute("aria-valuemax", String(view.extent[1].toFixed(1)));
      }
      layer.append(group);
    }
    layer.append(words);
    view.overlay = layer;
    view.plot.append(layer, view.cursor);
  };

  // --- Time ---------------------------------------------------------------------------------

  const timed = (view) => typeof view.meta.time_per_x_s === "number";
  const toTime = (view, x) => (view.meta.time_zero_s || 0) + x * view.meta.time_per_x_s;
  const toX = (view, time_s) => (time_s - (view.meta.time_zero_s || 0)) / view.meta.time_per_x_s;

  // Kept: making one costs more than all that is written while a swing plays.
  const formats = [];
  const numberText = (value, digits) => {
    formats[digits] ??= new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return formats[digits].format(value);
  };

  const readout = (view) => {
    if (!view.readout || view.at === null) return;
    const parts = [timeText(view.at, view.meta)];
    for (const series of view.series) {
      if (parts.length > 5 || view.hidden.has(series.key)) continue;
      series.values ??= decode(series.trace.y);
      const value = series.values[Math.round((view.at - series.trace.x0) / series.trace.dx)];
      if (value === undefined || value === null || !Number.isFinite(value)) continue;
      const unit = series.trace.unit ?? view.meta.y_unit ?? "";
      const digits = series.trace.decimals ?? DECIMALS[unit] ?? 1;
      parts.push(`${series.trace.name} ${value < 0 ? "−" : ""}${numberText(Math.abs(value), digits)}`);
    }
    view.readout.textContent = parts.join(" · ");
  };

  let wanted = null;
  const sayTime = (time_s, source) => {
    // One event for each picture on the screen, however fast the pointer moves.
    const first = wanted === null;
    wanted = { time_s, source };
    if (first)
      requestAnimationFrame(() => {
        const detail = wanted;
        wanted = null;
        document.dispatchEvent(new CustomEvent("swing:time", { detail }));
      });
  };

  const xUnder = (view, clientX) => {
    const frame = frameOf(view);
    if (!frame) return null;
    const pixel = clientX - view.plot.getBoundingClientRect().left;
    if (pixel < frame.left || pixel > frame.right) return null;
    return frame.value(pixel);
  };

  // --- The first picture ------------------------------------------------------------------
  //
  // Curves over a number axis on a canvas, in the place and with the scales that Plotly
  // will give them: a few milliseconds, where loading and starting Plotly takes a phone
  // over a second in which nothing answers. Events and cursor already work on it.

  const canSketch = ({ data, layout }) =>
    data.length > 0 &&
    [layout?.xaxis?.type, layout?.yaxis?.type].every((type) => !type || type === "linear") &&
    data.every(
      (trace) =>
        trace.x0 !== undefined && !trace.error_y && (!trace.type || trace.type === "scatter") &&
        (!trace.mode || trace.mode === "lines") && trace.role !== "points" && trace.role !== "trend",
    );

  const curvesOf = (view) => {
    view.curves ??= view.figure.data.map((trace) =>
      (trace.y ? [trace.y] : [trace.lower, trace.upper]).map(decode),
    );
    return view.curves;
  };

  const rangesOf = (view) => {
    const [x, y] = [[Infinity, -Infinity], [Infinity, -Infinity]];
    view.figure.data.forEach((trace, i) => {
      if (view.hidden.has(trace.key)) return;
      for (const values of curvesOf(view)[i]) {
        x[0] = Math.min(x[0], trace.x0);
        x[1] = Math.max(x[1], trace.x0 + (values.length - 1) * trace.dx);
        for (const value of values) {
          if (value === null || !Number.isFinite(value)) continue;
          if (value < y[0]) y[0] = value;
          if (value > y[1]) y[1] = value;
        }
      }
    });
    const known = ([low, high]) => (low < high ? [low, high] : low === high ? [low - 1, high + 1] : [-1, 6]);
    const [low, high] = known(y);
    const room = ((high - low) * 0.05) / 0.9; // Plotly leaves a twentieth of the axis
    const { xaxis, yaxis } = view.figure.layout || {};
    return [xaxis?.range || known(x), yaxis?.range || [low - room, high + room]];
  };

  const ticksOf = ([low, high], length, apart) => {
    const rough = (high - low) / (Math.min(Math.max(length / apart, 4), 9) + 1);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [2, 5, 10].find((many) => many >= rough / power - 1e-9);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const ticks = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
      const text = numberText(Math.abs(i * step), digits);
      ticks.push([i * step, i < 0 ? `−${text}` : text]);
    }
    return ticks;
  };

  const DASHES = { solid: [], dot: [1, 1], dash: [3, 3], longdash: [5, 5], dashdot: [3, 1, 1, 1], longdashdot: [5, 2, 1, 2] };

  const sketchCurves = (view, g, pixelX, pixelY) => {
    view.figure.data.forEach((trace, i) => {
      if (view.hidden.has(trace.key)) return;
      const look = styled(trace, view, true);
      const curves = curvesOf(view)[i];
      const [first] = curves;
      const missing = (k) => curves.some((values) => values[k] === null || !Number.isFinite(values[k]));
      const xAt = (k) => pixelX(trace.x0 + k * trace.dx);
      g.beginPath();
      for (let k = 0; k < first.length; k++) {
        if (missing(k)) continue;
        const start = k;
        for (; k < first.length && !missing(k); k++)
          if (k === start) g.moveTo(xAt(k), pixelY(first[k]));
          else g.lineTo(xAt(k), pixelY(first[k]));
        if (curves.length === 1) continue;
        for (let back = k - 1; back >= start; back--) g.lineTo(xAt(back), pixelY(curves[1][back]));
        g.closePath();
      }
      if (curves.length > 1) {
        g.fillStyle = look.fillcolor;
        g.fill();
        return;
      }
      g.globalAlpha = look.opacity;
      g.strokeStyle = look.line.color;
      g.lineWidth = look.line.width;
      g.setLineDash((DASHES[look.line.dash] || []).map((many) => many * Math.max(look.line.width, 3)));
      g.stroke();
      g.globalAlpha = 1;
    });
    g.setLineDash([]);
  };

  const sketch = (view) => {
    if (view.drawn || !view.canSketch || !view.plot.isConnected) return;
    const layout = layoutFor(view);
    const [width, height] = [layout.width ?? view.plot.clientWidth, view.plot.clientHeight];
    if (!width || !height) return;
    const { l, r, t, b } = layout.margin;
    const [right, bottom] = [width - r, height - b];
    const [xs, ys] = rangesOf(view);
    const pixelX = (x) => l + ((x - xs[0]) / (xs[1] - xs[0])) * (right - l);
    const pixelY = (y) => bottom - ((y - ys[0]) / (ys[1] - ys[0])) * (bottom - t);
    if (!view.canvas) {
      view.canvas = document.createElement("canvas");
      view.canvas.className = "chart__sketch";
      view.canvas.setAttribute("aria-hidden", "true");
      view.plot.replaceChildren(view.canvas);
      buildOverlay(view);
    }
    const { canvas } = view;
    const fine = printing ? 3 : window.devicePixelRatio || 1;
    canvas.width = Math.round(width * fine);
    canvas.height = Math.round(height * fine);
    const g = canvas.getContext("2d");
    g.scale(fine, fine);
    const straight = (x1, y1, x2, y2, colour) => {
      g.strokeStyle = colour;
      g.lineWidth = 1;
      g.beginPath();
      g.moveTo(x1, y1);
      g.lineTo(x2, y2);
      g.stroke();
    };
    const crisp = (pixel) => Math.round(pixel) + 0.5;
    const { size, family, color } = layout.font;
    g.font = `${size}px ${family}`;
    g.fillStyle = color;
    g.textAlign = "center";
    for (const [x, text] of ticksOf(xs, right - l, 80)) {
      straight(crisp(pixelX(x)), t, crisp(pixelX(x)), bottom, layout.xaxis.gridcolor);
      straight(crisp(pixelX(x)), bottom, crisp(pixelX(x)), bottom + 4, layout.xaxis.tickcolor);
      g.fillText(text, pixelX(x), bottom + 5 + 1.2 * size);
    }
    g.textAlign = "right";
    let widest = 0;
    for (const [y, text] of ticksOf(ys, bottom - t, 40)) {
      const at = crisp(pixelY(y));
      straight(l, at, right, at, y === 0 ? layout.yaxis.zerolinecolor : layout.yaxis.gridcolor);
      g.fillText(text, l - 3, pixelY(y) + 0.35 * size);
      widest = Math.max(widest, g.measureText(text).width);
    }
    straight(l, bottom + 0.5, right, bottom + 0.5, layout.xaxis.linecolor);
    straight(l - 0.5, t, l - 0.5, bottom, layout.xaxis.linecolor);
    g.textAlign = "center";
    g.fillText(layout.xaxis.title?.text || "", (l + right) / 2, bottom + 10 + 2.3 * size);
    g.save();
    g.translate(l - 3 - widest - 8 - 0.3 * size, (t + bottom) / 2);
    g.rotate(-Math.PI / 2);
    g.fillText(layout.yaxis.title?.text || "", 0, 0);
    g.restore();
    g.save();
    g.beginPath();
    g.rect(l, t, right - l, bottom - t);
    g.clip();
    sketchCurves(view, g, pixelX, pixelY);
    g.restore();
    view.frame = {
      left: l, right, top: t, bottom, width,
      pixel: pixelX,
      value: (pixel) => xs[0] + ((pixel - l) / (right - l)) * (xs[1] - xs[0]),
    };
    if (printing) view.overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
    else view.overlay.removeAttribute("viewBox");
    placeEvents(view);
    placeCursor(view);
    [view.width, view.height] = [view.plot.clientWidth, height];
    view.figure_element.dataset.sketched = "true";
  };

  // --- One chart -----------------------------------------------------------------------------

  const CONFIG = {
    displayModeBar: false,
    displaylogo: false,
    showSendToCloud: false,
    showLink: false,
    responsive: false, // a ResizeObserver of ours does it
    doubleClick: "reset",
    scrollZoom: false,
    showTips: false,
  };

  const views = new Set();

  const tracesFor = (view) => view.figure.data.map((trace) => styled(trace, view));

  // Above the curves; not moved needlessly, since an event line in it may have the focus.
  const onTop = (view) => {
    if (view.plot.lastElementChild !== view.cursor) view.plot.append(view.overlay, view.cursor);
  };

  const draw = (view) => {
    if (!window.Plotly || !view.plot.isConnected) return;
    const first = !view.drawn;
    const lines = view.figure.data.filter(
      (trace) => !["band", "noise"].includes(trace.role) && !view.hidden.has(trace.key),
    );
    const bars = view.figure.data.some((trace) => trace.mode === "bars" || trace.type === "bar");
    view.unified = lines.length <= UNIFIED_AT_MOST && lines.length > 1 && !bars;
    if (!view.overlay) {
      view.plot.replaceChildren();
      buildOverlay(view);
    }
    window.Plotly.react(view.plot, tracesFor(view), layoutFor(view), CONFIG);
    view.canvas?.remove();
    view.canvas = view.curves = null;
    view.drawn = true;
    onTop(view);
    placeEvents(view);
    placeCursor(view);
    const { width, height } = view.plot._fullLayout;
    for (const picture of view.plot.querySelectorAll(".main-svg, .chart__overlay"))
      if (printing) picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
      else picture.removeAttribute("viewBox");
    if (!first) return;
    view.plot.on("plotly_relayout", () => {
      placeEvents(view);
      placeCursor(view);
      const range = axisOf(view)?.autorange;
      if (view.reset) view.reset.hidden = range !== false || Boolean(view.figure.layout?.xaxis?.range && !view.zoomed());
    });
    view.figure_element.dataset.drawn = "true";
    view.figure_element.dispatchEvent(new CustomEvent("chart:drawn", { bubbles: true }));
  };

  const whenIdle = (task) =>
    window.requestIdleCallback ? requestIdleCallback(task) : setTimeout(task, 200);

  let plotly = null;
  const loadPlotly = () => {
    plotly ??= new Promise((resolve, reject) => {
      if (window.Plotly) return resolve();
      const script = document.createElement("script");
      script.src = PLOTLY;
      script.addEventListener("load", () => resolve());
      script.addEventListener("error", () => {
        plotly = null; // the next chart tries again
        reject(new Error("plotly"));
      });
      document.head.append(script);
    });
    return plotly;
  };

  const sayFailed = (view, words) => {
    const wait = view.plot.querySelector(".chart__wait") || view.readout;
    if (wait) wait.textContent = words;
  };

  const show = (view) => {
    view.wanted ??= load(view);
    return view.wanted;
  };

  const load = async (view) => {
    try {
      await loadPlotly();
    } catch {
      view.wanted = null;
      sayFailed(view, "The chart could not be loaded; the table below has its numbers. Reload to try again.");
      return;
    }
    // Loading and every drawing in a task of its own: between them a page answers.
    await new Promise((resolve) => setTimeout(resolve));
    draw(view);
    if (!isLookingFurther) whenIdle(lookFurther);
  };

  // Plotly costs a phone over a second of its processor, in which nothing answers. So
  // a page that was just opened shows first pictures alone, and Plotly (hover, zoom)
  // takes over at the reader's first move, or when the page has been left alone for a
  // while. Charts that have no first picture are drawn when on the screen. From the
  // first drawing or move on, charts are drawn before they come to the screen.
  const ALONE_MS = 4000;
  let isAttended = false;

  const nearing = (task, rootMargin) => {
    const observer = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          if (!entry.isIntersecting) continue;
          observer.unobserve(entry.target);
          const view = entry.target.swingChart;
          if (view) task(view);
        }
      },
      { rootMargin },
    );
    return observer;
  };
  const sketching = nearing(sketch, "400px");
  let watching = nearing(show, "0px");
  let isLookingFurther = false;

  const watchView = (view) => {
    if (view.canSketch) sketching.observe(view.figure_element);
    if (isAttended || !view.canSketch) watching.observe(view.figure_element);
  };

  // What a reader asked for on a page whose Plotly is there: a first picture would be
  // thrown away at once, and only put off the real one.
  const isWaitedFor = ({ plot }) => {
    if (!isAttended || !window.Plotly) return false;
    const { width, top, bottom } = plot.getBoundingClientRect();
    return width > 0 && top < window.innerHeight + 400 && bottom > -400;
  };

  const attend = () => {
    if (isAttended) return;
    isAttended = true;
    for (const view of views) if (!view.wanted) watching.observe(view.figure_element);
  };

  const lookFurther = () => {
    if (isLookingFurther) return;
    isLookingFurther = true;
    watching.disconnect();
    watching = nearing(show, "400px");
    for (const view of views)
      if (!view.wanted && (isAttended || !view.canSketch)) watching.observe(view.figure_element);
  };
  for (const kind of ["scroll", "keydown", "pointerdown", "pointermove", "focusin"])
    window.addEventListener(
      kind,
      () => {
        attend();
        if (kind !== "pointermove") lookFurther();
      },
      { once: true, passive: true },
    );
  window.addEventListener("load", () => setTimeout(() => whenIdle(attend), ALONE_MS));

  const fetchAhead = () => {
    if (plotly || !views.size || navigator.connection?.saveData) return;
    // Into the browser's cache. One that fails is asked for again by the first chart.
    fetch(PLOTLY, { priority: "low" }).catch(() => {});
  };
  window.addEventListener("load", () => whenIdle(fetchAhead));

  const sizes = new ResizeObserver((entries) => {
    for (const entry of entries) {
      const view = entry.target.closest("[data-chart]")?.swingChart;
      const { width, height } = entry.contentRect;
      if (!(view?.drawn || view?.canvas) || printing || !width || (width === view.width && height === view.height)) continue;
      view.width = width;
      view.height = height;
      requestAnimationFrame(() => {
        if (!view.plot.isConnected) return;
        if (!view.drawn) return sketch(view);
        window.Plotly.Plots.resize(view.plot);
        onTop(view);
        placeEvents(view);
        placeCursor(view);
      });
    }
  });

  const extentOf = (figure) => {
    let low = Infinity;
    let high = -Infinity;
    for (const trace of figure.data) {
      if (trace.x0 === undefined) continue;
      const count = decode(trace.y ?? trace.lower).length;
      low = Math.min(low, trace.x0);
      high = Math.max(high, trace.x0 + (count - 1) * trace.dx);
    }
    return low <= high ? [low, high] : [0, 0];
  };

  const savePicture = (view) => {
    // The picture carries what our layer draws on the page.
    const layout = layoutFor(view);
    const line = { color: token("event"), width: 1 };
    layout.paper_bgcolor = token("card");
    layout.shapes = view.events.map((event) => ({
      type: "line", xref: "x", yref: "paper", x0: event.time, x1: event.time, y0: 0, y1: 1, line,
    }));
    layout.annotations = view.events.map((event) => ({
      x: event.time, xref: "x", y: 1, yref: "paper", yanchor: "bottom", text: event.label, showarrow: false,
    }));
    window.Plotly.downloadImage(
      { data: tracesFor(view), layout, config: CONFIG },
      { format: "png", scale: 2, width: 1000, height: 520, filename: view.figure_element.id || "chart" },
    );
  };

  const start = (element) => {
    if (element.swingChart) return;
    const source = document.getElementById(element.dataset.figureId);
    const plot = element.querySelector("[data-chart-plot]");
    if (!source || !plot) return;
    const figure = JSON.parse(source.textContent);
    const view = {
      figure_element: element,
      figure,
      plot,
      meta: figure.meta || {},
      events: (figure.events || []).map((event) => ({ ...event })),
      editable: "chartEditable" in element.dataset,
      extent: extentOf(figure),
      hidden: new Set(),
      series: figure.data
        .filter((trace) => trace.x0 !== undefined && trace.y && trace.name && (trace.role || "line") !== "single")
        .map((trace) => ({ trace, key: trace.key, values: null })),
      readout: element.querySelector("[data-chart-readout]"),
      reset: element.querySelector("[data-chart-reset]"),
      at: null,
      drawn: false,
      wanted: null,
      canSketch: canSketch(figure),
      canvas: null,
      curves: null,
      frame: null,
      unified: false,
      overlay: null,
      timeFromClientX(clientX) {
        const x = xUnder(view, clientX);
        return x === null || !timed(view) ? null : toTime(view, x);
      },
      step_s: (figure.data[0]?.dx || 1) * (figure.meta?.time_per_x_s || 0.001),
      eventTime(name) {
        const event = view.events.find((one) => one.name === name);
        return event && timed(view) ? toTime(view, event.time) : null;
      },
      zoomed() {
        const want = figure.layout?.xaxis?.range;
        const range = axisOf(view)?.range;
        return Boolean(want && range && (Math.abs(want[0] - range[0]) > 1e-6 || Math.abs(want[1] - range[1]) > 1e-6));
      },
    };
    for (const trace of figure.data) if (trace.hidden) view.hidden.add(trace.key);
    for (const box of document.querySelectorAll(`[data-chart-toggle="${CSS.escape(element.id)}"]`)) {
      if (box.checked) view.hidden.delete(box.value);
      else view.hidden.add(box.value);
    }
    element.swingChart = view;
    views.add(view);
    view.reset?.addEventListener("click", () => {
      const range = figure.layout?.xaxis?.range;
      window.Plotly.relayout(plot, range ? { "xaxis.range": [...range] } : { "xaxis.autorange": true });
      view.reset.hidden = true;
    });
    element.querySelector("[data-chart-save]")?.addEventListener("click", async () => {
      await show(view);
      if (view.drawn) savePicture(view);
    });
    plot.addEventListener("pointermove", (event) => {
      if (event.buttons && event.pointerType === "mouse") return; // a zoom box is drawn
      const x = xUnder(view, event.clientX);
      if (x === null || !timed(view)) return;
      sayTime(toTime(view, x), element.id);
    });
    if (isWaitedFor(view)) {
      view.wanted = Promise.resolve();
      draw(view);
    } else watchView(view);
    sizes.observe(plot);
  };

  const stop = (element) => {
    const view = element.swingChart;
    if (!view) return;
    watching.unobserve(element);
    sketching.unobserve(element);
    sizes.unobserve(view.plot);
    if (view.drawn) window.Plotly.purge(view.plot);
    views.delete(view);
    delete element.swingChart;
  };

  const within = (root, selector) => [
    ...(root instanceof Element && root.matches(selector) ? [root] : []),
    ...root.querySelectorAll(selector),
  ];

  // --- What the page tells us ---------------------------------------------------------------

  document.addEventListener("swing:time", (event) => {
    const { time_s } = event.detail;
    for (const view of views) {
      if (!timed(view)) continue;
      view.at = toX(view, time_s);
      placeCursor(view);
      readout(view);
    }
  });

  document.addEventListener("swing:event-moved", (event) => {
    for (const view of views) {
      if (!timed(view)) continue;
      const moved = view.events.find((one) => one.name === event.detail.event);
      if (!moved) continue;
      moved.time = toX(view, event.detail.time_s);
      placeEvents(view);
    }
  });

  document.addEventListener("theme:change", () => {
    for (const view of views)
      if (view.drawn) draw(view);
      else if (view.canvas) sketch(view);
  });

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || !box.dataset.chartToggle) return;
    const view = document.getElementById(box.dataset.chartToggle)?.swingChart;
    if (!view) return;
    if (box.checked) view.hidden.delete(box.value);
    else view.hidden.add(box.value);
    if (view.drawn) draw(view);
    else if (view.canvas) sketch(view);
    readout(view);
  });

  // Paper is white and shows charts that were never scrolled to.
  let screenTheme = null;
  const themeChanged = () => document.dispatchEvent(new CustomEvent("theme:change"));
  window.addEventListener("beforeprint", () => {
    const root = document.documentElement;
    printing = true;
    screenTheme = root.dataset.theme;
    root.dataset.theme = "light";
    tokens.clear();
    for (const view of views)
      if (!view.drawn) {
        if (window.Plotly) draw(view);
        else sketch(view);
      }
    themeChanged();
  });
  window.addEventListener("afterprint", () => {
    printing = false;
    document.documentElement.dataset.theme = screenTheme;
    themeChanged();
  });

  const begin = (root) => within(root, "[data-chart]").forEach(start);
  if (document.readyState === "loading")
    document.addEventListener("DOMContentLoaded", () => begin(document));
  else begin(document);
  document.addEventListener("htmx:load", (event) => begin(event.detail.elt));
  document.addEventListener("htmx:beforeCleanupElement", (event) => {
    const element = event.detail.elt;
    if (element instanceof Element && "chart" in element.dataset) stop(element);
  });
})();
