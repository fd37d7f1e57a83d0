/// The loss of CLIP as a classifier of images, and the gradients of both of its towers, with their branches (Radford et
/// al. 2021, section 3.1.4; CLIP-LoRA (c), Zanella and Ben Ayed 2024; 2SFS (b)).
///
///     L = cross-entropy of s ⟨f / ‖f‖, t_c / ‖t_c‖⟩,   t_c = the text features of class c
///
/// - image and text: the towers, whose depths may differ; prompts: the ids of one prompt per class, of one length, and
///   the index of the end-of-text token of each; labels: the class of each image.
public func contrastiveGradients(
  image: Network, text: Network, images: Images, prompts: [[Int]], ends: [Int], labels: [Int], logitScale: Double
) -> (loss: Double, gradients: Parameters) {
  let vision = image.visionTransformer(images)
  let classes = text.textTransformer(prompts, ends: ends)
  let logits = clipLogits(features: vision.features, classifier: classes.features, logitScale: logitScale)
  let d = clipLogitsBackward(
    crossEntropyBackward(logits, labels: labels), features: vision.features, classifier: classes.features,
    logitScale: logitScale)
  let ofImages = image.visionTransformerBackward(d.features, vision, images: images).weights
  let ofTexts = text.textTransformerBackward(d.classifier, classes, prompts, ends: ends)
  return (crossEntropy(logits, labels: labels), ofImages.merging(ofTexts) { image, _ in image })
}
