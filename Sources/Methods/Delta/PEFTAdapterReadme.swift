import Foundation
import Models

extension PEFTAdapter {
  /// The class of transformers that a model of the layout is opened with; `nil` for the names of other libraries.
  var pythonClass: String? {
    guard layout.name.hasPrefix("Hugging Face") else { return nil }
    if layout.name == WeightLayout.huggingFaceCLIP.name { return "CLIPModel" }
    if layout.hasTwoHeads { return "DeiTForImageClassificationWithTeacher" }
    return head == nil ? "AutoModel" : "AutoModelForImageClassification"
  }

  /// The card of the adapter, with what opens it in Python: a model with a new head needs the number of its classes.
  ///
  /// - base: the path or name of the model; origin: the run of its delta, if that is known.
  func readme(base: String, _ origin: ModelCard.Origin? = nil, commands: CardCommands? = nil) -> String {
    var lines = ["# A low-rank adapter, written by frugal", ""]
    if let head {
      lines += [
        "With a head of \(classes.count) classes, `\(head.path)`. A model has as many only if it is told to: without",
        "`id2label` (or `num_labels`) and `ignore_mismatched_sizes`, or `num_classes` of timm, PEFT finds a head of",
        "another size and stops with \"size mismatch\".", "",
      ]
    }
    lines += ["```python"] + code(base) + ["```", ""]
    return ModelCard(adapterWith: classes, base: base, origin, commands: commands).text(around: lines)
  }

  private func code(_ base: String) -> [String] {
    let tuned = "model = PeftModel.from_pretrained(model, \"path/to/this/folder\")"
    guard let pythonClass else {
      return [
        "from peft import PeftModel", "",
        head == nil
          ? "model = …  # the network of \(base)"
          : "model = …  # timm.create_model(NAME, num_classes=\(classes.count)), otherwise with the weights of \(base)",
        tuned,
      ] + names("names")
    }
    let imports = ["from peft import PeftModel", "from transformers import \(pythonClass)", ""]
    let name = ModelCardText.quoted(base)
    guard head != nil else {
      return imports + ["model = \(pythonClass).from_pretrained(\(name))", tuned]
    }
    return imports + names("names") + [
      "model = \(pythonClass).from_pretrained(",
      "    \(name), id2label=names, label2id={name: index for index, name in names.items()},",
      "    ignore_mismatched_sizes=True)", tuned,
    ]
  }

  private func names(_ variable: String) -> [String] {
    guard head != nil else { return [] }
    return ["\(variable) = {"] + classes.enumerated().map { "    \($0): \(ModelCardText.quoted($1))," } + ["}"]
  }
}
