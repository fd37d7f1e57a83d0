import Checks

/// One input of a run: a seed of its kind, changed.
struct Input {
  let seed: Seed
  let bytes: [UInt8]

  /// A file that was written down.
  init(_ seed: Seed, _ bytes: [UInt8]) { (self.seed, self.bytes) = (seed, bytes) }

  /// The input of a number, which depends on nothing but kind, seed and number.
  init(_ kind: Kind, _ seeds: [Seed], run: UInt64, index: Int) {
    var mixing = CheckNumbers(seed: run &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: index))
    var numbers = CheckNumbers(seed: mixing.next())
    seed = seeds[numbers.below(seeds.count)]
    let donor = seeds[numbers.below(seeds.count)].bytes
    var bytes = seed.bytes
    // One change in three inputs of four, more in others.
    for _ in 0...(numbers.below(4) == 0 ? numbers.below(4) : 0) {
      bytes = Input(seed, bytes).changed(kind, donor: donor, &numbers)
    }
    self.bytes = bytes
  }

  /// Its bytes after one more change; parts of `donor` may come in.
  func changed(_ kind: Kind, donor: [UInt8], _ numbers: inout CheckNumbers) -> [UInt8] {
    // A few without any repair: the first checks are part of a reader too.
    guard kind == .planted || numbers.below(12) > 0 else {
      var changed = bytes
      ByteMutation.change(&changed, donor: donor, &numbers)
      return changed
    }
    switch kind {
    case .png: return PictureMutation.png(bytes, donor: donor, &numbers)
    case .jpeg: return PictureMutation.jpeg(bytes, donor: donor, &numbers)
    case .webp: return PictureMutation.webp(bytes, donor: donor, &numbers)
    case .gif: return PictureMutation.plain(bytes, signature: 6, header: 13, donor: donor, &numbers)
    case .bmp: return PictureMutation.plain(bytes, signature: 18, header: 54, donor: donor, &numbers)
    case .torch, .npz: return Self.archive(bytes, &numbers)
    case .inflate: return Self.compressed(bytes, &numbers)
    case .numpy: return Self.headed(bytes, .numpy, &numbers)
    case .safetensors, .delta, .checkpoint: return Self.headed(bytes, .safetensors, &numbers)
    case .legacyTorch:
      // Magic number, protocol and system come before the pickle that matters.
      let start = min(bytes.count, 24)
      var rest = Array(bytes[start...])
      PickleMutation.change(&rest, &numbers)
      return bytes[..<start] + rest
    case .adapter where seed.name.hasSuffix("safetensors"): return Self.headed(bytes, .safetensors, &numbers)
    case .shards, .tokenizer, .configuration, .adapter, .run, .pretraining, .list, .captions:
      var text = bytes
      TextMutation.change(&text, &numbers)
      return text
    case .planted:
      var changed = bytes
      ByteMutation.change(&changed, donor: [], &numbers)
      return changed
    }
  }

  private static func archive(_ bytes: [UInt8], _ numbers: inout CheckNumbers) -> [UInt8] {
    var file = ZipFile(bytes)
    guard !file.entries.isEmpty else { return bytes }
    // The pickle or, among arrays, any.
    let pickle = file.entries.firstIndex { $0.name.suffix(8).elementsEqual("data.pkl".utf8) }
    let index = pickle.flatMap { numbers.below(8) > 0 ? $0 : nil } ?? numbers.below(file.entries.count)
    switch numbers.below(12) {
    case 0: file.entries[index].isDeflated.toggle()
    case 1: file.entries.swapAt(index, numbers.below(file.entries.count))
    case 2: ByteMutation.change(&file.entries[index].name, donor: [], &numbers)
    default:
      if index == pickle {
        PickleMutation.change(&file.entries[index].data, &numbers)
      } else {
        file.entries[index].data = headed(file.entries[index].data, .numpy, &numbers)
      }
    }
    return file.bytes
  }

  private static func compressed(_ bytes: [UInt8], _ numbers: inout CheckNumbers) -> [UInt8] {
    guard var file = CompressedFile(bytes) else { return bytes }
    if numbers.below(3) == 0 {
      var plain = file.plain
      ByteMutation.change(&plain, donor: [], &numbers)
      file = CompressedFile(container: file.container, plain: plain)
    } else {
      ByteMutation.change(&file.blocks, donor: [], &numbers)
    }
    return file.bytes
  }

  private static func headed(_ bytes: [UInt8], _ form: HeadedFile.Form, _ numbers: inout CheckNumbers) -> [UInt8] {
    guard var file = HeadedFile(bytes, form) else {
      var changed = bytes
      ByteMutation.change(&changed, donor: [], &numbers)
      return changed
    }
    if numbers.below(4) > 0 {
      TextMutation.change(&file.text, &numbers)
    } else {
      ByteMutation.change(&file.data, donor: [], &numbers)
    }
    return file.bytes
  }
}
