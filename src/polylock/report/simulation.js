
"use strict";
/* Shows the document of `polylock index simulate --json` that stands in this page. Texts
   of the index only ever become text nodes. */
(() => {
  const find = (selector) => document.querySelector(selector);
  const simulation = JSON.parse(find("#document").textContent);

  /* ---- Words ---- */

  const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
  const visible = (text) => text.replace(INVISIBLE, (each) =>
    `\\u${each.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`);
  const bytes = (count) => {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let [value, unit] = [count, 0];
    while (value >= 999.95 && unit < units.length - 1) { value /= 1000; unit += 1; }
    return unit ? `${value.toFixed(1)} ${units[unit]}` : `${value} B`;
  };
  const counted = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

  /* ---- Elements ---- */

  const make = (tag, values = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(values)) {
      if (name === "class") made.className = value;
      else made.setAttribute(name, value);
    }
    made.append(...children.flat().filter((child) => child !== null));
    return made;
  };
  const text = (value) => document.createTextNode(visible(value));

  /* ---- Facts ---- */

  const nameOf = (taken) => taken.label ?? taken.kind;
  const takenBy = (machine) => machine.order[0] ?? null;
  const isShort = (machine) => takenBy(machine) === null || takenBy(machine).kind !== "variant";
  const placeOf = (machine, column) => machine.order.findIndex((taken) => nameOf(taken) === column) + 1;
  const sizeText = (taken) => {
    if (taken === null) return "-";
    return taken.size === null ? "not known" : bytes(taken.size);
  };
  const reason = (machine) => {
    if (machine.closest === null) return "";
    const { label, because } = machine.closest;
    return label === null ? because : `${label}: ${because}`;
  };

  /* ---- Header and labels ---- */

  const fact = (value, words) => make("span", { class: "fact" }, make("strong", {}, text(value)), ` ${words}`);
  const title = `${simulation.project} ${simulation.version}`;
  document.title = visible(title);
  find("#title").replaceChildren(text(title));
  find("#origin").append(text(simulation.index));
  const short = simulation.machines.filter(isShort).length;
  find("#summary").append(
    fact(counted(simulation.machines.length, "machine"), "tried"),
    fact(counted(simulation.columns.length, "kind"), "of files"),
    fact(counted(short, "machine"), short === 1 ? "takes no label with properties" : "take no label with properties"));
  find("#labels").append(...simulation.columns.map((column) => {
    const on = simulation.machines.filter((machine) => placeOf(machine, column) === 1);
    const largest = Math.max(...on.map((machine) => takenBy(machine).size ?? 0), 0);
    const part = make("span", { class: "part" });
    part.style.width = `${100 * on.length / Math.max(simulation.machines.length, 1)}%`;
    return make("li", { class: "card" },
      make("h3", {}, make("span", { class: "label" }, text(column))),
      make("p", { class: "amount" }, make("strong", {}, text(counted(on.length, "machine"))),
        text(largest ? `up to ${bytes(largest)}` : "")),
      make("div", { class: "bar" }, on.length ? part : null));
  }));

  /* ---- The table ---- */

  const rows = simulation.machines.map((machine) => {
    const cells = simulation.columns.map((column) => {
      const place = placeOf(machine, column);
      const look = place === 1 ? "number g2" : "number";
      return make("td", { class: look }, text(place ? String(place) : "-"));
    });
    const told = `${machine.platform}, Python ${machine.python}`;
    const row = make("tr", { "data-name": machine.machine },
      make("th", { scope: "row" }, text(machine.machine), make("span", { class: "machine" }, make("br"), text(told))),
      cells,
      make("td", { class: "number" }, text(sizeText(takenBy(machine)))),
      make("td", {}, text(reason(machine))));
    return { machine, row, words: [machine.machine, told, reason(machine), ...machine.accelerators].join(" ").toLowerCase() };
  });
  const heads = ["Machine", ...simulation.columns, "Download", "Why no other label"];
  const last = heads.length - 1;
  find("#machines").append(
    make("thead", {}, make("tr", {}, heads.map((head, at) =>
      make("th", { scope: "col", class: at > 0 && at < last ? "number" : "" }, text(head))))),
    make("tbody", {}, rows.map(({ row }) => row)));

  const show = () => {
    const wanted = find("#name").value.toLowerCase().split(/\s+/).filter(Boolean);
    const onlyShort = find("#short").checked;
    let count = 0;
    for (const { machine, row, words } of rows) {
      const fits = wanted.every((word) => words.includes(word)) && (!onlyShort || isShort(machine));
      row.hidden = !fits;
      count += fits;
    }
    find("#count").textContent = count === rows.length
      ? counted(count, "machine") : `${count} of ${counted(rows.length, "machine")}`;
    find("#nothing").hidden = count > 0;
  };
  find("#filters").addEventListener("input", show);
  find("#filters").addEventListener("reset", () => setTimeout(show));
  find("#filters").addEventListener("submit", (event) => event.preventDefault());
  show();
  find("main").hidden = false;
})();
