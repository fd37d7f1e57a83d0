/// Every operation that may stand on a tape, one file each in `Operations/`.
///
/// The list is what "all operations" means to the tests: each case must have a finite-difference check whose tape
/// contains it.
package enum Operation: String, CaseIterable, Sendable {
  case add
  case attention
  case averagePool
  case batchNorm
  case branchedLinear
  case convolution
  case crossEntropy
  case depthwiseConvolution
  case distillation
  case dot
  case dropout
  case dropPath
  case eachRow
  case embedding
  case elementwiseExponential
  case gelu
  case geluTanh
  case globalResponseNorm
  case l2Norm
  case l2Normalize
  case layerNorm
  case linear
  case logSoftmax
  case maskedLinear
  case maskedWeight
  case meanToken
  case patches
  case permuteTokens
  case prepend
  case quickGELU
  case relu
  case removeTokens
  case reshape
  case rotate
  case scaleByExponential
  case scaleChannels
  case scaledSigmoid
  case scaleHeads
  case scatterAdd
  case selectToken
  case softmax
  case sparseLinear
  case spatialTokens
  case swiglu
  case windowAttention
}
