// Sorting and filtering of tables, and open details on paper. Must never change what a table says, nor fetch anything.
"use strict";
(function () {
  // The number that a cell shows; what shows none comes last, whichever way the table is sorted.
  function number(text) {
    const value = parseFloat(text.replace(/[,±+]/g, "").replace("−", "-"));
    return Number.isNaN(value) ? null : value;
  }

  const collator = new Intl.Collator("en", { numeric: true });

  function sort(table, th, column) {
    const body = table.tBodies[0];
    const numeric = th.dataset.sort === "number";
    const before = th.getAttribute("aria-sort");
    // Numbers begin with the largest: that is what is looked for.
    const first = numeric ? "descending" : "ascending";
    const other = numeric ? "ascending" : "descending";
    const order = before === first ? other : first;
    const sign = order === "ascending" ? 1 : -1;
    const rows = Array.from(body.rows, function (row) {
      const text = row.cells[column].textContent;
      return { row: row, key: numeric ? number(text) : text };
    });
    rows.sort(function (a, b) {
      if (a.key === null || b.key === null) {
        return (a.key === null) - (b.key === null);
      }
      return sign * (numeric ? a.key - b.key : collator.compare(a.key, b.key));
    });
    for (const other of table.tHead.querySelectorAll("th[aria-sort]")) {
      other.removeAttribute("aria-sort");
    }
    th.setAttribute("aria-sort", order);
    const sorted = document.createDocumentFragment();
    for (const entry of rows) {
      sorted.append(entry.row);
    }
    body.append(sorted);
  }

  function makeSortable(table) {
    // Columns are counted in the last header row, and one more that spans both rows before them.
    const heads = table.tHead.querySelectorAll("th[data-sort]");
    heads.forEach(function (th, column) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...th.childNodes);
      th.append(button);
      button.addEventListener("click", function () {
        sort(table, th, column);
      });
    });
  }

  function makeFilter(table) {
    const what = table.dataset.filter;
    const rows = Array.from(table.tBodies[0].rows);
    const texts = rows.map(function (row) {
      return row.textContent.toLowerCase();
    });
    const form = document.createElement("form");
    form.className = "filter";
    form.setAttribute("role", "search");
    const label = document.createElement("label");
    label.textContent = "Show " + what + " with ";
    const input = document.createElement("input");
    input.type = "search";
    input.autocomplete = "off";
    input.spellcheck = false;
    input.setAttribute("aria-controls", table.id);
    label.append(input);
    const count = document.createElement("output");
    form.append(label, count);
    const whole = new Intl.NumberFormat("en");
    function show() {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach(function (row, nth) {
        const matches = words.every(function (word) {
          return texts[nth].includes(word);
        });
        row.hidden = !matches;
        shown += matches ? 1 : 0;
      });
      count.textContent = whole.format(shown) + " of " + whole.format(rows.length) + " " + what;
    }
    form.addEventListener("submit", function (event) {
      event.preventDefault();
    });
    input.addEventListener("input", show);
    show();
    table.parentElement.before(form);
  }

  for (const table of document.querySelectorAll("table[data-filter]")) {
    makeSortable(table);
    makeFilter(table);
  }

  // On paper nothing can be opened.
  let opened = [];
  window.addEventListener("beforeprint", function () {
    opened = Array.from(document.querySelectorAll("details:not([open])"));
    for (const details of opened) {
      details.open = true;
    }
  });
  window.addEventListener("afterprint", function () {
    for (const details of opened) {
      details.open = false;
    }
    opened = [];
  });
})();
