/// A decoder for JPEG files (ITU-T T.81): baseline, extended and progressive, 8 bits, Huffman coded, with one,
/// three or four components of any sampling.
///
/// All arithmetic is that of libjpeg-turbo's defaults, so the pixels are those that Pillow and most other readers
/// see, of unfinished files too.
struct JPEGDecoder {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var segments: JPEGSegments
  private var tables = JPEGTables()
  private var frame: JPEGFrame?
  private var progression: JPEGProgression?
  private var color = JPEGColorHints()
  private var stated = StatedOrientation()
  private var lastGoodRow = 0
  private var isCutShort = false

  /// Real files have about ten scans, which go through each block six or seven times. Scans of a few bytes can go
  /// through all blocks of a large image, so that blocks are counted; small images may have so many scans.
  private static let (scansPerBlock, freeBlocks, maximumScans) = (32, 1 << 22, 500)
  private var visitedBlocks = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
    segments = JPEGSegments(bytes: bytes, position: 2)
  }

  mutating func decode() throws(ImageError.Problem) -> Image {
    var scans = 0
    while let marker = segments.nextMarker() {
      switch marker {
      case 0xD9: return try finish()
      case 0x01, 0xD0...0xD7: continue  // stand alone, and mean nothing here
      case 0xD8: throw .malformed(expected: "one start marker", found: "another")
      case 0xDA:
        scans += 1
        guard scans <= Self.maximumScans else {
          throw .tooLarge(expected: "at most \(Self.maximumScans) scans", found: "more")
        }
        try decodeScan(segments.nextData(of: marker))
      default: try read(marker, segments.nextData(of: marker))
      }
    }
    // Without an end marker only a sequential file shows that nothing is missing.
    guard let frame, !frame.isProgressive, frame.components.allSatisfy({ $0.quantization != nil }) else {
      throw .truncated(in: frame == nil ? "the headers" : "the image's data")
    }
    return try finish()
  }

  private mutating func read(
    _ marker: UInt8, _ segment: UnsafeBufferPointer<UInt8>
  ) throws(ImageError.Problem) {
    switch marker {
    case 0xC0, 0xC1, 0xC2:
      guard frame == nil else { throw .malformed(expected: "one frame header", found: "another") }
      frame = try JPEGFrame(segment, isProgressive: marker == 0xC2, rest: bytes.count - segments.position)
      if marker == 0xC2 { progression = JPEGProgression(components: frame!.components.count) }
    case 0xC3, 0xC5...0xC7, 0xC8...0xCB, 0xCD...0xCF:
      throw .unsupported(
        expected: "baseline, extended or progressive Huffman coding", found: Self.process(marker))
    case 0xC4: try tables.readHuffman(segment)
    case 0xDB: try tables.readQuantization(segment)
    case 0xDD: try tables.readRestartInterval(segment)
    case 0xE0: color.readJFIF(segment)
    case 0xEE: color.readAdobe(segment)
    case 0xE1:
      let name = Array("Exif\0\0".utf8)
      if segment.starts(with: name) {
        stated.exif = Orientation(exif: UnsafeBufferPointer(rebasing: segment[name.count...]))
      }
      let namespace = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
      if segment.starts(with: namespace) { stated.xmp = Orientation(xmp: segment[namespace.count...]) }
    case 0xCC, 0xDC, 0xE2...0xEF, 0xFE: break
    default:
      throw .malformed(
        expected: "a marker of the JPEG format", found: "FF \(String(marker, radix: 16, uppercase: true))")
    }
  }

  private static func process(_ marker: UInt8) -> String {
    switch marker {
    case 0xC3: "lossless coding"
    case 0xC5...0xC7: "hierarchical coding"
    case 0xC9, 0xCA: "arithmetic coding"
    default: "process \(String(marker, radix: 16, uppercase: true))"
    }
  }

  private mutating func decodeScan(_ segment: UnsafeBufferPointer<UInt8>) throws(ImageError.Problem) {
    guard frame != nil else { throw .malformed(expected: "a frame header before the first scan", found: "none") }
    let scan = try JPEGScan(segment, frame: frame!)
    for part in scan.parts where frame!.components[part.component].quantization == nil {
      let component = frame!.components[part.component]
      guard let table = tables.quantization[component.quantizationIndex] else {
        throw .malformed(expected: "a quantization table for component \(component.identifier)", found: "none")
      }
      frame!.components[part.component].quantization = table
    }
    progression?.add(scan)
    let walk = JPEGScanWalk(bytes, frame: frame!, scan: scan, restartInterval: tables.restartInterval)
    visitedBlocks += walk.blocks
    guard visitedBlocks <= Self.freeBlocks + Self.scansPerBlock * frame!.blocks else {
      throw .tooLarge(expected: "at most \(Self.scansPerBlock) scans over each block", found: "more")
    }
    let end =
      frame!.isProgressive ? try decodeProgressive(scan, frame!, walk) : try decodeSequential(scan, frame!, walk)
    (segments.position, lastGoodRow) = (end.position, end.lastGoodRow)
    if end.isCutShort { isCutShort = true }
  }

  private func decodeSequential(
    _ scan: JPEGScan, _ frame: JPEGFrame, _ walk: JPEGScanWalk
  ) throws(ImageError.Problem) -> JPEGScanWalk.End {
    // The tables of a component side by side, so that one pointer serves the loop.
    let quantization = scan.parts.flatMap { frame.components[$0.component].quantization! }
    return try quantization.withUnsafeBufferPointer { (quantization) throws(ImageError.Problem) in
      var parts: [JPEGSequentialScan.Part] = []
      for (index, part) in scan.parts.enumerated() {
        let component = frame.components[part.component]
        parts.append(
          JPEGSequentialScan.Part(
            dc: try tables.table(\.dc, part.dcTable, for: component).view,
            ac: try tables.table(\.ac, part.acTable, for: component).view,
            quantization: quantization.baseAddress! + 64 * index, samples: component.samples.base,
            stride: component.stride))
      }
      var block = [Int16](repeating: 0, count: 64)
      return try parts.withUnsafeMutableBufferPointer { (parts) throws(ImageError.Problem) in
        try block.withUnsafeMutableBufferPointer { (block) throws(ImageError.Problem) in
          try JPEGZigzag.order.withUnsafeBufferPointer { (zigzag) throws(ImageError.Problem) in
            var decoder = JPEGSequentialScan(
              parts: parts, block: block.baseAddress!, zigzag: zigzag.baseAddress!)
            return try run(&decoder, frame, walk)
          }
        }
      }
    }
  }

  private func decodeProgressive(
    _ scan: JPEGScan, _ frame: JPEGFrame, _ walk: JPEGScanWalk
  ) throws(ImageError.Problem) -> JPEGScanWalk.End {
    let isMean = scan.spectralStart == 0
    let low = Int32(scan.low)
    var parts: [JPEGProgressivePart] = []
    for part in scan.parts {
      let component = frame.components[part.component]
      // Further bits of the means are not coded.
      let table: JPEGHuffmanTable? =
        if isMean {
          scan.high == 0 ? try tables.table(\.dc, part.dcTable, for: component) : nil
        } else {
          try tables.table(\.ac, part.acTable, for: component)
        }
      parts.append(
        JPEGProgressivePart(
          table: table?.view, coefficients: component.coefficients!.base, blocksAcross: component.storedAcross))
    }
    return try parts.withUnsafeMutableBufferPointer { (parts) throws(ImageError.Problem) in
      try JPEGZigzag.order.withUnsafeBufferPointer { (zigzag) throws(ImageError.Problem) in
        switch (isMean, scan.high == 0) {
        case (true, true):
          var decoder = JPEGFirstMeanScan(parts: parts, low: low)
          return try run(&decoder, frame, walk)
        case (true, false):
          var decoder = JPEGNextMeanScan(parts: parts, low: low)
          return try run(&decoder, frame, walk)
        case (false, true):
          var decoder = JPEGFirstBandScan(
            part: parts[0], table: parts[0].table!, zigzag: zigzag.baseAddress!,
            band: scan.spectralStart...scan.spectralEnd, low: low)
          return try run(&decoder, frame, walk)
        case (false, false):
          var decoder = JPEGNextBandScan(
            part: parts[0], table: parts[0].table!, zigzag: zigzag.baseAddress!,
            band: scan.spectralStart...scan.spectralEnd, low: low)
          return try run(&decoder, frame, walk)
        }
      }
    }
  }

  private func run<Decoder: JPEGBlockDecoder>(
    _ decoder: inout Decoder, _ frame: JPEGFrame, _ walk: JPEGScanWalk
  ) throws(ImageError.Problem) -> JPEGScanWalk.End {
    defer { withExtendedLifetime((tables, frame)) {} }
    return try walk.run(&decoder, from: segments.position)
  }

  private func finish() throws(ImageError.Problem) -> Image {
    guard let frame else { throw .malformed(expected: "a frame header", found: "the end marker") }
    guard frame.components.contains(where: { $0.quantization != nil }) else {
      throw .malformed(expected: "a scan", found: "none")
    }
    // Without a scan of it a component is grey.
    for component in frame.components where component.quantization == nil {
      component.samples.base.update(repeating: 128, count: component.samples.count)
    }
    let progress = progression?.latched ?? []
    let isSmoothed = frame.isProgressive && JPEGSmoothing.isUseful(frame.components, progress)
    let pixels = try JPEGRows(frame, color: color.space(of: frame)).pixels { unit in
      for (index, component) in frame.components.enumerated() {
        guard let coefficients = component.coefficients, let quantization = component.quantization else { continue }
        if isSmoothed {
          JPEGSmoothing(component, progress[index], lastGoodRow: lastGoodRow, unitsDown: frame.unitsDown)
            .transform(unit: unit)
        } else {
          JPEGInverseDCT.transform(component, unit: unit, coefficients.base, quantization)
        }
        coefficients.release(first: component.rowsDone(with: unit) * component.storedAcross * 64)
      }
    }
    var image = Image(width: frame.width, height: frame.height, pixels: pixels, orientation: stated.orientation)
    if isCutShort {
      image.lack = "the end of a scan"
    } else if !(progression?.isComplete ?? true) || frame.components.contains(where: { $0.quantization == nil }) {
      image.lack = "some of its scans"
    }
    return image
  }
}

extension JPEGInverseDCT {
  /// The blocks of a progressive component in a row of units.
  static func transform(
    _ component: JPEGComponent, unit: Int, _ coefficients: UnsafeMutablePointer<Int16>, _ quantization: [Int16]
  ) {
    let stride = component.stride
    quantization.withUnsafeBufferPointer { quantization in
      for row in component.rows(of: unit) {
        let samples = component.samples(of: row)
        for column in 0..<component.blocksAcross {
          transform(
            coefficients + (row * component.storedAcross + column) * 64, quantization: quantization.baseAddress!,
            into: samples + column * 8, stride: stride)
        }
      }
    }
  }
}
