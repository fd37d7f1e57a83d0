import Foundation

extension OptimizerRecipe {
  /// The epochs before the learning rate has left its warm-up, those by which the schedule lags included.
  func warmupLength(epochs: Int) -> Int {
    warmup == .none || warmupEpochs == 0 ? 0 : min(epochs, warmupEpochs + (lag ?? 0))
  }
}

extension Recipe {
  /// Warns of a warm-up that takes more than a third of the run, with the rates: a run as short as its warm-up never
  /// has the learning rate that was asked for.
  ///
  /// - halves: whether encoder and head are trained.
  package func warmupWarnings(trainsEncoder: Bool, trainsHead: Bool) -> [String] {
    var halves: [(name: String, optimizer: OptimizerRecipe)] = []
    if trainsEncoder { halves.append(("encoder", encoder)) }
    if trainsHead { halves.append(("head", head)) }
    var warnings: [(names: [String], text: String)] = []
    for half in halves {
      guard let text = warmupWarning(half.optimizer) else { continue }
      if let index = warnings.firstIndex(where: { $0.text == text }) {
        warnings[index].names.append(half.name)
      } else {
        warnings.append(([half.name], text))
      }
    }
    return warnings.map { "the warm-up of the \($0.names.joined(separator: " and the ")) \($0.text)" }
  }

  private func warmupWarning(_ optimizer: OptimizerRecipe) -> String? {
    let length = optimizer.warmupLength(epochs: epochs)
    guard 3 * length > epochs else { return nil }
    let schedule = optimizer.schedule(epochs: epochs)
    var rates = (0..<epochs).map { String(format: "%.2g", schedule.rate(at: $0)) }
    if rates.count > 5 { rates.replaceSubrange(3..<rates.count - 1, with: ["…"]) }
    let lag = optimizer.lag.map { $0 > 0 ? ", its lag of \($0) included" : "" } ?? ""
    return "takes \(length) of \(epochs) \(epochs == 1 ? "epoch" : "epochs")\(lag): the learning rates are "
      + "\(rates.joined(separator: ", ")), where \(String(format: "%.2g", optimizer.learningRate)) was asked for. "
      + "More epochs or a shorter warm-up would help."
  }
}
