import Checks

/// Changes of a pickle by opcodes of its protocols.
enum PickleMutation {
  private static let operations: [[UInt8]] = [
    "(", "t", "l", "d", "}", "]", ")", "N", ".", "0", "1", "2", "s", "u", "e", "a", "b", "R", "Q", "\u{85}", "\u{86}",
    "\u{87}", "\u{88}", "\u{89}", "\u{8f}", "\u{90}", "\u{91}", "\u{94}",
  ].map { Array($0.unicodeScalars.map { UInt8($0.value) }) }
  private static let globals = [
    "torch._utils\n_rebuild_tensor_v2\n", "torch\nSize\n", "collections\nOrderedDict\n", "torch\nFloatStorage\n",
    "builtins\nset\n", "_codecs\nencode\n", "torch._utils\n_rebuild_parameter\n", "os\nsystem\n",
  ]

  /// One to three changes after the protocol's number.
  static func change(_ pickle: inout [UInt8], _ numbers: inout CheckNumbers) {
    for _ in 0...numbers.below(3) {
      let start = min(2, pickle.count)
      let position = start + numbers.below(pickle.count - start + 1)
      switch numbers.below(6) {
      case 0: pickle.insert(contentsOf: operations[numbers.below(operations.count)], at: position)
      case 1:
        // A memo's number, taken or kept.
        let form: UInt8 = numbers.below(2) == 0 ? UInt8(ascii: "h") : UInt8(ascii: "q")
        pickle.insert(contentsOf: [form, UInt8(numbers.below(32))], at: position)
      case 2:
        let value = UInt32(truncatingIfNeeded: ByteMutation.extremes[numbers.below(ByteMutation.extremes.count)])
        pickle.insert(contentsOf: [UInt8(ascii: "J")] + little(value), at: position)
      case 3: pickle.insert(contentsOf: [0x63] + Array(globals[numbers.below(globals.count)].utf8), at: position)
      case 4:
        // Part of the pickle once more: values on values.
        let length = min(pickle.count - position, 1 + numbers.below(200))
        for _ in 0...numbers.below(3) {
          pickle.insert(contentsOf: Array(pickle[position..<position + length]), at: position)
        }
      default: ByteMutation.change(&pickle, from: start, donor: [], &numbers)
      }
    }
  }
}
