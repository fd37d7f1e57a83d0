/// A file of a text header, whose length comes before it, and data: safetensors and NumPy's `.npy`.
struct HeadedFile {
  enum Form { case safetensors, numpy }

  let form: Form
  /// Magic number and version.
  private let head: [UInt8]
  var text: [UInt8]
  var data: [UInt8]

  /// The parts of some bytes; `nil` where the stated length is outside.
  init?(_ bytes: [UInt8], _ form: Form) {
    self.form = form
    let isWide = form == .numpy && bytes.count > 6 && bytes[6] > 1
    let (prefix, width) = form == .safetensors ? (0, 8) : (8, isWide ? 4 : 2)
    guard bytes.count >= prefix + width else { return nil }
    let count = bytes.little(prefix, width)
    guard count <= bytes.count - prefix - width else { return nil }
    head = Array(bytes[..<prefix])
    text = Array(bytes[(prefix + width)..<(prefix + width + count)])
    data = Array(bytes[(prefix + width + count)...])
  }

  /// The file, with the right length and, in a NumPy file, the padding of its header.
  var bytes: [UInt8] {
    guard form == .numpy else { return Fuzz.little(UInt64(text.count)) + text + data }
    let width = head[6] > 1 ? 4 : 2
    var padded = text
    while let last = padded.last, last == 0x20 || last == 0x0A { padded.removeLast() }
    while (head.count + width + padded.count + 1) % 64 != 0 { padded.append(0x20) }
    padded.append(0x0A)
    let length = width == 4 ? Fuzz.little(UInt32(padded.count)) : Fuzz.little(UInt16(truncatingIfNeeded: padded.count))
    return head + length + padded + data
  }
}
