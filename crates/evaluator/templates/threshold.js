"use strict";
(() => {
  const box = document.getElementById("threshold");
  const counts = JSON.parse(box.dataset.counts);
  const slider = document.getElementById("slider");
  const write = (name, text) => { document.getElementById("threshold-" + name).textContent = text; };
  const share = (part, whole) => whole === 0 ? "undefined" : (part / whole).toFixed(4);
  const show = () => {
    const step = Number(slider.value);
    const found = counts.true_positives[step];
    const mistaken = counts.false_positives[step];
    const right = found + counts.negatives - mistaken;
    const threshold = (step / counts.steps).toFixed(3);
    write("value", threshold);
    slider.setAttribute("aria-valuetext", threshold);
    write("accuracy", share(right, counts.positives + counts.negatives));
    write("precision", share(found, found + mistaken));
    write("recall", share(found, counts.positives));
    write("true-positives", found);
    write("false-negatives", counts.positives - found);
    write("false-positives", mistaken);
  };
  slider.addEventListener("input", show);
  show();
})();
