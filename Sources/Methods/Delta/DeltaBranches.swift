import Models
import Tensor

extension Delta {
  /// A tensor of the branch at a site: `down`, `down.bias`, `up` or `up.bias`.
  func branchTensor(_ site: String, _ part: String) -> Tensor? {
    tensors[DeltaEntry.branch(site: site, part: part).name]
  }

  /// The sites of one role that have branches.
  func branchSites(_ role: Site.Role) -> [String] {
    let sites = tensors.keys.compactMap { name -> String? in
      guard case .branch(let site, _) = DeltaEntry(name) else { return nil }
      return site.hasSuffix(".\(role.rawValue)") ? site : nil
    }
    return Set(sites).sorted()
  }

  /// The shapes of all branches at sites of one role, by the names of their tensors.
  ///
  /// - parts: the names of a branch's tensors, each with its extents.
  func branchShapes(at role: Site.Role, _ parts: some Sequence<(String, [Int?])>) -> [String: DeltaShape] {
    var expected: [String: DeltaShape] = [:]
    for site in branchSites(role) {
      for (part, extents) in parts {
        expected[DeltaEntry.branch(site: site, part: part).name] = DeltaShape(extents: extents)
      }
    }
    return expected
  }

  /// Refuses a branch without a scale, or with one that is not above 0.
  func checkScale(_ scale: Double?, at site: String, file: String) throws(DeltaError) {
    if let scale, scale > 0 { return }
    throw DeltaError(file, expected: "a scale above 0 for \"\(site)\"", found: scale.map { "\($0)" } ?? "none")
  }
}
