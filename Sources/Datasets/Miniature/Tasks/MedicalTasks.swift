import Tensor

/// Specialised tasks that resemble Patch Camelyon and Diabetic Retinopathy, where small dots decide.
extension MiniatureTask {
  private typealias World = Miniature

  /// Tells whether one of the purple dots on pink tissue is in the middle third.
  static let lesion = MiniatureTask(
    "lesion", .vtab, .specialised, "is one of the purple dots in the middle third of the tissue",
    classes: ["healthy tissue", "tissue with a tumour"], template: "a photo of {}"
  ) { label, _, random in
    let tissue = World.backgroundSurface(.pink, random.pick([.plain, .wavy, .shaded]), using: &random)
    // The number of dots carries no information: the one in the middle is one of as many as other tissue has.
    var centres: [SIMD2<Double>] = []
    if label == 1 { centres.append(SIMD2(random.uniform(in: -0.24..<0.24), random.uniform(in: -0.24..<0.24))) }
    let count = 3 + random.integer(below: 5)
    while centres.count < count {
      let candidate = SIMD2(random.uniform(in: -0.95..<0.95), random.uniform(in: -0.95..<0.95))
      if max(abs(candidate.x), abs(candidate.y)) > 0.5 { centres.append(candidate) }
    }
    return World.Scene(tissue, centres.map { dot(.purple, $0, 0.1..<0.17, using: &random) })
  }

  /// The number of dark dots on an orange gradient, by grade.
  static let grade = MiniatureTask(
    "grade", .vtab, .specialised, "0, 2, 4, 7 or 11 dark dots on an orange disc",
    classes: ["healthy eye", "mild disease", "moderate disease", "severe disease", "extreme disease"],
    template: "a photo of {}"
  ) { label, _, random in
    let disc = World.Object(
      .figure(.circle),
      World.Texture(
        .shaded, World.jittered([0.92, 0.5, 0.16], using: &random), World.jittered([0.7, 0.26, 0.1], using: &random),
        period: 20, angle: random.uniform(in: 0..<2 * Double.pi)), halfExtent: 1.18)
    let centres = World.apart([0, 2, 4, 7, 11][label], radius: 0.78, gap: 0.3, using: &random)
    return World.Scene(
      World.backgroundSurface(.black, .plain, using: &random),
      [disc] + centres.map { dot(.black, $0, 0.1..<0.15, using: &random) })
  }

  private static func dot(
    _ hue: Miniature.Hue, _ centre: SIMD2<Double>, _ halfExtent: Range<Double>, using random: inout RandomStream
  ) -> Miniature.Object {
    World.Object(
      .figure(.circle), World.objectSurface(hue, .plain, using: &random), centre: centre,
      halfExtent: random.uniform(in: halfExtent))
  }
}

extension Miniature {
  /// Positions within a radius of the middle, any two at least `gap` apart.
  ///
  /// If there is no room after a thousand attempts, the gap shrinks by a tenth.
  static func apart(_ count: Int, radius: Double, gap: Double, using random: inout RandomStream) -> [SIMD2<Double>] {
    func square(_ vector: SIMD2<Double>) -> Double { vector.x * vector.x + vector.y * vector.y }
    var (centres, gap, attempts): ([SIMD2<Double>], Double, Int) = ([], gap, 0)
    while centres.count < count {
      let candidate = SIMD2(random.uniform(in: -radius..<radius), random.uniform(in: -radius..<radius))
      if square(candidate) <= radius * radius, centres.allSatisfy({ square($0 - candidate) >= gap * gap }) {
        centres.append(candidate)
      }
      attempts += 1
      if attempts % 1000 == 0 { gap *= 0.9 }
    }
    return centres
  }
}
