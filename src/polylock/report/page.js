
"use strict";
/* Shows the document of `polylock report --json` that this page holds. Texts of the lock
   file become text nodes and attributes of plain elements only. */
(() => {
  const find = (selector) => document.querySelector(selector);
  const report = JSON.parse(find("#document").textContent);
  const every = report.targets.map((target) => target.name);
  const projects = new Map(report.projects.map((project) => [project.name, project]));

  /* ---- Words ---- */

  /* Control characters, and those that turn or hide the text around them, are written
     as TOML writes them: a name with one of them could be read as another. */
  const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
  const visible = (text) => text.replace(INVISIBLE, (each) =>
    `\\u${each.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`);
  const bytes = (count) => {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let [value, unit] = [count, 0];
    while (value >= 999.95 && unit < units.length - 1) { value /= 1000; unit += 1; }
    return unit ? `${value.toFixed(1)} ${units[unit]}` : `${value} B`;
  };
  const sizeText = (size) => (size === null ? "size not known" : bytes(size));
  const counted = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
  const listed = (names) => names.map(visible).join(", ");

  /* ---- Elements ---- */

  const make = (tag, values = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(values)) {
      if (name === "class") made.className = value;
      else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.flat().filter((child) => child !== null));
    return made;
  };
  const text = (value) => document.createTextNode(visible(value));
  const code = (value) => make("code", {}, text(value));
  const labelled = (label) => (label ? make("span", { class: "label" }, text(label)) : null);
  const link = (name) => make("a", { href: `#project-${encodeURIComponent(name)}` }, text(name));
  const some = (of, targets) => (targets.length === of.length ? null
    : make("span", { class: "of" }, ` on ${listed(targets)}`));

  /* ---- Values derived from the document ---- */

  const buildOn = (project, target) => project.builds.find((build) => build.targets.includes(target));
  const targetsOf = (project) => every.filter((target) => buildOn(project, target));
  const hasVariants = (project) =>
    project.builds.some((build) => build.label !== null || build["decided-by"] !== null);
  const versionOf = (build) => build.version ?? "source";
  const publicVersion = (build) => versionOf(build).split("+")[0];
  const kindOf = (build) => `${versionOf(build)} ${build.label ?? ""}`;
  /* Equal files are downloaded once. */
  const fileKey = (file) => JSON.stringify([file.name, file.place, file.hashes]);
  const filesOf = (builds) => [...new Map(builds.map((build) => [fileKey(build.file), build.file])).values()];
  const sum = (files) => {
    const known = files.filter((file) => file.size !== null);
    return known.length || !files.length ? known.reduce((total, file) => total + file.size, 0) : null;
  };
  const buildsFor = (project, shown) =>
    project.builds.filter((build) => build.targets.some((target) => shown.includes(target)));
  const differences = (project, shown) => {
    const builds = buildsFor(project, shown);
    const found = [];
    if (new Set(builds.map(publicVersion)).size > 1) found.push("versions differ");
    const kinds = builds.map((build) => `${versionOf(build).split("+")[1] ?? ""} ${build.label ?? ""}`);
    if (new Set(kinds).size > 1) found.push("variants differ");
    if (shown.some((target) => !buildOn(project, target))) found.push("not on every target");
    return found;
  };
  /* Versions and labels by the number of targets that have them, the most common first. */
  const ranked = (project) => {
    const counts = new Map();
    for (const target of every) {
      const build = buildOn(project, target);
      if (build) counts.set(kindOf(build), (counts.get(kindOf(build)) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1]).map(([kind]) => kind);
  };
  const ranks = new Map(report.projects.map((project) => [project.name, ranked(project)]));
  const TINTS = 4;
  const tint = (project, build) => {
    const rank = ranks.get(project.name).indexOf(kindOf(build));
    return rank > 0 ? `g${((rank - 1) % TINTS) + 1}` : "";
  };
  const requiredBy = new Map(report.projects.map((project) => [project.name, []]));
  for (const project of report.projects) {
    for (const edge of project.requires) requiredBy.get(edge.name)?.push({ name: project.name, targets: edge.targets });
  }
  const below = (name, target) => projects.get(name).requires
    .filter((edge) => edge.targets.includes(target)).map((edge) => edge.name);
  const above = (name, target) => requiredBy.get(name)
    .filter((edge) => edge.targets.includes(target)).map((edge) => edge.name);
  const reach = (starts, next) => {
    const seen = new Set(starts);
    for (const name of seen) next(name).forEach((other) => seen.add(other));
    return seen;
  };
  const shortestPath = (name, target) => {
    const roots = new Set(report.projects
      .filter((project) => project.places.some((place) => place.targets.includes(target)))
      .map((project) => project.name));
    const after = new Map([[name, null]]);
    for (const [at] of after) {
      if (roots.has(at)) {
        const path = [];
        for (let step = at; step !== null; step = after.get(step)) path.push(step);
        return path;
      }
      for (const other of above(at, target)) if (!after.has(other)) after.set(other, at);
    }
    return [];
  };

  /* ---- Head and targets ---- */

  const whole = filesOf(report.projects.flatMap((project) => project.builds));
  const title = report.project ?? report.lock.name;
  const drawHead = () => {
    document.title = `${visible(title)}: what every target installs`;
    find("#title").textContent = visible(title);
    const origin = [make("span", {}, code(report.lock.name), ` sha256 ${report.lock.sha256.slice(0, 12)}`)];
    if (report.revision) {
      const { commit, date, changed } = report.revision;
      origin.push(make("span", {}, "commit ", code(commit.slice(0, 12)), ` of ${date.slice(0, 10)}`,
        changed ? ", with changes that are not committed" : ""));
    }
    find("#origin").append(...origin);
    const differing = report.projects.filter((project) => differences(project, every).length).length;
    const variants = report.projects.filter(hasVariants).length;
    const sizes = report.targets.map((target) => target.size);
    const range = [...new Set([bytes(Math.min(...sizes)), bytes(Math.max(...sizes))])].join(" to ");
    const facts = [
      [counted(report.projects.length, "project"), `for ${counted(every.length, "target")}`],
      [String(differing), differing === 1 ? "differs between targets" : "differ between targets"],
      [String(variants), variants === 1 ? "has variants" : "have variants"],
      ...(sizes.length ? [[range, "per target"]] : []),
      [bytes(sum(whole) ?? 0), `in ${counted(whole.length, "file")} for all targets`],
    ];
    find("#summary").append(...facts.map(([value, words]) =>
      make("span", { class: "fact" }, make("strong", {}, value), ` ${words}`)));
  };

  const compared = (target) => {
    const plain = target["without-variants"];
    if (!plain.variants.length) return "no variants";
    if (plain.size === null) {
      const [first, ...others] = plain.unknown;
      const more = others.length ? ` and ${others.length} more` : "";
      return `without variants: not known, the lock has no plain wheel of ${visible(first)}${more}`;
    }
    const saved = plain.size - target.size;
    if (saved === 0) return `without variants: also ${bytes(plain.size)}`;
    const share = plain.size ? ` (${Math.round((100 * Math.abs(saved)) / plain.size)} %)` : "";
    return saved > 0
      ? `saves ${bytes(saved)}${share} against ${bytes(plain.size)} without variants`
      : `${bytes(-saved)} more${share} than the ${bytes(plain.size)} without variants`;
  };
  /* Common properties in words; others as they are written. */
  const SPOKEN = {
    "nvidia sm_arch": (value) => `NVIDIA ${value.replace(/^(\d+)(\d)_.*$/, "$1.$2")}`,
    "nvidia cuda_version_lower_bound": (value) => `CUDA ${value}`,
    "nvidia cuda_version_upper_bound": () => null,
    "amd gfx_arch": (value) => `AMD ${value}`,
    "amd rocm_version": (value) => `ROCm ${value}`,
    "x86_64 level": (value) => `x86-64-${value}`,
    "aarch64 version": (value) => `Armv${value}`,
  };
  const spoken = (namespace, feature, value) =>
    (SPOKEN[`${namespace} ${feature}`] ?? (() => `${namespace} ${feature} ${value}`))(value);
  const drawTargets = () => {
    const comparisons = new Set(report.targets.map(compared));
    const shared = comparisons.size === 1 && every.length > 1;
    const largest = Math.max(1, ...report.targets.map((target) => target.size));
    find("#targets").append(...report.targets.map((target) => {
      const system = [target.platform, target.macos && `macOS ${target.macos}`, target.libc, `Python ${target.python}`]
        .filter(Boolean).map((part) => part.replaceAll(" ", "\u00a0"));
      const properties = Object.entries(target.properties).flatMap(([namespace, features]) =>
        Object.entries(features).map(([feature, value]) => spoken(namespace, feature, value))).filter(Boolean);
      const part = make("span", { class: "part" });
      part.style.width = `${(100 * target.size) / largest}%`;
      return make("li", { class: "card", "data-target": target.name },
        make("h3", {}, text(target.name)),
        make("p", { class: "machine" }, text(system.join(" · "))),
        properties.length ? make("p", { class: "machine" }, text(properties.join(" · "))) : null,
        make("p", { class: "amount" }, make("strong", {}, bytes(target.size)),
          make("span", {}, counted(target.projects, "project"))),
        make("div", { class: "bar", "aria-hidden": "true" }, part),
        shared ? null : make("p", { class: "compared" }, compared(target)));
    }));
    const unknown = report.targets.filter((target) => target.unknown)
      .map((target) => `${target.unknown} of ${visible(target.name)}`);
    const [words] = comparisons;
    const notes = shared ? [`${words[0].toUpperCase()}${words.slice(1)}.`] : [];
    if (unknown.length) notes.push(`Projects whose size is not known count as 0 bytes: ${unknown.join(", ")}.`);
    find("#sizes-note").textContent = notes.join(" ");
    find("#target-filters").hidden = every.length < 2;
    find("#target-filters").append(...every.map((name) => make("label", { class: "chip" },
      make("input", { type: "checkbox", name: "target", value: name }), make("span", {}, text(name)))));
  };

  const newerLine = (project, each) => make("span", {},
    text(`${each.locked} < ${each.newest}`), some(targetsOf(project), each.targets),
    text(`: ${each["held-back-by"]}`));
  const drawNewer = () => {
    const older = report.projects.filter((project) => newerOn(project, every).length);
    find("#newer").hidden = report.projects.every((project) => project.newer === null);
    find("#newer-count").textContent = older.length
      ? `${counted(older.length, "project")} with a newer version in the index`
      : "Every project is at the newest version of the index";
    find("#newer-list").append(...older.flatMap((project) => project.newer.map((each) =>
      make("li", {}, link(project.name), " ", newerLine(project, each)))));
  };

  const drawNotes = () => {
    const notes = report.notes ?? [];
    find("#notes").hidden = report.notes === null;
    find("#notes-list").append(...notes.map((note) => make("li", {},
      projects.has(note.project) ? make("strong", {}, link(note.project)) : null,
      make("p", {}, text(note.text)),
      make("p", { class: "about" }, note.targets.map((name) => make("span", { class: "target" }, text(name))),
        note.key === null ? null : code(note.key)))));
    if (!notes.length) find("#notes-list").append(make("li", {}, "There are no notes."));
  };

  /* ---- Filters and order ---- */

  const form = find("#filters");
  const order = { by: "name", down: false };
  const shownTargets = () => {
    const chosen = [...document.querySelectorAll("[name=target]:checked")].map((box) => box.value);
    return chosen.length ? every.filter((target) => chosen.includes(target)) : every;
  };
  const asked = () => ({
    words: find("#name").value.toLowerCase().split(/\s+/).filter(Boolean),
    differs: find("#differs").checked,
    variants: find("#variants").checked,
    shown: shownTargets(),
  });
  const fits = (project, { words, differs, variants, shown }) =>
    words.every((word) => visible(project.name).toLowerCase().includes(word)) &&
    buildsFor(project, shown).length > 0 &&
    (!differs || differences(project, shown).length > 0) &&
    (!variants || hasVariants(project));
  const sizeBy = (project) => (order.by === "size"
    ? sum(filesOf(project.builds)) : buildOn(project, order.by.slice("on ".length))?.file.size) ?? -1;
  const byName = (a, b) => (a.name < b.name ? -1 : 1);
  const compare = (a, b) => {
    const sign = order.down ? -1 : 1;
    if (order.by === "name") return sign * byName(a, b);
    const [left, right] = [sizeBy(a), sizeBy(b)];
    /* Projects without a size come last in either order. */
    if (left < 0 || right < 0) return (left < 0) - (right < 0) || byName(a, b);
    return sign * (left - right) || byName(a, b);
  };
  const sortBy = (by) => {
    order.down = order.by === by ? !order.down : by !== "name";
    order.by = by;
    draw();
  };

  /* ---- The table: projects down, targets across ---- */

  const newerOn = (project, shown) => (project.newer ?? [])
    .map((each) => ({ ...each, targets: each.targets.filter((target) => shown.includes(target)) }))
    .filter((each) => each.targets.length);
  const marksOf = (project, shown) => [
    ...differences(project, shown),
    ...new Set(newerOn(project, shown).map((each) => `newest ${visible(each.newest)}`)),
  ].map((words) => make("span", { class: "mark" }, words));
  const cell = (project, target) => {
    const build = buildOn(project, target);
    if (!build) {
      return make("td", { class: "none", "data-target": target },
        make("span", { "aria-hidden": "true" }, "–"), make("span", { class: "unseen" }, "not installed"));
    }
    return make("td", { class: tint(project, build), "data-target": target, "data-size": build.file.size },
      make("span", { class: "version" }, text(versionOf(build))), labelled(build.label),
      make("span", { class: "size" }, sizeText(build.file.size)));
  };
  const sortable = (words, by, values = {}) => {
    const current = order.by === by ? (order.down ? "descending" : "ascending") : null;
    const button = make("button", { type: "button", class: "sort", title: by === "name" ? "Sort by name" : "Sort by size" }, text(words));
    button.addEventListener("click", () => {
      sortBy(by);
      [...document.querySelectorAll("#view th")].find((head) => head.dataset.by === by)?.querySelector("button").focus();
    });
    return make("th", { scope: "col", "data-by": by, "aria-sort": current, ...values }, button);
  };
  const drawTable = (found, shown) => {
    const rows = found.map((project) => make("tr", { "data-name": project.name },
      make("th", { scope: "row" }, link(project.name), marksOf(project, shown)),
      shown.map((target) => cell(project, target)),
      make("td", { class: "number" }, sizeText(sum(filesOf(buildsFor(project, shown)))))));
    const targets = report.targets.filter((target) => shown.includes(target.name));
    const foot = make("tr", {}, make("th", { scope: "row" }, "Download"),
      targets.map((target) => make("td", { "data-target": target.name }, bytes(target.size))),
      make("td", { class: "number" },
        bytes(sum(filesOf(report.projects.flatMap((project) => buildsFor(project, shown)))) ?? 0)));
    return make("div", { class: "scroll", role: "region", "aria-labelledby": "projects-title", tabindex: "0" },
      make("table", { id: "projects" },
        make("caption", { class: "unseen" }, "Version, variant label and size of every project on every target"),
        make("thead", {}, make("tr", {}, sortable("Project", "name"),
          shown.map((target) => sortable(target, `on ${target}`, { "data-target": target })),
          sortable("All files", "size", { class: "number" }))),
        make("tbody", {}, rows), make("tfoot", {}, foot)));
  };

  /* ---- The list: a project, and under it what is the same for which targets ---- */

  const drawList = (found, shown) => make("ul", { id: "list" }, found.map((project) => {
    const builds = new Map();
    for (const build of buildsFor(project, shown)) {
      const on = build.targets.filter((target) => shown.includes(target));
      const known = builds.get(kindOf(build));
      builds.set(kindOf(build), { build, on: [...(known?.on ?? []), ...on], files: [...(known?.files ?? []), build] });
    }
    const lines = [...builds.values()].map(({ build, on, files }) => {
      const sizes = [...new Set(filesOf(files).map((file) => sizeText(file.size)))];
      const where = on.length === every.length && every.length > 1 ? `all ${every.length} targets`
        : listed(shown.filter((target) => on.includes(target)));
      return make("li", { class: tint(project, build) },
        make("span", { class: "version" }, text(versionOf(build))), labelled(build.label),
        make("span", { class: "where" }, where),
        make("span", { class: "size" }, sizes.length > 2 ? `${sizes.length} files` : sizes.join(", ")));
    });
    return make("li", { "data-name": project.name },
      make("p", { class: "head" }, link(project.name), marksOf(project, shown)), make("ul", {}, lines));
  }));

  /* ---- The tree of dependencies. A branch is made when it is opened, because all
     paths together would be far too many. A line holds for some targets, and the lines
     below it for the same ones. ---- */

  const weights = new Map();
  const weight = (name, target) => {
    const key = `${every.indexOf(target)} ${name}`;
    if (!weights.has(key)) {
      const reached = [...reach([name], (other) => below(other, target))];
      weights.set(key, reached.reduce((total, other) =>
        total + (buildOn(projects.get(other), target)?.file.size ?? 0), 0));
    }
    return weights.get(key);
  };
  const NOBODY = "No known requirement";
  const PLACES = { project: "The project" };
  const placesOf = () => {
    const found = new Map();
    const put = (place, name, targets) => found.set(place, [...(found.get(place) ?? []), { name, targets }]);
    for (const project of report.projects) {
      for (const { place, targets } of project.places) put(place, project.name, targets);
      if (!project.places.length && !requiredBy.get(project.name).length) put(NOBODY, project.name, targetsOf(project));
    }
    const rank = (place) => (place === "project" ? 0 : place === NOBODY ? 2 : 1);
    return [...found].sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
  };
  const drawTree = (fitting, shown) => {
    const matches = fitting && new Set(fitting.map((project) => project.name));
    const keep = matches && new Map(shown.map((target) => [target, reach(
      [...matches].filter((name) => buildOn(projects.get(name), target)), (name) => above(name, target))]));
    let budget = 400;  /* branches to open at once for a search */
    const edgesOn = (edges, on) => edges
      .map(({ name, targets }) => ({ name, targets: targets.filter((target) =>
        on.includes(target) && (!keep || keep.get(target).has(name))) }))
      .filter(({ targets }) => targets.length);
    const line = (parent, name, on, outer) => {
      const builds = buildsFor(projects.get(name), on);
      const versions = [...new Set(builds.map(versionOf))];
      const labels = [...new Set(builds.map((build) => build.label).filter((label) => label !== null))];
      const found = link(name);
      if (matches?.has(name)) found.className = "hit";
      parent.append(...[found, make("span", {}, listed(versions)), ...labels.map(labelled), some(outer, on),
        make("span", { class: "size" }, bytes(Math.max(...on.map((target) => weight(name, target)))))].filter(Boolean));
    };
    const branch = (list, name, on, outer, path) => {
      const item = list.appendChild(make("li"));
      const edges = edgesOn(projects.get(name).requires, on);
      if (!edges.length || path.includes(name)) {
        const end = item.appendChild(make("div"));
        line(end, name, on, outer);
        if (path.includes(name)) end.append(make("span", { class: "of" }, "a cycle: see above"));
        return;
      }
      const details = item.appendChild(make("details"));
      line(details.appendChild(make("summary")), name, on, outer);
      const fill = () => {
        if (details.querySelector("ul")) return;
        const inner = details.appendChild(make("ul"));
        edges.forEach((edge) => branch(inner, edge.name, edge.targets, on, [...path, name]));
      };
      details.addEventListener("toggle", () => { if (details.open) fill(); });
      if (matches && !matches.has(name) && budget > 0) {
        budget -= edges.length;
        fill();
        details.open = true;
      }
    };
    const root = make("div", { id: "tree" });
    for (const [place, edges] of placesOf()) {
      const roots = edgesOn(edges, shown);
      if (!roots.length) continue;
      root.append(make("h3", {}, text(PLACES[place] ?? place)));
      const list = root.appendChild(make("ul"));
      roots.forEach((edge) => branch(list, edge.name, edge.targets, shown, []));
    }
    return root;
  };

  /* ---- One view of the projects ---- */

  const NARROW = matchMedia("(max-width: 44rem)");
  let chosenView = null;
  const usualView = () => (NARROW.matches || every.length > 12 ? "list" : "table");
  const draw = (view = chosenView ?? usualView()) => {
    const question = asked();
    const found = report.projects.filter((project) => fits(project, question)).sort(compare);
    const narrowed = question.words.length || question.differs || question.variants;
    const views = { table: drawTable, list: drawList, tree: drawTree };
    find("#view").replaceChildren(view === "tree"
      ? drawTree(narrowed ? found : null, question.shown) : views[view](found, question.shown));
    find(`[name=view][value=${view}]`).checked = true;
    const [by, tinted] = [find("#sort"), found.some((project) => ranks.get(project.name).length > 1)];
    by.value = order.by;
    by.closest("label").hidden = view === "tree";
    find("#count").value = `${found.length} of ${counted(report.projects.length, "project")}`;
    find("#key").textContent = {
      table: tinted ? "A coloured cell has another version or label than most targets." : "",
      list: tinted ? "A coloured line has another version or label than most targets." : "",
      tree: "The requirements of the project file, with their dependencies below. A size includes all dependencies, on the target where it is largest.",
    }[view];
    find("#nothing").hidden = found.length > 0;
    find("#view").hidden = found.length === 0;
  };
  form.addEventListener("input", (event) => {
    if (event.target.name === "view") chosenView = event.target.value;
    if (event.target.id === "sort") sortBy(event.target.value);
    else draw();
  });
  form.addEventListener("reset", () => setTimeout(() => draw()));
  form.addEventListener("submit", (event) => event.preventDefault());
  NARROW.addEventListener("change", () => draw());
  /* A table of many targets is wider than paper. */
  const MOST_COLUMNS = 8;
  addEventListener("beforeprint", () => {
    if (find("#projects") && shownTargets().length > MOST_COLUMNS) draw("list");
  });
  addEventListener("afterprint", () => draw());

  /* ---- The panel shows the project that the address names ---- */

  const panel = find("#panel");
  const rows = (pairs) => make("dl", {}, pairs.filter(Boolean).flatMap(([term, ...values]) =>
    [make("dt", {}, text(term)), make("dd", {}, ...values)]));
  const several = (entries) => {
    if (!entries.length) return make("span", { class: "none" }, "nothing");
    return entries.length === 1 ? entries[0] : make("ul", {}, entries.map((entry) => make("li", {}, entry)));
  };
  const reason = (build) => {
    const decided = build["decided-by"];
    if (decided?.length) {
      return make("div", {}, "decided by, the most significant first:",
        make("ol", {}, decided.map((each) => make("li", {}, code(each)))));
    }
    if (build.label === null) return "the wheel without a label: no variant fits these targets";
    if (build.label === "null") return "the null variant, which requires nothing of the machine";
    return "the lock file records no property that decided";
  };
  const placeOf = (file) => (/^https?:\/\//.test(file.place)
    ? make("a", { href: file.place, rel: "noreferrer noopener" }, code(file.place)) : code(file.place));
  const buildPart = (build) => make("section", { class: "build" },
    make("h4", {}, text(versionOf(build)), labelled(build.label)),
    rows([
      ["Targets", text(build.targets.join(", "))],
      ["File", code(build.file.name)],
      ["Size", sizeText(build.file.size)],
      ...Object.entries(build.file.hashes).map(([algorithm, value]) => [algorithm, code(value)]),
      build.file.place !== null && ["From", placeOf(build.file)],
      build.index !== null && ["Index", code(build.index)],
      build["requires-python"] !== null && ["Requires Python", code(build["requires-python"])],
      (build.label !== null || build["decided-by"] !== null) && ["Why", reason(build)],
    ]));
  const article = (project) => {
    const on = targetsOf(project);
    const missing = every.filter((target) => !on.includes(target));
    const paths = new Map();
    for (const target of on) {
      const path = shortestPath(project.name, target);
      if (path.length > 1) {
        const key = JSON.stringify(path);
        paths.set(key, { path, targets: [...(paths.get(key)?.targets ?? []), target] });
      }
    }
    const where = { project: "the project itself" };
    const asking = [
      ...project.places.map(({ place, targets }) => make("span", {}, text(where[place] ?? place), some(on, targets))),
      ...requiredBy.get(project.name).map(({ name, targets }) => make("span", {}, link(name), some(on, targets))),
    ];
    const needs = project.requires.map(({ name, targets }) => make("span", {}, link(name), some(on, targets)));
    const chains = [...paths.values()].map(({ path, targets }) => make("span", {},
      path.flatMap((name, at) => (at ? [" → ", link(name)] : [link(name)])), some(on, targets)));
    return make("article", { "data-name": project.name },
      make("h3", { id: `h-${project.name}`, tabindex: "-1" }, text(project.name)),
      rows([
        ["Required by", several(asking)],
        ["Requires", several(needs)],
        chains.length > 0 && ["Required via", several(chains)],
        missing.length > 0 && ["Not installed on", text(missing.join(", "))],
        project.newer?.length > 0 && ["Newest", several(project.newer.map((each) => newerLine(project, each)))],
      ]),
      project.builds.map(buildPart));
  };
  let opener = null;
  find("#view").addEventListener("click", (event) => { opener = event.target.closest("a"); });
  const show = () => {
    let name = "";
    try { name = decodeURIComponent(location.hash.slice(1)); } catch { /* no project's */ }
    const project = name.startsWith("project-") ? projects.get(name.slice("project-".length)) : undefined;
    if (!project) { if (panel.open) panel.close(); return; }
    find("#panel-content").replaceChildren(article(project));
    panel.setAttribute("aria-label", visible(project.name));
    if (!panel.open) panel.showModal();
    panel.scrollTop = 0;
    find("#panel h3").focus();
  };
  panel.addEventListener("close", () => {
    const name = find("#panel article")?.dataset.name;
    const line = [...document.querySelectorAll("#view [data-name]")].find((each) => each.dataset.name === name);
    (opener?.isConnected ? opener : line?.querySelector("a"))?.focus({ preventScroll: true });
    opener = null;
    find("#panel-content").replaceChildren();
    if (location.hash.startsWith("#project-")) history.replaceState(null, "", location.href.split("#")[0]);
  });
  panel.addEventListener("click", (event) => { if (event.target === panel) panel.close(); });
  addEventListener("hashchange", show);
  addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName || "");
    if (event.key === "/" && !typing && !panel.open && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      find("#name").focus();
    }
  });

  find("#sort").append(make("option", { value: "name" }, "by name"), make("option", { value: "size" }, "by size"),
    ...every.map((target) => make("option", { value: `on ${target}` }, text(`by size on ${target}`))));
  find("main").hidden = false;
  drawHead();
  drawTargets();
  drawNewer();
  drawNotes();
  draw();
  show();
})();
