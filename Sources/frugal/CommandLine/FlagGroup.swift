/// A group of flags under one heading of the help.
enum FlagGroup: String, CaseIterable {
  case required = "Required"
  case data = "Data"
  case images = "Model and images"
  case method = "The method's own"
  case training = "Training"
  case output = "Result"
  case every = "Every command"

  /// The group of a flag of a command.
  static func of(_ option: Option, in command: any Command.Type) -> FlagGroup {
    if command.required(.none).contains(where: { $0.contains(option.flag) }) { return .required }
    if commonOptions.contains(where: { $0.flag == option.flag }) { return .every }
    if dataFlags.contains(option.flag) { return .data }
    if imageFlags.contains(option.flag) { return .images }
    if trainingFlags.contains(option.flag) { return .training }
    return MethodFlags.all.contains { $0.flag == option.flag } ? .method : .output
  }

  private static let dataFlags: Set<String> = [
    "--data", "--data-list", "--split", "--shots", "--strict", "--classes", "--dataset", "--skip-unreadable",
    "--train-on", "--task", "--suite", "--pairs", "--samples",
  ]
  private static let imageFlags: Set<String> = [
    "--model", "--delta", "--force", "--template", "--tokenizer", "--truncate", "--exif", "--normalize", "--resize",
    "--heads", "--image-size", "--patch-size", "--ensembling",
  ]
  private static let trainingFlags: Set<String> = Set(RecipeFlags.all.map(\.flag)).union([
    "--method", "--seed", "--as", "--select", "--steps", "--warmup-steps", "--full", "--seeds", "--shard",
  ])
}
