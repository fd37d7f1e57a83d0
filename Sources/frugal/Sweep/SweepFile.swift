import Methods

/// The JSON of a sweep's plan.
struct SweepFile: Decodable {
  /// A method or a dataset: its flags, and its name if it has one of its own.
  struct Row: Decodable {
    var name: String?
    /// Folders with other data that runs are tested on at their end.
    var transfer: [String] = []
    var flags: [String: ConfigFile.Value]
  }

  /// The folder of the sweep.
  var out: String?
  var settings: [String: ConfigFile.Value] = [:]
  var methods, data: [Row]
  var search: SweepSearchFile?
  private var shots: [Shots]?
  private var seeds: [Int]?

  enum Shots: Decodable {
    case count(Int)
    case word(String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      self = try (try? container.decode(Int.self)).map { .count($0) } ?? .word(try container.decode(String.self))
    }
  }

  struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
  }

  /// A name alone stands for the flag of that kind.
  private enum Entry: Decodable {
    case name(String)
    case flags([String: ConfigFile.Value])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      self =
        try (try? container.decode(String.self)).map { .name($0) }
        ?? .flags(try container.decode([String: ConfigFile.Value].self))
    }

    func row(_ key: String) throws -> Row {
      switch self {
      case .name(let name): return Row(flags: [key: .texts([name])])
      case .flags(var flags):
        func texts(_ key: String) throws -> [String]? {
          guard let value = flags.removeValue(forKey: key) else { return nil }
          guard case .texts(let texts) = value else { throw RunError("\(key): a text is missing") }
          return texts
        }
        let (name, transfer) = (try texts("name"), try texts("transfer"))
        guard name?.count ?? 1 == 1 else { throw RunError("name: a text is missing") }
        return Row(name: name?[0], transfer: transfer ?? [], flags: flags)
      }
    }
  }

  private static let keys = ["out", "settings", "methods", "data", "shots", "seeds", "search"]

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    func key(_ name: String) -> Key { Key(stringValue: name) }
    try Self.check(container, Self.keys)
    for name in ["methods", "data"] where !container.contains(key(name)) { throw RunError("no \(name)") }
    out = try container.decodeIfPresent(String.self, forKey: key("out"))
    settings = try container.decodeIfPresent([String: ConfigFile.Value].self, forKey: key("settings")) ?? [:]
    methods = try container.decode([Entry].self, forKey: key("methods")).map { try $0.row("method") }
    data = try container.decode([Entry].self, forKey: key("data")).map { try $0.row("data") }
    shots = try container.decodeIfPresent([Shots].self, forKey: key("shots"))
    seeds = try container.decodeIfPresent([Int].self, forKey: key("seeds"))
    search = try container.decodeIfPresent(SweepSearchFile.self, forKey: key("search"))
  }

  /// Refuses keys that are not known.
  static func check(_ container: KeyedDecodingContainer<Key>, _ keys: [String]) throws(RunError) {
    if let unknown = container.allKeys.map(\.stringValue).filter({ !keys.contains($0) }).min() {
      throw RunError("the unknown key \"\(unknown)\"\(suggestion(for: unknown, among: keys))")
    }
  }

  /// Images per class, as in `--shots`; one `nil` where the plan has none.
  func checkedShots(_ file: String) throws(RunError) -> [String?] { try Self.checked(shots, file) }

  /// Seeds; 1 where the plan has none.
  func checkedSeeds(_ file: String) throws(RunError) -> [Int] { try Self.checked(seeds, file) }

  /// - file: it and the part of it that has them.
  static func checked(_ shots: [Shots]?, _ file: String) throws(RunError) -> [String?] {
    guard let shots else { return [nil] }
    var words: [String] = []
    for shot in shots {
      switch shot {
      case .count(let count) where 1...1_000_000 ~= count: words.append("\(count)")
      case .word("all"): words.append("all")
      case .count(let count):
        throw RunError("\(file): shots: expected whole numbers from 1, or \"all\", found \(count)")
      case .word(let word):
        throw RunError("\(file): shots: expected whole numbers from 1, or \"all\", found \"\(word)\"")
      }
    }
    guard !words.isEmpty, Set(words).count == words.count else {
      throw RunError("\(file): shots: expected different numbers, found \(words.isEmpty ? "none" : "one twice")")
    }
    return words
  }

  /// - file: it and the part of it that has them.
  static func checked(_ seeds: [Int]?, _ file: String) throws(RunError) -> [Int] {
    let seeds = seeds ?? [1]
    if let wrong = seeds.first(where: { !(0...Int(Int32.max)).contains($0) }) {
      throw RunError("\(file): seeds: expected whole numbers from 0 to \(Int32.max), found \(wrong)")
    }
    guard !seeds.isEmpty, Set(seeds).count == seeds.count else {
      throw RunError("\(file): seeds: expected different numbers, found \(seeds.isEmpty ? "none" : "one twice")")
    }
    return seeds
  }

  /// Where and what a decoding error found wrong, in short.
  static func reason(_ error: DecodingError) -> String {
    let context: DecodingError.Context? =
      switch error {
      case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
        .dataCorrupted(let context):
        context
      @unknown default: nil
      }
    let path =
      context?.codingPath.map { $0.intValue.map { "\($0 + 1)" } ?? $0.stringValue }.joined(separator: " ") ?? ""
    return path.isEmpty ? "no JSON object" : "\(path) is of another kind"
  }
}
