"use strict";
(function () {
  var root = document.documentElement, place = new URLSearchParams(location.search);
  root.classList.add("scripted");

  // Language: asked for in the address, else chosen before, else the browser's.
  function remembered() { try { return localStorage.getItem("gongkai-language"); } catch (error) { return null; } }
  var language = place.get("lang") || remembered() || ((navigator.language || "zh").slice(0, 2) === "zh" ? "zh" : "en");
  function choose(code, keep) {
    document.getElementById(code).checked = true;
    root.lang = code === "zh" ? "zh-CN" : "en";
    document.title = root.dataset[code];
    document.querySelectorAll("input[data-zh]").forEach(function (box) { box.placeholder = box.dataset[code]; });
    if (!keep) return;
    try { localStorage.setItem("gongkai-language", code); } catch (error) { /* a file of its own keeps nothing */ }
  }
  choose(language === "en" ? "en" : "zh", false);
  ["zh", "en"].forEach(function (code) {
    document.getElementById(code).addEventListener("change", function () { language = code; choose(code, true); });
  });
  // Pages opened from a disk may not share what is remembered: the choice goes along with every link.
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[href]"), target = link && link.getAttribute("href");
    if (!target || target.charAt(0) === "#" || !remembered() && !place.get("lang")) return;
    var address = new URL(link.href);
    address.searchParams.set("lang", language);
    link.href = address.href;
  });

  // Tables that can be filtered and sorted.
  document.querySelectorAll("table[data-rows]").forEach(function (table) {
    var body = table.tBodies[0], rows = Array.from(body.rows), box = document.getElementById(table.dataset.rows);
    var count = box.parentNode.querySelector("output"), texts = null;
    function filter() {
      var wanted = box.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
      if (!texts) texts = rows.map(function (row) { return row.textContent.toLowerCase(); });
      rows.forEach(function (row, at) {
        row.hidden = !wanted.every(function (word) { return texts[at].indexOf(word) >= 0; });
        if (!row.hidden) shown += 1;
      });
      count.textContent = shown + " / " + rows.length;
    }
    var timer = 0;
    box.addEventListener("input", function () { clearTimeout(timer); timer = setTimeout(filter, 120); });
    count.textContent = rows.length + " / " + rows.length;
    if (place.get("q")) { box.value = place.get("q"); filter(); }
    table.querySelectorAll("thead button").forEach(function (button) {
      var head = button.closest("th"), at = head.cellIndex, isNumber = head.classList.contains("n");
      button.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") === "ascending";
        table.querySelectorAll("thead th").forEach(function (one) { one.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        var compare = new Intl.Collator("zh-CN").compare;
        var keys = new Map(rows.map(function (row) {
          var text = row.cells[at].textContent;
          return [row, isNumber ? parseFloat(text.replace(/,/g, "")) : text];
        }));
        var sorted = rows.slice().sort(function (one, other) {
          var a = keys.get(one), b = keys.get(other);
          // What has no number stands last either way.
          if (isNumber && (isNaN(a) || isNaN(b))) return isNaN(a) - isNaN(b);
          return (isNumber ? a - b : compare(a, b)) * (down ? -1 : 1);
        });
        body.replaceChildren.apply(body, sorted);
      });
    });
  });

  // What an address points to may stand behind a click.
  function open() {
    var target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    var more = target && target.querySelector("details");
    if (more) more.open = true;
  }
  window.addEventListener("hashchange", open);
  open();
})();
