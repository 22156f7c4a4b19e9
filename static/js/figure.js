// Draws every [data-figure3d]: a stick figure with bat on a canvas, in step with the
// charts (docs/design.md, "3-D figure"). The projection is a few lines of its own, so
// it needs no WebGL, which tablets and remote desktops may not have.
(() => {
  "use strict";

  const SPEEDS = [
    [0.25, "¼×"],
    [0.5, "½×"],
    [1, "1×"],
    [0.125, "⅛×"],
  ];
  const HEAD_RADIUS_M = 0.105;
  const GRID_STEP_M = 0.5;
  const LEAD_IN_S = 0.3; // playing begins this long before the first event
  const SVG = "http://www.w3.org/2000/svg";
  const PLAY = "M6 3.5v13l11-6.5z";
  const PAUSE = "M5 3.5h4v13H5zM11 3.5h4v13h-4z";

  const decode = (source) => {
    const bytes = Uint8Array.from(atob(source.bdata ?? source), (c) => c.charCodeAt(0));
    return new Float32Array(bytes.buffer);
  };

  const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

  // Into one set of axes: x to the pitcher, z up, y to the left of who looks there.
  const standing = (raw, axes) => {
    const up = axes?.up ?? [0, 0, 1];
    const forward = axes?.forward ?? [1, 0, 0];
    const left = cross(up, forward);
    const out = new Float32Array(raw.length);
    for (let i = 0; i < raw.length; i += 3)
      for (const [k, axis] of [[0, forward], [1, left], [2, up]])
        out[i + k] = raw[i] * axis[0] + raw[i + 1] * axis[1] + raw[i + 2] * axis[2];
    return out;
  };

  const bounds = (points) => {
    const low = [Infinity, Infinity, Infinity];
    const high = [-Infinity, -Infinity, -Infinity];
    for (let i = 0; i < points.length; i += 3) {
      if (!Number.isFinite(points[i] + points[i + 1] + points[i + 2])) continue;
      for (let k = 0; k < 3; k++) {
        low[k] = Math.min(low[k], points[i + k]);
        high[k] = Math.max(high[k], points[i + k]);
      }
    }
    return low[0] <= high[0] ? { low, high } : { low: [-1, -1, 0], high: [1, 1, 2] };
  };

  const colours = () => {
    const style = getComputedStyle(document.documentElement);
    const get = (name) => style.getPropertyValue(`--${name}`).trim();
    const parts = {};
    for (const part of ["pelvis", "torso", "lead_arm", "hands", "bat", "separation", "legs", "head", "body", "value"])
      parts[part] = get(`part-${part.replaceAll("_", "-")}`);
    return {
      parts,
      grid: get("line"),
      ground: get("control"),
      surface: get("background"),
      muted: get("muted"),
      font: get("font"),
      small: 0.75 * Number.parseFloat(style.fontSize),
    };
  };

  const WIDTH = { bat: 6, pelvis: 6, torso: 6, lead_arm: 5 };

  class Figure {
    constructor(element, data) {
      this.element = element;
      this.data = data;
      this.canvas = element.querySelector("[data-figure3d-canvas]");
      this.context = this.canvas.getContext("2d");
      this.points = standing(decode(data.points), data.axes);
      const expected = data.n_frames * data.n_points * 3;
      if (this.points.length !== expected)
        throw new Error(`figure ${element.id}: ${this.points.length} numbers, not ${expected}`);
      this.box = bounds(this.points);
      const { low, high } = this.box;
      this.centre = [0, 1, 2].map((k) => (low[k] + high[k]) / 2);
      this.floor = Math.abs(low[2]) < 0.2 ? 0 : low[2];
      this.radius = Math.max(0.5, Math.hypot(high[0] - low[0], high[1] - low[1]) / 2);
      this.half = Math.max(0.5, (high[2] - low[2]) / 2);
      this.events = (data.events || []).map((event) => ({ ...event })).sort((a, b) => a.time_s - b.time_s);
      this.zero = data.zero_s ?? data.start_s;
      this.speed = 0;
      this.playing = false;
      this.touched = false;
      this.draws = 0;
      this.trails = new Map();
      this.time = Math.min(Math.max(this.zero, data.start_s), this.end);
      this.colours = colours();
      this.find();
      this.look("side");
      this.listen();
      this.showTicks();
      this.show(false);
    }

    get end() {
      return this.data.start_s + (this.data.n_frames - 1) * this.data.dt_s;
    }

    get frame() {
      const frame = Math.round((this.time - this.data.start_s) / this.data.dt_s);
      return Math.min(Math.max(frame, 0), this.data.n_frames - 1);
    }

    find() {
      const get = (name) => this.element.querySelector(`[data-figure3d-${name}]`);
      this.playButton = get("play");
      this.icon = get("icon");
      this.scrub = get("scrub");
      this.clock = get("time");
      this.live = get("live");
      this.ticks = get("ticks");
      this.speedButton = get("speed");
      this.viewButtons = [...this.element.querySelectorAll("[data-figure3d-view]")];
      this.scrub.max = String(this.data.n_frames - 1);
    }

    // --- Camera ------------------------------------------------------------------

    look(view) {
      // The side view looks at the chest, so a left-hander is seen from across.
      const chest = this.data.side === "left" ? Math.PI / 2 : -Math.PI / 2;
      const [azimuth, elevation] = {
        front: [0, 0.12],
        side: [chest, 0.12],
        top: [chest, Math.PI / 2],
      }[view];
      this.azimuth = azimuth;
      this.elevation = elevation;
      for (const button of this.viewButtons)
        button.setAttribute("aria-pressed", String(button.dataset.figure3dView === view));
      this.ask();
    }

    turn(azimuth, elevation) {
      this.azimuth += azimuth;
      this.elevation = Math.min(Math.PI / 2, Math.max(-0.1, this.elevation + elevation));
      for (const button of this.viewButtons) button.setAttribute("aria-pressed", "false");
      this.ask();
    }

    project(x, y, z) {
      const c = this.camera;
      const px = x - this.centre[0];
      const py = y - this.centre[1];
      const pz = z - this.centre[2];
      const depth = px * c.to[0] + py * c.to[1] + pz * c.to[2];
      const near = c.distance / (c.distance - depth);
      return [
        c.x + (px * c.right[0] + py * c.right[1]) * c.scale * near,
        c.y - (px * c.up[0] + py * c.up[1] + pz * c.up[2]) * c.scale * near,
        depth,
        near,
      ];
    }

    aim() {
      const width = this.canvas.clientWidth;
      const height = this.canvas.clientHeight;
      const ratio = Math.min(window.devicePixelRatio || 1, 2);
      if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
        this.canvas.width = Math.round(width * ratio);
        this.canvas.height = Math.round(height * ratio);
      }
      this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
      const [ca, sa] = [Math.cos(this.azimuth), Math.sin(this.azimuth)];
      const [ce, se] = [Math.cos(this.elevation), Math.sin(this.elevation)];
      const distance = 6 * Math.max(this.radius, this.half);
      // The box of all frames fills the stage, however it is turned.
      const [dx, dy, dz] = [0, 1, 2].map((k) => (this.box.high[k] - this.box.low[k]) / 2);
      const wide = Math.max(0.4, Math.abs(sa) * dx + Math.abs(ca) * dy);
      const tall = Math.max(0.4, Math.abs(se) * (Math.abs(ca) * dx + Math.abs(sa) * dy) + ce * dz);
      // Room for the perspective's growth of what is near, and for clock and buttons.
      const scale = Math.min((0.84 * width) / (2 * wide), (0.88 * (height - 56)) / (2 * tall));
      this.camera = {
        to: [ce * ca, ce * sa, se],
        right: [-sa, ca],
        up: [-se * ca, -se * sa, ce],
        x: width / 2,
        y: height / 2 + 16,
        distance,
        scale,
      };
      return [width, height];
    }

    // --- Drawing -------------------------------------------------------------------

    ask() {
      if (this.asked) return;
      this.asked = requestAnimationFrame(() => {
        this.asked = null;
        this.draw();
      });
    }

    // In the step of the screen that asked for it already.
    drawNow() {
      cancelAnimationFrame(this.asked);
      this.asked = null;
      this.draw();
    }

    line(a, b, colour, width) {
      const g = this.context;
      g.globalAlpha = 1;
      g.strokeStyle = colour;
      g.lineWidth = width;
      g.beginPath();
      g.moveTo(a[0], a[1]);
      g.lineTo(b[0], b[1]);
      g.stroke();
    }

    drawGround() {
      const snap = (value) => Math.round(value / GRID_STEP_M) * GRID_STEP_M;
      const [cx, cy] = [snap(this.centre[0]), snap(this.centre[1])];
      const reach = 1.5;
      const z = this.floor;
      const g = this.context;
      g.globalAlpha = 1;
      g.strokeStyle = this.colours.grid;
      g.lineWidth = 1;
      g.beginPath();
      for (let step = -reach; step <= reach + 1e-6; step += GRID_STEP_M)
        for (const [ax, ay, bx, by] of [[step, -reach, step, reach], [-reach, step, reach, step]]) {
          const [x1, y1] = this.project(cx + ax, cy + ay, z);
          const [x2, y2] = this.project(cx + bx, cy + by, z);
          g.moveTo(x1, y1);
          g.lineTo(x2, y2);
        }
      g.stroke();
      // Where the ball comes from.
      // As far ahead as the stage shows it.
      const width = this.canvas.clientWidth;
      let ahead = reach - 0.1;
      let to = this.project(cx + ahead, cy, z);
      while (ahead > 0.6 && (to[0] < 16 || to[0] > width - 16)) {
        ahead -= 0.1;
        to = this.project(cx + ahead, cy, z);
      }
      const from = this.project(cx + ahead - 0.5, cy, z);
      const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
      if (length < 12) return;
      this.line(from, to, this.colours.ground, 1.5);
      const [ux, uy] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
      for (const turn of [1, -1])
        this.line(to, [to[0] - 8 * ux - turn * 5 * uy, to[1] - 8 * uy + turn * 5 * ux], this.colours.ground, 1.5);
      g.fillStyle = this.colours.muted;
      g.font = `500 ${this.colours.small}px ${this.colours.font}`;
      g.textAlign = ux < -0.3 ? "right" : ux > 0.3 ? "left" : "center";
      g.fillText("pitcher", Math.min(Math.max(to[0] + 8 * ux, 30), width - 30) - (ux > 0.3 ? 36 : ux < -0.3 ? -36 : 0), to[1] + 18);
    }

    at(frame, point) {
      const i = (frame * this.data.n_points + point) * 3;
      const [x, y, z] = [this.points[i], this.points[i + 1], this.points[i + 2]];
      return Number.isFinite(x + y + z) ? this.project(x, y, z) : null;
    }

    // While the camera rests, a path only grows: its points are not projected again.
    trailTo(trail, frame) {
      const c = this.camera;
      const seen = [c.scale, c.x, c.y, this.azimuth, this.elevation].join();
      let kept = this.trails.get(trail);
      if (!kept || kept.seen !== seen || kept.frame > frame) {
        kept = { seen, frame: -1, path: new Path2D(), open: false };
        this.trails.set(trail, kept);
      }
      while (kept.frame < frame) {
        kept.frame += 1;
        const p = this.at(kept.frame, trail.point);
        if (p && kept.open) kept.path.lineTo(p[0], p[1]);
        else if (p) kept.path.moveTo(p[0], p[1]);
        kept.open = Boolean(p);
      }
      return kept.path;
    }

    drawTrails(frame) {
      const g = this.context;
      g.globalAlpha = 0.65;
      g.lineWidth = 1.5;
      for (const trail of this.data.trails || []) {
        g.strokeStyle = this.colours.parts[trail.part] || this.colours.parts.body;
        g.stroke(this.trailTo(trail, frame));
      }
      g.globalAlpha = 1;
    }

    drawBody(frame) {
      const strokes = [];
      for (const [i, j, part] of this.data.bones) {
        const a = this.at(frame, i);
        const b = this.at(frame, j);
        if (a && b) strokes.push({ depth: (a[2] + b[2]) / 2, a, b, part });
      }
      const head = this.data.head === undefined || this.data.head === null ? null : this.at(frame, this.data.head);
      if (head) strokes.push({ depth: head[2], head });
      strokes.sort((one, two) => one.depth - two.depth);
      const unit = Math.max(0.6, Math.min(1.6, this.camera.scale / 170));
      const g = this.context;
      g.lineCap = "round";
      for (const stroke of strokes) {
        if (stroke.head) {
          const [x, y, , near] = stroke.head;
          g.globalAlpha = 1;
          g.fillStyle = this.colours.surface;
          g.strokeStyle = this.colours.parts.head;
          g.lineWidth = 3.5 * unit;
          g.beginPath();
          g.arc(x, y, HEAD_RADIUS_M * this.camera.scale * near, 0, 2 * Math.PI);
          g.fill();
          g.stroke();
          continue;
        }
        const width = (WIDTH[stroke.part] ?? 3.5) * unit * (0.5 + 0.5 * stroke.a[3]);
        // A rim in the colour of the ground keeps crossing limbs apart; it ends short
        // of the joints, where limbs should meet.
        const along = (share) => [0, 1].map((k) => stroke.a[k] + share * (stroke.b[k] - stroke.a[k]));
        g.lineCap = "butt";
        this.line(along(0.14), along(0.86), this.colours.surface, width + 4 * unit);
        g.lineCap = "round";
        this.line(stroke.a, stroke.b, this.colours.parts[stroke.part] || this.colours.parts.body, width);
      }
    }

    draw() {
      const [width, height] = this.aim();
      if (!width || !height) return;
      this.context.clearRect(0, 0, width, height);
      this.drawGround();
      this.drawTrails(this.frame);
      this.drawBody(this.frame);
      this.draws += 1;
      this.element.dataset.drawn = "true";
    }

    // --- Time ---------------------------------------------------------------------

    words() {
      const ms = Math.round((this.time - this.zero) * 1000);
      return `${ms < 0 ? "−" : ms > 0 ? "+" : ""}${Math.abs(ms)} ms`;
    }

    // The event of the moment: the last one passed, for as long as it is near.
    moment() {
      const near = this.events.filter((event) => Math.abs(event.time_s - this.time) < 0.6 * this.data.dt_s + 0.004);
      return near.length ? near[near.length - 1].label : "";
    }

    spoken(words, moment) {
      const from = this.data.reference_label ? ` from ${this.data.reference_label}` : "";
      return `${words}${from}${moment ? `, ${moment}` : ""}`;
    }

    show(announce) {
      this.scrub.value = String(this.frame);
      const words = this.words();
      const moment = this.moment();
      this.clock.firstChild ? (this.clock.firstChild.nodeValue = words) : this.clock.append(words);
      if (!this.momentElement) {
        this.momentElement = document.createElement("span");
        this.momentElement.className = "figure3d__event";
        this.clock.append(this.momentElement);
      }
      const beside = moment || (Math.abs(this.time - this.zero) < this.data.dt_s ? this.data.reference_label || "" : "");
      if (this.momentElement.textContent !== beside) this.momentElement.textContent = beside;
      // Nobody can listen to sixty times a second; it is said when the swing rests.
      if (!this.playing) this.scrub.setAttribute("aria-valuetext", this.spoken(words, moment));
      if (announce) {
        const spoken = this.spoken(words, moment);
        clearTimeout(this.speaking);
        this.speaking = setTimeout(() => (this.live.textContent = spoken), 400);
      }
      this.ask();
    }

    tell() {
      document.dispatchEvent(
        new CustomEvent("swing:time", { detail: { time_s: this.time, source: this.element.id } }),
      );
    }

    moveTo(time, { announce = true, tell = true } = {}) {
      this.time = Math.min(Math.max(time, this.data.start_s), this.end);
      this.touched = true;
      this.show(announce);
      if (tell) this.tell();
    }

    step(steps) {
      this.pause();
      this.moveTo(this.data.start_s + (this.frame + steps) * this.data.dt_s);
    }

    play() {
      const atEnd = this.frame >= this.data.n_frames - 1;
      if (atEnd || !this.touched) {
        const first = this.events.length ? this.events[0].time_s - LEAD_IN_S : this.data.start_s;
        this.time = Math.max(this.data.start_s, first);
      }
      this.touched = true;
      this.playing = true;
      this.showPlaying();
      let before = null;
      const next = (now) => {
        if (!this.playing || !this.element.isConnected) return;
        const passed = before === null ? 0 : Math.min(now - before, 100) / 1000;
        before = now;
        this.moveTo(this.time + passed * SPEEDS[this.speed][0], { announce: false });
        this.drawNow();
        if (this.time >= this.end) this.pause();
        else requestAnimationFrame(next);
      };
      requestAnimationFrame(next);
    }

    pause() {
      if (!this.playing) return;
      this.playing = false;
      this.showPlaying();
      this.show(true);
    }

    toggle() {
      if (this.playing) this.pause();
      else this.play();
    }

    showPlaying() {
      this.icon.setAttribute("d", this.playing ? PAUSE : PLAY);
      this.playButton.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    }

    showTicks() {
      this.ticks.replaceChildren();
      for (const event of this.events) {
        const place = ((event.time_s - this.data.start_s) / (this.end - this.data.start_s)) * 1000;
        const tick = document.createElementNS(SVG, "line");
        for (const [name, value] of [["x1", place], ["x2", place], ["y1", 0], ["y2", 10]]) tick.setAttribute(name, value);
        this.ticks.append(tick);
      }
    }

    // --- Hands and keys ---------------------------------------------------------------

    listen() {
      this.playButton.addEventListener("click", () => this.toggle());
      for (const button of this.element.querySelectorAll("[data-figure3d-step]"))
        button.addEventListener("click", () => this.step(Number(button.dataset.figure3dStep)));
      for (const button of this.viewButtons)
        button.addEventListener("click", () => this.look(button.dataset.figure3dView));
      this.speedButton.addEventListener("click", () => {
        this.speed = (this.speed + 1) % SPEEDS.length;
        this.speedButton.lastElementChild.textContent = SPEEDS[this.speed][1];
      });
      this.scrub.addEventListener("input", () => {
        this.pause();
        this.moveTo(this.data.start_s + Number(this.scrub.value) * this.data.dt_s);
      });
      let last = null;
      this.canvas.addEventListener("pointerdown", (event) => {
        last = [event.clientX, event.clientY];
        this.canvas.setPointerCapture(event.pointerId);
      });
      this.canvas.addEventListener("pointermove", (event) => {
        if (!last) return;
        this.turn((last[0] - event.clientX) * 0.01, (event.clientY - last[1]) * 0.008);
        last = [event.clientX, event.clientY];
      });
      for (const name of ["pointerup", "pointercancel"])
        this.canvas.addEventListener(name, () => (last = null));
      this.canvas.addEventListener("keydown", (event) => {
        const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
        if (!by || !event.shiftKey) return;
        event.preventDefault();
        this.turn(by[0] * 0.12, by[1] * 0.1);
      });
      this.sizes = new ResizeObserver(() => this.ask());
      this.sizes.observe(this.canvas);
    }

    stop() {
      this.playing = false;
      this.sizes.disconnect();
      cancelAnimationFrame(this.asked);
      clearTimeout(this.speaking);
    }
  }

  const figures = new Set();

  const start = (element) => {
    if (element.swingFigure) return;
    const source = document.getElementById(element.dataset.figureId);
    if (!source) return;
    element.swingFigure = new Figure(element, JSON.parse(source.textContent));
    figures.add(element.swingFigure);
  };

  document.addEventListener("swing:time", (event) => {
    for (const figure of figures) {
      if (event.detail.source === figure.element.id) continue;
      figure.pause();
      figure.moveTo(event.detail.time_s, { announce: false, tell: false });
    }
  });

  document.addEventListener("swing:control", (event) => {
    const [figure] = figures;
    if (event.detail.action === "toggle") figure?.toggle();
    if (event.detail.action === "step") figure?.step(event.detail.steps);
  });

  document.addEventListener("swing:event-moved", (event) => {
    for (const figure of figures) {
      const moved = figure.events.find((one) => one.name === event.detail.event);
      if (!moved) continue;
      moved.time_s = event.detail.time_s;
      figure.showTicks();
    }
  });

  document.addEventListener("theme:change", () => {
    for (const figure of figures) {
      figure.colours = colours();
      figure.draw(); // at once: a printer does not wait for the next frame
    }
  });

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) for (const figure of figures) figure.pause();
  });

  const within = (root) => [
    ...(root instanceof Element && root.matches("[data-figure3d]") ? [root] : []),
    ...root.querySelectorAll("[data-figure3d]"),
  ];
  const begin = (root) => within(root).forEach(start);
  if (document.readyState === "loading")
    document.addEventListener("DOMContentLoaded", () => begin(document));
  else begin(document);
  document.addEventListener("htmx:load", (event) => begin(event.detail.elt));
  document.addEventListener("htmx:beforeCleanupElement", (event) => {
    const figure = event.detail.elt.swingFigure;
    if (!figure) return;
    figure.stop();
    figures.delete(figure);
  });
})();
