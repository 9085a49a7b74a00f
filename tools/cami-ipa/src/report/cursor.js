// Shows the values of the frame under the pointer, or under the arrow keys.
for (const figure of document.querySelectorAll("figure[data-frames]")) {
  const svg = figure.querySelector("svg");
  const cursor = figure.querySelector(".cursor");
  const output = figure.querySelector("output");
  const lines = [...figure.querySelectorAll("path.line")].map((line) => ({
    name: line.dataset.name,
    unit: line.dataset.unit,
    values: line.dataset.values.split(" "),
  }));
  const { before, behind } = figure.dataset;
  const first = Number(figure.dataset.first);
  const step = Number(figure.dataset.step);
  const frames = Number(figure.dataset.frames);
  const left = Number(figure.dataset.left);
  const right = Number(figure.dataset.right);
  let shown = 0;
  if (frames < 2) continue;

  function show(frame) {
    shown = Math.max(0, Math.min(frames - 1, frame));
    const x = left + (shown / (frames - 1)) * (right - left);
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    const value = (line) => (line.values[shown] === "-" ? "–" : line.values[shown] + line.unit);
    const at = Math.round((first + shown * step) * 1000) / 1000;
    output.textContent = before + at + behind + ": " + lines.map(value).join(", ");
    return at;
  }

  // What is looked at in one place of the page is shown in the others.
  function choose(index) {
    const at = show(index);
    if (behind === "") document.dispatchEvent(new CustomEvent("frame", { detail: { at, figure } }));
  }
  document.addEventListener("frame", (event) => {
    if (event.detail.figure !== figure && behind === "") show((event.detail.at - first) / step);
  });

  svg.setAttribute("tabindex", "0");
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    choose(Math.round(((x - left) / (right - left)) * (frames - 1)));
  });
  svg.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (move) {
      choose(shown + move);
      event.preventDefault();
    }
  });
}
