extension PublishedFigures {
  /// Published accuracies (%) on the nineteen tasks of VTAB-1k.
  static let vtabTasks = """
    : cifar caltech101 dtd oxford_flowers102 oxford_iiit_pet svhn sun397 patch_camelyon eurosat resisc45 \
    diabetic_retinopathy clevr_count clevr_dist dmlab kitti dsprites_loc dsprites_ori smallnorb_azi smallnorb_ele
    @ secondary; SNELL paper (Expanding Sparse Tuning for Low Memory Usage, NeurIPS 2024) Table A7
    > ViT-B/16 supervised IN-21k; -
    Full; 68.9 87.7 64.3 97.2 86.9 87.4 38.8 79.7 95.7 84.2 73.9 56.3 58.6 41.7 65.5 57.5 46.7 25.7 29.1
    VPT-shallow; 77.7 86.9 62.6 97.5 87.3 74.5 51.2 78.2 92 75.6 72.9 50.5 58.6 40.5 67.1 68.7 36.1 20.2 34.1
    Adapter-32; 68.7 92.2 69.8 98.9 90.3 84.2 53 83.2 95.4 83.2 74.3 81.9 63.9 48.7 80.6 76.2 47.6 30.8 36.4
    Partial-1; 66.8 85.9 62.5 97.3 85.5 37.6 50.6 78.6 89.8 72.5 73.3 41.5 34.3 33.9 61 31.3 32.8 16.3 22.4
    Bias; 72.8 87 59.2 97.5 85.3 59.9 51.4 78.7 91.6 72.9 69.8 61.5 55.6 32.4 55.9 66.6 40 15.7 25.1
    LoRA-16; 68.1 91.4 69.8 99 90.5 86.4 53.1 85.1 95.8 84.7 74.2 83 66.9 50.4 81.4 80.2 46.6 32.2 41.1
    SPT-Adapter (partial); - - - 99.3 91.4 - 55.8 86.2 96.1 85.5 75.5 83 - - - - - - -
    SPT-LoRA (partial); - - - 99.3 - - - - - - - - - - - - - - -
    @ secondary; NOAH repository, figures/table1.jpg
    > ViT-B/16 supervised IN-21k; -
    Linear; 64.4 85 63.2 97 86.3 36.6 51 78.5 87.5 68.5 74 34.3 30.6 33.2 55.4 12.5 20 9.6 19.2
    VPT-deep; 78.8 90.8 65.8 98 88.3 78.1 49.6 81.8 96.1 83.4 68.4 68.5 60 46.5 72.8 73.6 47.9 32.9 37.8
    Adapter-8; 69.2 90.1 68 98.8 89.9 82.8 54.3 84 94.9 81.9 75.5 80.9 65.3 48.6 78.3 74.8 48.5 29.9 41.6
    LoRA-8; 67.1 91.4 69.4 98.8 90.4 85.3 54 84.9 95.3 84.4 73.6 82.9 69.2 49.8 78.5 75.7 47.1 31 44
    @ primary; NOAH repository, figures/table1.jpg
    > ViT-B/16 supervised IN-21k; -
    NOAH; 69.6 92.7 70.2 99.1 90.4 86.1 53.7 84.4 95.4 83.9 75.8 82.8 68.9 49.9 81.7 81.8 48.3 32.8 44.2
    @ primary; JieShibo/PETL-ViT convpass/README.md
    > ViT-B/16 supervised IN-21k; -
    Convpass-attn; 71.84 90.62 71.97 99.06 90.98 89.93 54.25 85.17 95.57 83.43 74.76 79.86 66.97 50.31 79.89 84.27 \
    53.2 34.81 42.95
    Convpass; 72.29 91.16 72.18 99.15 90.9 91.26 54.87 84.19 96.13 85.32 75.6 82.26 67.86 51.31 80.03 85.94 53.13 \
    36.43 44.44
    @ secondary; synbol/Parameter-Efficient-Transfer-Learning-Benchmark README (rows quote the original papers)
    > ViT-B/16 supervised IN-21k; -
    FacT (TK<=32); 70.6 90.6 70.8 99.1 90.7 88.6 54.1 84.8 96.2 84.5 75.7 82.6 68.2 49.8 80.7 80.8 47.4 33.2 43
    RepAdapter; 72.4 91.6 71 99.2 91.4 90.7 55.1 85.3 95.9 84.6 75.9 82.3 68 50.4 79.9 80.4 49.2 38.6 41
    GPS; 81.1 94.2 75.8 99.4 91.7 91.6 52.4 87.9 96.2 86.5 76.5 79.9 62.6 55 82.4 84 55.4 29.7 46.1
    SSF; 69 92.6 75.1 99.4 91.8 90.2 52.9 87.4 95.9 87.4 75.5 75.9 62.3 53.3 80.6 77.3 54.9 29.5 37.9
    AdaptFormer; 70.8 91.2 70.5 99.1 90.9 86.6 54.8 83 95.8 84.4 76.3 81.9 64.3 49.3 80.3 76.3 45.7 31.7 41.1
    """
}
