/// One bit per weight, packed: 1 keeps the weight, 0 prunes it.
///
/// Invariant: the bits of the last word past `count` are zero, so that counting and comparing need no care.
public struct BitMask: Sendable, Equatable {
  /// The number of bits.
  public let count: Int
  private var words: [MaskWord]

  /// A mask of `count` equal bits; traps on a negative count.
  public init(repeating bit: Bool, count: Int) {
    require(count >= 0, "BitMask: expected a count of 0 or more, found \(count)")
    self.count = count
    words = Array(repeating: MaskWord(bit ? .max : 0), count: MaskView.words(for: count))
    clearPadding()
  }

  /// The mask of the weights that stay (R-AMT (c)).
  ///
  ///     bit = 1[x > α]
  ///
  /// - x: any shape, read in row-major order. A NaN gives 0.
  public init(thresholding elements: Tensor, above threshold: Real) {
    self.init(repeating: false, count: elements.count)
    Tensor.read(elements) { elements in withView { $0.fill(thresholding: elements, above: threshold) } }
  }

  /// Calls `body` with the words, after making sure that no other mask shares them.
  private mutating func withView(_ body: (MaskView) -> Void) {
    let count = count
    words.withUnsafeMutableBufferPointer { words in
      if let base = words.baseAddress { body(MaskView(words: base, count: count)) }
    }
  }

  /// Calls `body` with the words, for reading.
  func withReadOnlyView(_ body: (MaskView) -> Void) {
    words.withUnsafeBufferPointer { words in
      if let base = words.baseAddress { body(MaskView(words: UnsafeMutablePointer(mutating: base), count: count)) }
    }
  }

  private mutating func clearPadding() {
    if let last = words.indices.last { words[last].bits &= MaskWord(ones: count - last * MaskWord.width).bits }
  }

  /// True if weight `index` is kept.
  public subscript(_ index: Int) -> Bool {
    get {
      require(index >= 0 && index < count, "BitMask: expected an index below \(count), found \(index)")
      return words[index / MaskWord.width].bits >> UInt64(index % MaskWord.width) & 1 == 1
    }
    set {
      require(index >= 0 && index < count, "BitMask: expected an index below \(count), found \(index)")
      let bit: UInt64 = 1 << UInt64(index % MaskWord.width)
      if newValue {
        words[index / MaskWord.width].bits |= bit
      } else {
        words[index / MaskWord.width].bits &= ~bit
      }
    }
  }

  /// The number of weights kept: the bits that are 1. O(count / 64).
  public var keptCount: Int { words.reduce(0) { $0 + $1.bits.nonzeroBitCount } }

  /// The number of weights pruned: the bits that are 0. O(count / 64).
  public var prunedCount: Int { count - keptCount }

  /// The weight under the mask: w where the bit is 1, +0 where it is 0, the same bits as `Variable.masked`.
  ///
  /// - weight: `count` elements in any shape; the result has that shape. Traps on another count.
  public func applied(to weight: Tensor) -> Tensor {
    require(weight.count == count, "BitMask: expected \(count) weights, found shape \(weight.shape)")
    return Tensor.read(weight) { x in Tensor(weight.shape) { y in withReadOnlyView { $0.apply(to: x, into: y) } } }
  }

  /// The bits as values 0 and 1, [count].
  public var real: Tensor { Tensor([count]) { y in withReadOnlyView { $0.expand(into: y) } } }
}

extension BitMask {
  /// The order in which the bits of a mask fill a byte.
  public enum ByteOrder: Sendable, Hashable, CaseIterable {
    /// Bit i is bit i mod 8 counted from the least significant: our delta files, and NumPy's `bitorder="little"`.
    case little
    /// Bit i is bit i mod 8 counted from the most significant: the published checkpoints (R-AMT (h)).
    case big
  }

  /// The bytes that hold `count` bits.
  public static func byteCount(for count: Int) -> Int { count / 8 + (count % 8 == 0 ? 0 : 1) }

  /// The mask that `bytes(order:)` wrote.
  ///
  /// - Throws: `BitMaskError` unless there are ⌈count / 8⌉ bytes and the unused bits of the last are zero.
  public init(bytes: [UInt8], count: Int, order: ByteOrder) throws(BitMaskError) {
    self.init(repeating: false, count: count)
    guard bytes.count == Self.byteCount(for: count) else {
      throw .byteCount(bits: count, expected: Self.byteCount(for: count), found: bytes.count)
    }
    for (index, byte) in bytes.enumerated() { words[index / 8].bits |= UInt64(byte) << UInt64(index % 8 * 8) }
    if order == .big { for index in words.indices { words[index] = words[index].reversingBytes } }
    let unchecked = words.last
    clearPadding()
    guard unchecked == words.last else {
      throw .padding(bits: count, unused: bytes.count * 8 - count, found: bytes.last ?? 0)
    }
  }

  /// The bits packed into ⌈count / 8⌉ bytes; the unused bits of the last byte are zero.
  public func bytes(order: ByteOrder) -> [UInt8] {
    let ordered = order == .little ? words : words.map(\.reversingBytes)
    return (0..<Self.byteCount(for: count)).map {
      UInt8(truncatingIfNeeded: ordered[$0 / 8].bits >> UInt64($0 % 8 * 8))
    }
  }
}

/// An error in the bytes of a packed mask.
public enum BitMaskError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Too many or too few bytes for the bits.
  case byteCount(bits: Int, expected: Int, found: Int)
  /// A bit that belongs to no weight is set.
  case padding(bits: Int, unused: Int, found: UInt8)

  /// The message: expected and found.
  public var description: String {
    switch self {
    case .byteCount(let bits, let expected, let found):
      "mask of \(bits) bits: expected \(expected) bytes, found \(found)"
    case .padding(let bits, let unused, let found):
      "mask of \(bits) bits: expected \(unused) zero bits at the end of the last byte, found \(String(found, radix: 2))"
    }
  }
}
