import Formats
import Tensor

/// A tensor of a trace by its bits, in the type it is stored in, whatever the precision of this build.
struct TraceTensor {
  let shape: Shape
  let isDouble: Bool
  let bits: [UInt64]

  init(_ file: SafeTensorsFile, _ name: String) throws(TraceError) {
    do throws(WeightFileError) {
      let entry = try file.entry(name)
      guard entry.type == .f32 || entry.type == .f64 else {
        throw WeightFileError.tensor(file: file.file, name: name, expected: "F32 or F64", found: entry.type.rawValue)
      }
      let (count, isDouble) = (entry.shape.count, entry.type == .f64)
      (shape, self.isDouble) = (entry.shape, isDouble)
      bits = try file.withBytes(name) { bytes in
        (0..<count).map { index in
          isDouble
            ? UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
            : UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
        }
      }
    } catch { throw .file(error) }
  }

  /// `F32 [3, 7]`
  var title: String { "\(isDouble ? "F64" : "F32") \(shape)" }

  /// A number, exactly.
  func value(_ index: Int) -> Double {
    isDouble ? Double(bitPattern: bits[index]) : Double(Float(bitPattern: UInt32(bits[index])))
  }

  /// The shortest text that distinguishes it from its neighbours.
  func text(_ index: Int) -> String {
    isDouble ? "\(value(index))" : "\(Float(bitPattern: UInt32(bits[index])))"
  }

  /// The distance in steps between neighbouring values (ulp); `nil` if one is a NaN.
  func distance(_ index: Int, to other: TraceTensor) -> UInt64? {
    guard !value(index).isNaN, !other.value(index).isNaN else { return nil }
    let sign: UInt64 = isDouble ? 1 << 63 : 1 << 31
    let (x, y) = (bits[index], other.bits[index])
    let (sizeX, sizeY) = (x & ~sign, y & ~sign)
    // Bit patterns of one sign are in the order of the values; between the signs lies zero, which has both.
    return x & sign == y & sign ? max(sizeX, sizeY) - min(sizeX, sizeY) : sizeX + sizeY
  }
}
