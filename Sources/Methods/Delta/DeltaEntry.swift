/// What a tensor of a delta file is, told by its name; the one place where the names are spelled.
package enum DeltaEntry: Equatable, Sendable {
  /// The packed bits of a mask at a site.
  case mask(site: String)
  /// What is added to single entries of a site's tensor.
  case entries(site: String)
  /// What single entries of a site's tensor are.
  case newEntries(site: String)
  /// The ascending row-major indices of single entries.
  case indices(site: String)
  /// A tensor of the branch at a site: `down`, `down.bias`, `up` or `up.bias`.
  case branch(site: String, part: String)
  /// A tensor that the branches of all sites share: `down`, `up`, `core` or `slices`.
  case shared(part: String)
  /// The factors of the output channels of a map or norm.
  case factor(site: String)
  /// What is then added to them.
  case offset(site: String)
  /// The residual on the text classifier.
  case residual
  /// A tensor of a head that is more than a residual or a linear map: `cache.keys`.
  case classifier(part: String)
  /// A tensor of learned prompts for whatever classes: `tokens`, `down`, `down.bias`, `up` or `up.bias`.
  case context(part: String)
  /// The weight of a linear head.
  case headWeight
  /// The bias of a linear head.
  case headBias
  /// The whole tensor of a site.
  case whole(site: String)

  private static let (maskSuffix, entriesSuffix, indicesSuffix) = (".mask", ".sparse", ".sparse.places")
  private static let newEntriesSuffix = ".sparse.values"
  private static let (factorSuffix, offsetSuffix) = (".factor", ".offset")
  private static let (classifierPrefix, sharedPrefix, contextPrefix) = ("classifier.", "factors.", "context.")
  private static let branchInfix = ".branch."
  private static let fixed: [(DeltaEntry, String)] = [
    (.residual, "classifier.residual"), (.headWeight, "head.weight"), (.headBias, "head.bias"),
  ]

  /// The entry that a tensor of this name is.
  package init(_ name: String) {
    if let entry = Self.fixed.first(where: { $0.1 == name })?.0 {
      self = entry
    } else if name.hasPrefix(Self.classifierPrefix) {
      self = .classifier(part: String(name.dropFirst(Self.classifierPrefix.count)))
    } else if name.hasPrefix(Self.contextPrefix) {
      self = .context(part: String(name.dropFirst(Self.contextPrefix.count)))
    } else if name.hasPrefix(Self.sharedPrefix) {
      self = .shared(part: String(name.dropFirst(Self.sharedPrefix.count)))
    } else if name.hasSuffix(Self.maskSuffix) {
      self = .mask(site: String(name.dropLast(Self.maskSuffix.count)))
    } else if name.hasSuffix(Self.indicesSuffix) {
      self = .indices(site: String(name.dropLast(Self.indicesSuffix.count)))
    } else if name.hasSuffix(Self.newEntriesSuffix) {
      self = .newEntries(site: String(name.dropLast(Self.newEntriesSuffix.count)))
    } else if name.hasSuffix(Self.entriesSuffix) {
      self = .entries(site: String(name.dropLast(Self.entriesSuffix.count)))
    } else if name.hasSuffix(Self.factorSuffix) {
      self = .factor(site: String(name.dropLast(Self.factorSuffix.count)))
    } else if name.hasSuffix(Self.offsetSuffix) {
      self = .offset(site: String(name.dropLast(Self.offsetSuffix.count)))
    } else if let range = name.range(of: Self.branchInfix) {
      self = .branch(site: String(name[..<range.lowerBound]), part: String(name[range.upperBound...]))
    } else {
      self = .whole(site: name)
    }
  }

  /// Whether it is part of a classifier.
  package var isOfHead: Bool {
    if case .context = self { true } else { isOfClasses }
  }

  /// Whether it is part of a classifier for the delta's own classes.
  package var isOfClasses: Bool {
    switch self {
    case .residual, .classifier, .headWeight, .headBias: true
    case .context: false
    case .mask, .entries, .newEntries, .indices, .branch, .shared, .factor, .offset, .whole: false
    }
  }

  /// The name of the tensor.
  package var name: String {
    switch self {
    case .mask(let site): site + Self.maskSuffix
    case .entries(let site): site + Self.entriesSuffix
    case .newEntries(let site): site + Self.newEntriesSuffix
    case .indices(let site): site + Self.indicesSuffix
    case .branch(let site, let part): site + Self.branchInfix + part
    case .shared(let part): Self.sharedPrefix + part
    case .factor(let site): site + Self.factorSuffix
    case .offset(let site): site + Self.offsetSuffix
    case .classifier(let part): Self.classifierPrefix + part
    case .context(let part): Self.contextPrefix + part
    case .whole(let site): site
    case .residual, .headWeight, .headBias: Self.fixed.first { $0.0 == self }?.1 ?? ""
    }
  }
}
