import Tensor

/// A named piece of work that can be prepared, checked and timed.
struct Item {
  /// Its name within its case; that of the peer protocol if a peer does the same.
  let name: String
  /// Sets it up: inputs are made here, and one-time work is not timed.
  let prepare: () throws -> Work

  init(_ name: String, _ prepare: @escaping () throws -> Work) { (self.name, self.prepare) = (name, prepare) }
}

/// Work that is ready to run.
struct Work {
  /// The extents, for people and in the form of the peers: `M1576 N768 K768 NT`.
  let shape: String
  /// The work of one call, in 10⁹ operations, 10⁹ bytes, images, or 1 if only time counts.
  let amount: Amount
  /// The plain twin: the error of the result, and the twin's speed; `nil` for a training step without one.
  var twin: (() -> Twin)?
  /// One call.
  let run: () -> Void

  /// The unit of work.
  enum Amount {
    case gflop(Double)
    case gigabytes(Double)
    case images(Int)
    /// 10⁹ elements.
    case giganumbers(Double)
    case calls

    var count: Double {
      switch self {
      case .gflop(let count), .gigabytes(let count), .giganumbers(let count): count
      case .images(let count): Double(count)
      case .calls: 1
      }
    }

    /// The unit of the speed.
    var unit: String {
      switch self {
      case .gflop: "GFLOP/s"
      case .gigabytes: "GB/s"
      case .giganumbers: "G/s"
      case .images: "images/s"
      case .calls: "1/s"
      }
    }
  }

  /// The comparison with an obviously correct version in `Double`.
  struct Twin {
    /// The largest error: relative to the largest element of the result, or in ULP.
    let error: Double
    let unit: Unit
    /// The twin's speed, in amounts of work per second.
    let speed: Double

    enum Unit: String, Encodable { case relative, ulp }
  }
}

/// The benchmark cases: those of the peers, and our own.
enum Case: String, CaseIterable {
  case gemm, ops, transcendental
  case inference = "clip-infer"
  case maskTuning = "ramt-step"
  case sensitivity = "spt"
  case taskRes = "taskres"
  case preprocessing = "preprocess"
  case growth

  /// Whether an item takes most of the memory.
  var isHeavy: Bool { [.inference, .maskTuning, .taskRes, .preprocessing, .growth].contains(self) }

  /// All items of the case.
  ///
  /// - images: a folder of JPEG and PNG images, required for preprocessing.
  func items(images: String?) -> [Item] {
    switch self {
    case .gemm: gemmItems
    case .ops: operationItems + maskItems
    case .transcendental: transcendentalItems
    case .inference: inferenceItems
    case .maskTuning: maskTuningItems
    case .sensitivity: sensitivityItems
    case .taskRes: taskResItems
    case .preprocessing: preprocessingItems(images)
    case .growth: growthItems
    }
  }
}
