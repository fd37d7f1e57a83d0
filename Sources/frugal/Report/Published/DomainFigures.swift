extension PublishedFigures {
  /// Published accuracies (%) on ImageNet and its variants after training on ImageNet.
  static let domains = """
    : ImageNet V2 Sketch A R
    @ secondary; Homology Consistency paper (NeurIPS 2024) Table 2
    > CLIP RN50; 16
    Zero-shot CLIP; 58.18 51.34 33.32 21.65 56
    Linear probe; 55.87 45.97 19.07 12.74 28.16
    TaskRes; 65.41 56.84 35.54 21.68 59.96
    Tip-Adapter-F; 65.43 57.2 35.99 23.52 60.45
    > CLIP RN101; 16
    Zero-shot CLIP; 61.62 54.81 38.71 28.05 64.38
    Linear probe; 59.75 50.05 26.8 19.44 47.19
    TaskRes; 68.26 59.94 41.3 28.91 67.36
    Tip-Adapter-F; 68.47 59.69 41.63 30.05 68.04
    > CLIP ViT-B/32; 16
    Zero-shot CLIP; 62.05 54.79 40.82 29.57 65.99
    Linear probe; 59.58 49.73 28.06 19.67 47.2
    TaskRes; 68.45 59.54 42.09 30.6 68.8
    Tip-Adapter-F; 68.55 59.1 42.62 32.08 69.53
    > CLIP ViT-B/16; 16
    Zero-shot CLIP; 66.73 60.83 46.15 47.77 73.96
    Linear probe; 65.85 56.26 34.77 35.68 58.43
    TaskRes; 73.55 65.81 48.86 49.85 77.35
    Tip-Adapter-F; 73.77 65.9 49.13 50.81 77.96
    @ primary; mrflogs/ICLR24 logs/robustness.log
    > CLIP ViT-B/32; 16
    GDA; 67.01 58.51 42.11 30.2 67.8
    > CLIP ViT-B/16; 16
    GDA; 72.23 65.04 48.96 50.51 76.97
    """
}
