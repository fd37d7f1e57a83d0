import Methods

extension CardCommands {
  /// The commands of this program.
  static let frugal = CardCommands(
    prediction: { base in
      "frugal predict --model \(base.shellWord) --delta delta.safetensors photo.jpg"
    }, threshold: "`frugal predict --threshold`",
    repetition: { run in
      let files = ["config.json", "paths.json"].map { "\(run)/\($0)".shellWord }
      return "mkdir again && cp \(files.joined(separator: " ")) again && frugal tune --resume again"
    })
}
