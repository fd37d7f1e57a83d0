import Testing

/// Seeded damage to the bytes of a small file, so that a reader can be shown all of it.
///
/// Knuth's 64-bit linear congruential generator decides; its upper bits are good enough to choose positions.
package struct Damage {
  private var state: UInt64

  /// The same damage for the same seed.
  package init(seed: UInt64) { state = seed }

  /// A number below `bound`.
  package mutating func draw(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % bound
  }

  /// Calls `body` with every proper prefix of `bytes`.
  package static func prefixes(of bytes: [UInt8], _ body: ([UInt8]) throws -> Void) rethrows {
    for length in bytes.indices { try body(Array(bytes[..<length])) }
  }

  /// Calls `body` with `bytes` once for every byte and each of `values` other values of it, drawn by the seed.
  package static func flips(
    of bytes: [UInt8], values: Int = 2, seed: UInt64, _ body: ([UInt8]) throws -> Void
  ) rethrows {
    var damage = Damage(seed: seed)
    for position in bytes.indices {
      for _ in 0..<values {
        var damaged = bytes
        damaged[position] ^= UInt8(damage.draw(255) + 1)
        try body(damaged)
      }
    }
  }

  /// Calls `body` with `count` versions of `bytes` in which several bytes are other ones, missing, or new.
  package static func changes(
    of bytes: [UInt8], count: Int, seed: UInt64, _ body: ([UInt8]) throws -> Void
  ) rethrows {
    var damage = Damage(seed: seed)
    for _ in 0..<count {
      var damaged = bytes
      for _ in 0...damage.draw(6) where !damaged.isEmpty {
        let position = damage.draw(damaged.count)
        switch damage.draw(5) {
        case 0: damaged.remove(at: position)
        case 1: damaged.insert(UInt8(damage.draw(256)), at: position)
        case 2: damaged[position] = 0xff
        case 3: damaged.removeLast(damage.draw(damaged.count / 2 + 1))
        default: damaged[position] = UInt8(damage.draw(256))
        }
      }
      try body(damaged)
    }
  }
}
