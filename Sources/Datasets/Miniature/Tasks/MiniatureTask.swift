import Formats
import Tensor

/// A small dataset of the miniature world: classes, and the generator of their images.
///
/// Image `index` of a split belongs to class `index` modulo the number of classes. It depends on the task's name, the
/// split, its index and the seed of the world alone: the splits have separate streams and share no image, and a
/// larger split begins with the images of a smaller one.
public struct MiniatureTask: Sendable {
  /// The published benchmark that a task resembles.
  package enum Suite: String, Sendable, CaseIterable {
    /// The eleven data sets of few-shot tuning (Zhou et al. 2022).
    case eleven
    /// Nine of the nineteen tasks of VTAB-1k (Zhai et al. 2019).
    case vtab
  }

  /// The kind of a task.
  package enum Group: String, Sendable, CaseIterable {
    case general
    case fineGrained = "fine-grained"
    case texture, scene, satellite, action
    case natural, specialised, structured
  }

  /// The parts of a data set, by the names of their folders.
  public enum Split: String, Sendable, CaseIterable {
    case train
    case validation = "val"
    case test
  }

  /// Whether pretraining has seen the words and looks of a task, though never its shift; fixed before anything was
  /// tuned.
  package enum Familiarity: String, Sendable, CaseIterable {
    case seen, foreign
  }

  /// Images per class.
  public struct Counts: Sendable, Equatable {
    /// Training, validation and test.
    public let train, validation, test: Int

    /// The images per class of one split.
    public subscript(split: Split) -> Int {
      switch split {
      case .train: train
      case .validation: validation
      case .test: test
      }
    }
  }

  /// The scene of one image, generated from its stream.
  typealias Drawing = @Sendable (_ label: Int, _ split: Split, _ random: inout RandomStream) -> Miniature.Scene

  /// Its name, and that of its folder.
  public let name: String
  /// The collection it belongs to.
  package let suite: Suite
  /// The kind of task.
  package let group: Group
  /// Whether pretraining has seen its words and looks.
  package let familiarity: Familiarity
  /// One line: its contents and its difficulty.
  package let summary: String
  /// The names of the classes, by label; all differ.
  public let classes: [String]
  /// The prompt, with {} for the name of a class.
  public let template: String
  private let drawing: Drawing

  /// A task with equally frequent classes.
  init(
    _ name: String, _ suite: Suite, _ group: Group, _ summary: String, classes: [String], template: String,
    familiarity: Familiarity = .seen, drawing: @escaping Drawing
  ) {
    require(Set(classes).count == classes.count, "MiniatureTask: expected classes with names of their own")
    (self.name, self.suite, self.group, self.familiarity) = (name, suite, group, familiarity)
    (self.summary, self.classes, self.template, self.drawing) = (summary, classes, template, drawing)
  }

  /// Images per class: for the eleven a pool of 32 to sample shots from, at least 8 (200 in total) for validation and
  /// 600 in total for testing; for VTAB at least 800, 200 and 1,000 in total.
  public var counts: Counts {
    func share(_ total: Int) -> Int { (total + classes.count - 1) / classes.count }
    return switch suite {
    case .eleven: Counts(train: 32, validation: max(8, share(200)), test: share(600))
    case .vtab: Counts(train: share(800), validation: share(200), test: share(1000))
    }
  }

  /// The number of images of a split.
  package func count(_ split: Split) -> Int { counts[split] * classes.count }

  /// The accuracy of guessing, 0 to 1.
  package var chance: Double { 1 / Double(classes.count) }

  /// The class of an image; the same in every split.
  public func label(_ index: Int) -> Int { index % classes.count }

  /// An image, 32 × 32.
  ///
  /// - index: not negative; those from `count(split)` on are more of the same. seed: that of the world.
  public func image(_ split: Split, _ index: Int, seed: UInt64) -> Image {
    var random = Miniature.stream(seed: seed, "\(name)/\(split.rawValue)", index: index)
    return drawing(label(index), split, &random).rendered(using: &random)
  }

  /// The scene of that image.
  func scene(_ split: Split, _ index: Int, seed: UInt64) -> Miniature.Scene {
    var random = Miniature.stream(seed: seed, "\(name)/\(split.rawValue)", index: index)
    return drawing(label(index), split, &random)
  }

  /// Every task, those of a suite together.
  public static let all: [MiniatureTask] =
    [
      net, caltech, pets, cars, flowers("flowers", .eleven, .fineGrained), food, aircraft, sun,
      textures("dtd", .eleven, .texture), eurosat, relations,
    ] + [
      shapes, textures("textures", .vtab, .natural), flowers("petals", .vtab, .natural),
      land("land", .vtab, .specialised), lesion, grade, count, place, turn,
    ]

  /// The task of that name.
  public static func named(_ name: String) -> MiniatureTask? { all.first { $0.name == name } }
}
