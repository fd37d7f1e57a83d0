import Formats

extension Run {
  /// Equal for runs whose parts cost the same: those of one method, model and settings, with as many classes and images
  /// in a step.
  package var rehearsalKey: String {
    get throws {
      var settings = configuration
      settings.data = .init(path: "", classes: [], sha256: "")
      (settings.seed, settings.shots, settings.benchmark) = (0, nil, nil)
      settings.recipe.epochs = 1
      settings.templates = []
      let counts = [
        configuration.data.classes.count, min(images.count, settings.recipe.batchSize),
        // A head that is made of features takes as long as there are features.
        name.needsExamples ? images.count : 0,
        // Prompts that every step encodes.
        name.encoder.tunesText(configuration.recipe) ? configuration.templates.count : 0,
      ]
      return "\(counts) " + String(decoding: try JSON.encoded(settings), as: UTF8.self)
    }
  }
}
