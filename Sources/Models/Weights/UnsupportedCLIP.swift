import Formats

/// Image–text models that are no CLIP of this library, by what gives them away.
package enum UnsupportedCLIP {
  /// The models that are read, for messages.
  package static let known =
    "CLIPs with a ViT or ResNet and a causal or plain transformer for text: OpenAI, open_clip's LAION, DataComp, "
    + "MetaCLIP and DFN, and what has their form"

  /// All models that are read, for messages about a model of another kind.
  package static let knownWithClassifiers =
    "\(known); or an image classifier: ViT, DeiT, BEiT, DINOv2, DINOv3, Swin and ConvNeXt, both versions"

  /// A name of a tensor, or its beginning where it ends in a dot or underscore, and the model that has it.
  private static let marks = [
    ("visual.trunk.", "a CLIP with an image tower of timm (SigLIP, EVA-02, ConvNeXt, MobileCLIP, ViTamin, PE, …)"),
    ("visual.attn_pool", "a CoCa, or another model with attentional pooling"),
    ("text_decoder.", "a CoCa, which has a text decoder"),
    ("cls_emb", "a CoCa, whose text has a class token"),
    ("text.cls_emb", "a CoCa, whose text has a class token"),
    ("text.transformer.embeddings.", "a CLIP with a text encoder of Hugging Face (RoBERTa, XLM, …)"),
    ("text.transformer.encoder.", "a CLIP with a text encoder of Hugging Face (mT5, NLLB, …)"),
    ("text.transformer.shared.", "a CLIP with a text encoder of Hugging Face (mT5, NLLB, …)"),
    ("visual.blocks.", "an EVA-CLIP under its authors' names"),
    ("image_encoder.model.", "a MobileCLIP under its authors' names"),
    ("vision_model.head.probe", "a SigLIP"),
    ("logit_bias", "a model trained with SigLIP's loss, whose logits have a bias"),
  ]

  /// The model that tensors of these names belong to, and the first name that says so; `nil` if none is known.
  static func recognised(_ names: [String]) -> (model: String, tensor: String)? {
    for (mark, model) in marks {
      let isPrefix = mark.hasSuffix(".") || mark.hasSuffix("_pool")
      if let found = names.first(where: { isPrefix ? $0.hasPrefix(mark) : $0 == mark }) { return (model, found) }
    }
    return nil
  }

  /// Refuses weights of a known architecture that is not supported.
  ///
  /// - Throws: `ConfigurationError` naming the file, the architecture and what is read instead.
  static func refuse(_ source: some TensorSource) throws(ConfigurationError) {
    guard let (model, tensor) = recognised(source.names) else { return }
    throw ConfigurationError(
      "\(source.label): expected one of the \(known); found \(model) (tensor \"\(tensor)\")")
  }
}
