import Foundation
import Tensor

/// Writes plain values as `torch.save` does: an archive around a pickle of protocol 2, which `torch.load` reads, also
/// with `weights_only`.
///
/// Tensors are not written: what is written so far are dictionaries of bytes.
package enum TorchWriter {
  /// Writes the file, whole or not at all.
  ///
  /// - Throws: `FileError` if the file cannot be written. Traps on tensors and on objects without a value.
  package static func write(_ object: PythonObject, to url: URL) throws(FileError) {
    try AtomicFile.write(archive(object), to: url)
  }

  /// The bytes of the file.
  static func archive(_ object: PythonObject) -> [UInt8] {
    var pickle: [UInt8] = [0x80, 2]
    add(object, to: &pickle)
    pickle.append(UInt8(ascii: "."))
    let entries: [(String, [UInt8])] = [
      ("archive/data.pkl", pickle), ("archive/byteorder", Array("little".utf8)), ("archive/version", Array("3\n".utf8)),
    ]
    return ZipWriter.stored(entries)
  }

  private static func add(_ object: PythonObject, to pickle: inout [UInt8]) {
    func op(_ letters: String) { pickle += letters.utf8 }
    switch object {
    case .none: op("N")
    case .bool(let value): pickle.append(value ? 0x88 : 0x89)
    case .integer(let value):
      if let small = Int32(exactly: value) {
        op("J")
        pickle += littleEndian(small)
      } else {
        pickle += [0x8a, 8] + littleEndian(value)
      }
    case .number(let value):
      op("G")
      pickle += littleEndian(value.bitPattern).reversed()
    case .string(let text): add(text: text, to: &pickle)
    case .bytes(let bytes):
      // Protocol 2 has no bytes: Python 3 writes them as text in Latin-1, and how to decode it.
      op("c_codecs\nencode\n")
      add(text: String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) })), to: &pickle)
      add(text: "latin1", to: &pickle)
      pickle += [0x86, UInt8(ascii: "R")]
    case .list(let items):
      op("](")
      for item in items { add(item, to: &pickle) }
      op("e")
    case .dictionary(let pairs):
      op("}(")
      for pair in pairs {
        add(pair.key, to: &pickle)
        add(pair.value, to: &pickle)
      }
      op("u")
    case .tensor, .other: trap("TorchWriter: expected plain values, found \(object.kind)")
    }
  }

  private static func add(text: String, to pickle: inout [UInt8]) {
    pickle.append(UInt8(ascii: "X"))
    pickle += littleEndian(UInt32(text.utf8.count))
    pickle += text.utf8
  }
}

/// The bytes of an integer, the lowest first.
func littleEndian(_ integer: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: integer.littleEndian, Array.init)
}
