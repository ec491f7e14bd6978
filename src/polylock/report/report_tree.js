
"use strict";
/* The view of who requires whom. A branch is made when it is opened: projects are
   reached by many ways, and all of them together would be far more than the page.
   A place in the tree holds for some targets only; what is below it is what those
   targets install, so that no line says more than the lock file does. */
window.polylockTree = (graph, root) => {
  const all = graph.targets.map((_, at) => at);
  const targetsOf = (edge) => edge[1] ?? all;
  const common = (left, right) => left.filter((at) => right.includes(at));
  let matches = null;
  let keep = null;
  let budget = 0;

  /* Ends of edges on one target, downwards or upwards. */
  const walk = (starts, next) => {
    const seen = new Set(starts);
    for (const name of seen) next(name).forEach((other) => seen.add(other));
    return seen;
  };
  const below = (name, at) =>
    graph.projects[name].requires.filter((edge) => targetsOf(edge).includes(at)).map((edge) => edge[0]);
  const buildOn = (name, at) => graph.projects[name].builds.find((build) => targetsOf(build).includes(at));
  const weights = new Map();
  const weight = (name, at) => {
    const key = `${at} ${name}`;
    if (!weights.has(key)) {
      const reached = [...walk([name], (other) => below(other, at))];
      weights.set(key, reached.reduce((sum, other) => sum + (buildOn(other, at)?.[0].size ?? 0), 0));
    }
    return weights.get(key);
  };
  const leadingTo = (names, at) => {
    const above = new Map();
    Object.keys(graph.projects).forEach((name) => below(name, at).forEach((other) => {
      above.set(other, [...(above.get(other) ?? []), name]);
    }));
    return walk(names.filter((name) => buildOn(name, at)), (name) => above.get(name) ?? []);
  };

  const size = (bytes) => {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let [value, unit] = [bytes, 0];
    while (value >= 999.95 && unit < units.length - 1) { value /= 1000; unit += 1; }
    return unit ? `${value.toFixed(1)} ${units[unit]}` : `${value} B`;
  };
  const add = (parent, tag, text = "", kind = "") => {
    const element = document.createElement(tag);
    element.textContent = text;
    if (kind) element.className = kind;
    parent.append(element);
    return element;
  };
  const named = (on) => on.map((at) => graph.targets[at]).join(", ");

  const shownEdges = (edges, on) => edges
    .map((edge) => [edge[0], common(targetsOf(edge), on)])
    .map(([name, found]) => [name, keep ? found.filter((at) => keep[at].has(name)) : found])
    .filter(([, found]) => found.length);

  const line = (parent, name, on, outer) => {
    const link = add(parent, "a", name, matches?.has(name) ? "hit" : "");
    link.href = `#project-${encodeURIComponent(name)}`;
    const builds = graph.projects[name].builds.filter((build) => common(targetsOf(build), on).length);
    const versions = [...new Set(builds.map((build) => build[0].version))];
    add(parent, "span", ` ${versions.join(", ")}`);
    const labels = [...new Set(builds.map((build) => build[0].label).filter((label) => label !== null))];
    labels.forEach((label) => { parent.append(" "); add(parent, "span", label, "label"); });
    if (on.length < outer.length) add(parent, "span", ` on ${named(on)}`, "of");
    add(parent, "span", size(Math.max(...on.map((at) => weight(name, at)))), "brings");
  };

  const branch = (list, name, on, outer, way) => {
    const item = add(list, "li");
    const edges = shownEdges(graph.projects[name].requires, on);
    if (!edges.length) { line(add(item, "div"), name, on, outer); return; }
    if (way.includes(name)) {
      const again = add(item, "div");
      line(again, name, on, outer);
      add(again, "span", " which is where this way began", "of");
      return;
    }
    const details = add(item, "details");
    line(add(details, "summary"), name, on, outer);
    const fill = () => {
      if (details.querySelector("ul")) return;
      const inner = add(details, "ul");
      edges.forEach(([other, found]) => branch(inner, other, found, on, [...way, name]));
    };
    details.addEventListener("toggle", () => { if (details.open) fill(); });
    if (matches && !matches.has(name) && budget > 0) {
      budget -= edges.length;
      fill();
      details.open = true;
    }
  };

  /* Draw it anew: for these targets, and only ways to these projects (null: all). */
  return (chosen, names) => {
    const on = chosen.size ? all.filter((at) => chosen.has(graph.targets[at])) : all;
    matches = names;
    keep = names && Object.fromEntries(on.map((at) => [at, leadingTo([...names], at)]));
    budget = 400;
    root.replaceChildren();
    graph.places.forEach(([title, edges]) => {
      const shown = shownEdges(edges, on);
      if (!shown.length) return;
      add(root, "h3", title);
      const list = add(root, "ul");
      shown.forEach(([name, found]) => branch(list, name, found, on, []));
    });
  };
};
