import Foundation
import Reference

extension Exercise {
  /// Softmax, cross-entropy and their gradient.
  static let crossEntropy = Exercise(
    name: "cross-entropy", title: "Softmax and cross-entropy",
    introduction: """
      A classifier gives every image one number per class, the logits z. Softmax makes probabilities of them, and
      cross-entropy is the mean of −log of the probability of the right class.
      """,
    inputs: [
      Input("z", 2, "logits, one row per image"), Input("y", 1, "the class of every image, from 0"),
    ],
    make: { draws, size in
      let (images, classes) = size == .own ? (5, 4) : (3, 6)
      return [
        "z": draws.matrix(images, classes, scale: 4), "y": draws.labels(images, below: classes),
      ]
    },
    steps: [
      Step(
        "p", 2, "p_c = exp(z_c) / Σ_k exp(z_k), in every row", "R-AMT (k)", from: ["z"],
        mistakes: [
          (
            "softmax over the images in place of the classes",
            { softmax($0["z"].transposed).transposed }
          )
        ]
      ) { softmax($0["z"]) },
      Step(
        "log_p", 2, "log p_c = z_c − log Σ_k exp(z_k), in every row", "R-AMT (k)", from: ["z"],
        mistakes: [("logarithm of base 2", { logSoftmax($0["z"]).map { $0 / log(2) } })]
      ) { logSoftmax($0["z"]) },
      Step(
        "loss", 0, "L = −(1/n) Σ_i log p_i[y_i], n images", "R-AMT (k)", from: ["log_p", "y"],
        mistakes: [
          (
            "the sum over the images in place of their mean",
            { .number(loss($0) * Double($0["log_p"].rows)) }
          ),
          ("the sign", { .number(-loss($0)) }),
          ("the mean over all elements", { .number(loss($0) / Double($0["log_p"].columns)) }),
        ]
      ) { .number(loss($0)) },
      Step(
        "d_z", 2, "∂L/∂z_i[c] = (p_i[c] − 1[c = y_i]) / n", "R-AMT (k)", from: ["p", "y"],
        mistakes: [
          ("not divided by the number of images", { difference($0) }),
          (
            "the labels are not subtracted",
            { values in values["p"].map { $0 / Double(values["p"].rows) } }
          ),
        ]
      ) { values in difference(values).map { $0 / Double(values["p"].rows) } },
    ])

  private static func loss(_ values: ExerciseValues) -> Double {
    let logP = values["log_p"]
    let labels = values.labels("y", below: logP.columns)
    return -labels.enumerated().reduce(0) { $0 + logP[$1.offset, $1.element] }
      / Double(labels.count)
  }

  private static func difference(_ values: ExerciseValues) -> Matrix {
    values["p"].subtractingLabels(values.labels("y", below: values["p"].columns))
  }
}
