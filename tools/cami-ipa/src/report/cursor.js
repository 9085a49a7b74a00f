// Shows the values of the frame under the pointer, or under the arrow keys.
for (const figure of document.querySelectorAll("figure[data-frames]")) {
  const svg = figure.querySelector("svg");
  const cursor = figure.querySelector(".cursor");
  const output = figure.querySelector("output");
  const lines = [...figure.querySelectorAll("polyline")].map((line) => ({
    name: line.dataset.name,
    unit: line.dataset.unit,
    values: line.dataset.values.split(" "),
  }));
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
    const values = lines.map((line) => line.values[shown] + line.unit).join(", ");
    output.textContent = "frame " + shown + ": " + values;
  }

  svg.setAttribute("tabindex", "0");
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    show(Math.round(((x - left) / (right - left)) * (frames - 1)));
  });
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (step) {
      show(shown + step);
      event.preventDefault();
    }
  });
}
