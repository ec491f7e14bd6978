
"use strict";
(() => {
  const find = (selector) => document.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const table = find("#projects");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const form = find("#filters");
  const panel = find("#panel");
  const details = find("#details");
  const drawTree = window.polylockTree(JSON.parse(find("#graph").textContent), find("#tree"));

  document.documentElement.classList.add("js");
  form.hidden = false;

  /* Filters: no target chosen means all of them. */
  const cells = rows.map((row) => all("td[data-target]", row));
  const filter = () => {
    const words = find("#name").value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = new Set(all("[name=target]:checked").map((box) => box.value));
    const shown = (cell) => !chosen.size || chosen.has(cell.dataset.target);
    const onlyDiffering = find("#differs").checked;
    const onlyVariants = find("#variants").checked;
    const fitting = new Set();
    all("[data-target]", table).forEach((cell) => { cell.hidden = !shown(cell); });
    rows.forEach((row, at) => {
      const groups = cells[at].filter(shown).map((cell) => cell.dataset.group);
      const fits =
        words.every((word) => row.dataset.name.includes(word)) &&
        groups.some((group) => group !== "") &&
        (!onlyDiffering || new Set(groups).size > 1) &&
        (!onlyVariants || row.dataset.variants === "1");
      row.hidden = !fits;
      if (fits) fitting.add(row.dataset.name);
    });
    const asTree = find("[name=view]:checked").value === "tree";
    find("#by-target").hidden = asTree;
    find("#by-requirement").hidden = !asTree;
    const named = words.length || onlyDiffering || onlyVariants;
    if (asTree) drawTree(chosen, named ? fitting : null);
    find("#count").value = asTree
      ? `${fitting.size} of ${rows.length} projects${named ? ", and the ways to them" : ""}`
      : `${fitting.size} of ${rows.length} projects shown`;
    find("#nothing").hidden = fitting.size > 0;
  };
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => {
    const view = find("[name=view]:checked");  /* which is no filter */
    setTimeout(() => { view.checked = true; filter(); });
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  /* Sorting: names upwards first, sizes downwards; what is not there comes last. */
  const byName = (a, b) => (a.dataset.name < b.dataset.name ? -1 : 1);
  const sizeIn = (target) => (row) => {
    const cell = target === null ? row : all("td[data-target]", row)[target];
    return cell.dataset.size === "" ? -1 : Number(cell.dataset.size);
  };
  const sort = (header, size) => {
    const before = header.getAttribute("aria-sort");
    const first = size ? "descending" : "ascending";
    const second = size ? "ascending" : "descending";
    const order = before === first ? second : first;
    all("th[aria-sort]", table).forEach((each) => each.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const sorted = [...rows].sort((a, b) => {
      if (!size) return sign * byName(a, b);
      const [left, right] = [size(a), size(b)];
      if (left < 0 || right < 0) return (left < 0) - (right < 0) || byName(a, b);
      return sign * (left - right) || byName(a, b);
    });
    body.append(...sorted);
  };
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, at) => {
    const target = at === headers.length - 1 ? null : at - 1;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...header.childNodes);
    button.title = at === 0 ? "Sort by name" : "Sort by size";
    header.append(button);
    button.addEventListener("click", () => sort(header, at === 0 ? null : sizeIn(target)));
  });
  headers[0].setAttribute("aria-sort", "ascending");

  /* The panel shows the project that the address names. */
  const content = find("#panel-content");
  const empty = () => details.append(...content.children);
  const show = () => {
    let name = "";
    try { name = decodeURIComponent(location.hash.slice(1)); } catch { /* no project's */ }
    const found = name.startsWith("project-") && document.getElementById(name);
    if (!found) { if (panel.open) panel.close(); return; }
    empty();
    content.append(found);
    panel.setAttribute("aria-label", found.dataset.name);
    if (!panel.open) panel.showModal();
    panel.scrollTop = 0;
    find("#panel h3").focus();
  };
  let opener = null;  /* a line of the tree; a row of the matrix is found by its name */
  find("#tree").addEventListener("click", (event) => { opener = event.target.closest("a"); });
  panel.addEventListener("close", () => {
    const closed = content.firstElementChild;
    empty();
    if (closed) {
      const row = rows.find((each) => each.dataset.name === closed.dataset.name);
      const back = opener?.isConnected ? opener : row.querySelector("a");
      back.focus({ preventScroll: true });
    }
    opener = null;
    if (location.hash.startsWith("#project-")) {
      history.replaceState(null, "", location.href.split("#")[0]);
    }
  });
  panel.addEventListener("click", (event) => { if (event.target === panel) panel.close(); });
  addEventListener("hashchange", show);

  addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName || "");
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === "/" && plain && !typing && !panel.open) {
      event.preventDefault();
      find("#name").focus();
    }
  });

  filter();
  show();
})();
