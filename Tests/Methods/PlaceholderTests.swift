import Tensor
import Testing

@Test func placeholderMethods() { #expect(MemoryLayout<Real>.size > 0) }
