extension PublishedFigures {
  /// Published accuracies (%) on the five FGVC datasets.
  static let fgvc = """
    : CUB-200 NABirds OxfordFlowers StanfordDogs StanfordCars
    @ secondary; SNELL paper (Expanding Sparse Tuning for Low Memory Usage, NeurIPS 2024) Table 1
    > ViT-B/16 supervised IN-21k; -
    Full; 87.3 82.7 98.8 89.4 84.5
    MLP-3; 85.1 77.3 97.9 84.9 53.8
    VPT-Shallow; 86.7 78.8 98.4 90.7 68.7
    VPT-Deep; 88.5 84.2 99 90.2 83.6
    Adapter-8; 87.3 84.3 98.4 88.8 68.4
    Adapter-32; 87.2 84.3 98.5 89.6 68.4
    SPT-Adapter; 89.1 83.3 99.2 91.1 86.2
    Linear; 85.3 75.9 97.9 86.2 51.3
    Partial-1; 85.6 77.8 98.2 85.5 66.2
    Bias; 88.4 84.2 98.8 91.2 79.4
    LoRA-8; 84.9 79 98.1 88.1 79.8
    LoRA-16; 85.6 79.8 98.9 87.6 72
    SPT-LoRA; 88.6 83.4 99.5 91.4 87.3
    SSF; 89.5 85.7 99.6 89.6 89.2
    @ secondary; synbol/Parameter-Efficient-Transfer-Learning-Benchmark README (rows quote the original papers)
    > ViT-B/16 supervised IN-21k; -
    GPS; 89.9 86.7 99.7 92.2 90.4
    SSF; 89.5 85.7 99.6 89.6 89.2
    """
}
