/// A checkpoint of the layout in which R-AMT's authors save masks, written opcode by opcode.
package struct MaskPickle: Sendable {
  /// The bits of each mask by its name, in order.
  package var masks: [(name: String, bits: [Bool])]

  /// Masks by name.
  package init(_ masks: [(name: String, bits: [Bool])]) { self.masks = masks }

  /// A bit of 1 is a weight that stays; the first bit of a byte is its most significant one, and the last byte is
  /// filled with zeros.
  package static func packed(_ bits: [Bool]) -> [UInt8] {
    stride(from: 0, to: bits.count, by: 8).map { first in
      (0..<8).reduce(0) { byte, bit in
        byte << 1 | (first + bit < bits.count && bits[first + bit] ? 1 : 0)
      }
    }
  }

  /// The file; `epoch` and an optimiser of no interest stand beside the masks.
  package var bytes: [UInt8] {
    var pickle = PickleBuilder().op("}(").string("state_dict").op("}(")
    for (name, bits) in masks {
      let text = String(String.UnicodeScalarView(Self.packed(bits).map { Unicode.Scalar($0) }))
      pickle = pickle.string(name).global("_codecs", "encode").string(text).string("latin1").raw([0x86]).op("R")
    }
    return pickle.op("u").string("epoch").integer(30).string("optimizer").op("}").string("val_result").op("Nu")
      .archive()
      .file
  }
}
