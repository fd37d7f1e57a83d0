/// What must be mutated and what must not, on lines that are easily misread.
enum LexerCheck {
  private static let untouched = [
    "// a + b", "/* 1 /* < */ + */", #"let s = "a + \(b + f("c * d")) < 1""#, ##"let s = #"1 + "2" \#(3 * 4)"#"##,
    "func f<T: P>(_ x: Array<Array<Int>>) -> (T) -> Void {}", "extension A where B == C {}", "let x: Array<Int>? = nil",
    "static func == (a: A, b: A) -> Bool {}", "@inline(__always) @available(macOS 13, *) var x: A { y }",
    "f(&x)", "x! as! T", "for x in y... {}", "func f(_ x: Int...) {}", "import A", "let (a, b) = c.d[e]",
    "let s = \"\"\"\n  1 + 2 \"3\" < 4\n  \"\"\"",
  ]
  private static let mutated: [(source: String, changes: [String])] = [
    ("a + b * c", ["+ -> -", "drop + b * c", "* -> /", "drop * c"]),
    ("a &+= b", ["&+= -> &-="]),
    ("0..<n", ["0 -> 1", "..< -> ..."]),
    ("a < b", ["< -> <=", "< -> >"]),
    ("a .<= b", [".<= -> .<"]),
    ("(-x)", ["drop -"]),
    ("0x1.8p-3 - x.0", ["0x1.8p-3 -> 1.0", "0x1.8p-3 -> -0x1.8p-3", "- -> +", "drop - x.0", "0 -> 1"]),
    ("-0x1.ace0p-31", ["drop -", "0x1.ace0p-31 -> 1.0"]),
    ("1e-8", ["1e-8 -> 1.0", "1e-8 -> -1e-8"]),
    ("x = 0.0; y = 0x10; z = 0b1", ["0.0 -> 1.0", "0x10 -> 17", "0b1 -> 2"]),
    ("s[1]", ["1 -> 2", "1 -> 0"]),
    ("a.b.needsGradient ? c : d", ["negate needsGradient"]),
    ("m.transposed", ["drop .transposed"]),
    ("func f(x: Int = 1, y: Bool = true) {}", ["1 -> 2", "true -> false"]),
    ("x + f(g(y) + 2)[3].z", ["+ -> -", "drop + f(g(y) + 2)[3].z", "+ -> -", "drop + 2", "2 -> 3", "3 -> 4"]),
  ]

  static var errors: [String] {
    (untouched.map { ($0, []) } + mutated).compactMap { source, changes in
      let found = Mutator.mutations(path: "", source: Array(source.utf8)).map(\.change)
      return found == changes ? nil : "\(source): expected \(changes), found \(found)"
    }
  }
}
