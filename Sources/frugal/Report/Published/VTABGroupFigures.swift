extension PublishedFigures {
  /// Published means (%) of the groups of VTAB-1k; the last is the mean of the three.
  static let vtabGroups = """
    : Natural Specialized Structured MeanOfGroups
    @ secondary; SNELL paper (Expanding Sparse Tuning for Low Memory Usage, NeurIPS 2024) Table 1
    > ViT-B/16 supervised IN-21k; -
    Full; 75.9 83.4 47.6 69
    MLP-3; 67.8 72.8 30.6 57.1
    VPT-Shallow; 76.8 79.7 47 67.8
    VPT-Deep; 78.5 82.4 55 72
    Adapter-8; 79 84.1 58.5 73.9
    Adapter-32; 79.6 84 58.3 74
    SPT-Adapter; 82 85.8 61.4 76.4
    Linear; 68.9 77.2 26.8 57.6
    Partial-1; 69.4 78.5 34.2 60.7
    Bias; 73.3 78.3 44.1 65.2
    LoRA-8; 79.5 84.6 60.5 74.9
    LoRA-16; 79.8 84.9 60.2 75
    SPT-LoRA; 81.9 85.9 61.3 76.4
    SSF; 81.6 86.6 59 75.7
    @ secondary; SNELL paper (Expanding Sparse Tuning for Low Memory Usage, NeurIPS 2024) Table 2
    > ViT-B/16 MAE; -
    Full; 59.3 79.7 53.8 64.3
    > ViT-B/16 MoCo v3; -
    Full; 72 84.7 42 69.6
    > ViT-B/16 MAE; -
    Adapter-8; 57.2 78.4 54.7 63.4
    > ViT-B/16 MoCo v3; -
    Adapter-8; 27.6 70.9 48.4 49
    > ViT-B/16 MAE; -
    Adapter-32; 55.3 78.8 53.3 62.5
    > ViT-B/16 MoCo v3; -
    Adapter-32; 74.2 82.7 47.7 68.2
    > ViT-B/16 MAE; -
    VPT-Shallow; 40 69.7 27.5 45.7
    > ViT-B/16 MoCo v3; -
    VPT-Shallow; 67.3 82.3 37.6 62.4
    > ViT-B/16 MAE; -
    VPT-Deep; 36 60.6 26.6 41.1
    > ViT-B/16 MoCo v3; -
    VPT-Deep; 70.3 83 42.4 65.2
    > ViT-B/16 MAE; -
    SPT-Adapter; 65.6 82.7 60.7 69.7
    > ViT-B/16 MoCo v3; -
    SPT-Adapter; 76.6 85 61.7 74.4
    > ViT-B/16 MAE; -
    Linear; 18.9 52.7 23.7 32.1
    > ViT-B/16 MoCo v3; -
    Linear; 67.5 81.1 30.3 59.6
    > ViT-B/16 MAE; -
    Partial-1; 58.4 78.3 47.6 61.5
    > ViT-B/16 MoCo v3; -
    Partial-1; 72.3 84.6 47.9 68.3
    > ViT-B/16 MAE; -
    Bias; 54.6 75.7 47.7 59.3
    > ViT-B/16 MoCo v3; -
    Bias; 72.9 81.1 53.4 69.2
    > ViT-B/16 MAE; -
    LoRA-8; 57.5 77.7 57.7 64.3
    > ViT-B/16 MoCo v3; -
    LoRA-8; 21.2 66.7 45.1 44.3
    > ViT-B/16 MAE; -
    LoRA-16; 57.3 77.1 59.9 64.8
    > ViT-B/16 MoCo v3; -
    LoRA-16; 16 64 48.7 42.9
    > ViT-B/16 MAE; -
    SPT-LoRA; 65.4 82.4 61.5 69.8
    > ViT-B/16 MoCo v3; -
    SPT-LoRA; 76.5 86 63.6 75.3
    @ secondary; SNELL paper (Expanding Sparse Tuning for Low Memory Usage, NeurIPS 2024) Table 3
    > Swin-B supervised; -
    Full; 79.1 86.2 59.7 75
    > ConvNeXt-B supervised; -
    Full; 78 83.7 60.4 74
    > Swin-B supervised; -
    MLP-3; 73.6 75.2 35.7 61.5
    > ConvNeXt-B supervised; -
    MLP-3; 73.8 81.4 35.7 63.6
    > Swin-B supervised; -
    VPT-Deep; 76.8 84.5 53.4 71.6
    > ConvNeXt-B supervised; -
    VPT-Deep; 78.5 83 44.6 68.7
    > Swin-B supervised; -
    Adapter-8; 81.7 87.3 61.2 76.7
    > ConvNeXt-B supervised; -
    Adapter-8; 83.1 84.9 64.6 77.5
    > Swin-B supervised; -
    SPT-Adapter; 83 87.3 62.1 77.5
    > ConvNeXt-B supervised; -
    SPT-Adapter; 83.7 86.2 65.3 78.4
    > Swin-B supervised; -
    Linear; 73.5 80.8 33.5 62.6
    > ConvNeXt-B supervised; -
    Linear; 74.5 81.5 34.8 63.6
    > Swin-B supervised; -
    Partial-1; 73.1 81.7 35 63.3
    > ConvNeXt-B supervised; -
    Partial-1; 73.8 81.6 39.6 65
    > Swin-B supervised; -
    LoRA-8; 81.7 87.2 60.1 76.3
    > ConvNeXt-B supervised; -
    LoRA-8; 82.2 84.7 64.1 77
    > Swin-B supervised; -
    SPT-LoRA; 83.1 87.4 60.4 77.2
    > ConvNeXt-B supervised; -
    SPT-LoRA; 83.4 86.7 65.9 78.7
    """
}
