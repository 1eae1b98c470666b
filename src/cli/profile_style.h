// What the page of a profile looks like, and what it does when it is clicked: without the script it reads all the same.
#pragma once

namespace tuff::cli {

inline constexpr char kProfileStyle[] = R"css(
:root { color-scheme: light dark; --back: #ffffff; --panel: #f6f8fa; --text: #1f2328; --quiet: #59636e; --line: #d1d9e0;
  --link: #0969da; --memory: #0a6bc8; --arithmetic: #b24a00; --launch: #7a3fc4; --on: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --back: #0d1117; --panel: #161b22; --text: #e6edf3; --quiet: #9198a1;
  --line: #30363d; --link: #58a6ff; --memory: #58a6ff; --arithmetic: #f0883e; --launch: #c297ff; --on: #0d1117; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1360px; padding: 24px 20px 60px; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0 0 12px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 36px 0 10px; }
a { color: var(--link); }
p { margin: 6px 0; max-width: 130ch; }
.quiet { color: var(--quiet); font-size: 13px; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px; margin: 0; }
dl.facts dt { color: var(--quiet); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 0; }
svg { display: block; width: 100%; height: auto; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .roof { stroke: var(--text); stroke-width: 2; }
svg text { fill: var(--text); font: 13px system-ui, sans-serif; }
svg text.tick, svg text.step { fill: var(--quiet); font-size: 12px; }
svg text.step, svg text.rooftext { paint-order: stroke; stroke: var(--panel); stroke-width: 3px; }
svg text.middle { text-anchor: middle; }
svg text.end { text-anchor: end; }
svg a.dot { fill-opacity: 0.75; stroke: var(--back); stroke-width: 1; }
svg a.dot:hover { fill-opacity: 1; stroke: var(--text); stroke-width: 2; }
.memory { fill: var(--memory); --bound: var(--memory); }
.arithmetic { fill: var(--arithmetic); --bound: var(--arithmetic); }
.launch { fill: var(--launch); --bound: var(--launch); }
.key { display: inline-flex; align-items: center; gap: 6px; margin-right: 16px; }
.key svg { width: 14px; height: 14px; background: none; border: 0; border-radius: 0; }
.strip { display: flex; height: 44px; border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.strip a { display: block; min-width: 0; flex: 1 1 0; background: var(--bound); border-right: 1px solid var(--back);
  color: var(--on); font-size: 12px; line-height: 42px; text-align: center; overflow: hidden; text-decoration: none; }
.strip a:hover { filter: brightness(1.25); }
.strip a:last-child { border-right: 0; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { padding: 5px 7px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums; vertical-align: top; }
thead th { background: var(--panel); font-weight: 600; }
thead button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
thead button:hover { text-decoration: underline; }
th[aria-sort=ascending] button::after { content: " \2191"; }
th[aria-sort=descending] button::after { content: " \2193"; }
tbody tr:hover { background: var(--panel); }
tfoot td, tfoot th { font-weight: 600; border-bottom: 0; }
th.text, td.text { text-align: left; }
td.text { white-space: normal; overflow-wrap: anywhere; min-width: 150px; }
td.nodes { min-width: 200px; }
td.nodes div { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
td.when { min-width: 110px; padding-left: 0; padding-right: 0; }
td.when div { height: 14px; margin-top: 3px; background: var(--bound); border-radius: 2px; min-width: 2px; }
td.bound { text-align: left; }
td.bound::before { content: ""; display: inline-block; width: 9px; height: 9px; margin-right: 6px; background: var(--bound);
  border-radius: 2px; }
details { border: 1px solid var(--line); border-radius: 8px; margin: 8px 0; }
summary { padding: 7px 12px; cursor: pointer; overflow-wrap: anywhere; }
details[open] > summary { border-bottom: 1px solid var(--line); background: var(--panel); border-radius: 8px 8px 0 0; }
.inside { padding: 10px 14px 14px; }
.inside h3 { font-size: 14px; margin: 14px 0 4px; }
.inside ul { margin: 0; padding-left: 20px; }
.inside li { overflow-wrap: anywhere; }
pre { margin: 0; padding: 10px; max-height: 480px; overflow: auto; background: var(--panel); border-radius: 6px;
  font: 12px/1.45 ui-monospace, monospace; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
details:target { border-color: var(--link); }
)css";

inline constexpr char kProfileScript[] = R"js(
"use strict";
function reveal() {
  const kernel = document.getElementById(location.hash.slice(1));
  if (kernel instanceof HTMLDetailsElement) { kernel.open = true; kernel.scrollIntoView(); }
}
addEventListener("hashchange", reveal);
reveal();
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#kernel-"]');
  if (link && link.getAttribute("href") === location.hash) reveal();
});
const table = document.getElementById("kernels");
const heads = [...table.tHead.rows[0].cells];
heads.forEach((head, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const isNumber = table.tBodies[0].rows[0].cells[column].hasAttribute("data-value");
    const sorted = head.getAttribute("aria-sort");
    const rising = sorted ? sorted === "descending" : !isNumber;  // the largest numbers first
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const rows = [...table.tBodies[0].rows].sort((a, b) =>
      isNumber ? Number(key(a)) - Number(key(b)) : key(a).localeCompare(key(b), undefined, { numeric: true }));
    if (!rising) rows.reverse();
    table.tBodies[0].append(...rows);
  });
});
)js";

}  // namespace tuff::cli
