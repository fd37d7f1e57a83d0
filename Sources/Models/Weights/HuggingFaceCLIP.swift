extension WeightLayout {
  /// `CLIPModel` of Hugging Face transformers.
  public static let huggingFaceCLIP = WeightLayout(
    name: "Hugging Face CLIP",
    rules: [
      Rule("vision.patchEmbedding", "vision_model.embeddings.patch_embedding.weight"),
      Rule("vision.classToken", "vision_model.embeddings.class_embedding"),
      Rule("vision.positions", "vision_model.embeddings.position_embedding.weight"),
      Rule("vision.projection", "visual_projection.weight"),
      Rule("text.tokens", "text_model.embeddings.token_embedding.weight"),
      Rule("text.positions", "text_model.embeddings.position_embedding.weight"),
      Rule("text.projection", "text_projection.weight"),
      Rule("logitScale", "logit_scale"),
    ],
    // The misspelling is that of the published checkpoints.
    norm("vision.preNorm", "vision_model.pre_layrnorm"),
    norm("vision.postNorm", "vision_model.post_layernorm"),
    norm("text.finalNorm", "text_model.final_layer_norm"),
    block("vision.blocks.{i}", "vision_model.encoder.layers.{i}", transformerBlock),
    block("text.blocks.{i}", "text_model.encoder.layers.{i}", transformerBlock),
    // Buffers 0, 1, 2, … that older versions of transformers saved.
    ignored: ["vision_model.embeddings.position_ids", "text_model.embeddings.position_ids"])

  private static let transformerBlock = joined(
    norm("attentionNorm", "layer_norm1"), norm("mlpNorm", "layer_norm2"),
    linear("attention.query", "self_attn.q_proj"), linear("attention.key", "self_attn.k_proj"),
    linear("attention.value", "self_attn.v_proj"), linear("attention.output", "self_attn.out_proj"),
    linear("mlp.up", "mlp.fc1"), linear("mlp.down", "mlp.fc2"))
}
