/// The two codes of a compressed block, and tokens written in them (RFC 1951, section 3.2.5).
struct DeflateCodes {
  /// For bytes, the end of the block (256) and lengths (257...285).
  let literals: DeflateCode
  /// For distances (0...29).
  let distances: DeflateCode

  private static let end = 256

  /// The codes of block type 1.
  static let fixed = DeflateCodes(
    literals: DeflateCode(
      lengths: Array(repeating: 8, count: 144) + Array(repeating: 9, count: 112) + Array(repeating: 7, count: 24)
        + Array(repeating: 8, count: 8)),
    distances: DeflateCode(lengths: Array(repeating: 5, count: 30)))

  private init(literals: DeflateCode, distances: DeflateCode) {
    (self.literals, self.distances) = (literals, distances)
  }

  /// The codes that suit the tokens of one block.
  init(for tokens: [DeflateMatcher.Token]) {
    var literalCounts = [Int](repeating: 0, count: 286)
    var distanceCounts = [Int](repeating: 0, count: 30)
    literalCounts[Self.end] = 1
    for token in tokens {
      literalCounts[Self.literalSymbol(token)] += 1
      if !token.isLiteral { distanceCounts[Self.distanceSymbol(Int(token.value))] += 1 }
    }
    literals = DeflateCode(frequencies: literalCounts, limit: InflateTable.longestCode)
    distances = DeflateCode(frequencies: distanceCounts, limit: InflateTable.longestCode)
  }

  /// The number of bits that `write` will append.
  func bits(of tokens: [DeflateMatcher.Token]) -> Int {
    tokens.reduce(Int(literals.lengths[Self.end])) { sum, token in
      let symbol = Self.literalSymbol(token)
      let bits = sum + Int(literals.lengths[symbol])
      if token.isLiteral { return bits }
      let distance = Self.distanceSymbol(Int(token.value))
      return bits + Int(InflateBlock.lengths[symbol - 257].extra) + Int(distances.lengths[distance])
        + Int(InflateBlock.distances[distance].extra)
    }
  }

  /// Appends the tokens and the end of the block.
  func write(_ tokens: [DeflateMatcher.Token], to output: inout DeflateBits) {
    for token in tokens {
      let symbol = Self.literalSymbol(token)
      output.append(UInt32(literals.words[symbol]), count: Int(literals.lengths[symbol]))
      if token.isLiteral { continue }
      let length = InflateBlock.lengths[symbol - 257]
      output.append(UInt32(token.length - length.base), count: Int(length.extra))
      let index = Self.distanceSymbol(Int(token.value))
      output.append(UInt32(distances.words[index]), count: Int(distances.lengths[index]))
      let distance = InflateBlock.distances[index]
      output.append(UInt32(token.value - distance.base), count: Int(distance.extra))
    }
    output.append(UInt32(literals.words[Self.end]), count: Int(literals.lengths[Self.end]))
  }

  private static func literalSymbol(_ token: DeflateMatcher.Token) -> Int {
    token.isLiteral ? Int(token.value) : Int(lengthSymbols[Int(token.length)])
  }

  /// The symbol of each length up to 258: the last whose range begins at or below it.
  private static let lengthSymbols: [UInt16] = (0...258).map { length in
    UInt16(257 + (InflateBlock.lengths.lastIndex { Int($0.base) <= length } ?? 0))
  }

  /// Two symbols for each highest bit of distance − 1, distinguished by the next bit.
  private static func distanceSymbol(_ distance: Int) -> Int {
    let number = distance - 1
    guard number >= 4 else { return number }
    let highest = Int.bitWidth - 1 - number.leadingZeroBitCount
    return 2 * highest + (number >> (highest - 1) & 1)
  }
}

/// The codes of block type 2 as they precede its data: their lengths, run by run, in a code of their own
/// (RFC 1951, section 3.2.7).
struct DeflateCodesHeader {
  /// A length 0...15, or a repetition 16...18 and the extra bits for its count.
  private typealias Run = (symbol: Int, extra: Int)

  private let literals: Int
  private let distances: Int
  private let runs: [Run]
  private let code: DeflateCode
  /// The number of lengths of `code` that are written.
  private let written: Int

  private static let extraBits = [16: 2, 17: 3, 18: 7]

  init(_ codes: DeflateCodes) {
    func used(_ lengths: [UInt8], atLeast: Int) -> [UInt8] {
      Array(lengths.prefix(max(atLeast, (lengths.lastIndex { $0 > 0 } ?? 0) + 1)))
    }
    let literals = used(codes.literals.lengths, atLeast: 257)
    let distances = used(codes.distances.lengths, atLeast: 1)
    (self.literals, self.distances) = (literals.count, distances.count)
    runs = Self.runs(literals + distances)
    var frequencies = [Int](repeating: 0, count: 19)
    for run in runs { frequencies[run.symbol] += 1 }
    let code = DeflateCode(frequencies: frequencies, limit: 7)
    self.code = code
    written = max(4, InflateBlock.codeLengthOrder.lastIndex { code.lengths[$0] > 0 }! + 1)
  }

  /// The number of bits that `write` will append.
  var bits: Int {
    runs.reduce(5 + 5 + 4 + 3 * written) {
      $0 + Int(code.lengths[$1.symbol]) + Self.extraBits[$1.symbol, default: 0]
    }
  }

  /// Appends the header.
  func write(to output: inout DeflateBits) {
    output.append(UInt32(literals - 257), count: 5)
    output.append(UInt32(distances - 1), count: 5)
    output.append(UInt32(written - 4), count: 4)
    for symbol in InflateBlock.codeLengthOrder.prefix(written) { output.append(UInt32(code.lengths[symbol]), count: 3) }
    for run in runs {
      output.append(UInt32(code.words[run.symbol]), count: Int(code.lengths[run.symbol]))
      output.append(UInt32(run.extra), count: Self.extraBits[run.symbol, default: 0])
    }
  }

  /// 16 repeats the length before 3 to 6 times, 17 a zero 3 to 10 times, 18 a zero 11 to 138 times.
  private static func runs(_ lengths: [UInt8]) -> [Run] {
    var runs: [Run] = []
    var index = 0
    while index < lengths.count {
      let length = lengths[index]
      var count = lengths[index...].prefix { $0 == length }.count
      index += count
      if length > 0 {
        runs.append((Int(length), 0))
        count -= 1
      }
      while count >= 3 {
        let most = length > 0 ? 6 : 138
        let taken = min(count, most)
        if length > 0 {
          runs.append((16, taken - 3))
        } else {
          runs.append(taken <= 10 ? (17, taken - 3) : (18, taken - 11))
        }
        count -= taken
      }
      runs += (0..<count).map { _ in (Int(length), 0) }
    }
    return runs
  }
}
