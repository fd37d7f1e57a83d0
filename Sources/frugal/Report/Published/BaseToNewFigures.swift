extension PublishedFigures {
  /// Published means (%) over eleven datasets, from base to new classes.
  static let baseToNew = """
    : base new H
    @ secondary; MaPLe official code, README.md
    > CLIP ViT-B/16; 16
    CLIP; 69.34 74.22 71.7
    CoOp; 82.69 63.22 71.66
    CoCoOp; 80.47 71.69 75.83
    @ primary; MaPLe official code, README.md
    > CLIP ViT-B/16; 16
    MaPLe; 82.28 75.14 78.55
    Deep vision prompting (VPT); 80.24 73.43 76.68
    @ primary; mrflogs/ICLR24 logs/base2new.log
    > CLIP ViT-B/16; 16
    GDA; 83.96 74.53 78.97
    @ primary; astra-vision/ProLIP README
    > CLIP ViT-B/16; 16
    CLIP; 69.34 74.22 71.7
    CoOp; 82.69 63.22 71.66
    CoCoOp; 80.47 71.69 75.83
    MaPLe; 82.28 75.14 78.55
    ProLIP; 84.01 73.86 78.61
    ProLIP, template 'a photo of a {}.'; 83.9 74.78 79.08
    @ tertiary; zhengli97/Awesome-Prompt-Adapter-Learning-for-VLMs README (quotes arXiv 2503.11609)
    > CLIP ViT-B/16; 16
    2SFS; 85.55 75.48 80.2
    """
}
