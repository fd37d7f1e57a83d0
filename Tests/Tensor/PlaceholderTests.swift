import Testing
import Tensor
@Test func placeholderTensor() { #expect(MemoryLayout<Real>.size > 0) }
