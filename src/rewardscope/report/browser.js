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

  function completionCard(completion, change) {
    const card = make("article", "completion"), head = make("header");
    const verdict = completion.correct === null ? "not graded" : completion.correct ? "✓ correct" : "✗ wrong";
    head.append(make("b", completion.correct === null ? "" : completion.correct ? "supported" : "refuted", verdict), make("span", "", `draw ${completion.index}`), change ? make("b", "", change) : "", make("span", "", completion.strategy === null ? "no known format" : `format ${completion.strategy}`));
    head.append(make("span", "", `ended by ${(completion.ending ?? "unknown").replaceAll("_", " ")}`));
    head.append(make("span", "", `log-probability${lost(completion) ? " of what is shown" : ""} ${nats(total(completion.tokens, 1), 2)} → ${nats(total(completion.tokens, 2), 2)} nats`));
    const body = make("div", "tokens");
    body.tabIndex = 0;
    body.setAttribute("role", "group");
    body.setAttribute("aria-label", `draw ${completion.index}, ${verdict}`);
    completion.tokens.forEach((token, place) => {
      if (completion.left && place === completion.cut) body.append(gap(completion));
      body.append(tokenSpan(token));
    });
    if (completion.left && completion.cut === completion.tokens.length) body.append(gap(completion));
    card.append(head, body);
    return card;
  }
  const gap = (completion) => make("span", "gap", ` … ${completion.left} ${completion.left === 1 ? "token" : "tokens"} left out … `);
  const lost = (completion) => completion.left > 0;

  function fill(select, entries) {
    const previous = select.value;
    select.replaceChildren(...entries.map(([value, text]) => Object.assign(make("option", "", text), { value })));
    if (entries.some(([value]) => String(value) === previous)) select.value = previous;
  }

  // What became of a draw: the same draw before training, with the same noise.
  const became = (before, after) => {
    if (!before || before.correct === null || after.correct === null) return "";
    return before.correct === after.correct ? "" : after.correct ? "wrong → right" : "right → wrong";
  };
  const words = (completion) => completion.tokens.map((token) => token[0]).join("");

  function browseCompletions(cells) {
    const browser = document.getElementById("browser");
    const find = (name) => browser.querySelector(`[data-part="${name}"]`);
    const [arm, seed, kind, format, search, problem, earlier, later] = ["arm", "seed", "kind", "format", "search", "problem", "earlier", "later"].map(find);
    const cell = () => cells.find((c) => c.arm === arm.value && String(c.seed) === seed.value);
    const pairs = (p) => p.trained.map((after) => [p.base.find((before) => before.index === after.index), after]);
    const tests = {
      gained: (p) => pairs(p).some(([before, after]) => became(before, after) === "wrong → right"),
      lost: (p) => pairs(p).some(([before, after]) => became(before, after) === "right → wrong"),
      format: (p) => pairs(p).some(([before, after]) => before && before.strategy !== after.strategy),
      same: (p) => pairs(p).every(([before, after]) => !became(before, after)),
    };
    const text = new Map();
    function textOf(p) {
      if (!text.has(p)) text.set(p, [p.prompt, p.key ?? "", ...p.base.map(words), ...p.trained.map(words)].join("\n").toLowerCase());
      return text.get(p);
    }
    const chosen = () => cell().problems.map((p, index) => [p, index]).filter(([p]) => (!kind.value || tests[kind.value](p))
      && (!format.value || p.trained.some((c) => (c.strategy ?? "no known format") === format.value)) && textOf(p).includes(search.value.toLowerCase()));

    function show(address = true) {
      const current = cell(), index = Number(problem.value), p = problem.options.length ? current.problems[index] : null;
      find("after-title").textContent = `After: sampled by ${current.arm}${current.placebo ? " (placebo)" : ""}, seed ${current.seed}, step ${current.step}`;
      find("prompt").textContent = p ? p.prompt : "No problem is like that.";
      find("key").textContent = p ? p.key ?? "unknown" : "";
      for (const source of ["base", "trained"]) {
        const cards = p ? p[source].map((c) => completionCard(c, source === "trained" ? became(p.base.find((b) => b.index === c.index), c) : "")) : [];
        find(source).replaceChildren(...(cards.length || !p ? cards : [make("p", "empty", "No completion of this problem was stored.")]));
      }
      find("left").textContent = current.left ? `${current.left} more problems of this cell are in ${current.file}, but not on this page.` : "";
      earlier.disabled = problem.selectedIndex <= 0;
      later.disabled = problem.selectedIndex >= problem.options.length - 1;
      find("readout").textContent = "Point at a token, tap it, or use the arrow keys in a completion to see both log-probabilities.";
      if (address && p) history.replaceState(null, "", `#completions/${encodeURIComponent(current.arm)}/${current.seed}/${index + 1}`);
    }
    function list(address = true) {
      const cut = (s) => (s.length > 70 ? `${s.slice(0, 70)}…` : s), found = chosen();
      fill(problem, found.map(([p, index]) => [index, `${index + 1}: ${cut(p.prompt)}`]));
      find("count").textContent = `${found.length} of ${cell().problems.length} problems on this page`;
      show(address);
    }
    function chooseCell(address = true) {
      const formats = new Set(cell().problems.flatMap((p) => p.trained.map((c) => c.strategy ?? "no known format")));
      fill(format, [["", "any"], ...[...formats].sort().map((name) => [name, name])]);
      list(address);
    }
    function chooseArm(address = true) {
      fill(seed, cells.filter((c) => c.arm === arm.value).map((c) => [c.seed, `seed ${c.seed}`]));
      chooseCell(address);
    }
    function move(by) {
      const to = problem.selectedIndex + by;
      if (to < 0 || to >= problem.options.length) return;
      problem.selectedIndex = to;
      show();
    }
    function follow() {
      const [, name, number, place] = location.hash.match(/^#completions\/([^/]+)\/(\d+)\/(\d+)$/) ?? [];
      const at = name && cells.find((c) => c.arm === decodeURIComponent(name) && String(c.seed) === number);
      if (!at) return false;
      [arm.value, kind.value, search.value] = [at.arm, "", ""];
      chooseArm(false);
      [seed.value, format.value] = [number, ""];
      chooseCell(false);
      problem.value = String(Number(place) - 1);
      show(false);
      document.getElementById("completions").scrollIntoView();
      return true;
    }
    function nextToken(body, by) {
      const spans = [...body.querySelectorAll("[data-says]")], at = spans.findIndex((span) => span.classList.contains("here"));
      const to = spans[Math.max(0, Math.min(spans.length - 1, at + by))];
      spans.forEach((span) => span.classList.toggle("here", span === to));
      if (to) { find("readout").textContent = to.dataset.says; to.scrollIntoView({ block: "nearest" }); }
    }

    fill(arm, [...new Map(cells.map((c) => [c.arm, `${c.arm}${c.placebo ? " (placebo)" : ""}, from ${c.start}`]))]);
    arm.addEventListener("change", () => chooseArm());
    seed.addEventListener("change", () => chooseCell());
    for (const control of [kind, format]) control.addEventListener("change", () => list());
    search.addEventListener("input", () => list());
    problem.addEventListener("change", () => show());
    earlier.addEventListener("click", () => move(-1));
    later.addEventListener("click", () => move(1));
    window.addEventListener("hashchange", follow);
    browser.addEventListener("keydown", (event) => {
      if (/^(INPUT|SELECT)$/.test(event.target.tagName) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "n") move(1);
      if (event.key === "p") move(-1);
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (by && event.target.classList.contains("tokens")) { event.preventDefault(); nextToken(event.target, by); }
    });
    for (const kindOfEvent of ["pointerover", "click"]) {
      browser.addEventListener(kindOfEvent, (event) => { if (event.target.dataset?.says) find("readout").textContent = event.target.dataset.says; });
    }
    if (!follow()) chooseArm(false);
    root.dataset.browser = "ready";
  }

  async function unpacked(id) {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent.trim()), (letter) => letter.charCodeAt(0));
    return JSON.parse(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text());
  }
  if (document.getElementById("browser")) unpacked("completion-data").then(browseCompletions).catch(report);
