import Tensor

/// The training that the head of a run is built on (`HeadMethod.base`): an ordinary run of the same method on the same
/// images, with settings and a folder of its own below that of the run, to its last epoch. A run that was stopped in
/// either training resumes there.
extension Run {
  /// The run that comes first; `nil` for a head that is built on none.
  ///
  /// - Throws: as `Run.init` does.
  func baseRun() throws -> Run? {
    guard let recipe = name.head.base(of: configuration.recipe) else { return nil }
    var settings = configuration
    (settings.recipe, settings.selection) = (recipe, .last)
    var first = try Run(settings, pretrained, data, in: folder.base, on: base)
    first.cardCommands = cardCommands
    return first
  }

  /// The run at its last epoch, after the one that comes first, where there is one.
  ///
  /// - Throws: as `trained` does.
  func trainedOnBase(_ watch: RunWatch) throws -> TrainedRun {
    guard let first = try baseRun() else { return try trained(creating: folder.isBegun ? [] : [self], watch) }
    watch.report(.base)
    var run = self
    run.baseValues = try first.trained(creating: [self, first].filter { !$0.folder.isBegun }, watch).values
    return try run.trained(creating: [], watch)
  }
}
