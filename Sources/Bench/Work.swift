import Tensor

/// A named piece of work that can be prepared, checked and timed.
struct Item {
  /// Its name within its case; those of the peer protocol where a peer does the same.
  let name: String
  /// Sets it up: inputs are made here, and nothing that is made once is timed.
  let prepare: () throws -> Work

  init(_ name: String, _ prepare: @escaping () throws -> Work) { (self.name, self.prepare) = (name, prepare) }
}

/// Work that is ready to run.
struct Work {
  /// The extents, for people and in the form of the peers: `M1576 N768 K768 NT`.
  let shape: String
  /// What one call does, in 10⁹ operations, 10⁹ bytes, pictures, or 1 where only time counts.
  let amount: Amount
  /// The plain twin: how far the result is off, and how fast the twin is; `nil` where a step of training has none.
  var twin: (() -> Twin)?
  /// One call.
  let run: () -> Void

  /// How work is counted.
  enum Amount {
    case gflop(Double)
    case gigabytes(Double)
    case images(Int)
    /// 10⁹ numbers.
    case giganumbers(Double)
    case calls

    var count: Double {
      switch self {
      case .gflop(let count), .gigabytes(let count), .giganumbers(let count): count
      case .images(let count): Double(count)
      case .calls: 1
      }
    }

    /// What the speed is called.
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

  /// What comparing with an obviously right version in `Double` gave.
  struct Twin {
    /// The largest error: of the result, relative to its largest number, or in ULP.
    let error: Double
    let unit: Unit
    /// The twin's speed, in amounts of work a second.
    let speed: Double

    enum Unit: String, Encodable { case relative, ulp }
  }
}

/// What belongs together: the cases of the peers, and our own.
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
  /// - images: a folder of JPEG and PNG pictures, which preprocessing asks for.
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
