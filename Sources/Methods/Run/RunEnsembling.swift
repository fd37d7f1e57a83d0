extension RunRequest {
  /// The rule that combines the text features of several templates: the one asked for, or that of the method.
  package func textEnsembling(of name: MethodName) -> TextEnsembling { ensembling ?? name.ensembling }

  /// Refuses a rule that nothing would read, and one that is not that of the classifier to train on top of.
  ///
  /// - hasText: whether the model reads texts; earlier: the settings of a run whose classifier stays, or is built on.
  /// - Throws: `SettingError` about `ensembling`.
  package func checkEnsembling(
    _ name: MethodName, hasText: Bool, earlier: RunConfiguration?
  ) throws(SettingError) {
    guard let ensembling else { return }
    if let earlier, earlier.ensembling != ensembling {
      throw SettingError(
        "ensembling", expected: "\(earlier.ensembling.rawValue), as in the earlier run, whose classifier stays",
        found: "\"\(ensembling.rawValue)\"")
    }
    guard hasText else {
      throw SettingError(
        "ensembling", expected: "a model with texts with it", found: "\"\(ensembling.rawValue)\" and one without")
    }
    guard name.head.takesTextRows else {
      throw SettingError(
        "ensembling", expected: "a method whose classifier is made of templates with it", found: "\(name)")
    }
  }
}
