/// What a card tells its reader to type: the words of a program, which the library does not know.
public struct CardCommands: Sendable {
  /// The command that predicts with a delta, by the path or name of its base model.
  let prediction: @Sendable (_ base: String) -> String
  /// What leaves unlikely answers out.
  let threshold: String
  /// The command that repeats a finished run in a new folder, with all its settings, by the path of the run.
  package let repetition: @Sendable (_ run: String) -> String

  /// Commands by what they need.
  public init(
    prediction: @escaping @Sendable (_ base: String) -> String, threshold: String,
    repetition: @escaping @Sendable (_ run: String) -> String
  ) {
    (self.prediction, self.threshold, self.repetition) = (prediction, threshold, repetition)
  }
}
