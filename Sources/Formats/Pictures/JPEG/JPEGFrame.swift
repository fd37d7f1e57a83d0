/// One colour component of a JPEG frame, with its samples once decoded.
struct JPEGComponent {
  let identifier: UInt8
  /// Sampling factors 1...4, relative to the largest of the frame.
  let horizontal: Int
  let vertical: Int
  let quantizationIndex: Int
  /// Samples that belong to the image (ITU-T T.81, section A.1.1).
  let width: Int
  let height: Int
  /// Blocks that hold them: what a scan of this component alone contains.
  let blocksAcross: Int
  let blocksDown: Int
  /// Blocks with the padding that interleaved scans add: what is stored.
  let storedAcross: Int
  let storedDown: Int

  /// [64] in row-major order, of the moment when the component was first scanned.
  var quantization: [Int16]?
  /// [sampleRows, storedAcross · 8]; row y of the component is row y modulo `sampleRows` of these.
  let samples: JPEGBuffer<UInt8>
  /// All rows, storedDown · 8, but in a progressive file: there the coefficients take twice or thrice the memory of the
  /// image, and samples are made of them when the image's rows are; three rows of units are enough for that.
  let sampleRows: Int
  /// [storedDown, storedAcross, 64] in row-major order; kept in progressive files only.
  let coefficients: JPEGBuffer<Int16>?

  var stride: Int { storedAcross * 8 }

  /// The rows of blocks in a row of units.
  func rows(of unit: Int) -> Range<Int> {
    min(unit * vertical, blocksDown)..<min((unit + 1) * vertical, blocksDown)
  }

  /// The samples of a row of blocks.
  func samples(of row: Int) -> UnsafeMutablePointer<UInt8> { samples.base + 8 * row % sampleRows * stride }

  /// The number of rows of blocks whose coefficients no later row of units reads: smoothing looks two rows up.
  func rowsDone(with unit: Int) -> Int { max(0, (unit + 1) * vertical - 2) }
}

/// The frame header of a JPEG file (ITU-T T.81, section B.2.2).
struct JPEGFrame {
  let width: Int
  let height: Int
  let isProgressive: Bool
  let maximumHorizontal: Int
  let maximumVertical: Int
  let unitsAcross: Int
  let unitsDown: Int
  /// Blocks of all components.
  let blocks: Int
  var components: [JPEGComponent]

  /// - segment: the part after the length of the frame header; rest: the number of bytes of the file after it.
  init(
    _ segment: UnsafeBufferPointer<UInt8>, isProgressive: Bool, rest: Int
  ) throws(ImageError.Problem) {
    guard segment.count >= 6 else { throw .truncated(in: "the frame header") }
    guard segment[0] == 8 else {
      throw .unsupported(expected: "8 bits per sample", found: "\(segment[0])")
    }
    let height = Int(segment[1]) << 8 | Int(segment[2])
    let width = Int(segment[3]) << 8 | Int(segment[4])
    let count = Int(segment[5])
    try Image.checkSize(width: width, height: height)
    guard count == 1 || count == 3 || count == 4 else {
      throw .unsupported(expected: "1, 3 or 4 colour components", found: "\(count)")
    }
    guard segment.count >= 6 + 3 * count else { throw .truncated(in: "the frame header") }

    let headers = (0..<count).map { index in
      let base = 6 + 3 * index
      return (
        identifier: segment[base], horizontal: Int(segment[base + 1] >> 4),
        vertical: Int(segment[base + 1] & 15), quantization: Int(segment[base + 2])
      )
    }
    for header in headers {
      guard 1...4 ~= header.horizontal, 1...4 ~= header.vertical else {
        throw .malformed(
          expected: "sampling factors 1 to 4 for component \(header.identifier)",
          found: "\(header.horizontal) × \(header.vertical)")
      }
      guard header.quantization < 4 else {
        throw .malformed(
          expected: "a quantization table 0 to 3 for component \(header.identifier)", found: "\(header.quantization)")
      }
    }
    let maximumHorizontal = headers.map(\.horizontal).max()!
    let maximumVertical = headers.map(\.vertical).max()!
    let unitsAcross = Self.quotient(width, 8 * maximumHorizontal)
    let unitsDown = Self.quotient(height, 8 * maximumVertical)

    let layouts = headers.map { header in
      let width = Self.quotient(width * header.horizontal, maximumHorizontal)
      let height = Self.quotient(height * header.vertical, maximumVertical)
      return (width: width, height: height, across: Self.quotient(width, 8), down: Self.quotient(height, 8))
    }
    // A block takes at least one bit for its mean and, in a sequential file, one for the end of the block: a
    // header that claims more than the file can hold is found out before anything is allocated for it.
    let blocks = layouts.reduce(0) { $0 + $1.across * $1.down }
    guard blocks * (isProgressive ? 1 : 2) <= rest * 8 else {
      throw .truncated(in: "an image of \(width) × \(height)")
    }

    components = []
    for (header, layout) in zip(headers, layouts) {
      let across = unitsAcross * header.horizontal
      let down = unitsDown * header.vertical
      let sampleRows = 8 * (isProgressive ? min(down, JPEGRows.window * header.vertical) : down)
      components.append(
        JPEGComponent(
          identifier: header.identifier, horizontal: header.horizontal, vertical: header.vertical,
          quantizationIndex: header.quantization, width: layout.width, height: layout.height,
          blocksAcross: layout.across, blocksDown: layout.down, storedAcross: across, storedDown: down,
          samples: try JPEGBuffer(count: across * 8 * sampleRows), sampleRows: sampleRows,
          coefficients: isProgressive ? try JPEGBuffer(count: across * down * 64) : nil))
    }
    self.width = width
    self.height = height
    self.isProgressive = isProgressive
    self.maximumHorizontal = maximumHorizontal
    self.maximumVertical = maximumVertical
    self.unitsAcross = unitsAcross
    self.unitsDown = unitsDown
    self.blocks = blocks
  }

  private static func quotient(_ value: Int, _ divisor: Int) -> Int { (value + divisor - 1) / divisor }
}
