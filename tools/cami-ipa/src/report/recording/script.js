// Draws the requests, and shows the pictures of the statistics.
"use strict";

function told(id) {
  const element = document.getElementById(id);
  return element ? JSON.parse(element.textContent) : null;
}

function frameChosen(at, from) {
  document.dispatchEvent(new CustomEvent("frame", { detail: { at, figure: from } }));
}

function milliseconds(us) {
  if (us < 1000) return Math.round(us) + " µs";
  if (us < 1e6) return Math.round(us / 10) / 100 + " ms";
  return Math.round(us / 1000) / 1000 + " s";
}

const requests = told("requests");
if (requests) timeline(requests);

function timeline(data) {
  const canvas = document.getElementById("lanes");
  const chosen = document.getElementById("chosen");
  const count = data.since.length;
  const begin = new Float64Array(count);
  for (let i = 0, at = 0; i < count; i++) begin[i] = at += data.since[i];
  const bad = new Set(data.bad);
  const again = new Set(data.again);
  // Where the rows stand.
  const LEFT = 64, TOP = 22, LINE = 18, GAP = 8;
  let bottom = TOP;
  const tops = data.lanes.map(([, lines]) => {
    const top = bottom;
    bottom += lines * LINE + GAP;
    return top;
  });
  // The longest request that began before another: what is seen may have begun long ago.
  const longest = data.took.reduce((most, took) => Math.max(most, took), 0);
  let from = 0, to = data.span, selected = -1, width = 0, colours = {}, scheduled = false;

  // Red is for what went wrong.
  function hue(command) { return 40 + ((command * 173) % 280); }
  function paint(command) { return `hsl(${hue(command)} ${colours.dark ? "55% 62%" : "60% 42%"})`; }

  function palette() {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(name).trim();
    colours = {
      dark: matchMedia("(prefers-color-scheme: dark)").matches,
      ink: of("--ink"), soft: of("--soft"), rule: of("--rule"), card: of("--card"),
      fault: of("--fault"), good: of("--good"), light: of("--light"),
    };
    const legend = document.getElementById("legend");
    legend.replaceChildren(...data.commands.map((name, command) => {
      const item = document.createElement("li");
      const swatch = document.createElement("span");
      swatch.style.background = paint(command);
      item.append(swatch, name);
      return item;
    }));
  }

  const x = (at) => LEFT + ((at - from) / (to - from)) * (width - LEFT);
  const time = (place) => from + ((place - LEFT) / (width - LEFT)) * (to - from);

  function first(at) {
    let low = 0, high = count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (begin[middle] < at) low = middle + 1; else high = middle;
    }
    return low;
  }

  function draw() {
    scheduled = false;
    const ratio = devicePixelRatio || 1;
    width = canvas.clientWidth;
    canvas.style.height = bottom + "px";
    canvas.width = Math.max(1, Math.round(width * ratio));
    canvas.height = Math.max(1, Math.round(bottom * ratio));
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    axis(pen);
    pen.save();
    pen.beginPath();
    pen.rect(LEFT, 0, width - LEFT, bottom);
    pen.clip();
    let drawn = 0;
    const until = new Map();
    for (let i = first(from - longest); i < count && begin[i] <= to; i++) {
      const end = begin[i] + data.took[i];
      if (end < from) continue;
      const key = data.lane[i] * 64 + data.line[i];
      const left = x(begin[i]), right = Math.max(x(end), left + 0.7);
      const plain = !bad.has(i) && i !== selected;
      // What shares a pixel with what is drawn there already is not seen.
      if (plain && right <= (until.get(key) ?? -1)) continue;
      until.set(key, Math.max(Math.ceil(right * 2) / 2, until.get(key) ?? -1));
      drawn++;
      box(pen, i, left, right - left);
    }
    for (const mark of data.marks) {
      const at = x(mark.at);
      if (at < LEFT || at > width) continue;
      pen.strokeStyle = colours[mark.kind];
      pen.fillStyle = colours[mark.kind];
      pen.lineWidth = mark.kind === "fault" ? 2 : 1;
      pen.beginPath();
      pen.moveTo(at, 14);
      pen.lineTo(at, bottom);
      pen.stroke();
      pen.beginPath();
      pen.moveTo(at - 4, 14);
      pen.lineTo(at + 4, 14);
      pen.lineTo(at, 21);
      pen.fill();
    }
    pen.restore();
    Object.assign(canvas.dataset, { from: Math.round(from), to: Math.round(to), drawn });
  }

  function box(pen, i, left, wide) {
    const top = tops[data.lane[i]] + data.line[i] * LINE;
    pen.globalAlpha = again.has(i) ? 0.45 : 1;
    pen.fillStyle = bad.has(i) ? colours.fault : paint(data.command[i]);
    pen.fillRect(left, top + 1, wide, LINE - 3);
    pen.globalAlpha = 1;
    if (i === selected) {
      pen.strokeStyle = colours.ink;
      pen.lineWidth = 2;
      pen.strokeRect(left, top + 1, wide, LINE - 3);
    }
    const name = data.commands[data.command[i]];
    if (wide > 22) {
      const seen = Math.max(left, LEFT);
      const letters = Math.floor((left + wide - seen - 6) / 6.4);
      if (letters < 3) return;
      pen.fillStyle = colours.card;
      pen.fillText(name.length > letters ? name.slice(0, letters - 1) + "…" : name, seen + 3, top + LINE / 2);
    }
  }

  function axis(pen) {
    data.lanes.forEach(([name, lines], lane) => {
      pen.fillStyle = colours.soft;
      pen.textAlign = "right";
      const text = name.length > 9 ? name.slice(0, 8) + "…" : name;
      pen.fillText(text, LEFT - 6, tops[lane] + LINE / 2);
      pen.fillStyle = colours.rule;
      pen.fillRect(0, tops[lane] + lines * LINE + GAP / 2 - 1, width, 1);
    });
    const rough = (to - from) / Math.max(2, (width - LEFT) / 110);
    const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? rough;
    pen.textAlign = "left";
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
      pen.fillStyle = colours.rule;
      pen.fillRect(x(at), 0, 1, bottom);
      pen.fillStyle = colours.soft;
      if (x(at) < width - 40) pen.fillText(milliseconds(at), x(at) + 3, 7);
    }
  }

  function later() {
    if (!scheduled) requestAnimationFrame(draw);
    scheduled = true;
  }

  function look(newFrom, newTo) {
    const span = Math.min(data.span, Math.max(newTo - newFrom, 20));
    from = Math.max(0, Math.min(newFrom, data.span - span));
    to = from + span;
    later();
  }

  function zoom(factor, around) {
    const at = around ?? (from + to) / 2;
    look(at - (at - from) * factor, at + (to - at) * factor);
  }

  function move(share) {
    const by = (to - from) * share;
    look(from + by, to + by);
  }

  function describe(i) {
    const status = data.status[i];
    const parts = [
      data.commands[data.command[i]],
      data.frame[i] >= 0 ? "frame " + data.frame[i] : "in no frame",
      "at " + milliseconds(begin[i]),
      status === null ? "never answered" : milliseconds(data.took[i]) + ", status " + status,
    ];
    if (again.has(i)) parts.push("said again in a recovery");
    return parts.join(" · ");
  }

  function select(i, show) {
    if (i < 0 || i >= count) return;
    selected = i;
    chosen.textContent = describe(i);
    canvas.dataset.selected = i;
    if (show && (begin[i] < from || begin[i] + data.took[i] > to)) {
      const half = (to - from) / 2;
      look(begin[i] + data.took[i] / 2 - half, begin[i] + data.took[i] / 2 + half);
    }
    if (data.frame[i] >= 0) frameChosen(data.frame[i], canvas);
    later();
  }

  // The next after what is selected, or else the first that is seen.
  function step(by) {
    select(selected < 0 ? Math.min(first(from), count - 1) : selected + by, true);
  }

  function fault() {
    const after = selected < 0 ? from - 1 : begin[selected];
    const moments = data.bad.map((i) => ({ at: begin[i], i }));
    for (const mark of data.marks) {
      if (mark.kind === "fault") moments.push({ at: mark.at, text: mark.text });
    }
    moments.sort((one, other) => one.at - other.at);
    const next = moments.find((m) => m.at > after && m.at > (fault.last ?? -1)) ?? moments[0];
    if (!next) { chosen.textContent = "There is no fault."; return; }
    fault.last = next === moments[moments.length - 1] ? -1 : next.at;
    const half = Math.min(to - from, 200000) / 2;
    look(next.at - half, next.at + half);
    if (next.text) chosen.textContent = next.text; else select(next.i, false);
  }

  const actions = {
    in: () => zoom(0.5), out: () => zoom(2), earlier: () => move(-0.25), later: () => move(0.25),
    whole: () => look(0, data.span), before: () => step(-1), after: () => step(1), fault,
  };
  for (const button of document.querySelectorAll("[data-action]")) {
    button.addEventListener("click", () => actions[button.dataset.action]());
  }
  const keys = {
    "+": "in", "=": "in", "-": "out", "0": "whole", Home: "whole", ArrowLeft: "earlier",
    ArrowRight: "later", n: "after", p: "before", f: "fault",
  };
  canvas.addEventListener("keydown", (event) => {
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    actions[action]();
    event.preventDefault();
  });

  function under(event) {
    const box = canvas.getBoundingClientRect();
    const at = time(event.clientX - box.left), high = event.clientY - box.top;
    const slack = ((to - from) / Math.max(1, width - LEFT)) * 2;
    for (let i = first(at + slack) - 1; i >= 0 && begin[i] >= at - longest - slack; i--) {
      const top = tops[data.lane[i]] + data.line[i] * LINE;
      if (high >= top && high < top + LINE && begin[i] + data.took[i] >= at - slack) return i;
    }
    return -1;
  }
  let held = null;
  canvas.addEventListener("pointerdown", (event) => {
    held = { x: event.clientX, from, to };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (held && Math.abs(event.clientX - held.x) < 3) select(under(event), false);
    held = null;
  });
  canvas.addEventListener("pointercancel", () => { held = null; });
  canvas.addEventListener("pointermove", (event) => {
    if (!held) {
      const i = under(event);
      if (i >= 0) chosen.textContent = describe(i);
      return;
    }
    const by = ((held.x - event.clientX) / Math.max(1, width - LEFT)) * (held.to - held.from);
    look(held.from + by, held.to + by);
  });
  canvas.addEventListener("dblclick", (event) => {
    zoom(0.4, time(event.clientX - canvas.getBoundingClientRect().left));
  });
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, time(event.clientX - canvas.getBoundingClientRect().left));
  }, { passive: false });

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { palette(); later(); });
  new ResizeObserver(later).observe(canvas);
  palette();
  draw();
}

