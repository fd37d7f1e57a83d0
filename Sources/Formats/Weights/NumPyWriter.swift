import Tensor

/// Writes an array as NumPy's `.npy` (numpy.lib.format, version 1.0): F64, little endian, in C order.
package enum NumPyWriter {
  /// The bytes of a file; traps if the shape has another count.
  ///
  /// The header is padded with spaces, so that the data begin at a multiple of 64 bytes.
  package static func bytes(_ values: [Double], shape: Shape) -> [UInt8] {
    require(shape.count == values.count, "NumPyWriter: expected \(shape.count) numbers, found \(values.count)")
    // A tuple of one element keeps its comma.
    let extents = shape.extents.map { "\($0)" }.joined(separator: ", ") + (shape.rank == 1 ? "," : "")
    var header = Array("{'descr': '<f8', 'fortran_order': False, 'shape': (\(extents)), }".utf8)
    let before = NumPyHeader.magic.count + 4
    header += [UInt8](repeating: UInt8(ascii: " "), count: 63 - (before + header.count) % 64)
    header.append(UInt8(ascii: "\n"))
    var bytes = NumPyHeader.magic + [1, 0]
    bytes += littleEndian(UInt16(header.count))
    bytes += header
    for value in values { bytes += littleEndian(value.bitPattern) }
    return bytes
  }
}
