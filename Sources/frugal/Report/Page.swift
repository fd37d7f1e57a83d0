/// The elements a report is made of. All of it is XML, too, so that a parser can check it.
enum Page {
  /// A section with a heading, which the list of contents names.
  struct Section {
    let id, heading: String
    fileprivate let content: [String]

    fileprivate var html: String {
      "<section id=\"\(id)\"><h2>\(heading.escaped)</h2>\n\(content.joined(separator: "\n"))\n</section>"
    }
  }

  /// A section; `nil` where there is no content.
  static func section(_ heading: String, _ content: [String], id: String) -> Section? {
    content.isEmpty ? nil : Section(id: id, heading: heading, content: content)
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

  /// The whole document.
  static func document(title: String, lead: [String], sections: [Section]) -> String {
    let contents = sections.map { "<li><a href=\"#\($0.id)\">\($0.heading.escaped)</a></li>" }
    return """
      <!DOCTYPE html>
      <html xmlns="http://www.w3.org/1999/xhtml" lang="en">
      <head><meta charset="utf-8"/><meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="color-scheme" content="light dark"/>
      <title>\(title.escaped)</title>
      <style>
      \(PageStyle.sheet)
      </style></head>
      <body>
      <header><h1>\(title.escaped)</h1>
      \(lead.map(paragraph).joined(separator: "\n"))
      <nav aria-label="Contents"><ul>
      \(contents.joined(separator: "\n"))
      </ul></nav></header>
      <main>
      \(sections.map(\.html).joined(separator: "\n"))
      </main>
      <script>
      \(PageStyle.script)
      </script>
      </body>
      </html>

      """
  }
}
