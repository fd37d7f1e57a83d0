/// The elements a report is made of. All of it is XML, too, so that a parser can check it.
enum Page {
  /// A section with a heading; nothing where there is no content.
  static func section(_ heading: String, _ content: [String], id: String) -> String {
    content.isEmpty
      ? "" : "<section id=\"\(id)\"><h2>\(heading.escaped)</h2>\n\(content.joined(separator: "\n"))\n</section>"
  }

  static func paragraph(_ text: String) -> String { "<p>\(text.escaped)</p>" }

  /// Charts side by side, as many as fit.
  static func charts(_ svgs: [String]) -> String {
    "<div class=\"charts\">\n\(svgs.map { "<figure>\($0)</figure>" }.joined(separator: "\n"))\n</div>"
  }

  /// Content that is folded until opened.
  static func details(_ summary: String, _ content: String, isOpen: Bool = false) -> String {
    "<details\(isOpen ? " open=\"open\"" : "")><summary>\(summary.escaped)</summary>\n\(content)\n</details>"
  }

  /// A cell of a table.
  struct Cell {
    /// The text.
    var text: String
    /// The sort key, if it is numeric.
    var number: Double?
    var isBold = false

    init(_ text: String, number: Double? = nil, isBold: Bool = false) {
      (self.text, self.number, self.isBold) = (text, number, isBold)
    }

    init(_ statistic: Statistic?, decimals: Int = 2, isBold: Bool = false) {
      self.init(
        statistic.map { $0.text(decimals: decimals) } ?? "–", number: statistic?.mean ?? -1, isBold: isBold)
    }

    /// Seconds, with as many decimals as tell them from 0.
    init(seconds: Statistic?) {
      self.init(seconds.map(\.secondsText) ?? "–", number: seconds?.mean ?? -1)
    }
  }

  /// A table with numeric cells right-aligned.
  static func table(_ headings: [String], _ rows: [[Cell]], caption: String, isSortable: Bool = false) -> String {
    let head = headings.enumerated().map { column, heading in
      let isNumber = rows.contains { column < $0.count && $0[column].number != nil }
      return "<th scope=\"col\"\(isNumber ? " class=\"n\"" : "")>\(heading.escaped)</th>"
    }.joined()
    let body = rows.map { row in
      "<tr>"
        + row.map { cell in
          let text = cell.isBold ? "<strong>\(cell.text.escaped)</strong>" : cell.text.escaped
          return cell.number.map { "<td class=\"n\" data-n=\"\($0)\">\(text)</td>" } ?? "<td>\(text)</td>"
        }.joined() + "</tr>"
    }
    return """
      <div class="table"><p>\(caption.escaped)</p>
      <div class="wide" tabindex="0"><table\(isSortable ? " class=\"sortable\"" : "")>
      <thead><tr>\(head)</tr></thead>
      <tbody>
      \(body.joined(separator: "\n"))
      </tbody></table></div></div>
      """
  }

  /// The whole document.
  static func document(title: String, lead: [String], sections: [String]) -> String {
    """
    <!DOCTYPE html>
    <html xmlns="http://www.w3.org/1999/xhtml" lang="en">
    <head><meta charset="utf-8"/><meta name="viewport" content="width=device-width, initial-scale=1"/>
    <meta name="color-scheme" content="light dark"/>
    <title>\(title.escaped)</title>
    <style>
    \(style)
    </style></head>
    <body>
    <header><h1>\(title.escaped)</h1>
    \(lead.map(paragraph).joined(separator: "\n"))</header>
    <main>
    \(sections.filter { !$0.isEmpty }.joined(separator: "\n"))
    </main>
    <script>
    \(script)
    </script>
    </body>
    </html>

    """
  }

  private static let style = """
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
    .table p{color:var(--soft);font-size:.9rem}
    table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
    th,td{padding:.3rem .7rem;text-align:left;border-bottom:1px solid var(--rule);vertical-align:top;white-space:nowrap}
    td{overflow-wrap:normal}th{border-bottom:2px solid var(--soft);vertical-align:bottom}td.n,th.n{text-align:right}
    @media (max-width:40rem){th,td{padding:.3rem .45rem}table{font-size:.85rem}}
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
    body{font-size:9pt;max-width:none;padding:0}.wide{overflow:visible}table{font-size:7.5pt}\
    th,td{padding:.15rem .35rem;white-space:normal}.charts{grid-template-columns:1fr 1fr}}
    """

  /// Makes tables sortable by their headings. The report can be read without it. It has no character that XML escapes.
  private static let script = """
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
    """
}
