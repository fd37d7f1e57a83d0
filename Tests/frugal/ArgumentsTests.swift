import Testing

@testable import frugal

@Suite struct ArgumentsTests {
  private let options = [
    Option("--number", "N", ""), Option("--text", "TEXT", isRepeatable: true, ""), Option("--switch", ""),
  ]

  private func message(_ words: String...) -> String? {
    do throws(UsageError) {
      _ = try Arguments(words, options: options)
      return nil
    } catch { return error.description }
  }

  @Test func wordsAreSortedIntoFlagsAndOperands() throws {
    let words = ["a", "--number", "3", "--text=x=y", "b", "--text", "", "--switch", "--", "--number", "-"]
    let arguments = try Arguments(words, options: options)
    #expect(arguments.operands == ["a", "b", "--number", "-"])
    #expect(try arguments.integer("--number", in: 0...9) == 3)
    #expect(arguments.strings("--text") == ["x=y", ""])
    #expect(arguments.has("--switch"))
    #expect(arguments.flags == ["--number", "--text", "--switch"])
  }

  @Test func absentFlagsHaveNoValue() throws {
    let arguments = try Arguments([], options: options)
    #expect(try arguments.integer("--number", in: 0...9) == nil)
    #expect(try arguments.number("--number", in: 0...9) == nil)
    #expect(arguments.strings("--text").isEmpty)
    #expect(!arguments.has("--switch"))
  }

  @Test func valuesMayBeginWithADashUnlessTheyAreFlags() throws {
    #expect(try Arguments(["--number", "-3"], options: options).integer("--number", in: -9...9) == -3)
    #expect(try Arguments(["--text=--switch"], options: options).string("--text") == "--switch")
    #expect(message("--text", "--switch") == "--text: expected TEXT, found the flag --switch")
  }

  @Test func wrongWordsAreNamed() {
    #expect(message("--numbr", "3") == "--numbr: unknown flag (did you mean --number?)")
    #expect(message("--completely-else") == "--completely-else: unknown flag")
    #expect(message("-n") == "-n: unknown flag")
    #expect(message("--number") == "--number: expected N, found the end of the command line")
    #expect(message("--switch=yes") == "--switch: expected no value, found \"yes\"")
    #expect(message("--number", "1", "--number=2") == "--number: expected one value, found a second one, \"2\"")
  }

  @Test(arguments: ["", "x", "1.5", "10", "-1", "99999999999999999999", "1e0"])
  func integersOutOfBoundsAreRefused(text: String) throws {
    let arguments = try Arguments(["--number=\(text)"], options: options)
    let wanted = UsageError("--number: expected a whole number from 0 to 9, found \"\(text)\"")
    #expect(throws: wanted) { try arguments.integer("--number", in: 0...9) }
  }

  @Test(arguments: ["", "x", "nan", "inf", "1.01", "-0.1", "1e999"])
  func numbersOutOfBoundsAreRefused(text: String) throws {
    let arguments = try Arguments(["--number=\(text)"], options: options)
    let wanted = UsageError("--number: expected a number from 0.0 to 1.0, found \"\(text)\"")
    #expect(throws: wanted) { try arguments.number("--number", in: 0...1) }
  }

  @Test(arguments: [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("ab", "ba", 2), ("é", "e", 1)])
  func editDistanceIsLevenshteins(a: String, b: String, distance: Int) {
    #expect(editDistance(a, b) == distance)
    #expect(editDistance(b, a) == distance)
  }

  @Test func groupsOfThreeDigits() {
    #expect([0, 12, 123, 1234, 1_234_567, -1234].map(grouped) == ["0", "12", "123", "1,234", "1,234,567", "-1,234"])
  }

  @Test func durationsAreReadable() {
    #expect(
      [0, 59.6, 75, 3661, .infinity, .nan].map(ProgressLine.duration) == ["0:00", "1:00", "1:15", "1:01:01", "?", "?"])
  }
}
