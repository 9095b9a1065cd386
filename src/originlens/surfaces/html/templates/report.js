"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");

  // Theme: follows the system until the reader chooses.
  const button = document.querySelector("[data-theme-switch]");
  const dark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const name = () => { button.textContent = dark() ? "Light" : "Dark"; };
  button.hidden = false;
  button.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; name(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", name);
  name();

  for (const stage of document.querySelectorAll("[data-stage]")) {
    const sliders = stage.querySelectorAll("input[data-sets]");
    const show = (slider) => {
      stage.style.setProperty(slider.dataset.sets, slider.value + slider.dataset.unit);
      slider.setAttribute("aria-valuetext", slider.value + slider.dataset.says);
    };
    for (const slider of sliders) {
      slider.addEventListener("input", () => show(slider));
      show(slider);
    }
    const boxes = stage.querySelector("input[data-boxes]");
    if (boxes) boxes.addEventListener("change", () => stage.classList.toggle("plain", !boxes.checked));

    // Dragging on the picture moves the same slider that the keyboard moves.
    const frame = stage.querySelector(".frame");
    const split = sliders[0];
    const follow = (event) => {
      const box = frame.getBoundingClientRect();
      split.value = Math.round(100 * (event.clientX - box.left) / box.width);
      show(split);
    };
    frame.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      frame.setPointerCapture(event.pointerId);
      follow(event);
      event.preventDefault();
    });
    frame.addEventListener("pointermove", (event) => {
      if (frame.hasPointerCapture(event.pointerId)) follow(event);
    });
  }

  const filters = document.querySelector("[data-filters]");
  if (filters) {
    filters.hidden = false;
    filters.addEventListener("click", (event) => {
      const chosen = event.target.closest("button");
      if (!chosen) return;
      for (const other of filters.querySelectorAll("button")) {
        other.setAttribute("aria-pressed", String(other === chosen));
      }
      for (const row of document.querySelectorAll(".hitlist > li")) {
        row.hidden = chosen.dataset.show !== "" && row.dataset.relation !== chosen.dataset.show;
      }
    });
  }

  addEventListener("beforeprint", () => {
    for (const fold of document.querySelectorAll("details")) fold.open = true;
  });
})();
