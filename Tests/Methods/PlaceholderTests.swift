import Testing
import Tensor
@Test func placeholderMethods() { #expect(MemoryLayout<Real>.size > 0) }
