import Datasets
import Tensor

/// What is decided before the first step, as draws that an observer sees and may replace.
///
/// | name | what |
/// | --- | --- |
/// | `draw/images` | the indices, in the training split, of the images that are trained on |
/// | `draw/choice` | what a method that chooses by images tunes of each tensor it may choose |
/// | `draw/choice/SITE` | where single elements of a tensor are chosen: 1 for these, 0 for others, of its shape |
package struct RunDraws {
  private let draw: (_ name: String, _ own: Tensor) throws -> Tensor

  /// - draw: receives the draw that would be used, and returns the one that is, of the same shape.
  package init(_ draw: @escaping (_ name: String, _ own: Tensor) throws -> Tensor) { self.draw = draw }

  /// Whole numbers in a range.
  ///
  /// - Throws: `RunError` for others; what the observer throws.
  func integers(_ name: String, _ own: [Int], shape: Shape? = nil, in range: Range<Int>) throws -> [Int] {
    let drawn = try draw("draw/\(name)", Tensor(shape ?? [own.count], own.map { Real($0) })).values
    let integers = drawn.compactMap { Int(exactly: $0) }.filter(range.contains)
    guard integers.count == own.count else {
      throw RunError("draw/\(name): expected whole numbers from 0 to \(range.upperBound - 1), found others")
    }
    return integers
  }

  /// The images of a sample, by their indices in the set that they come from.
  ///
  /// - Throws: `RunError` for indices of no image, or of one twice.
  func images(_ sample: ImageSet, of all: ImageSet) throws -> ImageSet {
    let indices = Dictionary(all.items.enumerated().map { ($1.url, $0) }) { first, _ in first }
    let own = sample.items.compactMap { indices[$0.url] }
    let drawn = try integers("images", own, in: 0..<max(1, all.count))
    guard Set(drawn).count == drawn.count || drawn == own else {
      throw RunError("draw/images: expected each image once, found one twice")
    }
    return ImageSet(items: drawn.map { all.items[$0] }, classes: all.classes)
  }
}
