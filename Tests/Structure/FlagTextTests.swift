import Testing

/// Libraries speak of settings; only commands know flags.
@Suite struct FlagTextTests {
  /// The lines of code, not of comments, with something like `--budget`.
  private static func flags(in file: SourceFile) -> [String] {
    file.lines { $0.contains("--") && !$0.isComment && $0.contains(/--[a-z]/) }
  }

  @Test(arguments: ["Tensor", "Formats", "Datasets", "Models", "Methods"])
  func aLibraryNamesNoFlag(_ target: String) throws {
    for file in try SourceFile.all(below: "Sources/\(target)") {
      #expect(Self.flags(in: file) == [])
    }
  }

  @Test func aFlagIsFound() {
    let text = "  /// frugal tune --method lora\n  throw SettingError(\"--budget: expected a number\")\n"
    let found = Self.flags(in: SourceFile("Sources/Methods/A.swift", text))
    #expect(found.count == 1 && found[0].hasPrefix("Sources/Methods/A.swift:2:"))
  }
}
