/// The style sheet and the script of a report.
enum PageStyle {
  static let sheet = """
    :root{color-scheme:light dark;--page:#fff;--ink:#1c1c1c;--soft:#555;--rule:#dcdcdc;--shade:#f5f5f3;--link:#0072b2;\
    \(ChartStyle.properties(ChartStyle.colours))}
    @media (prefers-color-scheme:dark){:root{--page:#16181b;--ink:#ececec;--soft:#b0b0b0;--rule:#3a3d42;\
    --shade:#202327;--link:#56b4e9;\(ChartStyle.properties(ChartStyle.coloursOnDark))}}
    *{box-sizing:border-box}
    body{margin:0 auto;padding:1rem 1rem 4rem;max-width:78rem;background:var(--page);color:var(--ink);\
    font:1rem/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;overflow-wrap:break-word}
    h1{font-size:1.7rem;line-height:1.2;margin:1rem 0 .5rem}h2{font-size:1.25rem;margin:2.5rem 0 .75rem;\
    border-bottom:1px solid var(--rule);padding-bottom:.25rem}h3{font-size:1rem;margin:1.5rem 0 .5rem}
    p{margin:.5rem 0;max-width:46rem}header p{color:var(--soft)}
    .wide{overflow-x:auto}.tables{display:flex;flex-wrap:wrap;gap:0 2.5rem}.table{margin:1rem 0;max-width:100%}
    caption{caption-side:top;text-align:left;color:var(--soft);font-size:.9rem;padding:0 0 .4rem}
    nav ul{display:flex;flex-wrap:wrap;gap:.1rem 1.25rem;margin:.75rem 0;padding:0;list-style:none}
    a{color:var(--link)}nav a{display:inline-block;padding:.2rem 0}
    .verdicts{margin:.5rem 0;padding:0;list-style:none;max-width:52rem}
    .verdicts li{margin:.6rem 0;padding:.5rem .9rem;background:var(--shade);border-left:.25rem solid var(--rule)}
    .verdicts li.clear{border-color:var(--link)}.verdicts b{display:block}
    table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
    th,td{padding:.3rem .7rem;text-align:left;border-bottom:1px solid var(--rule);vertical-align:top;white-space:nowrap}
    td{overflow-wrap:normal}thead th{border-bottom:2px solid var(--soft);vertical-align:bottom}
    td.n,th.n{text-align:right}tbody th{font-weight:normal;position:sticky;left:0;background:var(--page)}
    label.all{display:none}
    @media screen and (max-width:40rem){th,td{padding:.3rem .45rem}table{font-size:.85rem}.more{display:none}\
    tbody th{white-space:normal;min-width:6rem}caption{max-width:calc(100vw - 2rem)}\
    label.all{display:block;font-size:.85rem;padding:.3rem 0}.table:has(input:checked) .more{display:table-cell}}
    \(shades)
    th button{all:unset;cursor:pointer}th button:focus-visible,summary:focus-visible{outline:2px solid var(--link)}
    th[aria-sort=ascending] button::after{content:" ↑"}th[aria-sort=descending] button::after{content:" ↓"}
    .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),1fr));gap:1rem;margin:1rem 0}
    figure{margin:0;background:var(--shade);border:1px solid var(--rule);border-radius:.4rem;padding:.5rem}
    details{margin:.5rem 0;border:1px solid var(--rule);border-radius:.4rem;padding:.4rem .8rem}
    summary{cursor:pointer}pre{overflow-x:auto;font-size:.8rem;background:var(--shade);padding:.6rem;margin:.5rem 0}
    .pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.75rem;margin:.75rem 0}
    .pictures figure{font-size:.8rem;line-height:1.35}
    .pictures img{display:block;width:100%;aspect-ratio:1;object-fit:contain;margin-bottom:.4rem;image-rendering:auto}
    .pictures b{font-weight:600}
    \(ChartStyle.sheet)
    @media print{:root{--page:#fff;--ink:#000;--soft:#444;--rule:#ccc;--shade:#fff;\
    \(ChartStyle.properties(ChartStyle.colours))}section,figure,tr{break-inside:avoid}section{break-inside:auto}\
    body{font-size:9pt;max-width:none;padding:0}.wide{overflow:visible}\
    table{font-size:7.5pt}tbody th{position:static}nav,label.all{display:none}\
    details::details-content{content-visibility:visible;display:block}summary,h2,h3{break-after:avoid}\
    th,td{padding:.15rem .35rem;white-space:normal}.charts{grid-template-columns:1fr 1fr}\
    pre{columns:3;font-size:6pt;white-space:pre-wrap}details pre{background:none;padding:0}\
    .pictures{grid-template-columns:repeat(8,1fr);gap:.4rem}.pictures figure{font-size:6.5pt;padding:.2rem}}
    """

  /// The grounds of a map's cells, from none to dark; text stays legible on all of them.
  private static var shades: String {
    (0...9).map { "td.h\($0){background:color-mix(in srgb,var(--link) \($0 * 5)%,var(--page))}" }.joined()
  }

  /// Makes tables sortable by their headings, and opens what is folded while the page is printed. The report can be
  /// read without it. It has no character that XML escapes.
  static let script = """
    document.querySelectorAll("table.sortable").forEach(table => {
      const body = table.tBodies[0], heads = Array.from(table.tHead.rows[0].cells);
      heads.forEach((head, column) => {
        const button = document.createElement("button");
        button.type = "button"; button.append(...head.childNodes); head.append(button);
        button.addEventListener("click", () => {
          const down = head.getAttribute("aria-sort") === "ascending";
          heads.forEach(other => other.removeAttribute("aria-sort"));
          head.setAttribute("aria-sort", down ? "descending" : "ascending");
          const key = row => row.cells[column].dataset.n;
          const order = (a, b) => key(a) === undefined
            ? a.cells[column].textContent.localeCompare(b.cells[column].textContent, "en", {numeric: true})
            : key(a) - key(b);
          Array.from(body.rows).sort((a, b) => down ? order(b, a) : order(a, b)).forEach(row => body.append(row));
        });
      });
    });
    const folded = [];
    addEventListener("beforeprint", () => document.querySelectorAll("details:not([open])").forEach(part => {
      part.open = true; folded.push(part);
    }));
    addEventListener("afterprint", () => folded.splice(0).forEach(part => { part.open = false; }));
    """
}
