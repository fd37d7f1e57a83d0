import Tensor
import Testing

@Test func placeholderTensor() { #expect(MemoryLayout<Real>.size > 0) }