const pictures = told("pictures");
if (pictures) scrub(pictures);

function scrub(all) {
  const slider = document.getElementById("picture");
  const text = document.getElementById("picture-text");
  const images = { rgb: document.getElementById("picture-rgb"), af: document.getElementById("picture-af") };
  const names = { rgb: "Colour grid", af: "Focus grid" };

  function show(place) {
    const at = Math.max(0, Math.min(all.length - 1, place));
    const picture = all[at];
    slider.value = at;
    slider.setAttribute("aria-valuetext", "frame " + picture.frame);
    text.textContent = picture.text;
    for (const kind of ["rgb", "af"]) {
      images[kind].parentElement.hidden = !picture[kind];
      if (picture[kind]) images[kind].src = "data:image/png;base64," + picture[kind];
      images[kind].alt = names[kind] + " of frame " + picture.frame;
    }
    return picture;
  }
  function choose(place) { frameChosen(show(place).frame, slider); }

  slider.addEventListener("input", () => choose(Number(slider.value)));
  document.getElementById("picture-before").addEventListener("click", () => choose(Number(slider.value) - 1));
  document.getElementById("picture-after").addEventListener("click", () => choose(Number(slider.value) + 1));
  document.addEventListener("frame", (event) => {
    if (event.detail.figure === slider) return;
    // The last picture that is not of a later frame.
    let place = 0;
    while (place + 1 < all.length && all[place + 1].frame <= event.detail.at) place++;
    show(place);
  });
  show(0);
}
