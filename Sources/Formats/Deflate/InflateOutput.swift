#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The output of an inflater: all of it in memory that doubles as bytes appear and stops at the limit, or a window of
/// it, whose bytes a consumer takes.
package struct InflateOutput: ~Copyable {
  /// The most bytes from `base` on.
  private(set) var limit: Int
  private(set) var base: UnsafeMutablePointer<UInt8>
  private(set) var capacity: Int
  package internal(set) var count = 0

  /// - expected: the size of the compressed data, for a first guess.
  init(limit: Int, expected: Int) throws(InflateError) {
    // Most streams shrink less than eightfold; the worst, 1032-fold, gets there by doubling.
    let guess = expected > Int.max / 8 ? expected : expected * 8
    let capacity = min(max(limit, 0), max(guess, 4096))
    base = try Self.allocate(nil, capacity)
    (self.limit, self.capacity, consume) = (max(limit, 0), capacity, nil)
  }

  /// A window over the output.
  ///
  /// - room: the bytes that the consumer may need at once; consume: takes bytes, and returns how many.
  init(limit: Int, room: Int, consume: @escaping (UnsafeBufferPointer<UInt8>) -> Int) throws(InflateError) {
    // Moving the history to the front costs an eighth of writing the window, or less.
    let capacity = min(max(limit, 0), Self.history + max(1 << 18, 2 * room))
    base = try Self.allocate(nil, capacity)
    (self.limit, self.capacity, self.consume) = (max(limit, 0), capacity, consume)
  }

  /// The bytes that matches may still refer to (RFC 1951, section 2).
  private static let history = 1 << 15
  private let consume: ((UnsafeBufferPointer<UInt8>) -> Int)?
  /// How many bytes the consumer has taken, how many are in the checksum, and how many have left the window.
  private var (taken, summed, left) = (0, 0, 0)
  private var sum: UInt32 = 1

  /// The number of bytes so far.
  package var total: Int { left + count }

  /// The Adler-32 of everything so far.
  mutating func adler32() -> UInt32 {
    sum = Checksum.adler32(UnsafeBufferPointer(start: base + summed, count: count - summed), continuing: sum)
    summed = count
    return sum
  }

  /// Offers the consumer the bytes that it has not taken.
  package mutating func hand() {
    if let consume { taken += consume(UnsafeBufferPointer(start: base + taken, count: count - taken)) }
  }

  /// Drops what the consumer has taken and no match can refer to.
  private mutating func slide() {
    hand()
    _ = adler32()
    let start = max(0, min(taken, count - Self.history))
    memmove(base, base + start, count - start)
    (count, taken, summed) = (count - start, taken - start, summed - start)
    (limit, left) = (limit - start, left + start)
    // Near the end there is more memory than may be written.
    capacity = min(capacity, limit)
  }

  deinit { free(base) }

  /// The output so far; valid as long as the output lives.
  package var written: UnsafeMutableBufferPointer<UInt8> { UnsafeMutableBufferPointer(start: base, count: count) }

  var array: [UInt8] { Array(written) }

  /// Makes room for `amount` more bytes; false when the limit does not allow it.
  mutating func reserve(_ amount: Int) throws(InflateError) -> Bool {
    if amount <= capacity - count { return true }
    guard amount <= limit - count else { return false }
    if consume != nil {
      slide()
      // A window that stays half full, as its consumer needs longer pieces, grows.
      if max(amount, capacity / 2) <= capacity - count || limit <= capacity { return true }
    }
    let larger = min(limit, max(capacity > limit / 2 ? limit : capacity * 2, count + amount))
    base = try Self.allocate(base, larger)
    capacity = larger
    return true
  }

  /// Appends zeros up to the limit.
  mutating func fill() throws(InflateError) {
    while count < limit {
      let missing = min(limit - count, Self.history)
      guard try reserve(missing) else { return }
      (base + count).initialize(repeating: 0, count: missing)
      count += missing
    }
  }

  /// Appends `bytes`, or as many as the limit allows; false in that case.
  mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) throws(InflateError) -> Bool {
    let fitting = min(bytes.count, limit - count)
    if fitting > 0, try reserve(fitting) {
      (base + count).update(from: bytes.baseAddress!, count: fitting)
      count += fitting
    }
    return fitting == bytes.count
  }

  private static func allocate(
    _ old: UnsafeMutablePointer<UInt8>?, _ size: Int
  ) throws(InflateError) -> UnsafeMutablePointer<UInt8> {
    guard let memory = realloc(old, max(size, 1)) else { throw .outOfMemory(bytes: size) }
    return memory.assumingMemoryBound(to: UInt8.self)
  }
}
