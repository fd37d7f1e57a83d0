import Formats
import Foundation
import Models
import Tensor

/// The masks of a checkpoint as R-AMT's authors save it, `model.pth.tar-30` (R-AMT (h)).
///
///     {"state_dict": {"conv1.mask_real": b"…", "transformer.resblocks.0.attn.mask_real": b"…", …},
///      "epoch": 30, "optimizer": …, "scheduler": …, "val_result": None}
///
/// Each mask is as many bytes as hold its bits, row-major, the most significant bit of a byte first and the last byte
/// filled with zeros; a bit of 1 keeps the weight. Names are OpenAI's in the image encoder, in which query, key and
/// value of a transformer block are one tensor. The authors' loader wants a mask of every weight that can carry one,
/// with the MLPs or without.
public struct MaskCheckpoint: PublishedDelta {
  /// A mask by its name, and the sites whose weights it holds one below the other.
  private struct Entry {
    let name: String
    let parameters: [Parameter]
    var count: Int { parameters.reduce(0) { $0 + $1.value.count } }
  }

  private static let suffix = "mask_real"

  static let kind = "masks as R-AMT's authors save them"

  static func recognises(_ file: TorchFile) -> Bool {
    file.values.contains { name, value in if case .bytes = value { name.hasSuffix(".\(suffix)") } else { false } }
  }

  static func summary(of file: TorchFile) -> [String: String] {
    file.values.mapValues { value in
      guard case .bytes(let bytes) = value else { return value.description }
      let ones = bytes.reduce(0) { $0 + $1.nonzeroBitCount }
      return "\(ones) weights kept, of \(8 * bytes.count) bits at most"
    }
  }

  static func read(_ file: TorchFile, for tower: any ImageTower, into delta: inout Delta) throws {
    func wrong(_ expected: String, _ found: String) -> DeltaError {
      DeltaError(file.file, expected: expected, found: found)
    }
    var stored: [String: [UInt8]] = [:]
    for (name, value) in file.values where name.hasSuffix(".\(suffix)") {
      guard case .bytes(let bytes) = value else { throw wrong("\"\(name)\" as bytes", value.description) }
      stored[name] = bytes
    }
    var hasMLP = false
    for entry in entries(of: tower, .all) {
      guard let bytes = stored.removeValue(forKey: entry.name) else {
        guard entry.parameters.contains(where: { [.mlpUp, .mlpDown].contains($0.site.role) }) else {
          throw wrong("the mask \"\(entry.name)\"", "none of that name")
        }
        continue
      }
      if entry.parameters.contains(where: { [.mlpUp, .mlpDown].contains($0.site.role) }) { hasMLP = true }
      let mask: BitMask
      do throws(BitMaskError) { mask = try BitMask(bytes: bytes, count: entry.count, order: .big) } catch {
        throw wrong("\"\(entry.name)\" as the bits of \(entry.count) weights", "\(error)")
      }
      var first = 0
      for parameter in entry.parameters {
        delta.masks[parameter.site.name] = mask.part(first..<first + parameter.value.count)
        first += parameter.value.count
      }
    }
    if let stranger = stored.keys.min() { throw wrong("masks of weights of the model", "\"\(stranger)\"") }
    delta.description.method = hasMLP ? "r-mt" : "r-amt"
  }

  /// Every mask that a checkpoint of a tower has, in the order of the tower.
  private static func entries(of tower: any ImageTower, _ sites: MaskSites) -> [Entry] {
    sites.groups(of: tower, .official).map { Entry(name: name(of: $0[0].site), parameters: $0) }
  }

  /// `transformer.resblocks.0.attn.mask_real` of the query of block 0.
  private static func name(of site: Site) -> String {
    let layouts = [WeightLayout.openAICLIP, .openAIResNetCLIP]
    let stored = layouts.lazy.compactMap { $0.location(of: site.name)?.name }.first ?? site.name
    let inside = stored.hasPrefix("visual.") ? String(stored.dropFirst("visual.".count)) : stored
    for ending in ["in_proj_weight", "weight"] where inside.hasSuffix(".\(ending)") {
      return inside.dropLast(ending.count) + suffix
    }
    return "\(inside).\(suffix)"
  }

  /// What is written.
  private let masks: [(name: String, bytes: [UInt8])]
  /// Tensors of the delta that such a checkpoint cannot hold.
  public let leftOut: [String]
  /// The number of masks.
  public var count: Int { masks.count }

  /// The masks of a delta; a weight that can carry one and has none is kept throughout.
  ///
  /// - Throws: `ExportError` for a delta without masks, and for a model without text, which the authors' code lacks.
  public init(_ delta: Delta, of model: any PretrainedModel) throws(ExportError) {
    guard !delta.masks.isEmpty else {
      throw ExportError("masks", found: "none, of the method \(delta.description.method)")
    }
    guard model.clip != nil else { throw ExportError("masks of a CLIP", found: "those of an image classifier") }
    // Masks of weights that an earlier training changed are not masks of the model's own.
    if let other = delta.earlier.first(where: \.changesEncoder) {
      throw ExportError("masks of the model's own weights", found: "those on top of \(other.description.method)")
    }
    let (masked, known) = (Set(delta.masks.keys), Set(model.tower.parameters.map(\.site.name)))
    guard !masked.isDisjoint(with: known) else {
      throw ExportError("masks of the image tower, which the authors' code has", found: "those of the text tower alone")
    }
    let isMLP = model.tower.parameters.contains {
      [.mlpUp, .mlpDown].contains($0.site.role) && masked.contains($0.site.name)
    }
    masks = Self.entries(of: model.tower, isMLP ? .all : .attention).map { entry in
      var bits = BitMask(repeating: true, count: entry.count)
      var first = 0
      for parameter in entry.parameters {
        if let mask = delta.masks[parameter.site.name] {
          for index in 0..<mask.count where !mask[index] { bits[first + index] = false }
        }
        first += parameter.value.count
      }
      return (entry.name, bits.bytes(order: .big))
    }
    let texts = masked.subtracting(known).map { DeltaEntry.mask(site: $0).name }
    leftOut = (Array(delta.tensors.keys) + texts + delta.earlier.flatMap(\.tensors.keys)).sorted()
  }

  /// Writes the file, whole or not at all.
  ///
  /// - Throws: `FileError` if the file cannot be written.
  public func write(to url: URL) throws(FileError) {
    let state = masks.map { PythonObject.Pair(.string($0.name), .bytes($0.bytes)) }
    let rest = ["epoch", "optimizer", "scheduler", "val_result"].map { PythonObject.Pair(.string($0), .none) }
    try TorchWriter.write(.dictionary([.init(.string("state_dict"), .dictionary(state))] + rest), to: url)
  }
}

extension BitMask {
  /// The bits of a range, as a mask of their own.
  fileprivate func part(_ range: Range<Int>) -> BitMask {
    var part = BitMask(repeating: true, count: range.count)
    for index in range where !self[index] { part[index - range.lowerBound] = false }
    return part
  }
}
