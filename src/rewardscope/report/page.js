"use strict";
(() => {
  const root = document.documentElement;
  const errors = [];
  const report = (text) => { errors.push(String(text)); root.dataset.errors = errors.join(" | "); };
  window.addEventListener("error", (event) => report(event.message));
  window.addEventListener("unhandledrejection", (event) => report(event.reason));
  document.addEventListener("securitypolicyviolation", (event) => report(`policy: ${event.violatedDirective} ${event.blockedURI}`));

  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const specs = read("chart-data");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  // Completions and names come from others: they enter the page only through textContent.
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  function chartConfig() {
    const style = getComputedStyle(root);
    const colour = (name) => style.getPropertyValue(name).trim();
    const soft = colour("--soft"), line = colour("--line");
    return {
      background: null,
      font: getComputedStyle(document.body).fontFamily,
      view: { stroke: null },
      axis: {
        labelColor: soft, titleColor: soft, gridColor: line, domainColor: line, tickColor: line, labelFontSize: 11,
        titleFontSize: 11.5, titleFontWeight: 500, titlePadding: 8, labelPadding: 5, tickSize: 4,
      },
      axisX: { grid: false },
      axisY: { tickCount: 5 },
    };
  }

  async function drawCharts() {
    const holders = [...document.querySelectorAll("[data-chart]")];
    const options = { ast: true, actions: false, renderer: "svg", mode: "vega-lite", config: chartConfig(), tooltip: { theme: dark.matches ? "dark" : "light" } };
    let drawn = 0;
    for (const holder of holders) {
      try {
        await window.vegaEmbed(holder, structuredClone(specs[holder.dataset.chart]), options);
        drawn += 1;
      } catch (error) {
        report(`${holder.dataset.chart}: ${error}`);
        holder.replaceChildren(make("p", "empty", "This chart could not be drawn."));
      }
    }
    root.dataset.charts = `${drawn} of ${holders.length}`;
  }

  function numbersTable(rows) {
    const table = make("table"), head = make("tr"), names = Object.keys(rows[0] ?? {});
    names.forEach((name) => head.append(make("th", "", name)));
    const body = make("tbody");
    for (const row of rows) {
      const line = make("tr");
      names.forEach((name) => line.append(make("td", typeof row[name] === "number" ? "num" : "", row[name] ?? "unknown")));
      body.append(line);
    }
    const top = make("thead");
    top.append(head);
    table.append(top, body);
    return table;
  }

  for (const details of document.querySelectorAll("details[data-numbers]")) {
    details.addEventListener("toggle", () => {
      const box = details.querySelector(".scroll");
      if (!details.open || box.childElementCount) return;
      for (const id of details.dataset.numbers.split(" ")) {
        box.append(make("h4", "", specs[id].description), numbersTable(specs[id].data.values));
      }
    });
  }

  const nats = (value, digits = 3) => (value === null ? "unknown" : value.toFixed(digits).replace("-", "−"));
  const change = (value) => (value > 0 ? "+" : "") + nats(value);
  const SATURATION = 2;

  function tokenSpan([text, before, after]) {
    const shown = /^ +$/.test(text) ? "·".repeat(text.length) : text.replaceAll("\t", "⇥\t").replaceAll("\n", "↵\n");
    const span = make("span", "", shown);
    if (before === undefined) {
      span.className = "heard";
      span.title = "written by the environment";
      span.dataset.says = `“${shown.trim() || shown}”: ${span.title}`;
      return span;
    }
    if (before === null || after === null) {
      span.className = "unknown";
    } else {
      const strength = Math.max(-1, Math.min(1, (after - before) / SATURATION));
      span.style.backgroundColor = `rgba(var(${strength < 0 ? "--down" : "--up"}), ${(0.62 * Math.abs(strength)).toFixed(3)})`;
    }
    const difference = before === null || after === null ? "unknown" : change(after - before);
    span.title = `untrained ${nats(before)}, trained ${nats(after)}, change ${difference} nats`;
    span.dataset.says = `“${shown.trim() || shown}”: ${span.title}`;
    return span;
  }

  const total = (tokens, column) => {
    const chosen = tokens.filter((token) => token.length > 1);
    return chosen.some((token) => token[column] === null) ? null : chosen.reduce((sum, token) => sum + token[column], 0);
  };

  function completionCard(completion) {
    const card = make("article", "completion"), head = make("header");
    const verdict = completion.correct === null ? "not graded" : completion.correct ? "✓ correct" : "✗ wrong";
    head.append(make("b", "", verdict), make("span", "", completion.strategy === null ? "no known format" : `format ${completion.strategy}`));
    head.append(make("span", "", `ended by ${(completion.ending ?? "unknown").replaceAll("_", " ")}`));
    head.append(make("span", "", `log-probability ${nats(total(completion.tokens, 1), 2)} → ${nats(total(completion.tokens, 2), 2)} nats`));
    const body = make("div", "tokens");
    completion.tokens.forEach((token) => body.append(tokenSpan(token)));
    card.append(head, body);
    if (completion.left) card.append(make("p", "rest", `${completion.left} more ${completion.left === 1 ? "token is" : "tokens are"} not on this page; the log-probabilities above cover only the tokens shown.`));
    return card;
  }

  function fill(select, entries) {
    const previous = select.value;
    select.replaceChildren(...entries.map(([value, text]) => Object.assign(make("option", "", text), { value })));
    if (entries.some(([value]) => String(value) === previous)) select.value = previous;
  }

  function browseCompletions() {
    const browser = document.getElementById("browser");
    if (!browser) return;
    const cells = read("completion-data");
    const find = (name) => browser.querySelector(`[data-part="${name}"]`);
    const [arm, seed, problem, earlier, later] = ["arm", "seed", "problem", "earlier", "later"].map(find);
    const cell = () => cells.find((c) => c.arm === arm.value && String(c.seed) === seed.value);

    function show() {
      const current = cell(), chosen = current.problems[Number(problem.value)];
      find("prompt").textContent = chosen.prompt;
      find("key").textContent = chosen.key ?? "unknown";
      find("after-title").textContent = `After: sampled by ${current.arm}${current.placebo ? " (placebo)" : ""}, seed ${current.seed}, step ${current.step}`;
      for (const source of ["base", "trained"]) {
        const cards = chosen[source].map(completionCard);
        find(source).replaceChildren(...(cards.length ? cards : [make("p", "empty", "No completion of this problem was stored.")]));
      }
      find("left").textContent = current.left ? `${current.left} more problems of this cell are in ${current.file}, but not on this page.` : "";
      earlier.disabled = Number(problem.value) === 0;
      later.disabled = Number(problem.value) === current.problems.length - 1;
      find("readout").textContent = "Point at a token or tap it to see both log-probabilities.";
    }
    function chooseCell() {
      const cut = (text) => (text.length > 70 ? `${text.slice(0, 70)}…` : text);
      fill(problem, cell().problems.map((p, index) => [index, `${index + 1}: ${cut(p.prompt)}`]));
      show();
    }
    function chooseArm() {
      fill(seed, cells.filter((c) => c.arm === arm.value).map((c) => [c.seed, `seed ${c.seed}`]));
      chooseCell();
    }
    function move(by) { problem.value = String(Number(problem.value) + by); show(); }

    const arms = new Map(cells.map((c) => [c.arm, `${c.arm}${c.placebo ? " (placebo)" : ""}, from ${c.start}`]));
    fill(arm, [...arms]);
    arm.addEventListener("change", chooseArm);
    seed.addEventListener("change", chooseCell);
    problem.addEventListener("change", show);
    earlier.addEventListener("click", () => move(-1));
    later.addEventListener("click", () => move(1));
    for (const kind of ["pointerover", "click"]) {
      browser.addEventListener(kind, (event) => { if (event.target.dataset?.says) find("readout").textContent = event.target.dataset.says; });
    }
    chooseArm();
  }

  try { browseCompletions(); } catch (error) { report(error); }
  drawCharts();
  dark.addEventListener("change", drawCharts);
})();
