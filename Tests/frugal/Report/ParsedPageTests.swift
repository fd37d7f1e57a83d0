import Testing

@Suite struct ParsedPageTests {
  @Test func wellFormedDocumentsAreRead() {
    let page = ParsedPage(
      "<!DOCTYPE html>\n<p a=\"1 &gt; 0\">x &amp; &#233;<br/><table><tr><td>1</td><th>2<b>3</b></th></tr></table></p>\n"
    )
    #expect(page.problem == nil && page.text == "\nx & é123\n")
    #expect(page.rows == [["1", "23"]] && page.counts["br"] == 1 && page.counts["b"] == 1)
  }

  @Test(arguments: [
    "", "text", "<p>", "</p>", "<p></q>", "<p><q></p></q>", "<p/><p/>", "<p>a & b</p>", "<p>&nbsp;</p>", "<p a=1/>",
    "<p a=\"1\" a=\"2\"/>", "<p a=\"1\"b=\"2\"/>", "<p a=\"<\"/>", "<p a=\"&\"/>", "<p a/>", "< p/>", "<p", "<td/>",
    "<p/>text",
  ]) func othersAreNot(document: String) {
    #expect(ParsedPage(document).problem != nil)
  }
}
