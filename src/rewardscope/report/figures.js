  // Figures: the charts are drawn already; this reads their rows for the crosshair, the tables of
  // numbers and the files.
  const charts = read("chart-data");
  const said = make("div", "crosshair");
  said.setAttribute("role", "status");
  said.hidden = true;
  document.body.append(said);
  const shown = (value) => (value === null || value === undefined ? "unknown"
    : typeof value !== "number" ? String(value)
      : (Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)))).replace("-", "−"));

  function crosshair(holder) {
    const chart = charts[holder.dataset.chart], svg = holder.querySelector("svg");
    if (!chart || !svg) return;
    const marks = [...svg.querySelectorAll("[data-row]")];
    if (!marks.length) return;
    let stops = [], at = -1;
    const middle = (mark) => { const box = mark.getBoundingClientRect(); return { mark, x: box.x + box.width / 2, y: box.y + box.height / 2 }; };
    const hide = () => { said.hidden = true; marks.forEach((mark) => mark.classList.remove("on")); };
    function measure() {
      stops = [];
      for (const place of marks.map(middle).sort((a, b) => a.x - b.x)) {
        const last = stops.at(-1);
        if (last && place.x - last.x < 1.5) last.places.push(place); else stops.push({ x: place.x, places: [place] });
      }
    }
    function show(index, y) {
      at = Math.max(0, Math.min(stops.length - 1, index));
      marks.forEach((mark) => mark.classList.remove("on"));
      const lines = [], order = [...stops[at].places].sort((a, b) => (y === undefined ? a.y - b.y : Math.abs(a.y - y) - Math.abs(b.y - y)));
      order.forEach(({ mark }, place) => {
        mark.classList.add("on");
        if (place > 7) return;
        const row = Number(mark.dataset.row);
        lines.push(make("p", "", chart.says.map(([name, title]) => `${title} ${shown(chart.columns[name]?.[row])}`).join("; ")));
      });
      if (order.length > 8) lines.push(make("p", "", `and ${order.length - 8} more, in the numbers behind this figure`));
      said.replaceChildren(...lines);
      said.hidden = false;
      const box = svg.getBoundingClientRect(), width = said.offsetWidth;
      said.style.left = `${Math.max(8, Math.min(stops[at].x + 12, root.clientWidth - width - 8)) + window.scrollX}px`;
      said.style.top = `${box.bottom + window.scrollY + 4}px`;
    }
    const nearest = (x) => stops.reduce((best, stop, index) => (Math.abs(stop.x - x) < Math.abs(stops[best].x - x) ? index : best), 0);
    svg.addEventListener("pointermove", (event) => { measure(); show(nearest(event.clientX), event.clientY); });
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (event.key === "Escape") hide();
      if (!by) return;
      event.preventDefault();
      measure();
      show(at + by);
    });
  }

  function numbersTable(columns) {
    const table = make("table"), head = make("tr"), body = make("tbody"), names = Object.keys(columns);
    names.forEach((name) => { const cell = make("th", "", name); cell.scope = "col"; head.append(cell); });
    for (let row = 0; row < (columns[names[0]]?.length ?? 0); row += 1) {
      const line = make("tr");
      names.forEach((name) => { const value = columns[name][row]; line.append(make("td", typeof value === "number" ? "num" : "", value ?? "unknown")); });
      body.append(line);
    }
    const top = make("thead");
    top.append(head);
    table.append(top, body);
    return table;
  }

  const cell = (value) => (value === null || value === undefined ? "" : /[",\n\r]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  const csv = ({ columns }) => [Object.keys(columns).map(cell).join(","), ...(Object.values(columns)[0] ?? []).map((_, row) => Object.values(columns).map((column) => cell(column[row])).join(","))].join("\n");
  // A drawing outside the page has no variables: they become the colours that they stand for here.
  function svgText(svg) {
    const copy = svg.cloneNode(true), [, , width, height] = svg.getAttribute("viewBox").split(" "), style = getComputedStyle(root);
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    copy.setAttribute("font-family", "Arial, sans-serif");
    copy.querySelectorAll(".at").forEach((mark) => mark.remove());
    return { text: new XMLSerializer().serializeToString(copy).replace(/var\((--[a-z]+)\)/g, (_, name) => style.getPropertyValue(name).trim()), width: Number(width), height: Number(height) };
  }
  function save(name, url) {
    const link = make("a");
    link.href = url;
    link.download = name;
    link.click();
  }
  const asUrl = (type, text) => `data:${type};charset=utf-8,${encodeURIComponent(text)}`;
  function savePng(name, svg) {
    const { text, width, height } = svgText(svg), picture = new Image();
    picture.onload = () => {
      const canvas = make("canvas");
      [canvas.width, canvas.height] = [width * 3, height * 3];
      const pen = canvas.getContext("2d");
      pen.fillStyle = getComputedStyle(document.body).backgroundColor;
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
      save(name, canvas.toDataURL("image/png"));
    };
    picture.src = asUrl("image/svg+xml", text);
  }
  function files(id) {
    const line = make("p", "files"), svg = document.querySelector(`[data-chart="${id}"] svg`);
    const kinds = {
      CSV: () => save(`${id}.csv`, asUrl("text/csv", csv(charts[id]))),
      SVG: () => save(`${id}.svg`, asUrl("image/svg+xml", svgText(svg).text)),
      PNG: () => savePng(`${id}.png`, svg),
    };
    for (const [kind, action] of Object.entries(kinds)) {
      const button = make("button", "", kind);
      button.type = "button";
      button.setAttribute("aria-label", `Save ${id} as ${kind}`);
      button.addEventListener("click", action);
      line.append(button);
    }
    return line;
  }

  for (const details of document.querySelectorAll("details[data-numbers]")) {
    details.addEventListener("toggle", () => {
      const box = details.querySelector(".scroll");
      if (!details.open || box.childElementCount) return;
      for (const id of details.dataset.numbers.split(" ")) box.append(make("h4", "", charts[id].text), files(id), numbersTable(charts[id].columns));
    });
  }
  const holders = [...document.querySelectorAll("[data-chart]")];
  holders.forEach(crosshair);
  root.dataset.charts = `${holders.filter((holder) => holder.querySelector("svg")).length} of ${holders.length}`;
