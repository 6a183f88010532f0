// What a page lacks for people who use it by keyboard, by ear or with weak eyes: one sentence each.
() => {
  const problems = [];
  const shown = (node) => node.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);
  const words = (node) => node.outerHTML.replace(/\s+/g, " ").slice(0, 90);
  const text = (id) => document.getElementById(id)?.textContent.trim();
  const name = (node) =>
    (node.getAttribute("aria-label") || "").trim() ||
    (node.getAttribute("aria-labelledby") || "").split(" ").map(text).filter(Boolean).join(" ") ||
    [...(node.labels || [])].map((label) => label.textContent.trim()).join(" ") ||
    (node.matches("button, a, summary") ? node.textContent.trim() : "") ||
    (node.querySelector("img[alt], svg title") ? "image" : "") ||
    (node.type === "submit" ? node.value : "");

  if (!document.documentElement.lang) problems.push("The page does not say its language.");
  if (!document.title.trim()) problems.push("The page has no title.");
  if (!document.querySelector("meta[name=viewport]")) problems.push("The page does not fit itself to phones.");
  if (all("h1").length !== 1) problems.push(`The page has ${all("h1").length} h1.`);
  if (all("main, [role=main]").length !== 1) problems.push(`The page has ${all("main, [role=main]").length} main.`);
  let level = 1;
  for (const heading of all("h1, h2, h3, h4, h5, h6")) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) problems.push(`A level of headings is left out before: ${words(heading)}`);
    level = own;
  }

  for (const node of all("input:not([type=hidden]), select, textarea, button, a[href], summary"))
    if (!name(node)) problems.push(`No label or name: ${words(node)}`);
  for (const image of all("img")) if (!image.hasAttribute("alt")) problems.push(`No alt: ${words(image)}`);
  for (const cell of all("th")) if (!cell.scope) problems.push(`A header cell without its scope: ${words(cell)}`);
  for (const group of all("fieldset")) if (!group.querySelector("legend")) problems.push(`No legend: ${words(group)}`);
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of new Set(ids.filter((id, place) => ids.indexOf(id) !== place))) problems.push(`Two elements are #${id}.`);
  for (const node of document.querySelectorAll("[aria-describedby], [aria-labelledby], label[for]"))
    for (const id of (node.htmlFor || node.getAttribute("aria-describedby") || node.getAttribute("aria-labelledby")).split(" "))
      if (!document.getElementById(id)) problems.push(`Nothing is #${id}, which is named by: ${words(node)}`);

  // WCAG 2: 4.5 for text, 3 for large text; the colour behind is the nearest that is not see-through.
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = color;
    paint.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const behind = (node) => {
    if (!node) return matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0, 1] : [255, 255, 255, 1];
    const style = getComputedStyle(node);
    if (style.backgroundImage.includes("gradient")) return null;
    const own = rgba(style.backgroundColor);
    if (own[3] === 1) return own;
    const below = behind(node.parentElement);
    return below && over(own, below);
  };
  const light = (color) => {
    const [r, g, b] = color.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, two) => {
    const [dark, bright] = [light(one), light(two)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const check = (node, color, what) => {
    const style = getComputedStyle(node);
    const ground = behind(node);
    if (!ground) return;
    const size = parseFloat(style.fontSize);
    const enough = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const ratio = contrast(over(rgba(color), ground), ground);
    if (ratio < enough) problems.push(`Contrast ${ratio.toFixed(2)} is below ${enough} (${what}): ${words(node)}`);
  };
  for (const node of all("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (own && !node.matches(":disabled")) check(node, getComputedStyle(node).color, "text");
    if (node.matches("input:not([type=hidden], [type=radio], [type=checkbox]), textarea, select") && !node.disabled) {
      check(node, getComputedStyle(node).color, "field");
      if (node.placeholder) check(node, getComputedStyle(node, "::placeholder").color, "placeholder");
    }
  }

  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) problems.push(`The page scrolls sideways by ${wide} pixels.`);
  return problems;
}
