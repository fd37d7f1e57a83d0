/// The random numbers of a `dropout` or `dropPath`: those of one site in one step of a run.
///
/// The same draw gives the same mask, whatever the number of threads; another seed, site or step gives another one.
/// Dropout and drop path read numbers of two purposes (`Random.Purpose`), so that both may use one site.
public struct DropDraw: Hashable, Sendable {
  /// The seed of the run.
  public let seed: UInt64
  /// The index of the site in the network, given by the caller to every site with dropout.
  public let site: Int
  /// The training step.
  public let step: Int
  /// The index of the first sample in its batch, if a batch is processed in parts.
  public let firstSample: Int

  /// The draw of a site in a step; traps unless the site is in 0 ..< 2²⁴ and the first sample is 0 or more.
  public init(seed: UInt64, site: Int, step: Int, firstSample: Int = 0) {
    require(
      0..<Self.sites ~= site && firstSample >= 0,
      "DropDraw: expected a site below \(Self.sites) and a first sample of 0 or more, found \(site) and \(firstSample)")
    (self.seed, self.site, self.step, self.firstSample) = (seed, site, step, firstSample)
  }

  /// The number of distinct sites, each with 2⁴⁰ random numbers per step.
  private static let sites = 1 << 24
  private static let countPerSite: UInt64 = 1 << 40

  /// The numbers of the step.
  func random(_ purpose: Random.Purpose) -> Random { Random(seed: seed, purpose: purpose, step: step) }

  /// The numbers of a dropout of x, [samples, ...]: the shape of x.
  package func elements(_ shape: Shape) -> Tensor {
    numbers(.dropout, shape, width: UInt64(shape.extents.dropFirst().reduce(1, *)))
  }

  /// The numbers of a drop path, [samples].
  package func samples(_ count: Int) -> Tensor { numbers(.stochasticDepth, [count], width: 1) }

  private func numbers(_ purpose: Random.Purpose, _ shape: Shape, width: UInt64) -> Tensor {
    let (random, origin) = (random(purpose), first(width: width, count: shape.count))
    return Tensor(shape) { random.fill($0, from: origin, count: shape.count) }
  }

  /// The index of the first of `count` random numbers, `width` per sample; traps if they reach into those of the next
  /// site.
  func first(width: UInt64, count: Int) -> UInt64 {
    let (skipped, overflow) = UInt64(firstSample).multipliedReportingOverflow(by: width)
    require(
      !overflow && skipped < Self.countPerSite && UInt64(count) <= Self.countPerSite - skipped,
      "DropDraw: expected at most \(Self.countPerSite) numbers per site, found \(count) from sample \(firstSample) on")
    return UInt64(site) * Self.countPerSite + skipped
  }
}
