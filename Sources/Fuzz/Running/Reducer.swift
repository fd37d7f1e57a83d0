/// Makes a failing input small: parts are left out, and bytes made zero, as long as it fails.
enum Reducer {
  /// - tries: the most inputs that are tried.
  static func reduce(_ bytes: [UInt8], tries: Int, fails: ([UInt8]) -> Bool) -> [UInt8] {
    var (best, left) = (bytes, tries)
    func isKept(_ candidate: [UInt8]) -> Bool {
      guard left > 0, candidate != best else { return false }
      left -= 1
      guard fails(candidate) else { return false }
      best = candidate
      return true
    }
    var length = max(1, best.count / 2)
    while left > 0 {
      var position = 0
      while position < best.count, left > 0 {
        let end = min(best.count, position + length)
        if isKept(Array(best[..<position] + best[end...])) { continue }
        _ = isKept(Array(best[..<position]) + [UInt8](repeating: 0, count: end - position) + best[end...])
        position += length
      }
      if length == 1 { break }
      length /= 2
    }
    return best
  }
}
