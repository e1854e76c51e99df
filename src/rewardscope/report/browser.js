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
