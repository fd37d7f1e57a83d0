import Formats
import Foundation
import Synchronization
import Tensor

/// The features of one encoder in one run: those found in the cache, and those computed since.
///
/// A cache that cannot be read or written costs time, never a result: the features are computed, and the shelf says so.
final class FeatureShelf: Sendable {
  private let cache: FeatureCache
  private let name: String
  private let about: FeatureFile.About
  private let state: Mutex<State>

  /// Rows that were read or computed together.
  private struct Block {
    let keys: [FeatureKey]
    let width: Int
    /// The file they are in; `nil` until they are written.
    var file: FeatureFile?
    /// [rows · width]; `nil` until the file is read.
    var values: [Real]?
    /// True for rows that were computed and are still to be written.
    var isFresh = false
  }

  private struct State {
    var blocks: [Block] = []
    var index: [FeatureKey: (block: Int, row: Int)] = [:]
    var reused = 0
    var problem: String?

    /// Adds rows; of several with one key the last are found.
    mutating func append(_ block: Block) {
      for (row, key) in block.keys.enumerated() { index[key] = (blocks.count, row) }
      blocks.append(block)
    }

    /// The rows of a block; `nil` for those of a damaged file, which are then forgotten.
    mutating func load(_ block: Int) -> [Real]? {
      if let values = blocks[block].values { return values }
      guard let file = blocks[block].file else { return nil }
      if let values = file.values() {
        FeatureCache.touch(file.url)
        blocks[block].values = values
        return values
      }
      unlink(file.url.path)
      blocks[block].file = nil
      index = index.filter { $0.value.block != block }
      // Another file may have some of them.
      for (other, known) in blocks.enumerated() where other != block && (known.file != nil || known.values != nil) {
        for (row, key) in known.keys.enumerated() where index[key] == nil { index[key] = (other, row) }
      }
      return nil
    }
  }

  /// The shelf of a name.
  ///
  /// - about: kind, model and data of what will be written.
  init(_ cache: FeatureCache, _ name: String, kind: String, model: String, data: String) {
    (self.cache, self.name) = (cache, name)
    about = FeatureFile.About(kind: kind, model: model, data: data, rows: 0, width: 0)
    var known = State()
    for file in cache.files(of: name) {
      known.append(Block(keys: file.keys, width: file.about.width, file: file))
    }
    state = Mutex(known)
  }

  /// The number of rows that came from the cache instead of being computed, each as often as it was asked for.
  var reused: Int { state.withLock { $0.reused } }

  /// Why nothing could be written, if so.
  var problem: String? { state.withLock { $0.problem } }

  /// A row, [width]; `nil` if it is not known. A damaged file is removed, and its rows are not known.
  func row(_ key: FeatureKey) -> [Real]? {
    state.withLock { state in
      while let (block, row) = state.index[key] {
        let width = state.blocks[block].width
        if let values = state.load(block) {
          if state.blocks[block].file != nil { state.reused += 1 }
          return Array(values[row * width..<(row + 1) * width])
        }
      }
      return nil
    }
  }

  /// Keeps rows that were computed.
  ///
  /// - rows: [keys, width]
  func add(_ keys: [FeatureKey], _ rows: Tensor) {
    guard !keys.isEmpty else { return }
    let values = rows.values
    state.withLock { state in
      state.append(Block(keys: keys, width: rows.shape.width, values: values, isFresh: true))
    }
  }

  /// Writes the rows that were computed since the last time as one file.
  func flush() {
    let (keys, values, width) = state.withLock { state in
      let fresh = state.blocks.indices.filter { state.blocks[$0].isFresh }
      for index in fresh { state.blocks[index].isFresh = false }
      let blocks = fresh.map { state.blocks[$0] }
      return (blocks.flatMap(\.keys), blocks.flatMap { $0.values ?? [] }, blocks.first?.width ?? 0)
    }
    guard !keys.isEmpty else { return }
    var about = about
    (about.rows, about.width) = (keys.count, width)
    do { try cache.add(about, keys, values, shelf: name) } catch {
      // The same words for every file: one warning is enough.
      let reason = (error as? FileError)?.found ?? "\(error)"
      state.withLock { $0.problem = "\(cache.folder.shown) cannot be written: \(reason)" }
    }
  }
}
