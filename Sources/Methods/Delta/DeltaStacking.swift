import Models
import Tensor

extension PriorTunings {
  /// What trainings one on top of another made of a tower.
  init(of trainings: [Delta], on tower: any ImageTower) {
    self.init()
    for delta in trainings {
      let (tensors, kept) = delta.settled(on: self.tower(tower))
      add(tensors, keeping: kept)
    }
  }

  /// A tower with them; itself where nothing differs.
  func tower(_ tower: any ImageTower) -> any ImageTower { isEmpty ? tower : StackedTower(tower, self) }
}

extension Delta {
  /// What a training left of a tower: its tensors, where weights can hold what was tuned, as `merged` has them, and the
  /// tunings that they cannot hold.
  fileprivate func settled(
    on tower: any ImageTower
  ) -> (tensors: [Site: Tensor], kept: [Site: StoredTuning]) {
    let parameters = tower.parameters
    let sites = Dictionary(uniqueKeysWithValues: parameters.map { ($0.site.name, $0.site) })
    var (tensors, kept) = ([Site: Tensor](), [Site: StoredTuning]())
    for part in MethodList.deltaParts {
      if let merged = merged(part, into: parameters) {
        for (name, value) in merged { if let site = sites[name] { tensors[site] = value } }
        continue
      }
      for parameter in parameters {
        if let value = try? part.merged(into: parameter, from: self) {
          tensors[parameter.site] = value
        } else if let tuning = part.tuning(of: parameter, in: self) {
          kept[parameter.site] = tuning
        }
      }
      kept.merge(part.added(to: tower, from: self)) { _, new in new }
    }
    return (tensors, kept)
  }

  /// The tensors of a part; `nil` where weights cannot hold all of it.
  private func merged(_ part: any DeltaPart.Type, into parameters: [Parameter]) -> [String: Tensor]? {
    do throws(ExportError) {
      try part.checkMerging(self)
      return try part.merged(into: parameters, from: self)
    } catch { return nil }
  }

  /// Adds a training on top of others, in place of those that it had.
  mutating func put(on trainings: [Delta]) {
    earlier = trainings
    description.on = trainings.isEmpty ? nil : trainings.map(\.description)
    description.format = trainings.isEmpty ? 1 : 2
  }

  /// Refuses earlier trainings of another model, of other classes or texts, and those that have earlier ones
  /// themselves.
  func checkEarlier(_ file: String) throws(DeltaError) {
    for delta in earlier {
      let (own, other) = (description, delta.description)
      let isOfModel = other.model == own.model || other.weights != nil && other.weights == own.weights
      // A training without a classifier may have had the names of the folders.
      let hasClasses =
        delta.hasOwnHead ? other.classes == own.classes : other.classes.count == own.classes.count
      guard other.on == nil, isOfModel, hasClasses else {
        throw DeltaError(
          file, expected: "earlier trainings of one model and the same \(own.classes.count) classes",
          found: "others, of the method \(other.method)")
      }
      guard !delta.hasOwnHead || other.templates == own.templates && other.ensembling == own.ensembling else {
        throw DeltaError(
          file,
          expected: "the templates of the earlier training whose classifier it has, of the method \(other.method)",
          found: "others")
      }
    }
  }
}
