"use strict";
// The find box suggests customers while one types. Without this script it searches all the same.
(() => {
  const field = document.getElementById("billing-find");
  const list = document.getElementById("billing-found");
  if (!field || !list) return;
  let timer = 0;
  let newest = 0;
  const ask = async () => {
    const mine = ++newest;
    const begins = field.value.trim();
    if (begins.length < 2) return list.replaceChildren();
    const answer = await fetch(`${list.dataset.from}?q=${encodeURIComponent(begins)}`, { credentials: "same-origin" });
    if (!answer.ok || mine !== newest) return;
    const { found } = await answer.json();
    list.replaceChildren(...found.map(({ value, label }) => {
      const option = document.createElement("option");
      option.value = value;
      option.label = label;
      return option;
    }));
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => ask().catch(() => {}), 150);
  });
})();
